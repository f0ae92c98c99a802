//! The service of `peers/README.md`, on our runtime.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value as Json;
use tchannel_rt::hyperbahn::Routers;
use tchannel_rt::scheme::{json, thrift};
use tchannel_rt::{Channel, ErrorCode, HandlerError, HandlerResult, Reply, Request};
use tokio::sync::{Notify, mpsc};

use super::Record;

/// Serves under this name on a free port of the loopback interface.
pub(crate) async fn serve(service: &str) -> (Channel, SocketAddr) {
    let channel = Channel::new(service);
    offer(&channel, service);
    let address = channel.listen("127.0.0.1:0").await;
    (channel, address.expect("a port is free"))
}

/// As [`serve`], and advertises the name to a router.
pub(crate) async fn advertise(service: &str, router: SocketAddr) -> Channel {
    let (channel, _) = serve(service).await;
    advertise_to(&channel, service, router).await;
    channel
}

/// Serves one endpoint, `never`, that tells when a call of it `began` and when its handler `stopped`.
pub(crate) fn offer_never(channel: &Channel, service: &str, events: mpsc::Sender<&'static str>) {
    channel.service(service).raw("never", move |_| {
        let events = events.clone();
        async move {
            let _stopped = OnDrop(events.clone());
            events.send("began").await?;
            std::future::pending().await
        }
    });
}

struct OnDrop(mpsc::Sender<&'static str>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.try_send("stopped").expect("there is room for two");
    }
}

/// Advertises the name to a router; returns once the router has taken it.
pub(crate) async fn advertise_to(channel: &Channel, service: &str, router: SocketAddr) {
    let routers = Routers::List(vec![router.to_string()]);
    let advertisement = channel.advertise(routers, &[service]);
    let advertisement = advertisement.expect("it is one router");
    assert!(advertisement.advertised().await, "nobody withdraws it");
}

fn offer(channel: &Channel, service: &str) {
    offer_raw(channel, service);
    offer_json(channel, service);
    offer_thrift(channel, service);
}

fn offer_raw(channel: &Channel, service: &str) {
    let service = channel.service(service);
    service.raw("echo", async |request| echo(request));
    service.raw("fail", async |request: Request| {
        Ok(Reply::application_error(request.arg2, request.arg3))
    });
    service.raw("slow", async |request: Request| {
        tokio::time::sleep(Duration::from_millis(number(&request)?)).await;
        echo(request)
    });
    service.raw("never", async |_| std::future::pending().await);
    let gathering = Arc::new(Gathering::default());
    service.raw("gather", move |request| gathering.clone().join(request));
    for (endpoint, code) in [
        ("busy", ErrorCode::Busy),
        ("declined", ErrorCode::Declined),
        ("unexpected", ErrorCode::UnexpectedError),
        ("bad-request", ErrorCode::BadRequest),
    ] {
        service.raw(endpoint, move |_| async move {
            Err(HandlerError::new(code, format!("asked for {endpoint}")))
        });
    }
}

fn echo(request: Request) -> HandlerResult {
    Ok(Reply::ok(request.arg2, request.arg3))
}

fn number(request: &Request) -> Result<u64, HandlerError> {
    Ok(std::str::from_utf8(&request.arg3)?.parse()?)
}

/// Answers nobody until as many calls wait as each of them names.
#[derive(Default)]
struct Gathering {
    waiting: AtomicUsize,
    complete: Notify,
}

impl Gathering {
    async fn join(self: Arc<Self>, request: Request) -> HandlerResult {
        let wanted = usize::try_from(number(&request)?)?;
        let complete = self.complete.notified();
        if self.waiting.fetch_add(1, Ordering::SeqCst) + 1 == wanted {
            self.waiting.store(0, Ordering::SeqCst);
            self.complete.notify_waiters();
        } else {
            complete.await;
        }
        echo(request)
    }
}

fn offer_json(channel: &Channel, service: &str) {
    let service = channel.service(service);
    service.raw("json-echo", async |request: Request| {
        let headers = json::decode_headers(&request.arg2)?;
        let body: Json = json::decode(&request.arg3)?;
        Ok(Reply::ok(
            json::encode_headers(&headers),
            json::encode(&body)?,
        ))
    });
    service.json("json-fail", async |request: tchannel_rt::Incoming<Json>| {
        let message = request.body["message"].as_str().unwrap_or_default();
        Err::<Json, _>(HandlerError::application("refused", message))
    });
}

#[derive(Default)]
struct KeyValue(Mutex<HashMap<Bytes, Bytes>>);

fn offer_thrift(channel: &Channel, service: &str) {
    let service = channel.service(service);
    let values = Arc::new(KeyValue::default());
    for method in ["get", "put", "blob"] {
        let values = values.clone();
        service.raw(&format!("KeyValue::{method}"), move |request: Request| {
            let answer = values.answer(method, &request);
            async move { answer }
        });
    }
}

impl KeyValue {
    fn answer(&self, method: &str, request: &Request) -> HandlerResult {
        let headers = thrift::encode_headers(&thrift::decode_headers(&request.arg2)?)?;
        let args: Record = thrift::decode(&request.arg3)?;
        let first = args.get(1).cloned().unwrap_or_default();
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = match method {
            "get" => match values.get(&first) {
                Some(value) => Record::default().bytes(0, value.clone()),
                None => {
                    let refusal = Record::default().record(1, Record::default().bytes(1, first));
                    return Ok(Reply::application_error(headers, thrift::encode(&refusal)?));
                }
            },
            "put" => {
                values.insert(first, args.get(2).cloned().unwrap_or_default());
                Record::default()
            }
            _ => Record::default().bytes(0, first),
        };
        Ok(Reply::ok(headers, thrift::encode(&result)?))
    }
}
