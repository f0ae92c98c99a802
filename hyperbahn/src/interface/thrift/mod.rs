//! Interfaces that are Thrift files, and JSON for each Thrift type.
//!
//! | Thrift | JSON |
//! | --- | --- |
//! | `bool` | `true`, `false` |
//! | `i8` to `i64` | a number; an i64 beyond 2^53 is a string, and may be one always |
//! | `double` | a number, `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `string` | a string; bytes that are no text are `{"hex": "00ff"}` |
//! | `binary` | base64 in a string; `{"hex": ..}` and `{"text": ..}` are read too |
//! | `uuid` | `"00112233-4455-6677-8899-aabbccddeeff"` |
//! | an enum | the name of a member; the number of one without a name |
//! | `list`, `set` | an array |
//! | `map` | an object; an array of `[key, value]` when keys are structs, containers or doubles |
//! | a struct | an object by field name; a union has one member |
//!
//! What is `null` is not there. Without an IDL, [`untyped`] shows fields by id and type.

mod constant;
mod read;
mod sample;
pub mod untyped;
mod words;
mod write;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use tchannel_codegen::idl::{Idl, Method, Service, Streaming, Type};
use tchannel_rt::meta::ThriftIDLs;
use tchannel_rt::scheme::thrift as wire;

use super::mismatch::Path;
use super::{Answer, Json, Mismatch, Unreadable};

pub(super) use constant::constant;
pub(super) use read::exception_name;
pub(super) use words::words;
pub(super) use write::{base64, of_base64};

/// Thrift files, the first of which has the services.
#[derive(Debug)]
pub(crate) struct ThriftInterface {
    idl: Idl,
    /// The names of the services that are served; none if nobody said.
    served: Vec<String>,
}

/// A method of a service of Thrift files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThriftMethod<'a> {
    pub(super) idl: &'a Idl,
    pub(super) method: &'a Method,
    /// Whether another service extends the one that has it, and probably stands for it.
    pub(super) is_extended: bool,
}

impl ThriftInterface {
    pub(super) fn new(idl: Idl, served: Vec<String>) -> Self {
        Self { idl, served }
    }

    pub(super) fn idl(&self) -> &Idl {
        &self.idl
    }

    /// Those that are served; else those of the first file, or of all when it has none.
    pub(super) fn services(&self) -> Vec<&Service> {
        let files = self.idl.files();
        let all = || files.iter().flat_map(|file| &file.services);
        let first = files.first().into_iter().flat_map(|file| &file.services);
        let is_served = |service: &&Service| self.served.contains(&service.name);
        let candidates: [Vec<&Service>; 3] = [
            first.clone().filter(is_served).collect(),
            first.collect(),
            all().collect(),
        ];
        let mut some = candidates.into_iter().filter(|it| !it.is_empty());
        some.next().unwrap_or_default()
    }

    /// With the name that each is called by.
    pub(super) fn methods(&self) -> Vec<(String, ThriftMethod<'_>)> {
        let services = self.services().into_iter();
        let methods = services.flat_map(|service| self.methods_of(service));
        methods.collect()
    }

    pub(super) fn methods_of<'a>(
        &'a self,
        service: &'a Service,
    ) -> Vec<(String, ThriftMethod<'a>)> {
        let idl = &self.idl;
        let is_extended = self.services().iter().any(|other| {
            let parent = other.parent.map(|at| idl.service(at));
            parent.is_some_and(|parent| std::ptr::eq(parent, service))
        });
        let methods = idl.methods(service).into_iter().map(|method| {
            let arg1 = format!("{}::{}", service.name, method.name);
            let method = ThriftMethod {
                idl,
                method,
                is_extended,
            };
            (arg1, method)
        });
        methods.collect()
    }
}

impl<'a> ThriftMethod<'a> {
    pub(super) fn scheme(&self) -> &'static str {
        match self.method.streaming {
            Streaming::No => "thrift",
            _ => "sthrift",
        }
    }

    /// The type of each value of the request, if it is a stream.
    pub(super) fn request_stream(&self) -> Option<&'a Type> {
        match self.method.streaming {
            Streaming::Request | Streaming::Both => {
                self.method.arguments.first().map(|field| &field.ty)
            }
            Streaming::No | Streaming::Response => None,
        }
    }

    /// The type of each value of the response, if it is a stream.
    pub(super) fn response_stream(&self) -> Option<&'a Type> {
        match self.method.streaming {
            Streaming::Response | Streaming::Both => self.method.returns.as_ref(),
            Streaming::No | Streaming::Request => None,
        }
    }

    pub(super) fn piece(&self, value: &Value) -> Result<Bytes, Mismatch> {
        match self.request_stream() {
            Some(ty) => write::piece(self.idl, ty, value),
            None => Err(Path::new("value").mismatch("the request is no stream")),
        }
    }

    pub(super) fn answer_piece(&self, chunk: &Bytes) -> Result<Answer, Mismatch> {
        match self.response_stream() {
            Some(ty) => read::piece(self.idl, ty, chunk),
            None => Err(Path::new("value").mismatch("the answer is no stream")),
        }
    }

    pub(super) fn arguments(&self, arguments: &Value) -> Result<Bytes, Mismatch> {
        write::arguments(self.idl, self.method, arguments)
    }

    pub(super) fn answer(&self, is_ok: bool, arg3: &Bytes) -> Result<Answer, Mismatch> {
        read::answer(self.idl, self.method, is_ok, arg3)
    }

    pub(super) fn sample(&self) -> Json {
        match self.request_stream() {
            Some(ty) => Json::Array(vec![sample::piece(self.idl, ty)]),
            None => sample::arguments(self.idl, self.method),
        }
    }
}

/// Reads arg3 of an ok answer of `Meta::thriftIDL`: the file to begin with, and texts by name.
pub(super) fn read_idls(arg3: &Bytes) -> Result<(String, BTreeMap<String, String>), Unreadable> {
    let answer = wire::read_result::<ThriftIDLs, std::convert::Infallible>(true, arg3);
    match answer {
        Ok(Ok(idls)) => Ok((idls.entry_point, idls.idls)),
        Ok(Err(never)) => match never {},
        Err(error) => Err(Unreadable::Thrift(error.to_string())),
    }
}

/// The type that values of `ty` have on the wire.
fn wire_type(idl: &Idl, ty: &Type) -> wire::Type {
    match idl.resolved(ty) {
        Type::Bool => wire::Type::Bool,
        Type::I8 => wire::Type::Byte,
        Type::I16 => wire::Type::I16,
        Type::I32 | Type::Enum(_) => wire::Type::I32,
        Type::I64 => wire::Type::I64,
        Type::Double => wire::Type::Double,
        Type::String | Type::Binary => wire::Type::String,
        Type::Uuid => wire::Type::Uuid,
        Type::List(_) => wire::Type::List,
        Type::Set(_) => wire::Type::Set,
        Type::Map(..) => wire::Type::Map,
        Type::Struct(_) => wire::Type::Struct,
        Type::Typedef(_) => unreachable!("typedefs are resolved"),
    }
}

#[cfg(test)]
mod tests;
