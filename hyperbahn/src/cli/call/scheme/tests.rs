//! What is typed, what travels, what is shown.

use super::*;

fn header(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.to_owned())]
}

#[track_caller]
fn travels(scheme: Scheme, body: &str, arg2: &[u8], arg3: &[u8]) {
    let headers = header("h", "v");
    let headers = if scheme == Scheme::Raw {
        &[][..]
    } else {
        &headers
    };
    let args = scheme.encode(headers, body.as_bytes()).unwrap();
    assert_eq!(
        (
            args.arg2.escape_ascii().to_string(),
            args.arg3.escape_ascii().to_string()
        ),
        (
            arg2.escape_ascii().to_string(),
            arg3.escape_ascii().to_string()
        )
    );
}

#[track_caller]
fn shows(scheme: Scheme, arg2: &'static [u8], arg3: &'static [u8], headers: Value, text: &str) {
    let args = Args {
        arg2: Bytes::from_static(arg2),
        arg3: Bytes::from_static(arg3),
    };
    let shown = scheme.decode(&args).unwrap();
    assert_eq!(
        (shown.headers, shown.text),
        (headers, Bytes::copy_from_slice(text.as_bytes()))
    );
}

#[track_caller]
fn refuses(scheme: Scheme, body: &str, expected: &str) {
    assert_eq!(
        scheme.encode(&[], body.as_bytes()),
        Err(expected.to_owned())
    );
}

#[test]
fn json_travels_and_is_shown_as_it_was_typed() {
    travels(
        Scheme::Json,
        "{ \"a\": 1.0 }",
        br#"{"h":"v"}"#,
        b"{ \"a\": 1.0 }",
    );
    travels(Scheme::Json, "", br#"{"h":"v"}"#, b"null");
    shows(
        Scheme::Json,
        br#"{"h":1}"#,
        b"{\"b\": 1, \"a\": 2}",
        json!({"h": 1}),
        "{\"b\": 1, \"a\": 2}",
    );
    shows(Scheme::Json, b"", b"", json!({}), "");
    shows(Scheme::Json, b"{}", b"[1]\n", json!({}), "[1]");
}

#[test]
fn msgpack_is_typed_and_shown_as_json() {
    travels(
        Scheme::Msgpack,
        r#"{"a":[1,"x"]}"#,
        b"\x81\xa1h\xa1v",
        b"\x81\xa1a\x92\x01\xa1x",
    );
    shows(
        Scheme::Msgpack,
        b"\x81\xa1h\xa1v",
        b"\x81\xa1a\x92\x01\xa1x",
        json!({"h": "v"}),
        r#"{"a":[1,"x"]}"#,
    );
}

#[test]
fn thrift_is_typed_and_shown_by_field_and_type() {
    travels(
        Scheme::Thrift,
        r#"{"1":{"str":"abc"}}"#,
        b"\0\x01\0\x01h\0\x01v",
        b"\x0b\0\x01\0\0\0\x03abc\0",
    );
    travels(Scheme::Thrift, "", b"\0\x01\0\x01h\0\x01v", b"\0");
    shows(
        Scheme::Thrift,
        b"\0\0",
        b"\x0b\0\0\0\0\0\x03abc\0",
        json!({}),
        r#"{"0":{"str":"abc"}}"#,
    );
}

#[test]
fn http_is_typed_and_shown_as_an_object() {
    travels(
        Scheme::Http,
        r#"{"method":"POST","url":"/a?b=c","body":"text"}"#,
        b"\x04POST\x06/a?b=c\0\x01\0\x01h\0\x01v",
        b"text",
    );
    travels(Scheme::Http, "", b"\x03GET\x01/\0\x01\0\x01h\0\x01v", b"");
    shows(
        Scheme::Http,
        b"\x00\xc8\x02OK\0\x01\0\x01h\0\x01v",
        b"text",
        json!([["h", "v"]]),
        r#"{"body":"text","message":"OK","status":200}"#,
    );
}

#[test]
fn an_http_status_from_400_up_tells_of_failure() {
    for (status, is_failure) in [(200_u16, false), (399, false), (400, true), (503, true)] {
        let arg2 = [&status.to_be_bytes()[..], b"\0\0\0"].concat().into();
        let arg3 = Bytes::new();
        let shown = Scheme::Http.decode(&Args { arg2, arg3 }).unwrap();
        assert_eq!(shown.is_failure, is_failure, "{status}");
    }
}

#[test]
fn raw_travels_and_is_shown_byte_for_byte() {
    travels(Scheme::Raw, "a b\n", b"", b"a b\n");
    shows(Scheme::Raw, b"", b"a b\n", json!({}), "a b\n");
    shows(Scheme::Raw, b"h", b"", json!({"arg2": "h"}), "");
}

#[test]
fn raw_has_no_place_for_headers() {
    let refused = Scheme::Raw.encode(&header("h", "v"), b"");
    assert_eq!(
        refused,
        Err("raw has no headers: leave out --header or choose another --as".to_owned())
    );
}

#[test]
fn a_body_that_does_not_fit_is_refused_with_its_place() {
    refuses(
        Scheme::Json,
        "{oops",
        "BODY is not what --as needs: key must be a string at line 1 column 2",
    );
    refuses(
        Scheme::Http,
        r#"{"verb":"GET"}"#,
        "BODY is not what --as needs: unknown field `verb`, expected one of `method`, `url`, \
         `body` at line 1 column 7",
    );
    refuses(Scheme::Thrift, "[]", "[] is no struct");
}

#[test]
fn bytes_that_are_no_text_are_shown_in_hexadecimal() {
    let args = Args {
        arg2: Bytes::new(),
        arg3: Bytes::from_static(b"\0\xff"),
    };
    let shown = as_bytes(&args);
    assert_eq!(
        (shown.body, &shown.text[..]),
        (json!({"hex": "00ff"}), &b"\0\xff"[..])
    );
}

#[test]
fn an_answer_that_is_not_what_it_says_is_refused() {
    let args = Args {
        arg2: Bytes::new(),
        arg3: Bytes::from_static(b"{oops"),
    };
    for scheme in [Scheme::Json, Scheme::Msgpack, Scheme::Thrift, Scheme::Http] {
        assert!(scheme.decode(&args).is_err(), "{scheme:?}");
    }
}
