//! Arguments made up for people to change.

use serde_json::Value;

use super::{SchemaMethod, options, referred, types};
use crate::interface::Json;

/// What a caller of `method` has to give; what is optional is left out.
pub(super) fn arguments(method: &SchemaMethod<'_>) -> Json {
    let mut sampler = Sampler::new(method);
    let parameters = method.parameters().into_iter();
    let parameters = parameters.filter(|(_, _, is_required)| *is_required);
    let members = parameters.map(|(name, schema, _)| (name.to_owned(), sampler.value(schema)));
    Json::Object(members.collect())
}

/// A value of a stream.
pub(super) fn piece(method: &SchemaMethod<'_>, schema: &Value) -> Json {
    Sampler::new(method).value(schema)
}

struct Sampler<'a> {
    defs: &'a serde_json::Map<String, Value>,
    /// How many values there may be beside those that are made.
    left: usize,
    /// The definitions that are being made, each within the one before.
    open: Vec<&'a str>,
}

impl<'a> Sampler<'a> {
    fn new(method: &SchemaMethod<'a>) -> Self {
        Self {
            defs: &method.interface.defs,
            left: VALUES_MAX,
            open: Vec::new(),
        }
    }

    fn value(&mut self, schema: &'a Value) -> Json {
        let Some(left) = self.left.checked_sub(1) else {
            return Json::NULL;
        };
        self.left = left;
        if let Some((name, target)) = referred(self.defs, schema) {
            if self.open.contains(&name) {
                return Json::NULL;
            }
            self.open.push(name);
            let value = self.value(target);
            self.open.pop();
            return value;
        }
        let examples = schema.get("examples").or_else(|| schema.get("enum"));
        let first = examples.and_then(|examples| examples.get(0));
        let known = schema
            .get("default")
            .or(first)
            .or_else(|| schema.get("const"));
        if let Some(known) = known {
            return Json::Plain(known.clone());
        }
        if let Some(options) = options(schema) {
            let option = options.iter().find(|option| !self.leads_back(option));
            return option
                .or(options.first())
                .map_or(Json::NULL, |option| self.value(option));
        }
        match types(schema).first().copied() {
            Some("string") => text(schema).into(),
            Some("integer") => schema
                .get("minimum")
                .and_then(Value::as_i64)
                .unwrap_or(1)
                .max(1)
                .into(),
            Some("number") => 0.5.into(),
            Some("boolean") => true.into(),
            Some("array") => self.array(schema),
            Some("object") => self.object(schema),
            _ => Json::NULL,
        }
    }

    fn array(&mut self, schema: &'a Value) -> Json {
        if let Some(items) = schema.get("prefixItems").and_then(Value::as_array) {
            return Json::Array(items.iter().map(|item| self.value(item)).collect());
        }
        match schema.get("items").filter(|item| !self.leads_back(item)) {
            Some(item) => Json::Array(vec![self.value(item)]),
            None => Json::Array(Vec::new()),
        }
    }

    fn object(&mut self, schema: &'a Value) -> Json {
        let properties = schema.get("properties").and_then(Value::as_object);
        let required = schema.get("required").and_then(Value::as_array);
        let names = required.into_iter().flatten().filter_map(Value::as_str);
        let members = names.filter_map(|name| {
            let schema = properties?.get(name)?;
            Some((name.to_owned(), self.value(schema)))
        });
        Json::Object(members.collect())
    }

    fn leads_back(&self, schema: &Value) -> bool {
        match referred(self.defs, schema) {
            Some((name, _)) => self.open.contains(&name),
            None => false,
        }
    }
}

fn text(schema: &Value) -> &'static str {
    match schema.get("format").and_then(Value::as_str) {
        Some("uuid") => "00112233-4455-6677-8899-aabbccddeeff",
        Some("date-time") => "2020-01-31T12:00:00Z",
        Some("date") => "2020-01-31",
        _ => "text",
    }
}

/// Values of a sample; what comes after them is null.
const VALUES_MAX: usize = 1000;
