//! What a service publishes about itself, and values by it: JSON to the args of a call and back.
//!
//! ```
//! use hyperbahn::interface::Interfaces;
//! use serde_json::json;
//!
//! let published = json!({"interfaces": [{
//!     "kind": "thrift",
//!     "entry_point": "keyvalue.thrift",
//!     "idls": {"keyvalue.thrift": "service KeyValue { string get(1: string key) }"},
//! }]});
//! let interfaces = Interfaces::published(published.to_string().as_bytes())?;
//! let get = interfaces.find("get")?;
//! assert_eq!((get.arg1(), get.scheme()), ("KeyValue::get", "thrift"));
//! let arg3 = get.arguments(&json!({"key": "abc"}))?;
//! assert_eq!(&arg3[..], b"\x0b\0\x01\0\0\0\x03abc\0");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! In reading order: [`Json`] is what comes out, [`Mismatch`] why something does not go in; `near` finds the name
//! that was meant; `thrift` and `schema` know the two kinds of interface; `msgpack` is how values of the second
//! travel; [`describe`] is for people. All of it is values and functions: no I/O, no clock. What is published comes
//! from anybody, so it is bounded where it is read.

pub mod describe;
mod json;
mod mismatch;
pub mod msgpack;
mod near;
mod schema;
pub mod thrift;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use tchannel_codegen::Errors;
use tchannel_codegen::idl::Idl;

pub use json::Json;
pub use mismatch::Mismatch;
use schema::{SchemaInterface, SchemaMethod};
use thrift::{ThriftInterface, ThriftMethod};

/// What is published under the name of a service.
#[derive(Debug)]
pub struct Interfaces {
    list: Vec<Interface>,
}

/// One of the interfaces under a name.
#[derive(Debug)]
pub(crate) enum Interface {
    /// Thrift files.
    Thrift(ThriftInterface),
    /// A trait, told as JSON Schema.
    Schema(SchemaInterface),
}

/// A method of a service, found by [`Interfaces::find`].
#[derive(Debug)]
pub struct Method<'a> {
    arg1: String,
    kind: Kind<'a>,
}

#[derive(Debug)]
enum Kind<'a> {
    Thrift(ThriftMethod<'a>),
    Schema(SchemaMethod<'a>),
}

/// What a method answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The result; of a failure, what it was. An exception of Thrift is `{"Name": {..}}`.
    pub body: Json,
    /// What is not as the interface says, each a sentence.
    pub notes: Vec<String>,
}

impl Interfaces {
    /// Reads the answer of `Meta::interfaces`. Interfaces of a kind that is not known are passed over.
    ///
    /// Source: spec/schemes/interfaces.md, "interfaces".
    ///
    /// # Errors
    ///
    /// [`Unreadable`] when it is none, is longer than [`BYTES_MAX`], or has Thrift files that are not sound.
    pub fn published(body: &[u8]) -> Result<Self, Unreadable> {
        check_size(body.len())?;
        let published: Published = serde_json::from_slice(body)?;
        let mut list = Vec::new();
        for interface in published.interfaces {
            match interface.get("kind").and_then(Value::as_str) {
                Some("thrift") => {
                    let files = ThriftFiles::deserialize(interface)?;
                    let idl = Idl::parse(&files.entry_point, &files.idls)?;
                    let interface = ThriftInterface::new(idl, files.services);
                    list.push(Interface::Thrift(interface));
                }
                Some("schema") => {
                    let schema = SchemaInterface::deserialize(interface)?;
                    list.push(Interface::Schema(schema));
                }
                _ => {}
            }
        }
        Ok(Self { list })
    }

    /// Reads the answer of `Meta::thriftIDL`.
    ///
    /// Source: spec/schemes/thrift.md, "Meta".
    ///
    /// # Errors
    ///
    /// [`Unreadable`] when it is none, is longer than [`BYTES_MAX`], or has Thrift files that are not sound.
    pub fn published_as_thrift(arg3: &Bytes) -> Result<Self, Unreadable> {
        check_size(arg3.len())?;
        let (entry_point, idls) = thrift::read_idls(arg3)?;
        if entry_point.is_empty() {
            return Ok(Self { list: Vec::new() });
        }
        Ok(Self::from_idl(Idl::parse(&entry_point, &idls)?))
    }

    /// What these Thrift files say.
    #[must_use]
    pub fn from_idl(idl: Idl) -> Self {
        Self {
            list: vec![Interface::Thrift(ThriftInterface::new(idl, Vec::new()))],
        }
    }

    /// What every typed service answers beside its own methods: `Meta::health` and its like.
    #[must_use]
    pub fn meta() -> Self {
        let texts = BTreeMap::from([(META.to_owned(), tchannel_rt::meta::IDL.to_owned())]);
        Self::from_idl(Idl::parse(META, &texts).expect("it is compiled into the runtime"))
    }

    /// Whether there is no interface at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The method of this name: `KeyValue::get`, or `get` when there is one only. A service that is extended
    /// counts only where it is named.
    ///
    /// # Errors
    ///
    /// [`NoMethod`], with what may have been meant.
    pub fn find(&self, name: &str) -> Result<Method<'_>, NoMethod> {
        let mut methods = self.methods();
        if let Some(at) = methods.iter().position(|method| method.arg1 == name) {
            return Ok(methods.swap_remove(at));
        }
        let all: Vec<String> = methods.iter().map(|method| method.arg1.clone()).collect();
        methods.retain(|method| method.short_name() == name);
        if methods.iter().any(|method| !method.is_extended()) {
            methods.retain(|method| !method.is_extended());
        }
        match methods.len() {
            0 => Err(NoMethod::unknown(name, all)),
            1 => Ok(methods.swap_remove(0)),
            _ => Err(NoMethod {
                name: name.to_owned(),
                is_ambiguous: true,
                candidates: methods.into_iter().map(|method| method.arg1).collect(),
            }),
        }
    }

    /// All methods, in the order of the interfaces.
    fn methods(&self) -> Vec<Method<'_>> {
        self.list.iter().flat_map(Interface::methods).collect()
    }

    /// The shortest name that [`find`](Self::find) understands.
    fn call_name(&self, arg1: &str) -> String {
        let short = short(arg1);
        match self.find(short) {
            Ok(method) if method.arg1 == arg1 => short.to_owned(),
            _ => arg1.to_owned(),
        }
    }
}

impl Interface {
    fn methods(&self) -> Vec<Method<'_>> {
        match self {
            Self::Thrift(interface) => {
                let methods = interface.methods().into_iter();
                let methods = methods.map(|(arg1, method)| Method {
                    arg1,
                    kind: Kind::Thrift(method),
                });
                methods.collect()
            }
            Self::Schema(interface) => {
                let methods = interface.methods().map(|method| Method {
                    arg1: method.name().to_owned(),
                    kind: Kind::Schema(method),
                });
                methods.collect()
            }
        }
    }
}

impl Method<'_> {
    /// The name that is sent.
    #[must_use]
    pub fn arg1(&self) -> &str {
        &self.arg1
    }

    /// The `as` header.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        match &self.kind {
            Kind::Thrift(method) => method.scheme(),
            Kind::Schema(method) => method.scheme(),
        }
    }

    /// Whether the request is a stream of values, each a [`piece`](Self::piece), in place of arguments.
    #[must_use]
    pub fn streams_request(&self) -> bool {
        match &self.kind {
            Kind::Thrift(method) => method.request_stream().is_some(),
            Kind::Schema(method) => method.request_stream().is_some(),
        }
    }

    /// Whether the answer, if it is ok, is a stream of values, each read by [`answer_piece`](Self::answer_piece).
    #[must_use]
    pub fn streams_response(&self) -> bool {
        match &self.kind {
            Kind::Thrift(method) => method.response_stream().is_some(),
            Kind::Schema(method) => method.response_stream().is_some(),
        }
    }

    /// arg3 of a request with these arguments, an object by name; `null` is none at all.
    ///
    /// # Errors
    ///
    /// [`Mismatch`], with the place of what does not fit.
    pub fn arguments(&self, arguments: &Value) -> Result<Bytes, Mismatch> {
        match &self.kind {
            Kind::Thrift(method) => method.arguments(arguments),
            Kind::Schema(method) => method.arguments(arguments),
        }
    }

    /// What arg3 of a response says; `is_ok` is what its code says.
    ///
    /// # Errors
    ///
    /// [`Mismatch`], with the place at which the bytes are not what the interface says.
    pub fn answer(&self, is_ok: bool, arg3: &Bytes) -> Result<Answer, Mismatch> {
        match &self.kind {
            Kind::Thrift(method) => method.answer(is_ok, arg3),
            Kind::Schema(method) => method.answer(arg3),
        }
    }

    /// One value of a request that is a stream.
    ///
    /// Source: spec/schemes/sthrift.md, "chunks".
    ///
    /// # Errors
    ///
    /// [`Mismatch`], with the place of what does not fit.
    pub fn piece(&self, value: &Value) -> Result<Bytes, Mismatch> {
        match &self.kind {
            Kind::Thrift(method) => method.piece(value),
            Kind::Schema(method) => method.piece(value),
        }
    }

    /// What one value of an answer that is a stream says.
    ///
    /// Source: spec/schemes/sthrift.md, "chunks".
    ///
    /// # Errors
    ///
    /// [`Mismatch`], with the place at which the bytes are not what the interface says.
    pub fn answer_piece(&self, chunk: &Bytes) -> Result<Answer, Mismatch> {
        match &self.kind {
            Kind::Thrift(method) => method.answer_piece(chunk),
            Kind::Schema(method) => method.answer(chunk),
        }
    }

    /// Arguments that fit, for people to change; of a stream, an array of values.
    #[must_use]
    pub fn sample(&self) -> Json {
        match &self.kind {
            Kind::Thrift(method) => method.sample(),
            Kind::Schema(method) => method.sample(),
        }
    }

    /// Whether there is another service that inherits it and probably stands for its own.
    fn is_extended(&self) -> bool {
        matches!(&self.kind, Kind::Thrift(method) if method.is_extended)
    }

    fn short_name(&self) -> &str {
        short(&self.arg1)
    }
}

fn short(arg1: &str) -> &str {
    arg1.rsplit("::").next().unwrap_or(arg1)
}

/// No method goes by that name, or several do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoMethod {
    /// The name that was asked for.
    pub name: String,
    /// Whether all candidates go by that name.
    pub is_ambiguous: bool,
    /// What may have been meant, best first.
    pub candidates: Vec<String>,
}

impl NoMethod {
    fn unknown(name: &str, all: Vec<String>) -> Self {
        let whole = near::names(name, all.iter().map(String::as_str));
        let short_names = near::names(short(name), all.iter().map(|arg1| short(arg1)));
        let mut candidates: Vec<String> = Vec::new();
        for near in whole.into_iter().chain(short_names) {
            let meant = all
                .iter()
                .filter(|arg1| *arg1 == near || short(arg1) == near);
            for arg1 in meant {
                if !candidates.contains(arg1) {
                    candidates.push(arg1.clone());
                }
            }
        }
        // Without a near one, all of them are worth a look.
        if candidates.is_empty() {
            candidates = all;
        }
        candidates.truncate(CANDIDATES_MAX);
        Self {
            name: name.to_owned(),
            is_ambiguous: false,
            candidates,
        }
    }
}

impl std::fmt::Display for NoMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            name, candidates, ..
        } = self;
        let candidates = candidates.join(", ");
        match (self.is_ambiguous, candidates.as_str()) {
            (true, _) => write!(f, "{name:?} may be any of {candidates}"),
            (false, "") => write!(f, "there is no method {name:?}, nor any other"),
            (false, _) => write!(f, "there is no method {name:?}; try {candidates}"),
        }
    }
}

impl std::error::Error for NoMethod {}

/// Why what a service publishes is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// More than this end reads.
    #[error("it has {bytes} bytes, more than {BYTES_MAX}")]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// Not the JSON that was promised.
    #[error("it is no list of interfaces: {0}")]
    Json(#[from] serde_json::Error),
    /// Not the Thrift that was promised.
    #[error("the answer of Meta::thriftIDL can not be read: {0}")]
    Thrift(String),
    /// Thrift files that are not sound.
    #[error("its Thrift files are not sound:\n{0}")]
    Idl(Box<Errors>),
}

impl From<Errors> for Unreadable {
    fn from(errors: Errors) -> Self {
        Self::Idl(Box::new(errors))
    }
}

/// Bytes of an interface as it is published; a longer one is refused.
pub const BYTES_MAX: usize = 4 * 1024 * 1024;

/// Methods that a complaint about an unknown one names.
const CANDIDATES_MAX: usize = 12;

const META: &str = "meta.thrift";

fn check_size(bytes: usize) -> Result<(), Unreadable> {
    match bytes <= BYTES_MAX {
        true => Ok(()),
        false => Err(Unreadable::TooLong { bytes }),
    }
}

#[derive(Deserialize)]
struct Published {
    interfaces: Vec<Value>,
}

#[derive(Deserialize)]
struct ThriftFiles {
    entry_point: String,
    idls: BTreeMap<String, String>,
    #[serde(default)]
    services: Vec<String>,
}

#[cfg(test)]
mod tests;
