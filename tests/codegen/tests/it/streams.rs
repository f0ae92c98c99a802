//! Methods that take and give streams: implemented with async fns, called as any other, inherited too.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use tchannel_rt::{Channel, Client, Exchange, MethodError, Stream, StreamError, Streaming};
use test_codegen::committed::streams::{
    Event, Store, StoreClient, StoreHistoryThrows, StoreLoadThrows, TooMany, Watched,
    WatchedWatchThrows,
};

/// What is stored, in the order of the keys.
struct Memory(BTreeMap<String, String>);

impl Memory {
    fn event(&self, key: &str) -> Event {
        Event {
            key: key.to_owned(),
            value: self.0.get(key).cloned(),
        }
    }
}

impl Watched for Memory {
    async fn watch(
        &self,
        key: String,
    ) -> Result<impl Stream<Item = Result<Event, StreamError>>, MethodError<WatchedWatchThrows>>
    {
        if key.is_empty() {
            return Err(TooMany { limit: 1 }.into());
        }
        if let Some(exchange) = Exchange::current() {
            exchange.respond_header("watching", &key);
        }
        // It borrows from the store and owns the key.
        let events = stream::iter([1, 2]).map(move |_| Ok(self.event(&key)));
        Ok(events.chain(stream::iter([Err(StreamError::unexpected(
            "it fell apart",
        ))])))
    }
}

impl Store for Memory {
    async fn load(
        &self,
        mut events: Streaming<Event>,
    ) -> Result<i64, MethodError<StoreLoadThrows>> {
        let mut count = 0;
        while let Some(event) = events.message().await? {
            if event.value.is_none() {
                return Err(TooMany { limit: count }.into());
            }
            count += 1;
        }
        Ok(count.into())
    }

    async fn look_up(
        &self,
        keys: Streaming<String>,
    ) -> Result<impl Stream<Item = Result<tchannel_rt::thrift::Bytes, StreamError>>, MethodError>
    {
        Ok(keys.map(|key| Ok(self.event(&key?).value.unwrap_or_default().into())))
    }

    async fn keys(&self) -> Result<impl Stream<Item = Result<String, StreamError>>, MethodError> {
        Ok(stream::iter(self.0.keys().cloned().map(Ok)))
    }

    async fn history(
        &self,
        key: String,
        since: i64,
        until: i64,
    ) -> Result<
        impl Stream<Item = Result<Vec<BTreeMap<String, Event>>, StreamError>>,
        MethodError<StoreHistoryThrows>,
    > {
        let times = stream::iter(since..until);
        Ok(times.map(move |time| Ok(vec![BTreeMap::from([(time.to_string(), self.event(&key))])])))
    }

    async fn a(&self, mut x: Streaming<i32>) -> Result<(), MethodError> {
        while x.message().await?.is_some() {}
        Ok(())
    }
}

/// A channel that serves two keys, and a client of it.
async fn served() -> (Channel, StoreClient) {
    let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let memory = Memory([("a", "1"), ("b", "2")].map(pair).into());
    let server = Channel::new("store");
    server.service("store").serve(memory.into_service());
    let addr = server.listen("127.0.0.1:0").await.unwrap();
    let client = Client::new(&Channel::new("caller"), "store").peer(addr.to_string());
    (server, StoreClient::with(client))
}

fn event(key: &str, value: Option<&str>) -> Event {
    Event {
        key: key.to_owned(),
        value: value.map(str::to_owned),
    }
}

async fn all<T>(mut values: Streaming<T>) -> Vec<T> {
    let mut all = Vec::new();
    while let Some(value) = values.message().await.unwrap() {
        all.push(value);
    }
    all
}

#[tokio::test]
async fn each_shape_is_called_like_any_method() {
    let (_server, client) = served().await;
    assert_eq!(all(client.keys().await.unwrap()).await, ["a", "b"]);

    let events = stream::iter([event("x", Some("1")), event("y", Some("2"))]);
    assert_eq!(client.load(events).await.unwrap(), 2);

    let keys = stream::iter(["b", "none", "a"]).map(str::to_owned);
    let values = all(client.look_up(keys).await.unwrap()).await;
    assert_eq!(values, [&b"2"[..], b"", b"1"]);

    let history = all(client.history("a", 3, 5).await.unwrap()).await;
    let at = |time: &str| vec![BTreeMap::from([(time.to_owned(), event("a", Some("1")))])];
    assert_eq!(history, [at("3"), at("4")]);

    client.a(stream::iter([1, 2])).await.unwrap();
}

#[tokio::test]
async fn an_inherited_stream_is_called_under_the_childs_name() {
    let (_server, client) = served().await;
    let (mut events, headers) = client.watch("a").with_headers().await.unwrap();
    assert_eq!(headers.get("watching"), Some("a"));
    for _ in 0..2 {
        let next = events.message().await.unwrap();
        assert_eq!(next, Some(event("a", Some("1"))));
    }
    let error = events.message().await.unwrap_err();
    assert!(error.to_string().contains("it fell apart"), "{error}");
}

#[tokio::test]
async fn declared_exceptions_come_before_the_stream() {
    let (_server, client) = served().await;
    let thrown = client.watch("").await.unwrap_err();
    assert!(
        matches!(
            thrown,
            MethodError::Exception(WatchedWatchThrows::TooMany(TooMany { limit: 1 }))
        ),
        "{thrown}"
    );
    let events = stream::iter([event("x", Some("1")), event("y", None)]);
    let thrown = client.load(events).await.unwrap_err();
    assert!(
        matches!(
            thrown,
            MethodError::Exception(StoreLoadThrows::TooMany(TooMany { limit: 1 }))
        ),
        "{thrown}"
    );
}

#[tokio::test]
async fn a_client_may_send_what_may_fail() {
    let (_server, client) = served().await;
    let failing = stream::iter([Ok(1), Err(StreamError::unexpected("no more numbers"))]);
    let error = client.a(failing).await.unwrap_err();
    assert!(error.to_string().contains("no more numbers"), "{error}");
}
