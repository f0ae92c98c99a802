//! Discover: the instances of a service, as a router knows them.
//!
//! Source: spec/hyperbahn/api.md, "discover".

use std::net::Ipv4Addr;
use std::time::Duration;

use tchannel_proto::ErrorCode;

use crate::channel::Channel;
use crate::error::CallError;
use crate::retry::Acted;
use crate::scheme::thrift::{ReadError, Reader, Type, Writer};

/// Time for one discover.
const TTL: Duration = Duration::from_secs(1);

impl Channel {
    /// Asks a router for the instances of `service`, as `ip:port`.
    ///
    /// # Errors
    ///
    /// [`CallError`]: `declined` when the service has no instance, with the router's own words.
    pub async fn discover(&self, service: &str) -> Result<Vec<String>, CallError> {
        let mut writer = Writer::new();
        writer.write_field(Type::Struct, 1);
        writer.write_field(Type::String, 1);
        writer.write_string(service);
        writer.write_stop();
        writer.write_stop();
        let arguments = writer
            .finish()
            .map_err(|error| CallError::new(ErrorCode::BadRequest, Acted::No, error.to_string()))?;
        let response = self
            .call("hyperbahn::Hyperbahn::discover")
            .ttl(TTL)
            .idempotent()
            .thrift(arguments)
            .await?;
        let mut reader = Reader::new(&response.arg3);
        let unreadable = |error: ReadError| {
            CallError::new(
                ErrorCode::UnexpectedError,
                Acted::Maybe,
                format!("bad discover result: {error}"),
            )
        };
        if response.is_ok() {
            return read_result(&mut reader).map_err(unreadable);
        }
        let message = read_exception(&mut reader).map_err(unreadable)?;
        Err(CallError::new(ErrorCode::Declined, Acted::No, message))
    }
}

fn read_result(reader: &mut Reader<'_>) -> Result<Vec<String>, ReadError> {
    let mut peers = Vec::new();
    reader.read_struct(|reader, field| {
        if (field.id, field.ty) != (0, Type::Struct) {
            return reader.skip(field.ty);
        }
        reader.read_struct(|reader, field| {
            if (field.id, field.ty) != (1, Type::List) {
                return reader.skip(field.ty);
            }
            peers = reader.read_list(Type::Struct, read_peer)?;
            Ok(())
        })
    })?;
    Ok(peers)
}

fn read_peer(reader: &mut Reader<'_>) -> Result<String, ReadError> {
    let (mut ip, mut port) = (0_i32, 0_i32);
    reader.read_struct(|reader, field| {
        match (field.id, field.ty) {
            (1, Type::Struct) => reader.read_struct(|reader, field| {
                if (field.id, field.ty) != (1, Type::I32) {
                    return reader.skip(field.ty);
                }
                ip = reader.read_i32()?;
                Ok(())
            })?,
            (2, Type::I32) => port = reader.read_i32()?,
            (_, other) => reader.skip(other)?,
        }
        Ok(())
    })?;
    Ok(format!("{}:{port}", Ipv4Addr::from(ip.cast_unsigned())))
}

fn read_exception(reader: &mut Reader<'_>) -> Result<String, ReadError> {
    let mut message = String::from("the router answered with an exception that has no message");
    reader.read_struct(|reader, field| {
        if field.ty != Type::Struct {
            return reader.skip(field.ty);
        }
        reader.read_struct(|reader, field| {
            if (field.id, field.ty) != (1, Type::String) {
                return reader.skip(field.ty);
            }
            message = reader.read_string()?;
            Ok(())
        })
    })?;
    Ok(message)
}
