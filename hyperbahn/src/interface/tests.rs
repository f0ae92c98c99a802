//! What is published, which method is meant, and how it is explained.

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;

const KEYVALUE: &str = "\
/** Keys and values. */
service KeyValue {
  /** The value under `key`. */
  string get(1: string key /** Any text. */) throws (1: NotFound missing)
  void put(1: string key, 2: string value = \"\", 3: optional Options options) (retry = \"never\")
  void wipe()
}
/** Nothing is there. */
exception NotFound { 1: required string key }
struct Options { 1: required Mode mode, 2: map<Id, list<Options>> more }
enum Mode { FAST = 1, /** Takes a while. */ SAFE = 2 }
typedef i64 Id
";

fn thrift(text: &str) -> Value {
    json!({"kind": "thrift", "entry_point": "keyvalue.thrift", "idls": {"keyvalue.thrift": text}})
}

fn greeter() -> Value {
    json!({
        "kind": "schema", "name": "Greeter", "scheme": "msgpack", "docs": "Says hello.",
        "methods": [
            {
                "name": "hello", "docs": "A greeting.", "idempotent": true, "ttl_ms": 500,
                "request": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "description": "Whom."},
                        "mood": {"anyOf": [{"$ref": "#/$defs/Mood"}, {"type": "null"}]},
                    },
                    "required": ["name"],
                },
                "response": {"type": "string"},
                "error": {"$ref": "#/$defs/Refusal"},
            },
            {
                "name": "watch", "idempotent": false, "request": {"type": "object"},
                "response_stream": {"type": "integer", "format": "uint32"},
            },
            {"name": "stop", "idempotent": false, "request": true, "response": {"type": "null"}},
        ],
        "$defs": {
            "Mood": {"type": "string", "enum": ["Good", "Bad"]},
            "Refusal": {
                "type": "object", "description": "Why not.",
                "properties": {"reason": {"type": "string"}, "after": {"type": ["integer", "null"]}},
                "required": ["reason"],
            },
        },
    })
}

fn published(list: &[Value]) -> Interfaces {
    let body = json!({"interfaces": list, "more": 1}).to_string();
    Interfaces::published(body.as_bytes()).unwrap()
}

#[test]
fn interfaces_of_all_kinds_are_read_and_unknown_kinds_passed_over() {
    let interfaces = published(&[thrift(KEYVALUE), json!({"kind": "wsdl"}), greeter()]);
    let methods = interfaces.methods();
    let names: Vec<&str> = methods.iter().map(Method::arg1).collect();
    assert_eq!(
        names,
        [
            "KeyValue::get",
            "KeyValue::put",
            "KeyValue::wipe",
            "hello",
            "watch",
            "stop"
        ]
    );
    let schemes: Vec<&str> = methods.iter().map(Method::scheme).collect();
    assert_eq!(schemes[2..4], ["thrift", "msgpack"]);
}

#[test]
fn what_is_no_interface_is_refused_with_the_reason() {
    let refused = |body: &[u8]| Interfaces::published(body).unwrap_err().to_string();
    assert!(refused(b"{}").starts_with("it is no list of interfaces: missing field"));
    let unsound = json!({"interfaces": [thrift("service A extends B {}")]}).to_string();
    let unsound = refused(unsound.as_bytes());
    assert!(unsound.contains("there is no service `B`"), "{unsound}");
    let long = vec![b' '; BYTES_MAX + 1];
    assert_eq!(refused(&long), "it has 4194305 bytes, more than 4194304");
}

#[test]
fn the_answer_of_deployed_peers_is_read() {
    // {1: {"a.thrift": "service A {}"}, 2: "a.thrift"} as field 0
    let arg3 =
        b"\x0c\0\0\x0d\0\x01\x0b\x0b\0\0\0\x01\0\0\0\x08a.thrift\0\0\0\x18service A { void f() }  \
        \x0b\0\x02\0\0\0\x08a.thrift\0\0";
    let interfaces = Interfaces::published_as_thrift(&Bytes::from_static(arg3)).unwrap();
    assert_eq!(interfaces.find("f").unwrap().arg1(), "A::f");
    let nothing = b"\x0c\0\0\x0d\0\x01\x0b\x0b\0\0\0\0\x0b\0\x02\0\0\0\0\0\0";
    let interfaces = Interfaces::published_as_thrift(&Bytes::from_static(nothing)).unwrap();
    assert!(interfaces.is_empty());
    let refused = Interfaces::published_as_thrift(&Bytes::new()).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("the answer of Meta::thriftIDL"),
        "{refused}"
    );
}

#[test]
fn meta_is_known_without_asking() {
    let meta = Interfaces::meta();
    let health = meta.find("Meta::health").unwrap();
    let arguments = health
        .arguments(&json!({"hr": {"type": "TRAFFIC"}}))
        .unwrap();
    assert_eq!(arguments, b"\x0c\0\x01\x08\0\x01\0\0\0\x01\0\0"[..]);
}

#[track_caller]
fn complains(name: &str, expected: &str) {
    let interfaces = published(&[thrift(KEYVALUE), greeter()]);
    assert_eq!(interfaces.find(name).unwrap_err().to_string(), expected);
}

#[test]
fn a_method_that_is_not_there_is_answered_with_near_ones() {
    complains("gte", "there is no method \"gte\"; try KeyValue::get");
    complains(
        "keyvalue::put",
        "there is no method \"keyvalue::put\"; try KeyValue::put, KeyValue::get",
    );
    complains("helo", "there is no method \"helo\"; try hello");
    complains(
        "something",
        "there is no method \"something\"; try KeyValue::get, KeyValue::put, KeyValue::wipe, hello, watch, stop",
    );
    let nothing = published(&[]).find("get").unwrap_err();
    assert_eq!(
        nothing.to_string(),
        "there is no method \"get\", nor any other"
    );
}

#[test]
fn a_short_name_is_enough_when_it_is_the_only_one() {
    let twice =
        "service A { void f() void g() } service B extends A { void h() } service C { void f() }";
    let interfaces = published(&[thrift(twice)]);
    // What A has is called under the name of B, which extends it.
    assert_eq!(interfaces.find("g").unwrap().arg1(), "B::g");
    assert_eq!(interfaces.find("A::g").unwrap().arg1(), "A::g");
    let ambiguous = interfaces.find("f").unwrap_err().to_string();
    assert_eq!(ambiguous, "\"f\" may be any of B::f, C::f");
}

#[test]
fn what_is_not_served_is_not_told() {
    let three = "service A { void f() } service B extends A { void h() } service C { void f() }";
    let mut interface = thrift(three);
    interface["services"] = json!(["B"]);
    let interfaces = published(&[interface]);
    let names: Vec<String> = interfaces.methods().into_iter().map(|it| it.arg1).collect();
    assert_eq!(names, ["B::f", "B::h"]);
    assert_eq!(interfaces.find("f").unwrap().arg1(), "B::f");
}

#[test]
fn people_are_shown_all_they_need_for_a_call() {
    let interfaces = published(&[thrift(KEYVALUE), greeter()]);
    let text = interfaces.describe("kv").text(" --peer a:1");
    assert_eq!(
        text,
        r#"KeyValue: Thrift service of keyvalue.thrift
  Keys and values.

  KeyValue::get(key: string) -> string
    The value under `key`.
    fails with NotFound
    $ hyperbahn call --peer a:1 kv::get '{"key":"text"}'

  KeyValue::put(key: string, value?: string = "", options?: Options)
    (retry = "never")
    $ hyperbahn call --peer a:1 kv::put '{"key":"text","value":""}'

  KeyValue::wipe()
    $ hyperbahn call --peer a:1 kv::wipe

  exception NotFound
    Nothing is there.
    key: string

  struct Options
    mode: Mode
    more?: map<Id, list<Options>>

  enum Mode
    FAST = 1
    SAFE = 2
      Takes a while.

  type Id = i64

Greeter: trait over msgpack
  Says hello.

  hello(mood?: Mood | null, name: string) -> string
    A greeting.
    name: string
      Whom.
    fails with Refusal
    may be tried again
    callers wait 500 ms
    $ hyperbahn call --peer a:1 kv::hello '{"name":"text"}'

  watch() -> stream of uint32
    $ hyperbahn call --peer a:1 kv::watch

  stop()
    $ hyperbahn call --peer a:1 kv::stop

  enum Mood
    Good
    Bad

  struct Refusal
    Why not.
    after?: integer | null
    reason: string"#
    );
}

#[test]
fn the_streams_of_thrift_are_told_apart_from_values() {
    let text = "service S {
        i64 load(1: string keys) (streaming = \"request\")
        binary look(1: string keys) (streaming = \"both\")
        string all(1: i32 limit) (streaming = \"response\")
    }";
    let text = published(&[thrift(text)]).describe("kv").text("");
    for signature in [
        "S::load(stream of string) -> i64",
        "S::look(stream of string) -> stream of binary",
        "S::all(limit: i32) -> stream of string",
    ] {
        assert!(text.contains(signature), "{text}");
    }
}

#[test]
fn one_method_is_explained_with_the_types_it_leads_to() {
    let interfaces = published(&[thrift(KEYVALUE), greeter()]);
    let get = interfaces.describe_method("kv", "get").unwrap();
    assert_eq!(get.interfaces.len(), 1);
    let types: Vec<&str> = get.interfaces[0]
        .types
        .iter()
        .map(|ty| ty.name.as_str())
        .collect();
    assert_eq!(types, ["NotFound"]);
    assert!(interfaces.describe_method("kv", "gett").is_err());
}

#[test]
fn programs_are_told_the_same() {
    let described = published(&[thrift(KEYVALUE)])
        .describe_method("kv", "get")
        .unwrap();
    assert_eq!(
        serde_json::to_value(described).unwrap(),
        json!({"service": "kv", "interfaces": [{
            "kind": "thrift", "name": "KeyValue", "file": "keyvalue.thrift", "scheme": "thrift",
            "docs": "Keys and values.",
            "methods": [{
                "name": "KeyValue::get", "target": "kv::get", "docs": "The value under `key`.",
                "arguments": [{"name": "key", "type": "string", "required": true}],
                "returns": "string", "errors": ["NotFound"], "idempotent": false,
                "example": {"key": "text"},
            }],
            "types": [{
                "name": "NotFound", "kind": "exception", "docs": "Nothing is there.",
                "fields": [{"name": "key", "type": "string", "required": true}],
            }],
        }]})
    );
}

#[test]
fn streams_are_explained_and_their_values_go_one_by_one() {
    let feed = "struct Event { 1: required i32 at }
        service Feed {
          Event watch(1: string key) (streaming = \"response\")
          i64 load(1: Event events) (streaming = \"request\")
          string look(1: string keys) (streaming = \"both\", other = \"x\")
        }";
    let interfaces = published(&[thrift(feed)]);
    let text = interfaces.describe("feed").text("");
    for line in [
        "  Feed::watch(key: string) -> stream of Event",
        "    $ hyperbahn call feed::watch '{\"key\":\"text\"}'",
        "  Feed::load(stream of Event) -> i64",
        "    $ hyperbahn call feed::load '[{\"at\":1}]'",
        "  Feed::look(stream of string) -> stream of string",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{text}");
    }
    let watch = interfaces.find("watch").unwrap();
    assert_eq!(watch.scheme(), "sthrift");
    assert!(!watch.streams_request() && watch.streams_response());
    let chunk = Bytes::from_static(b"\x08\0\x01\0\0\0\x07\0");
    let answer = watch.answer_piece(&chunk).unwrap();
    assert_eq!(answer.body.to_string(), r#"{"at":7}"#);
    let load = interfaces.find("load").unwrap();
    assert!(load.streams_request() && !load.streams_response());
    assert_eq!(load.piece(&json!({"at": 7})).unwrap(), chunk);
    let refused = load.piece(&json!({"at": "x"})).unwrap_err();
    assert_eq!(refused.to_string(), "at: expected i32, found \"x\"");
    let refused = load.piece(&json!(5)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "value: expected Event as an object, found 5"
    );
    let refused = watch
        .answer_piece(&Bytes::from_static(b"\0\0"))
        .unwrap_err();
    assert_eq!(refused.to_string(), "value: 1 bytes follow its end");
}

#[test]
fn docs_cannot_command_the_terminal() {
    let interfaces = published(&[thrift("/** a\u{1b}[2J\u{9b}2J */ service A { void f() }")]);
    let text = interfaces.describe("a").text("");
    assert!(text.contains("a\\u{1b}[2J\\u{9b}2J"), "{text}");
}
