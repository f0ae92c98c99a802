//! `Hyperbahn::discover`: the addresses of a service's instances.
//!
//! ```text
//! request   1: struct { 1: string serviceName }
//! ok        0: struct { 1: list of struct { 1: struct { 1: i32 ipv4 }, 2: i32 port } }
//! not ok    1: noPeersAvailable or 2: invalidServiceName, struct { 1: message, 2: serviceName }
//! ```
//!
//! Source: spec/hyperbahn/api.md, "discover".

use std::net::Ipv4Addr;

use tchannel_rt::scheme::thrift::{ReadError, Reader, Type, Writer};

use super::answer::Answer;
use super::read::Request;
use super::thrift;
use crate::host_port::HostPort;
use crate::routing::View;

pub(super) fn read(request: &Request<'_>) -> Result<String, Answer> {
    let struct_of = |field: &str| match field {
        "query" => "discover_args",
        _ => "DiscoveryQuery",
    };
    Ok(thrift::read(request, read_arguments, struct_of)?)
}

fn read_arguments(reader: &mut Reader<'_>) -> Result<String, ReadError> {
    let mut query = None;
    reader.read_struct(|reader, field| {
        match (field.id, field.ty) {
            (1, Type::Struct) => query = Some(read_query(reader)?),
            (_, unknown) => reader.skip(unknown)?,
        }
        Ok(())
    })?;
    query.ok_or(ReadError::Missing {
        name: "query",
        id: 1,
    })
}

fn read_query(reader: &mut Reader<'_>) -> Result<String, ReadError> {
    let mut service_name = None;
    reader.read_struct(|reader, field| {
        match (field.id, field.ty) {
            (1, Type::String) => service_name = Some(reader.read_string()?),
            (_, unknown) => reader.skip(unknown)?,
        }
        Ok(())
    })?;
    service_name.ok_or(ReadError::Missing {
        name: "serviceName",
        id: 1,
    })
}

pub(super) fn answer(service: &str, view: &View) -> Answer {
    if service.is_empty() {
        return exception(2, "invalid service name: ", service);
    }
    let instances = view.services.instances(service).map_or(&[][..], |all| all);
    let peers: Vec<_> = instances.iter().filter_map(HostPort::ipv4).collect();
    if peers.is_empty() {
        return exception(1, "no peer available for ", service);
    }
    Answer::Ok(thrift::body(|writer| write_peers(writer, &peers)))
}

fn write_peers(writer: &mut Writer, peers: &[(Ipv4Addr, u16)]) {
    writer.write_field(Type::Struct, 0);
    writer.write_field(Type::List, 1);
    writer.write_list(Type::Struct, peers.len());
    for (ip, port) in peers {
        writer.write_field(Type::Struct, 1);
        writer.write_field(Type::I32, 1);
        writer.write_i32(i32::from_be_bytes(ip.octets()));
        writer.write_stop();
        writer.write_field(Type::I32, 2);
        writer.write_i32((*port).into());
        writer.write_stop();
    }
    writer.write_stop();
    writer.write_stop();
}

fn exception(id: i16, message: &str, service: &str) -> Answer {
    Answer::NotOk(thrift::body(|writer| {
        writer.write_field(Type::Struct, id);
        writer.write_field(Type::String, 1);
        writer.write_string(&format!("{message}{service}"));
        writer.write_field(Type::String, 2);
        writer.write_string(service);
        writer.write_stop();
        writer.write_stop();
    }))
}
