//! What the JSON Schema of a trait says.

use serde_json::{Map, Value};

use super::{
    FieldDescription, InterfaceDescription, MemberDescription, MethodDescription, TypeDescription,
};
use crate::interface::schema::{MethodSchema, SchemaInterface, words};
use crate::interface::{Json, Kind, Method};

/// The interface, if it has a method that is wanted.
pub(super) fn describe(
    interface: &SchemaInterface,
    is_wanted: &dyn Fn(&Method<'_>) -> bool,
) -> Vec<InterfaceDescription> {
    let mut names = Vec::new();
    let mut methods = Vec::new();
    let mut scheme = "";
    for schema in interface.methods() {
        let method = Method {
            arg1: schema.name().to_owned(),
            kind: Kind::Schema(schema),
        };
        if is_wanted(&method) {
            scheme = schema.scheme();
            collect(schema.method, &mut names);
            methods.push(of_method(&method));
        }
    }
    if methods.is_empty() {
        return Vec::new();
    }
    vec![InterfaceDescription {
        kind: "schema",
        name: interface.name.clone(),
        file: None,
        scheme,
        docs: interface.docs.clone(),
        methods,
        types: types(&interface.defs, names),
    }]
}

fn of_method(method: &Method<'_>) -> MethodDescription {
    let Kind::Schema(schema) = &method.kind else {
        unreachable!("a schema has no other methods");
    };
    let it = schema.method;
    let parameters = schema
        .parameters()
        .into_iter()
        .filter(|_| it.request_stream.is_none());
    let arguments = parameters.map(|(name, schema, required)| field(name, schema, required));
    let words_of = |schema: &Option<Value>| schema.as_ref().map(words);
    MethodDescription {
        name: it.name.clone(),
        docs: it.docs.clone(),
        arguments: arguments.collect(),
        request_stream: words_of(&it.request_stream),
        returns: words_of(&it.response).filter(|words| words != "null"),
        response_stream: words_of(&it.response_stream),
        errors: words_of(&it.error).into_iter().collect(),
        idempotent: it.idempotent,
        ttl_ms: it.ttl_ms,
        example: method.sample(),
        ..MethodDescription::default()
    }
}

fn field(name: &str, schema: &Value, required: bool) -> FieldDescription {
    FieldDescription {
        name: name.to_owned(),
        ty: words(schema),
        required,
        default: schema.get("default").cloned().map(Json::Plain),
        docs: docs(schema),
    }
}

fn docs(schema: &Value) -> Option<String> {
    schema
        .get("description")
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// The names of definitions that a method refers to.
fn collect(method: &MethodSchema, names: &mut Vec<String>) {
    let optional = [
        &method.request_stream,
        &method.response,
        &method.response_stream,
        &method.error,
    ];
    references(&method.request, names);
    for schema in optional.into_iter().flatten() {
        references(schema, names);
    }
}

fn references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Array(values) => values.iter().for_each(|value| references(value, names)),
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str);
            let name = name.and_then(|reference| reference.strip_prefix("#/$defs/"));
            if let Some(name) = name.filter(|name| names.iter().all(|known| known != name)) {
                names.push(name.to_owned());
            }
            members.values().for_each(|value| references(value, names));
        }
        _ => {}
    }
}

/// The definitions of these names and of those they lead to, which grow the list.
fn types(defs: &Map<String, Value>, mut names: Vec<String>) -> Vec<TypeDescription> {
    let mut types = Vec::new();
    let mut at = 0;
    while let Some(name) = names.get(at).cloned() {
        if let Some(schema) = defs.get(&name) {
            references(schema, &mut names);
            types.push(of_type(name, schema));
        }
        at += 1;
    }
    types
}

fn of_type(name: String, schema: &Value) -> TypeDescription {
    let described = TypeDescription {
        name,
        docs: docs(schema),
        ..TypeDescription::default()
    };
    if let Some(members) = members(schema) {
        return TypeDescription {
            kind: "enum",
            members,
            ..described
        };
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return TypeDescription {
            kind: "type",
            stands_for: Some(words(schema)),
            ..described
        };
    };
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|names| names.iter().any(|own| own == name));
    let fields = properties.iter();
    let fields = fields.map(|(name, schema)| field(name, schema, is_required(name)));
    TypeDescription {
        kind: "struct",
        fields: fields.collect(),
        ..described
    }
}

/// Of an enum all of whose members are names.
fn members(schema: &Value) -> Option<Vec<MemberDescription>> {
    let member = |name: &Value, schema: Option<&Value>| {
        Some(MemberDescription {
            name: name.as_str()?.to_owned(),
            value: None,
            docs: schema.and_then(docs),
        })
    };
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return names.iter().map(|name| member(name, None)).collect();
    }
    let options = schema.get("oneOf").and_then(Value::as_array)?;
    let members = options.iter().map(|option| {
        let names = option.get("const").into_iter();
        let names = names.chain(
            option
                .get("enum")
                .and_then(Value::as_array)
                .into_iter()
                .flatten(),
        );
        names
            .map(|name| member(name, Some(option)))
            .collect::<Option<Vec<_>>>()
            .filter(|it| !it.is_empty())
    });
    let members: Option<Vec<_>> = members.collect();
    members.map(|members| members.into_iter().flatten().collect())
}
