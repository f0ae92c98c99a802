//! Arg schemes end to end: what a typed caller gives is what a typed handler gets, and back.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tchannel_rt::scheme::http::{self, Fields, VarintOrder};
use tchannel_rt::scheme::thrift::{self, ReadError, Reader, Struct, Type, Writer};
use tchannel_rt::{
    Call, CallError, Channel, ChecksumType, ErrorCode, HandlerError, Incoming, Reply, Response,
    ResponseCode, ResponseError,
};

use crate::support::{listen, once};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pet {
    name: String,
    legs: u32,
}

fn dog() -> Pet {
    Pet {
        name: "Bello".to_owned(),
        legs: 4,
    }
}

/// Adds legs, as many as the header `more` says; refuses above eight.
async fn grow(request: Incoming<Pet>) -> Result<Pet, HandlerError> {
    let more: u32 = request.headers.get("more").unwrap_or("0").parse()?;
    let Pet { name, legs } = request.body;
    if legs + more > 8 {
        return Err(HandlerError::application("too-many", "eight at most"));
    }
    Ok(Pet {
        name,
        legs: legs + more,
    })
}

async fn pets() -> (Channel, String) {
    let server = Channel::new("pets");
    server
        .service("pets")
        .json("json", grow)
        .msgpack("msgpack", grow)
        .raw("scheme", |request| async move {
            Ok(Reply::ok("", request.arg_scheme().to_owned()))
        });
    let addr = listen(&server).await;
    (server, addr)
}

#[derive(Clone, Copy, Debug)]
enum Scheme {
    Json,
    Msgpack,
}

impl Scheme {
    async fn send<T: Serialize>(self, call: Call<'_>, body: &T) -> Result<Response, CallError> {
        match self {
            Self::Json => call.json(body).await,
            Self::Msgpack => call.msgpack(body).await,
        }
    }
}

const TYPED: [(Scheme, &str); 2] = [
    (Scheme::Json, "pets::json"),
    (Scheme::Msgpack, "pets::msgpack"),
];

#[tokio::test]
async fn a_typed_call_carries_body_and_headers() {
    let (_server, addr) = pets().await;
    let client = Channel::new("test");
    for (scheme, target) in TYPED {
        let call = client.call(target).peer(&addr).header("more", "2");
        let answer = scheme.send(call, &dog()).await.unwrap();
        assert_eq!(answer.decode::<Pet>().unwrap().legs, 6, "{scheme:?}");
        assert!(answer.application_headers().unwrap().is_empty());
        assert_eq!(answer.arg_scheme(), target.split_once("::").unwrap().1);
    }
}

#[tokio::test]
async fn an_application_error_is_an_answer_and_not_a_failed_call() {
    let (_server, addr) = pets().await;
    let client = Channel::new("test");
    for (scheme, target) in TYPED {
        let call = client.call(target).peer(&addr).header("more", "100");
        let answer = scheme.send(call, &dog()).await.unwrap();
        assert_eq!(answer.code, ResponseCode::APPLICATION_ERROR);
        match answer.decode::<Pet>().unwrap_err() {
            ResponseError::Application { kind, message } => {
                assert_eq!((&*kind, &*message), ("too-many", "eight at most"));
            }
            other => panic!("{scheme:?}: {other}"),
        }
    }
}

#[tokio::test]
async fn an_application_error_of_a_scheme_without_a_form_for_it_is_unexpected() {
    let server = Channel::new("svc");
    server.service("svc").raw("refuse", |_| async {
        Err(HandlerError::application("no", "because"))
    });
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let error = client.call("svc::refuse").peer(&addr).send("", "").await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnexpectedError);
    assert_eq!(error.message(), "because");
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_a_bad_request_that_says_why() {
    let (_server, addr) = pets().await;
    let client = Channel::new("test");
    for (scheme, target) in TYPED {
        let call = once(client.call(target).peer(&addr));
        let error = scheme.send(call, &["no pet"]).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadRequest, "{error}");
        assert!(error.message().contains("arg3"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_told_from_one_that_refuses() {
    let (_server, addr) = pets().await;
    let client = Channel::new("test");
    for (scheme, target) in TYPED {
        let answer = scheme.send(client.call(target).peer(&addr), &dog()).await;
        let error = answer.unwrap().decode::<u32>().unwrap_err();
        assert!(matches!(error, ResponseError::Scheme(_)), "{error}");
    }
}

#[tokio::test]
async fn a_call_in_another_scheme_is_a_bad_request_that_names_both() {
    let (_server, addr) = pets().await;
    let client = Channel::new("test");
    for (target, wanted) in [("pets::json", "json"), ("pets::msgpack", "msgpack")] {
        let error = client.call(target).peer(&addr).send("", "").await;
        let error = error.unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadRequest);
        let expected = format!(r#"{target} takes arg scheme {wanted}, the call has "raw""#);
        assert_eq!(error.message(), expected);
    }
}

#[tokio::test]
async fn a_body_that_can_not_be_written_is_not_sent() {
    let client = Channel::new("test");
    let by_pairs = std::collections::BTreeMap::from([((1, 2), 3)]);
    // Nobody listens there, and nobody is asked.
    let call = client.call("pets::json").peer("127.0.0.1:9");
    let error = call.json(&by_pairs).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
    assert!(error.message().contains("key must be a string"), "{error}");
}

#[tokio::test]
async fn a_scheme_of_ones_own_is_carried_as_it_is() {
    let (_server, addr) = pets().await;
    let client = Channel::new("test");
    let call = client.call("pets::scheme").peer(&addr).arg_scheme("smoke");
    let answer = call.send("", "").await.unwrap();
    assert_eq!(
        (&answer.arg3[..], answer.arg_scheme()),
        (&b"smoke"[..], "smoke")
    );
}

#[tokio::test]
async fn every_checksum_is_understood_in_both_directions() {
    let (_server, addr) = pets().await;
    let client = Channel::new("test");
    for checksum in [
        ChecksumType::None,
        ChecksumType::Crc32,
        ChecksumType::Farmhash,
        ChecksumType::Crc32c,
    ] {
        let call = client
            .call("pets::json")
            .peer(&addr)
            .checksum_type(checksum);
        let answer = call.json(&dog()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{checksum:?}: {error}"));
        assert_eq!(answer.decode::<Pet>().unwrap(), dog());
    }
}

/// `{1: string key}`, and as a result `{0: string value}` or `{1: string missing}`.
struct Text {
    id: i16,
    text: String,
}

impl Struct for Text {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let mut found = None;
        reader.read_struct(|reader, field| {
            match field.ty {
                Type::String => {
                    let text = reader.read_string()?;
                    found = Some(Self { id: field.id, text });
                }
                other => reader.skip(other)?,
            }
            Ok(())
        })?;
        found.ok_or(ReadError::Missing {
            name: "text",
            id: 1,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.write_field(Type::String, self.id);
        writer.write_string(&self.text);
        writer.write_stop();
    }
}

fn text(id: i16, text: &str) -> Result<Bytes, HandlerError> {
    let text = text.to_owned();
    Ok(thrift::encode(&Text { id, text })?)
}

#[tokio::test]
async fn a_thrift_result_and_a_thrift_exception_differ_in_the_code() {
    let server = Channel::new("kv");
    server
        .service("kv")
        .thrift("Store::get", |request| async move {
            let key = thrift::decode::<Text>(&request.body)?.text;
            let suffix = request.headers.get("suffix").unwrap_or_default();
            match &*key {
                "missing" => Ok(Err(text(1, "no such key")?)),
                key => Ok(Ok(text(0, &format!("{key}{suffix}"))?)),
            }
        });
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let get = |key: &str| {
        let call = client
            .call("kv::Store::get")
            .peer(&addr)
            .header("suffix", "!");
        call.thrift(text(1, key).unwrap())
    };
    let found = get("a").await.unwrap();
    assert!(found.is_ok() && found.application_headers().unwrap().is_empty());
    let result: Text = thrift::decode(&found.arg3).unwrap();
    assert_eq!((result.id, &*result.text), (0, "a!"));

    let missing = get("missing").await.unwrap();
    assert_eq!(missing.code, ResponseCode::APPLICATION_ERROR);
    let exception: Text = thrift::decode(&missing.arg3).unwrap();
    assert_eq!((exception.id, &*exception.text), (1, "no such key"));
}

async fn reverse_proxy(
    request: http::Request,
    body: Bytes,
) -> Result<(http::Response, Bytes), HandlerError> {
    let response = http::Response {
        status: if request.method == "GET" { 200 } else { 405 },
        message: request.url,
        headers: request.headers,
    };
    Ok((response, body))
}

#[tokio::test]
async fn http_is_understood_in_the_varint_order_of_either_peer() {
    let server = Channel::new("web");
    server.service("web").http(reverse_proxy);
    let addr = listen(&server).await;
    let client = Channel::new("test");
    for order in [VarintOrder::Node, VarintOrder::Go] {
        for url_bytes in [1, 127, 128, 201, 20_000] {
            let request = http::Request {
                method: "GET".to_owned(),
                url: "u".repeat(url_bytes),
                headers: [("X-A", "b"), ("x-a", "c")].into_iter().collect::<Fields>(),
            };
            let arg2 = request.encode(order).unwrap();
            let call = client.call("web::http").peer(&addr).arg_scheme("http");
            let answer = call.send(arg2, "body").await.unwrap();
            let response = http::Response::decode(&answer.arg2).unwrap();
            assert_eq!(response.status, 200);
            assert_eq!(
                response.message, request.url,
                "{order:?}, {url_bytes} bytes"
            );
            assert_eq!(response.headers, request.headers);
            assert_eq!((&answer.arg3[..], answer.is_ok()), (&b"body"[..], true));
        }
    }
}

#[tokio::test]
async fn an_http_status_of_failure_is_still_an_answer() {
    let server = Channel::new("web");
    server.service("web").http(reverse_proxy);
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let request = http::Request {
        method: "PUT".to_owned(),
        ..http::Request::default()
    };
    let arg2 = request.encode(VarintOrder::default()).unwrap();
    let call = client.call("web::http").peer(&addr).arg_scheme("http");
    let answer = call.send(arg2, "").await.unwrap();
    assert!(answer.is_ok());
    assert_eq!(http::Response::decode(&answer.arg2).unwrap().status, 405);

    let call = client.call("web::http").peer(&addr).arg_scheme("http");
    let error = call.send("no http", "").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
}

#[tokio::test]
async fn a_catch_all_takes_what_no_method_does() {
    let server = Channel::new("svc");
    server
        .service("svc")
        .raw("known", |_| async { Ok(Reply::ok("", "known")) })
        .catch_all(|request| async move { Ok(Reply::ok("", request.endpoint().to_owned())) });
    let addr = listen(&server).await;
    let client = Channel::new("test");
    for (target, answer) in [
        ("svc::known", "known"),
        ("svc::other", "other"),
        ("svc::A::b", "A::b"),
        ("svc", ""),
    ] {
        let call = client.call(target).peer(&addr).send("", "");
        assert_eq!(call.await.unwrap().arg3, answer);
    }
}

#[tokio::test]
async fn a_handler_may_be_added_and_replaced_while_its_channel_serves() {
    let server = Channel::new("svc");
    let addr = listen(&server).await;
    let client = Channel::new("test");
    for version in ["one", "two"] {
        server.service("svc").raw(
            "version",
            move |_| async move { Ok(Reply::ok("", version)) },
        );
        let call = client.call("svc::version").peer(&addr).send("", "");
        assert_eq!(call.await.unwrap().arg3, version);
    }
}

#[tokio::test]
async fn transport_headers_reach_the_handler() {
    let server = Channel::new("svc");
    server.service("svc").raw("headers", |request| async move {
        let pairs: Vec<_> = request
            .headers()
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        Ok(Reply::ok("", pairs.join(" ")))
    });
    let addr = listen(&server).await;
    let client = Channel::new("me");
    let call = client
        .call("svc::headers")
        .peer(&addr)
        .shard_key("s")
        .routing_delegate("r")
        .failure_domain("f")
        .transport_header("own", "o");
    let answer = call.send("", "").await.unwrap();
    let heard = String::from_utf8_lossy(&answer.arg3).into_owned();
    for header in ["as=raw", "cn=me", "re=c", "sk=s", "rd=r", "fd=f", "own=o"] {
        assert!(
            heard.split(' ').any(|pair| pair == header),
            "{header} in {heard}"
        );
    }
    let long = "x".repeat(256);
    for call in [
        client
            .call("svc::headers")
            .transport_header("sixteen-bytes-xx", ""),
        client.call("svc::headers").transport_header("own", &long),
        client.call("svc::headers").shard_key(&long),
    ] {
        let error = call.peer(&addr).send("", "").await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadRequest, "{error}");
    }
}
