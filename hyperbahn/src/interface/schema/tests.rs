//! Arguments by JSON Schema.

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;

fn interface() -> SchemaInterface {
    serde_json::from_value(json!({
        "name": "Maps", "scheme": "msgpack",
        "methods": [{
            "name": "draw",
            "request": {
                "type": "object",
                "properties": {
                    "points": {"type": "array", "items": {"$ref": "#/$defs/Point"}},
                    "shape": {"$ref": "#/$defs/Shape"},
                    "label": {"type": ["string", "null"]},
                    "data": {"type": "array", "items": {"type": "integer"}},
                    "tree": {"$ref": "#/$defs/Tree"},
                    "ends": {"$ref": "#/$defs/Ends"},
                },
                "required": ["points"],
            },
            "response": true,
        }],
        "$defs": {
            "Point": {
                "type": "object",
                "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}},
                "required": ["x", "y"],
            },
            "Shape": {"oneOf": [
                {"type": "object", "properties": {"Circle": {"type": "number"}}, "required": ["Circle"], "additionalProperties": false},
                {"type": "object", "properties": {"Corner": {"$ref": "#/$defs/Point"}}, "required": ["Corner"], "additionalProperties": false},
                {"type": "string", "enum": ["Nothing"]},
            ]},
            "Tree": {
                "type": "object",
                "properties": {"left": {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]}},
            },
            "Ends": {"anyOf": [{"$ref": "#/$defs/Ends"}, {"$ref": "#/$defs/Ends"}, {"type": "null"}]},
        },
    }))
    .unwrap()
}

#[track_caller]
fn takes(arguments: Value) -> Bytes {
    let interface = interface();
    let draw = interface.methods().next().unwrap();
    draw.arguments(&arguments).unwrap()
}

#[track_caller]
fn refuses(arguments: Value, message: &str) {
    let interface = interface();
    let draw = interface.methods().next().unwrap();
    assert_eq!(draw.arguments(&arguments).unwrap_err().to_string(), message);
}

fn with(name: &str, value: Value) -> Value {
    json!({"points": [], name: value})
}

#[test]
fn arguments_travel_as_a_map_by_name() {
    assert_eq!(takes(json!({"points": []})), b"\x81\xa6points\x90"[..]);
    takes(with("shape", json!("Nothing")));
    takes(with("shape", json!({"Circle": 1})));
    takes(with("label", Value::Null));
    takes(with("tree", json!({"left": {"left": null}, "unknown": 1})));
}

#[test]
fn bytes_fit_where_a_list_of_numbers_does() {
    let arg3 = takes(with("data", json!({"$bytes": "AP8="})));
    assert!(arg3.starts_with(b"\x82\xa4data\xc4\x02\0\xff"), "{arg3:?}");
}

#[test]
fn a_complaint_says_where_and_what_was_expected() {
    refuses(json!({}), "points: it is missing; expected list<Point>");
    refuses(
        json!([]),
        "arguments: expected an object of the arguments by name, found []",
    );
    refuses(
        json!({"point": []}),
        "point: there is no such argument; did you mean \"points\"?",
    );
    refuses(
        json!({"points": [{"x": 1, "y": "2"}]}),
        "points[0].y: expected integer, found \"2\"",
    );
    refuses(
        json!({"points": [{"x": 1}]}),
        "points[0].y: it is missing; expected integer",
    );
    refuses(json!({"points": [5]}), "points[0]: expected Point, found 5");
    refuses(
        with("label", json!(5)),
        "label: expected string | null, found 5",
    );
    refuses(
        with("shape", json!("Square")),
        "shape: expected Shape, found \"Square\"",
    );
    refuses(
        with("tree", json!({"left": {"left": 5}})),
        "tree.left.left: expected Tree, found 5",
    );
}

#[test]
fn a_schema_that_leads_nowhere_lets_all_through() {
    takes(with("ends", json!(5)));
}

#[test]
fn what_travels_as_json_is_sent_as_json() {
    let mut interface = interface();
    interface.scheme = Scheme::Json;
    let draw = interface.methods().next().unwrap();
    assert_eq!(
        (
            draw.scheme(),
            &draw.arguments(&json!({"points": []})).unwrap()[..]
        ),
        ("json", &br#"{"points":[]}"#[..])
    );
    let answer = draw.answer(&Bytes::from_static(b"{\"b\":1}")).unwrap();
    assert_eq!(answer.body.to_string(), r#"{"b":1}"#);
    let refused = draw
        .answer(&Bytes::from_static(b"{"))
        .unwrap_err()
        .to_string();
    assert!(refused.starts_with("result: json arg3:"), "{refused}");
}

#[test]
fn a_sample_fits_and_has_what_is_required() {
    let interface = interface();
    let draw = interface.methods().next().unwrap();
    let sample = draw.sample();
    assert_eq!(sample.to_string(), r#"{"points":[{"x":1,"y":1}]}"#);
    draw.arguments(&sample.to_value()).unwrap();
}

#[test]
fn types_are_told_in_few_words() {
    for (schema, expected) in [
        (json!(true), "any"),
        (json!({"type": "integer", "format": "uint8"}), "uint8"),
        (json!({"type": "string", "format": "uuid"}), "string (uuid)"),
        (
            json!({"type": "array", "uniqueItems": true, "items": {"type": "string"}}),
            "set<string>",
        ),
        (
            json!({"type": "object", "additionalProperties": {"$ref": "#/$defs/Point"}}),
            "map<string, Point>",
        ),
        (
            json!({"type": "array", "prefixItems": [{"type": "string"}, true]}),
            "[string, any]",
        ),
        (json!({"enum": ["a", 1]}), "\"a\" | 1"),
        (
            json!({"type": "object", "properties": {"a": {"type": "boolean"}}}),
            "{a: bool}",
        ),
    ] {
        assert_eq!(words(&schema), expected);
    }
}
