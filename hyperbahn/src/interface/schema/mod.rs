//! Interfaces that are told as JSON Schema: what Rust traits become.

mod check;
mod sample;
mod words;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};
use tchannel_rt::scheme::json;

use super::{Answer, Json, Mismatch, msgpack};
use crate::interface::mismatch::Path;

pub(super) use words::words;

/// A trait.
///
/// Source: spec/schemes/interfaces.md, "kind schema".
#[derive(Debug, Deserialize)]
pub(crate) struct SchemaInterface {
    pub(super) name: String,
    pub(super) scheme: Scheme,
    pub(super) docs: Option<String>,
    pub(super) methods: Vec<MethodSchema>,
    #[serde(rename = "$defs", default)]
    pub(super) defs: Map<String, Value>,
}

/// How its values travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Scheme {
    Msgpack,
    Json,
}

/// One method of a trait.
#[derive(Debug, Deserialize)]
pub(super) struct MethodSchema {
    pub(super) name: String,
    pub(super) docs: Option<String>,
    #[serde(default)]
    pub(super) idempotent: bool,
    pub(super) ttl_ms: Option<u64>,
    #[serde(default)]
    pub(super) request: Value,
    pub(super) request_stream: Option<Value>,
    pub(super) response: Option<Value>,
    pub(super) response_stream: Option<Value>,
    pub(super) error: Option<Value>,
}

/// A method, and the trait that has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SchemaMethod<'a> {
    pub(super) interface: &'a SchemaInterface,
    pub(super) method: &'a MethodSchema,
}

impl SchemaInterface {
    pub(super) fn methods(&self) -> impl Iterator<Item = SchemaMethod<'_>> {
        let methods = self.methods.iter();
        methods.map(|method| SchemaMethod {
            interface: self,
            method,
        })
    }
}

impl<'a> SchemaMethod<'a> {
    pub(super) fn name(&self) -> &'a str {
        &self.method.name
    }

    pub(super) fn scheme(&self) -> &'static str {
        match self.interface.scheme {
            Scheme::Msgpack => "msgpack",
            Scheme::Json => "json",
        }
    }

    /// The parameters in the order of the schema, and whether each has to be there.
    pub(super) fn parameters(&self) -> Vec<(&'a str, &'a Value, bool)> {
        let request = &self.method.request;
        let required = request.get("required").and_then(Value::as_array);
        let is_required =
            |name: &str| required.is_some_and(|names| names.iter().any(|own| own == name));
        let properties = request.get("properties").and_then(Value::as_object);
        let properties = properties.into_iter().flatten();
        let parameters =
            properties.map(|(name, schema)| (name.as_str(), schema, is_required(name)));
        parameters.collect()
    }

    /// The schema of each value of the request, if it is a stream.
    pub(super) fn request_stream(&self) -> Option<&'a Value> {
        self.method.request_stream.as_ref()
    }

    /// The schema of each value of the response, if it is a stream.
    pub(super) fn response_stream(&self) -> Option<&'a Value> {
        self.method.response_stream.as_ref()
    }

    pub(super) fn arguments(&self, arguments: &Value) -> Result<Bytes, Mismatch> {
        self.encode("arguments", &check::arguments(self, arguments)?)
    }

    pub(super) fn piece(&self, value: &Value) -> Result<Bytes, Mismatch> {
        let Some(schema) = self.request_stream() else {
            return Err(Path::new("value").mismatch("the request is no stream"));
        };
        check::piece(self, schema, value)?;
        self.encode("value", value)
    }

    fn encode(&self, root: &'static str, value: &Value) -> Result<Bytes, Mismatch> {
        let encoded = match self.interface.scheme {
            Scheme::Msgpack => msgpack::encode(value),
            Scheme::Json => json::encode(value),
        };
        encoded.map_err(|error| Path::new(root).mismatch(error.to_string()))
    }

    pub(super) fn answer(&self, arg3: &Bytes) -> Result<Answer, Mismatch> {
        let body = match self.interface.scheme {
            Scheme::Msgpack => msgpack::decode(arg3),
            Scheme::Json => json::decode(arg3).map(Json::Plain),
        };
        match body {
            Ok(body) => Ok(Answer {
                body,
                notes: Vec::new(),
            }),
            Err(error) => Err(Path::new("result").mismatch(error.to_string())),
        }
    }

    pub(super) fn sample(&self) -> Json {
        match self.request_stream() {
            Some(schema) => Json::Array(vec![sample::piece(self, schema)]),
            None => sample::arguments(self),
        }
    }
}

/// What `#/$defs/name` refers to, with its name.
fn referred<'a>(defs: &'a Map<String, Value>, schema: &'a Value) -> Option<(&'a str, &'a Value)> {
    let name = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
    Some((name, defs.get(name)?))
}

/// The types a schema allows, by their names in JSON Schema.
fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(some)) => some.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The schemas of which a value has to fit one.
fn options(schema: &Value) -> Option<&Vec<Value>> {
    let options = schema.get("anyOf").or_else(|| schema.get("oneOf"));
    options.and_then(Value::as_array)
}

/// References that lead to references; beyond, they are taken for a circle.
const REFERENCES_MAX: usize = 16;

#[cfg(test)]
mod tests;
