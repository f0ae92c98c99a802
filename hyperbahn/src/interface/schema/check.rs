//! Arguments against their schema: names, and types where the schema is plain about them.
//!
//! What is let through here is for the service to judge; it knows its types better than their schema does.

use serde_json::{Map, Value};

use super::{REFERENCES_MAX, SchemaMethod, options, referred, types, words};
use crate::interface::mismatch::Path;
use crate::interface::msgpack::as_bytes;
use crate::interface::{Mismatch, near};

/// The arguments as they are sent.
pub(super) fn arguments(method: &SchemaMethod<'_>, arguments: &Value) -> Result<Value, Mismatch> {
    let mut checker = Checker::new(method, "arguments");
    let members = match arguments {
        Value::Null => &Map::new(),
        Value::Object(members) => members,
        other => {
            return Err(checker
                .path
                .expected("an object of the arguments by name", other));
        }
    };
    let parameters = method.parameters();
    let names = parameters.iter().map(|(name, ..)| *name);
    for name in members.keys() {
        if names.clone().all(|known| known != name) {
            let hint = near::hint(name, names);
            checker.path.member(name);
            return Err(checker
                .path
                .mismatch(format!("there is no such argument; {hint}")));
        }
    }
    for (name, schema, is_required) in parameters {
        let here = checker.path.member(name);
        match members.get(name) {
            Some(value) => checker.check(schema, value)?,
            None if is_required => {
                let words = words(schema);
                return Err(checker
                    .path
                    .mismatch(format!("it is missing; expected {words}")));
            }
            None => {}
        }
        checker.path.back(here);
    }
    Ok(Value::Object(members.clone()))
}

/// A value of a stream.
pub(super) fn piece(
    method: &SchemaMethod<'_>,
    schema: &Value,
    value: &Value,
) -> Result<(), Mismatch> {
    Checker::new(method, "value").check(schema, value)
}

struct Checker<'a> {
    defs: &'a Map<String, Value>,
    path: Path,
    /// Schemas within each other.
    depth: usize,
    /// How often a schema may still be held against a value.
    steps_left: usize,
}

impl<'a> Checker<'a> {
    fn new(method: &SchemaMethod<'a>, root: &'static str) -> Self {
        Self {
            defs: &method.interface.defs,
            path: Path::new(root),
            depth: 0,
            steps_left: STEPS_MAX,
        }
    }

    fn check(&mut self, schema: &'a Value, value: &Value) -> Result<(), Mismatch> {
        // A schema that is too much to look at is the service's to judge by.
        if self.depth == DEPTH_MAX || self.steps_left == 0 {
            return Ok(());
        }
        self.steps_left -= 1;
        self.depth += 1;
        let checked = self.fits(schema, value);
        self.depth -= 1;
        checked
    }

    fn fits(&mut self, mut schema: &'a Value, value: &Value) -> Result<(), Mismatch> {
        let name = schema;
        for _ in 0..REFERENCES_MAX {
            match referred(self.defs, schema) {
                Some((_, target)) => schema = target,
                None => break,
            }
        }
        // Bytes have another form in every type's schema.
        if as_bytes(value).is_some() {
            return Ok(());
        }
        if let Some(options) = options(schema) {
            return self.one_of(name, options, value);
        }
        let types = types(schema);
        if !types.is_empty() && !types.iter().any(|ty| is(ty, value)) {
            return Err(self.path.expected(words(name), value));
        }
        if let Some(known) = schema.get("enum").and_then(Value::as_array)
            && !known.contains(value)
        {
            return Err(self.path.expected(words(schema), value));
        }
        match value {
            Value::Object(members) => self.members(schema, members),
            Value::Array(values) => self.elements(schema, values),
            _ => Ok(()),
        }
    }

    fn one_of(
        &mut self,
        name: &Value,
        options: &'a [Value],
        value: &Value,
    ) -> Result<(), Mismatch> {
        let is_null = |option: &&Value| types(option) == ["null"];
        let mut others = options.iter().filter(|option| !is_null(option));
        // `Option<T>`: what is wrong with a T can be told.
        if let (Some(only), None) = (others.next(), others.next()) {
            return match value {
                Value::Null => Ok(()),
                value => self.check(only, value),
            };
        }
        let path = self.path.mark();
        for option in options {
            if self.check(option, value).is_ok() {
                return Ok(());
            }
            self.path.back(path);
        }
        Err(self.path.expected(words(name), value))
    }

    fn members(&mut self, schema: &'a Value, members: &Map<String, Value>) -> Result<(), Mismatch> {
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema
            .get("additionalProperties")
            .filter(|it| it.is_object());
        for (name, value) in members {
            let own = properties.and_then(|properties| properties.get(name));
            if let Some(schema) = own.or(others) {
                let here = self.path.member(name);
                self.check(schema, value)?;
                self.path.back(here);
            } else if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
                let known = properties
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.as_str());
                let hint = near::hint(name, known);
                self.path.member(name);
                return Err(self
                    .path
                    .mismatch(format!("there is no such member; {hint}")));
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        let mut required = required.into_iter().flatten().filter_map(Value::as_str);
        if let Some(name) = required.find(|name| !members.contains_key(*name)) {
            let ty = properties.and_then(|properties| properties.get(name));
            let ty = ty.map_or("a value".to_owned(), words);
            self.path.member(name);
            return Err(self.path.mismatch(format!("it is missing; expected {ty}")));
        }
        Ok(())
    }

    fn elements(&mut self, schema: &'a Value, values: &[Value]) -> Result<(), Mismatch> {
        let first = schema.get("prefixItems").and_then(Value::as_array);
        let items = schema.get("items").filter(|items| items.is_object());
        for (index, value) in values.iter().enumerate() {
            let own = first.and_then(|first| first.get(index));
            if let Some(schema) = own.or(items) {
                let here = self.path.index(index);
                self.check(schema, value)?;
                self.path.back(here);
            }
        }
        Ok(())
    }
}

/// Whether `value` is of a type of JSON Schema.
fn is(ty: &str, value: &Value) -> bool {
    match ty {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|it| it.fract() == 0.0)
        }
        _ => true,
    }
}

/// Schemas within each other that are followed; they may lead back to themselves.
const DEPTH_MAX: usize = 200;

/// Schemas that are held against all parts of the arguments together.
const STEPS_MAX: usize = 100_000;
