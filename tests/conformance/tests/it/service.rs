//! The service that stands behind the connection when odd input comes: `spec/vectors/hostile.json` lists
//! its endpoints.
//!
//! Checks that belong to an endpoint (is the service known, is `as` the endpoint's) are made here; the
//! reading of args is left to the schemes of the runtime.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tchannel_proto::ErrorCode;
use tchannel_rt::scheme::thrift::{ReadError, Reader, Struct, Type, Writer};
use tchannel_rt::scheme::{SchemeError, json as json_scheme, thrift};

/// A call whose args are whole.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) service: String,
    pub(crate) scheme: Option<String>,
    pub(crate) arg1: Bytes,
    pub(crate) arg2: Vec<u8>,
    pub(crate) arg3: Vec<u8>,
}

/// What becomes of it.
#[derive(Debug)]
pub(crate) enum Answer {
    Ok(Bytes, Bytes),
    ApplicationError(Bytes, Bytes),
    Error(ErrorCode, String),
    After(Duration, Box<Answer>),
    Never,
}

/// Serves a call.
pub(crate) fn serve(call: &Call) -> Answer {
    match dispatch(call) {
        Ok(answer) => answer,
        Err(problem) => Answer::Error(ErrorCode::BadRequest, problem),
    }
}

fn dispatch(call: &Call) -> Result<Answer, String> {
    if call.service != "svc" {
        return Err(format!("unknown service {:?}", call.service));
    }
    let method = std::str::from_utf8(&call.arg1).map_err(|error| error.to_string())?;
    let scheme = match method {
        "jecho" | "jfail" | "jboom" => "json",
        "KV::get" | "KV::put" | "Meta::health" => "thrift",
        _ => "raw",
    };
    if scheme != "raw" && call.scheme.as_deref() != Some(scheme) {
        return Err(format!(
            "{method:?} wants as={scheme}, got {:?}",
            call.scheme
        ));
    }
    match scheme {
        "json" => serve_json(method, call).map_err(|error| error.to_string()),
        "thrift" => serve_thrift(method, call).map_err(|error| error.to_string()),
        _ => serve_raw(method, call),
    }
}

fn serve_raw(method: &str, call: &Call) -> Result<Answer, String> {
    let (arg2, arg3) = (call.arg2.clone().into(), call.arg3.clone().into());
    Ok(match method {
        "echo" => Answer::Ok(arg2, arg3),
        "slow" => {
            let ms = String::from_utf8_lossy(&call.arg3).parse();
            let ms = ms.map_err(|_| "slow wants milliseconds in arg3".to_owned())?;
            Answer::After(Duration::from_millis(ms), Answer::Ok(arg2, arg3).into())
        }
        "never" => Answer::Never,
        "throw" => failure("thrown"),
        "notok" => Answer::ApplicationError(arg2, arg3),
        _ => match method.strip_prefix("err_").and_then(error_code) {
            Some(code) => Answer::Error(code, format!("msg {}", &method[4..])),
            None => return Err(format!("unknown endpoint {method:?}")),
        },
    })
}

/// The codes by the names the probes use. What a handler calls fatal is unexpected to its caller.
pub(crate) fn error_code(name: &str) -> Option<ErrorCode> {
    Some(match name {
        "Timeout" => ErrorCode::Timeout,
        "Cancelled" => ErrorCode::Cancelled,
        "Busy" => ErrorCode::Busy,
        "Declined" => ErrorCode::Declined,
        "UnexpectedError" | "ProtocolError" => ErrorCode::UnexpectedError,
        "BadRequest" => ErrorCode::BadRequest,
        "NetworkError" => ErrorCode::NetworkError,
        "Unhealthy" => ErrorCode::Unhealthy,
        _ => return None,
    })
}

fn failure(text: &str) -> Answer {
    Answer::Error(ErrorCode::UnexpectedError, text.to_owned())
}

fn serve_json(method: &str, call: &Call) -> Result<Answer, SchemeError> {
    let headers = json_scheme::decode_headers(&call.arg2)?;
    let body: Value = json_scheme::decode(&call.arg3)?;
    let headers = json_scheme::encode_headers(&headers);
    Ok(match method {
        "jecho" => Answer::Ok(headers, json_scheme::encode(&body)?),
        "jfail" => {
            let error = json!({"type": "refused", "message": "no"});
            Answer::ApplicationError(headers, json_scheme::encode(&error)?)
        }
        _ => failure("boom"),
    })
}

fn serve_thrift(method: &str, call: &Call) -> Result<Answer, SchemeError> {
    let headers = thrift::encode_headers(&thrift::decode_headers(&call.arg2)?)?;
    let arg3 = Bytes::from(call.arg3.clone());
    Ok(match method {
        "KV::get" => match thrift::decode::<Get>(&arg3)?.key.as_str() {
            "x" => Answer::ApplicationError(headers, NOT_FOUND),
            _ => Answer::Ok(headers, FOUND),
        },
        "KV::put" => {
            thrift::decode::<Skipped>(&arg3)?;
            Answer::Ok(headers, NOTHING)
        }
        _ => {
            thrift::decode::<Skipped>(&arg3)?;
            Answer::Ok(headers, HEALTHY)
        }
    })
}

/// The string "v" as the value returned.
pub(crate) const FOUND: Bytes = Bytes::from_static(b"\x0b\0\0\0\0\0\x01v\0");
/// Exception 1, without fields.
pub(crate) const NOT_FOUND: Bytes = Bytes::from_static(b"\x0c\0\x01\0\0");
/// Nothing returned.
pub(crate) const NOTHING: Bytes = Bytes::from_static(b"\0");
/// A struct whose field 1, ok, is true.
pub(crate) const HEALTHY: Bytes = Bytes::from_static(b"\x0c\0\0\x02\0\x01\x01\0\0");

pub(crate) struct Get {
    pub(crate) key: String,
}

impl Struct for Get {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let mut key = None;
        reader.read_struct(|reader, field| {
            match (field.id, field.ty) {
                (1, Type::String) => key = Some(reader.read_string()?),
                (_, unknown) => reader.skip(unknown)?,
            }
            Ok(())
        })?;
        let key = key.ok_or(ReadError::Missing { name: "key", id: 1 })?;
        Ok(Self { key })
    }

    fn write(&self, writer: &mut Writer) {
        writer.write_field(Type::String, 1);
        writer.write_string(&self.key);
        writer.write_stop();
    }
}

/// Arguments of which only the shape matters.
pub(crate) struct Skipped;

impl Struct for Skipped {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        reader.read_struct(|reader, field| reader.skip(field.ty))?;
        Ok(Self)
    }

    fn write(&self, writer: &mut Writer) {
        writer.write_stop();
    }
}
