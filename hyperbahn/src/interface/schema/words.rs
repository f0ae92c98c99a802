//! Schemas in few words, as a person would write the type.

use serde_json::Value;

use super::{options, types};

/// Such as `map<string, list<Point>>`, `uint32` or `string | null`.
pub(in crate::interface) fn words(schema: &Value) -> String {
    within(schema, DEPTH_MAX)
}

fn within(schema: &Value, depth: usize) -> String {
    if depth == 0 {
        return "..".to_owned();
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return reference.rsplit('/').next().unwrap_or(reference).to_owned();
    }
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return joined(values.iter().map(ToString::to_string));
    }
    if let Some(options) = options(schema) {
        return joined(options.iter().map(|option| within(option, depth - 1)));
    }
    match types(schema)[..] {
        [] => "any".to_owned(),
        [ty] => of_type(ty, schema, depth),
        ref several => joined(several.iter().map(|ty| of_type(ty, schema, depth))),
    }
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" | ")
}

fn of_type(ty: &str, schema: &Value, depth: usize) -> String {
    let format = schema.get("format").and_then(Value::as_str);
    match (ty, format) {
        ("boolean", _) => "bool".to_owned(),
        ("integer" | "number", Some(format)) => format.to_owned(),
        ("string", Some(format)) => format!("string ({format})"),
        ("array", _) => array(schema, depth),
        ("object", _) => object(schema, depth),
        _ => ty.to_owned(),
    }
}

fn array(schema: &Value, depth: usize) -> String {
    let is_set = schema.get("uniqueItems") == Some(&Value::Bool(true));
    let kind = if is_set { "set" } else { "list" };
    match (
        schema.get("prefixItems").and_then(Value::as_array),
        schema.get("items"),
    ) {
        (Some(items), _) => {
            let items = items.iter().map(|item| within(item, depth - 1));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        (None, Some(item)) => format!("{kind}<{}>", within(item, depth - 1)),
        (None, None) => kind.to_owned(),
    }
}

fn object(schema: &Value, depth: usize) -> String {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let members = properties.iter();
        let members =
            members.map(|(name, schema)| format!("{name}: {}", within(schema, depth - 1)));
        return format!("{{{}}}", members.collect::<Vec<_>>().join(", "));
    }
    match schema
        .get("additionalProperties")
        .filter(|it| it.is_object())
    {
        Some(value) => format!("map<string, {}>", within(value, depth - 1)),
        None => "object".to_owned(),
    }
}

/// Types within each other that are spelled out.
const DEPTH_MAX: usize = 6;
