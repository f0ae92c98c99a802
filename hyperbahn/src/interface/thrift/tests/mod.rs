//! JSON to Thrift and back, by a Thrift file with every type.

mod values;

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use tchannel_codegen::idl::Idl;

use crate::interface::Interfaces;

fn torture() -> Interfaces {
    Interfaces::from_idl(idl())
}

fn idl() -> Idl {
    let text = include_str!("torture.thrift").to_owned();
    Idl::parse(
        "torture.thrift",
        &BTreeMap::from([("torture.thrift".to_owned(), text)]),
    )
    .unwrap()
}

fn written(method: &str, arguments: &Value) -> Bytes {
    let torture = torture();
    torture.find(method).unwrap().arguments(arguments).unwrap()
}

#[track_caller]
fn writes(method: &str, arguments: Value, arg3: &[u8]) {
    let written = written(method, &arguments).escape_ascii().to_string();
    assert_eq!(written, arg3.escape_ascii().to_string());
}

#[track_caller]
fn refuses(method: &str, arguments: Value, message: &str) {
    let refused = torture().find(method).unwrap().arguments(&arguments);
    assert_eq!(refused.unwrap_err().to_string(), message);
}

#[track_caller]
fn shows(method: &str, is_ok: bool, arg3: &[u8], body: &str, notes: &[&str]) {
    let arg3 = Bytes::copy_from_slice(arg3);
    let answer = torture()
        .find(method)
        .unwrap()
        .answer(is_ok, &arg3)
        .unwrap();
    assert_eq!(
        (answer.body.to_string().as_str(), &answer.notes[..]),
        (
            body,
            &notes.iter().map(ToString::to_string).collect::<Vec<_>>()[..]
        )
    );
}

/// The result of a method that gives its only argument back.
fn echoed(arguments: &Bytes) -> Bytes {
    let mut result = arguments.to_vec();
    result[2] = 0;
    result.into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_value_comes_back_as_it_was(it in values::of_type(&idl(), "Everything")) {
        let arguments = json!({ "it": it.to_value() });
        // As it was typed, and as it is printed.
        let typed: Value = serde_json::from_str(&arguments.to_string()).unwrap();
        let torture = torture();
        let echo = torture.find("echo").unwrap();
        let arg3 = echo.arguments(&typed).unwrap();
        let answer = echo.answer(true, &echoed(&arg3)).unwrap();
        prop_assert_eq!(answer.body.to_value(), it.to_value());
        prop_assert_eq!(answer.notes, Vec::<String>::new());
        let again = json!({ "it": serde_json::from_str::<Value>(&answer.body.to_string()).unwrap() });
        prop_assert_eq!(echo.arguments(&again).unwrap(), arg3);
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes: Vec<u8>, is_ok: bool) {
        let torture = torture();
        let bytes = Bytes::from(bytes);
        for method in torture.methods() {
            let _ = method.answer(is_ok, &bytes);
        }
    }

    #[test]
    fn an_answer_that_is_broken_does_not_make_reading_panic(
        it in values::of_type(&idl(), "Everything"), at: prop::sample::Index, byte: u8,
    ) {
        let mut bytes = echoed(&written("echo", &json!({ "it": it.to_value() }))).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let torture = torture();
        let _ = torture.find("echo").unwrap().answer(true, &bytes.into());
    }
}

#[test]
fn the_sample_of_every_method_fits() {
    let torture = torture();
    for method in torture.methods() {
        let sample = method.sample().to_value();
        method
            .arguments(&sample)
            .unwrap_or_else(|error| panic!("{}: {sample}: {error}", method.arg1()));
    }
    let grow = torture.find("grow").unwrap().sample();
    assert_eq!(
        grow.to_string(),
        r#"{"tree":{"name":"text","children":[]},"levels":3}"#
    );
}

#[test]
fn numbers_are_written_in_any_form_that_keeps_them_whole() {
    let user = b"\x0a\0\x01\0\x20\0\0\0\0\0\x01\0";
    writes("get", json!({"user": 9_007_199_254_740_993_i64}), user);
    writes("get", json!({"user": "9007199254740993"}), user);
    writes(
        "get",
        json!({"user": 1e3}),
        b"\x0a\0\x01\0\0\0\0\0\0\x03\xe8\0",
    );
    refuses(
        "get",
        json!({"user": 1.5}),
        "user: expected UserId (i64) as a number or a string, found 1.5",
    );
    refuses(
        "get",
        json!({"user": "x"}),
        "user: expected UserId (i64) as a number or a string, found \"x\"",
    );
}

#[test]
fn what_is_left_out_takes_the_default_of_the_file() {
    let item = b"\x0c\0\x01\x0f\0\x01\x0c\0\0\0\x01\x0b\0\x01\0\0\0\x01k\0\x08\0\x02\0\0\0\x05\0\0";
    writes("put", json!({"request": {"items": [{"key": "k"}]}}), item);
    let null = json!({"request": {"items": [{"key": "k", "value": null}], "color": null}});
    writes("put", null, item);
    writes("Torture::ping", Value::Null, b"\0");
}

#[test]
fn a_member_of_an_enum_goes_by_its_name_or_its_number() {
    for color in [json!("BLUE"), json!("AZURE"), json!(6)] {
        let request = json!({"request": {"items": [], "color": color}});
        let arg3 = written("put", &request);
        assert!(arg3.ends_with(b"\x08\0\x02\0\0\0\x06\0\0"), "{color}");
    }
    refuses(
        "put",
        json!({"request": {"items": [], "color": "Blau"}}),
        "request.color: Color has no member \"Blau\"; expected one of RED, GREEN, BLUE, AZURE",
    );
    refuses(
        "put",
        json!({"request": {"items": [], "color": "GREN"}}),
        "request.color: Color has no member \"GREN\"; did you mean \"GREEN\"?",
    );
    refuses(
        "put",
        json!({"request": {"items": [], "color": true}}),
        "request.color: expected Color as the name or number of a member, found true",
    );
}

#[test]
fn a_complaint_says_where_and_what_was_expected() {
    let items = json!([{"key": "a"}, {"key": "b"}, {"value": "c"}]);
    refuses(
        "put",
        json!({"request": {"items": items}}),
        "request.items[2].key: it is missing; expected string",
    );
    refuses(
        "put",
        json!({"request": {"items": [{"kye": "a"}]}}),
        "request.items[0].kye: there is no such field; did you mean \"key\"?",
    );
    refuses(
        "put",
        json!({"request": {"items": [{"key": 5}]}}),
        "request.items[0].key: expected string, found 5",
    );
    refuses(
        "put",
        json!({}),
        "request: it is missing; expected Request as an object",
    );
    refuses(
        "put",
        json!([1]),
        "arguments: expected an object of the arguments by name, found [1]",
    );
    refuses(
        "Torture::ping",
        json!({"a": 1}),
        "a: there is no such argument; none is expected",
    );
    let long = "long ".repeat(20);
    let found = "long ".repeat(11) + "long";
    refuses(
        "put",
        json!({"request": long}),
        &format!("request: expected Request as an object, found \"{found} .."),
    );
    let it = |member: &str, value: Value| json!({"it": {"must": "", member: value}});
    refuses(
        "echo",
        it("counts", json!({"a": "b"})),
        "it.counts[\"a\"]: expected i32, found \"b\"",
    );
    refuses(
        "echo",
        it("labels", json!({"a": "b"})),
        "it.labels[\"a\"]: a map whose keys are Point is an array of [key, value]",
    );
    refuses(
        "echo",
        it("labels", json!([["a"]])),
        "it.labels: expected map<Point, string> as an object, or an array of [key, value], found [[\"a\"]]",
    );
    refuses(
        "echo",
        it("data", json!("?")),
        "it.data: expected binary as base64 in a string, or {\"hex\":\"00ff\"}, found \"?\"",
    );
    refuses(
        "echo",
        it("small", json!(128)),
        "it.small: expected i8, found 128",
    );
}

#[test]
fn a_union_has_exactly_one_member() {
    let shape = |shape: Value| json!({"it": {"must": "", "shape": {"many": [shape]}}});
    for (value, found) in [(json!({}), 0), (json!({"circle": 1, "many": []}), 2)] {
        refuses(
            "echo",
            shape(value),
            &format!(
                "it.shape.many[0]: expected exactly one of circle, corner, many for the union Shape, found {found}"
            ),
        );
    }
}

#[test]
fn bytes_are_base64_or_hexadecimal_or_text() {
    let forms = [json!("AP8="), json!("AP8"), json!({"hex": "00ff"})];
    let written = forms.map(|data| written("echo", &json!({"it": {"must": "", "data": data}})));
    assert!(
        written[0].ends_with(b"\x0b\0\x08\0\0\0\x02\0\xff\x0b\0\x1a\0\0\0\0\0\0"),
        "{written:?}"
    );
    assert!(written.iter().all(|arg3| *arg3 == written[0]));
    let text = json!({"it": {"must": {"hex": "ff"}, "data": {"text": "a"}}});
    let arg3 = echoed(&self::written("echo", &text));
    shows(
        "echo",
        true,
        &arg3,
        r#"{"data":"YQ==","must":{"hex":"ff"}}"#,
        &[],
    );
}

#[test]
fn what_nests_too_deep_is_refused_before_it_is_sent() {
    let tree = (0..40).fold(
        json!({"name": "", "children": []}),
        |tree, _| json!({"name": "", "children": [tree]}),
    );
    let refused = torture()
        .find("grow")
        .unwrap()
        .arguments(&json!({"tree": tree}));
    let refused = refused.unwrap_err();
    assert!(refused.message.contains("deeper than 64"), "{refused}");
    assert!(
        refused.path.starts_with("tree.children[0].children[0]"),
        "{refused}"
    );
}

#[test]
fn a_declared_exception_goes_by_its_name() {
    let failure = b"\x0c\0\x01\x0b\0\x01\0\0\0\x02no\0\0";
    shows(
        "get",
        false,
        failure,
        r#"{"Failure":{"message":"no"}}"#,
        &[],
    );
    shows(
        "twice",
        false,
        failure,
        r#"{"first":{"message":"no"}}"#,
        &[],
    );
}

#[test]
fn an_answer_that_is_not_as_the_interface_says_is_shown_with_a_note() {
    shows("Torture::ping", true, b"\0", "null", &[]);
    shows(
        "get",
        true,
        b"\0",
        "null",
        &["result: there is none, though the method returns string"],
    );
    shows(
        "Torture::ping",
        true,
        b"\x0b\0\0\0\0\0\0\0",
        "null",
        &["result: field 0 of type String is not in the interface and left out"],
    );
    shows(
        "get",
        false,
        b"\x0c\0\x07\x08\0\x01\0\0\0\x05\0\0",
        r#"{"7":{"rec":{"1":{"i32":5}}}}"#,
        &["result: it is an exception that the interface does not declare, shown by field ids"],
    );
    shows(
        "get",
        false,
        b"\x0c\0\x01\x08\0\x09\0\0\0\x05\0\0",
        r#"{"Failure":{}}"#,
        &[
            "Failure: field 9 of type I32 is not in the interface and left out",
            "Failure: the required field message is missing",
        ],
    );
}

#[test]
fn bytes_that_are_no_result_are_refused_with_their_place() {
    let torture = torture();
    let echo = torture.find("echo").unwrap();
    let cut = Bytes::from_static(b"\x0c\0\0\x0f\0\x0c\x0c\0\0\0\x01\x08\0\x01\0\0");
    let refused = echo.answer(true, &cut).unwrap_err().to_string();
    assert_eq!(
        refused,
        "points[0].x: it ends early: 4 bytes wanted, 2 left"
    );
    let refused = echo
        .answer(true, &Bytes::from_static(b"\0\0"))
        .unwrap_err()
        .to_string();
    assert_eq!(refused, "result: 1 bytes follow its end");
}

#[test]
fn structs_that_require_others_twice_make_no_endless_sample() {
    let chain: String = (1..60)
        .map(|i| {
            format!(
                "struct S{i} {{ 1: required S{0} a 2: required S{0} b }}\n",
                i - 1
            )
        })
        .collect();
    let text = format!("struct S0 {{}}\n{chain}service A {{ void f(1: S59 it) }}");
    let texts = BTreeMap::from([("a.thrift".to_owned(), text)]);
    let interfaces = Interfaces::from_idl(Idl::parse("a.thrift", &texts).unwrap());
    let sample = interfaces.find("f").unwrap().sample().to_string();
    assert!(sample.len() < 100_000, "{}", sample.len());
}
