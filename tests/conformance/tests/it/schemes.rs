//! Source: spec/schemes/json.md, "args"; spec/schemes/thrift.md, "structs"; spec/schemes/http.md, "varint";
//! spec/schemes/msgpack.md, "args".

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tchannel_rt::scheme::http::{Fields, Request, Response, VarintOrder};
use tchannel_rt::scheme::thrift::{Field, ReadError, Reader, Type, Writer};
use tchannel_rt::scheme::{ErrorBody, Headers, http, json as json_scheme, msgpack, thrift};

use crate::vectors::{Vectors, hex, number, text, to_hex};

/// The entries of one scheme and arg: name, bytes, value and the whole entry.
fn entries(scheme: &str, arg: &str) -> Vec<(String, Bytes, Value)> {
    let vectors = Vectors::load("schemes");
    let of = |entry: &&Value| entry["scheme"] == scheme && entry["arg"] == arg;
    let found: Vec<_> = vectors
        .all()
        .iter()
        .filter(of)
        .map(|entry| {
            (
                text(&entry["name"]).to_owned(),
                hex(&entry["hex"]).into(),
                entry.clone(),
            )
        })
        .collect();
    assert!(!found.is_empty(), "no {scheme} {arg}");
    found
}

fn object(headers: &Headers) -> Value {
    let pairs = headers
        .iter()
        .map(|(name, value)| (name.to_owned(), json!(value)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

fn pair_list<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    json!(pairs.map(|(name, value)| [name, value]).collect::<Vec<_>>())
}

#[test]
fn json_headers_are_read_as_every_peer_writes_them() {
    for (name, arg2, entry) in entries("json", "arg2") {
        let headers = json_scheme::decode_headers(&arg2).expect(&name);
        let expected = match &entry["value"] {
            Value::Null => json!({}),
            headers => headers.clone(),
        };
        assert_eq!(object(&headers), expected, "{name}");
    }
}

#[test]
fn json_bodies_are_read_as_every_peer_writes_them() {
    for (name, arg3, entry) in entries("json", "arg3") {
        let body: Value = json_scheme::decode(&arg3).expect(&name);
        assert_eq!(body, entry["value"], "{name}");
        let again: Value =
            json_scheme::decode(&json_scheme::encode(&body).expect(&name)).expect(&name);
        assert_eq!(again, body, "{name}");
    }
}

#[test]
fn json_of_nothing_is_null_and_empty_headers_are_an_empty_object() {
    assert_eq!(
        json_scheme::decode::<Value>(b"").expect("nothing"),
        Value::Null
    );
    assert_eq!(json_scheme::encode_headers(&Headers::new()), "{}");
    for nothing in ["", "null", "\"\"", " null \n", "{}"] {
        let headers = json_scheme::decode_headers(nothing.as_bytes()).expect(nothing);
        assert!(headers.is_empty(), "{nothing}");
    }
    for bad in ["[1]", r#"{"a":1}"#, "{x", "7"] {
        assert!(
            json_scheme::decode_headers(bad.as_bytes()).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn thrift_headers_are_read_and_written_as_every_peer_writes_them() {
    for (name, arg2, entry) in entries("thrift", "arg2") {
        let headers = thrift::decode_headers(&arg2).expect(&name);
        assert_eq!(pair_list(headers.iter()), entry["value"], "{name}");
        assert_eq!(
            thrift::encode_headers(&headers).expect(&name),
            arg2,
            "{name}"
        );
    }
}

#[test]
fn thrift_without_headers_is_two_zero_bytes_and_nothing_is_read_as_that() {
    assert_eq!(
        &thrift::encode_headers(&Headers::new()).expect("none")[..],
        [0, 0]
    );
    assert!(thrift::decode_headers(b"").expect("nothing").is_empty());
    for bad in [&b"\0"[..], b"\0\x01\0\x01h", b"\0\0xx"] {
        assert!(thrift::decode_headers(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn thrift_structs_are_read_and_written_as_every_peer_writes_them() {
    for (name, arg3, entry) in entries("thrift", "arg3") {
        let mut reader = Reader::new(&arg3);
        let fields = read_fields(&mut reader).expect(&name);
        reader.finish().expect(&name);
        assert_eq!(fields, entry["value"], "{name}");
        let mut writer = Writer::new();
        write_fields(&mut writer, &fields);
        assert_eq!(
            to_hex(&writer.finish().expect(&name)),
            to_hex(&arg3),
            "{name}"
        );
    }
}

fn read_fields(reader: &mut Reader<'_>) -> Result<Value, ReadError> {
    let mut fields = Vec::new();
    reader.read_struct(|reader, Field { ty, id, .. }| {
        let (name, value) = match ty {
            Type::Bool => ("bool", json!(reader.read_bool()?)),
            Type::I32 => ("i32", json!(reader.read_i32()?)),
            Type::String => ("string", json!(reader.read_string()?)),
            Type::Struct => ("struct", read_fields(reader)?),
            other => panic!("no vector has a {other:?}"),
        };
        fields.push(json!({"id": id, "type": name, "value": value}));
        Ok(())
    })?;
    Ok(json!(fields))
}

fn write_fields(writer: &mut Writer, fields: &Value) {
    for field in fields.as_array().expect("fields") {
        let id = number(&field["id"]) as i16;
        let value = &field["value"];
        match text(&field["type"]) {
            "bool" => {
                writer.write_field(Type::Bool, id);
                writer.write_bool(value.as_bool().expect("a bool"));
            }
            "i32" => {
                writer.write_field(Type::I32, id);
                writer.write_i32(number(value) as i32);
            }
            "string" => {
                writer.write_field(Type::String, id);
                writer.write_string(text(value));
            }
            _ => {
                writer.write_field(Type::Struct, id);
                write_fields(writer, value);
            }
        }
    }
    writer.write_stop();
}

#[test]
fn http_heads_are_read_in_either_order_and_written_in_that_of_their_sender() {
    for (name, arg2, entry) in entries("http", "arg2") {
        let orders: &[VarintOrder] = match text(&entry["varint"]) {
            "either" => &[VarintOrder::Node, VarintOrder::Go],
            "most significant group first" => &[VarintOrder::Node],
            _ => &[VarintOrder::Go],
        };
        let (value, written) = if entry["message"] == "call req" {
            request(&arg2, orders)
        } else {
            response(&arg2, orders)
        };
        assert_eq!(value, entry["value"], "{name}");
        assert!(written.iter().all(|written| *written == arg2), "{name}");
    }
}

fn request(arg2: &Bytes, orders: &[VarintOrder]) -> (Value, Vec<Bytes>) {
    let head: Request = http::Request::decode(arg2).expect("a request");
    let headers: &Fields = &head.headers;
    let value =
        json!({"method": head.method, "url": head.url, "headers": pair_list(headers.iter())});
    let encode = |order: &VarintOrder| head.encode(*order).expect("a short head");
    (value, orders.iter().map(encode).collect())
}

fn response(arg2: &Bytes, orders: &[VarintOrder]) -> (Value, Vec<Bytes>) {
    let head: Response = http::Response::decode(arg2).expect("a response");
    let headers: &Fields = &head.headers;
    let value = json!({"status": head.status, "message": head.message, "headers": pair_list(headers.iter())});
    let encode = |order: &VarintOrder| head.encode(*order).expect("a short head");
    (value, orders.iter().map(encode).collect())
}

#[test]
fn http_lengths_are_written_in_the_order_of_node_by_default() {
    assert_eq!(VarintOrder::default(), VarintOrder::Node);
    let vectors = Vectors::load("schemes");
    let both = vectors.all().iter().filter_map(|entry| entry.get("varint"));
    let both: Vec<&str> = both.map(text).collect();
    assert!(both.contains(&"most significant group first"));
    assert!(both.contains(&"least significant group first"));
}

#[test]
fn msgpack_headers_are_a_map_of_strings_and_nothing_is_none() {
    for (name, arg2, entry) in entries("msgpack", "arg2") {
        let headers = msgpack::decode_headers(&arg2).expect(&name);
        assert_eq!(pair_list(headers.iter()), entry["value"], "{name}");
        if !arg2.is_empty() {
            assert_eq!(msgpack::encode_headers(&headers), arg2, "{name}");
        }
    }
    assert_eq!(&msgpack::encode_headers(&Headers::new())[..], [0x80]);
}

#[test]
fn msgpack_bodies_are_maps_by_field_name() {
    for (name, arg3, entry) in entries("msgpack", "arg3") {
        let body: Value = msgpack::decode(&arg3).expect(&name);
        assert_eq!(body, entry["value"], "{name}");
        let mut longer = arg3.to_vec();
        longer.push(0xc0);
        assert!(msgpack::decode::<Value>(&longer).is_err(), "{name}");
        assert!(msgpack::decode::<Value>(&longer[..3]).is_err(), "{name}");
    }
    let error = ErrorBody {
        kind: "refused".to_owned(),
        message: "no".to_owned(),
    };
    let vectors = Vectors::load("schemes");
    let recorded = vectors
        .all()
        .iter()
        .find(|v| v["name"] == "msgpack application error");
    let recorded = hex(&recorded.expect("the vector")["hex"]);
    assert_eq!(
        to_hex(&msgpack::encode(&error).expect("a small value")),
        to_hex(&recorded)
    );
}
