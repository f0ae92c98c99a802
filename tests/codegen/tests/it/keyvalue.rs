//! A service and its client, over loopback: results, exceptions, system errors, headers.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tchannel_rt::{Channel, ErrorCode, Exchange, MethodError, RetryAdvice};
use test_codegen::committed::keyvalue::{KeyValue, KeyValueClient, KeyValueGetThrows, NotFound};

#[derive(Default)]
pub(crate) struct Memory(Mutex<HashMap<String, String>>);

impl KeyValue for Memory {
    async fn get(&self, key: String) -> Result<String, MethodError<KeyValueGetThrows>> {
        if let Some(exchange) = Exchange::current() {
            for (name, value) in exchange.request_headers().iter() {
                exchange.respond_header(name, format!("{value}, seen"));
            }
        }
        match key.as_str() {
            "busy" => return Err(MethodError::busy("come back later")),
            "broken" => return Err(MethodError::unexpected("it fell apart")),
            _ => {}
        }
        let found = self.0.lock().unwrap().get(&key).cloned();
        Ok(found.ok_or(NotFound { key })?)
    }

    async fn put(&self, key: String, value: String) -> Result<(), MethodError> {
        self.0.lock().unwrap().insert(key, value);
        Ok(())
    }
}

/// A channel that serves a store as `keyvalue`, and a client of it.
pub(crate) async fn served() -> (Channel, KeyValueClient) {
    let server = Channel::new("keyvalue");
    server
        .service("keyvalue")
        .serve(Memory::default().into_service());
    let addr = server.listen("127.0.0.1:0").await.unwrap();
    let caller = Channel::new("caller");
    let client = tchannel_rt::Client::new(&caller, "keyvalue").peer(addr.to_string());
    (server, KeyValueClient::with(client))
}

#[tokio::test]
async fn what_was_put_is_got() {
    let (_server, client) = served().await;
    client.put("key", "value").await.unwrap();
    assert_eq!(client.get("key").await.unwrap(), "value");
}

#[tokio::test]
async fn a_declared_exception_arrives_as_itself() {
    let (_server, client) = served().await;
    let error = client.get("absent").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the method threw NotFound(NotFound { key: \"absent\" })"
    );
    assert_eq!(error.retry_advice(), RetryAdvice::Never);
    assert_eq!(error.code(), None);
    let MethodError::Exception(KeyValueGetThrows::NotFound(thrown)) = error else {
        panic!("{error}");
    };
    assert_eq!(
        thrown,
        NotFound {
            key: "absent".into()
        }
    );
}

#[tokio::test]
async fn a_system_error_says_its_class_and_whether_to_retry() {
    let (_server, client) = served().await;
    let busy = client.get("busy").await.unwrap_err();
    assert!(matches!(&busy, MethodError::System(error) if error.message == "come back later"));
    assert_eq!(
        (busy.code(), busy.retry_advice()),
        (Some(ErrorCode::Busy), RetryAdvice::Safe)
    );
    let broken = client.get("broken").await.unwrap_err();
    assert_eq!(broken.code(), Some(ErrorCode::UnexpectedError));
    assert_eq!(
        broken.retry_advice(),
        ErrorCode::UnexpectedError.retry_advice()
    );
}

#[tokio::test]
async fn a_service_that_nobody_offers_is_a_transport_error() {
    let client = KeyValueClient::new(&Channel::new("caller"));
    let error = client.get("key").await.unwrap_err();
    assert!(matches!(error, MethodError::Transport(_)), "{error:?}");
    assert_eq!(error.retry_advice(), RetryAdvice::Safe);
}

#[tokio::test]
async fn headers_travel_both_ways() {
    let (_server, client) = served().await;
    client.put("key", "value").await.unwrap();
    let (value, headers) = client
        .get("key")
        .header("trace", "1")
        .with_headers()
        .await
        .unwrap();
    assert_eq!(value, "value");
    assert_eq!(headers.get("trace"), Some("1, seen"));
}

#[tokio::test]
async fn a_call_can_be_told_more_before_it_is_made() {
    let (server, client) = served().await;
    client
        .put("key", "value")
        .idempotent()
        .ttl(Duration::from_secs(5))
        .await
        .unwrap();
    let addr = server.local_addr().unwrap().to_string();
    let elsewhere = KeyValueClient::new(&Channel::new("other"));
    assert_eq!(elsewhere.get("key").peer(&addr).await.unwrap(), "value");
}

#[tokio::test]
async fn calls_that_are_not_for_it_are_refused_in_words() {
    let (_server, client) = served().await;
    drop(client);
    let (server, caller) = (served().await.0, Channel::new("caller"));
    let addr = server.local_addr().unwrap().to_string();
    let call = |arg3: &'static [u8]| {
        caller
            .call("keyvalue::KeyValue::get")
            .peer(&addr)
            .thrift(arg3)
    };
    let error = call(b"").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
    assert!(
        error.message().contains("thrift arg3: it ends early"),
        "{error}"
    );
    let other_scheme = caller
        .call("keyvalue::KeyValue::get")
        .peer(&addr)
        .json("key");
    assert_eq!(
        other_scheme.await.unwrap_err().code(),
        ErrorCode::BadRequest
    );
}
