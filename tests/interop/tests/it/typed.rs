//! Generated code and each peer's own codec: the same values, and the same bytes, both ways.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Mutex;

use bytes::Bytes;
use serde_json::json;
use tchannel_rt::scheme::thrift::{Returned, Struct, encode, encode_result};
use tchannel_rt::{Channel, MethodError};
use test_interop::{Call, Client, DEFAULT_TTL, Peer, Server, Way, pattern};

use crate::pair::every_peer;
use kv::{KeyValue, KeyValueClient, KeyValueGetThrows, NotFound};
use torture::*;

mod generated {
    tchannel_rt::include_thrift!("kv");
    tchannel_rt::include_thrift!("torture");
}
use generated::{kv, torture};

every_peer! {
    our_client_gets_what_it_put_in_their_store,
    their_client_gets_what_it_put_in_our_store,
    our_values_come_back_from_their_server,
    our_bytes_come_back_from_their_server,
    their_bytes_come_back_from_our_server,
    exceptions_are_thrown_both_ways,
}

async fn our_client_gets_what_it_put_in_their_store(peer: Peer) {
    let server = Server::start(peer, "kv").await;
    let client = KeyValueClient::with(client_of(&server, "kv"));
    let error = client.get("colour").await.unwrap_err();
    assert!(
        matches!(&error, MethodError::Exception(KeyValueGetThrows::NotFound(NotFound { key })) if key == "colour"),
        "{error}"
    );
    client.put("colour", "grün").await.unwrap();
    let (value, headers) = client
        .get("colour")
        .header("trace", "me")
        .with_headers()
        .await
        .unwrap();
    assert_eq!((value.as_str(), headers.get("trace")), ("grün", Some("me")));
    for len in [0, 1, 65_536, 1_000_000] {
        let data = Bytes::from(pattern(len));
        assert_eq!(client.blob(data.clone()).await.unwrap(), data);
    }
}

async fn their_client_gets_what_it_put_in_our_store(peer: Peer) {
    let (_channel, address) = serve().await;
    let client = Client::start(peer);
    let call = async |method, body| {
        let call = Call::thrift("kv", method, json!({}), body);
        client.call(Way::Peer(address), &call).await
    };
    let answer = call("get", json!({"key": "colour"})).await;
    assert_eq!(
        answer.body,
        Some(json!({"exception": "NotFound", "key": "colour"})),
        "{answer:?}"
    );
    let answer = call("put", json!({"key": "colour", "value": "grün"})).await;
    assert_eq!((answer.code, &answer.body), (Some(0), &None), "{answer:?}");
    let answer = call("get", json!({"key": "colour"})).await;
    assert_eq!(answer.body, Some(json!("grün")), "{answer:?}");
    let answer = call("blob", json!({"data_len": 1_000_000})).await;
    assert_eq!(
        answer.body,
        Some(json!({"data_len": 1_000_000, "same": true})),
        "{answer:?}"
    );
}

async fn our_values_come_back_from_their_server(peer: Peer) {
    let server = Server::start(peer, "torture").await;
    let client = TortureClient::with(client_of(&server, "torture"));
    client.nothing().await.unwrap();
    for text in texts() {
        assert_eq!(client.whoami(text.clone()).await.unwrap(), text);
    }
    for value in values(peer) {
        assert_eq!(client.everything(value.clone()).await.unwrap(), value);
    }
    let many = Everything {
        words: texts().into_iter().collect(),
        ..full(peer)
    };
    assert_eq!(client.everything(many.clone()).await.unwrap(), many);
    assert_eq!(client.shape(shape()).await.unwrap(), shape());
    assert_eq!(client.tree(tree(12)).await.unwrap(), tree(12));
    let colors = vec![Color::Blue, Color::Red, Color::Green];
    assert_eq!(client.colors(colors.clone()).await.unwrap(), colors);
    let huge = Bytes::from(pattern(2_000_000));
    assert_eq!(client.huge(huge.clone()).await.unwrap(), huge);
}

async fn our_bytes_come_back_from_their_server(peer: Peer) {
    let server = Server::start(peer, "torture").await;
    let caller = Channel::new("caller");
    let address = server.address().to_string();
    for (method, arguments, result) in exchanges(peer) {
        let target = format!("torture::Torture::{method}");
        let response = caller
            .call(&target)
            .peer(&address)
            .ttl(DEFAULT_TTL)
            .thrift(arguments)
            .await
            .unwrap();
        assert_eq!(response.is_ok(), method != "fail", "{method}");
        assert_eq!(response.arg3, result, "{method}");
    }
}

async fn their_bytes_come_back_from_our_server(peer: Peer) {
    let (_channel, address) = serve().await;
    let client = Client::start(peer);
    for (method, arguments, result) in exchanges(peer) {
        let call = Call::recoded("torture", method, &arguments);
        let answer = client.call(Way::Peer(address), &call).await;
        assert_eq!(
            answer.code,
            Some(u8::from(method == "fail")),
            "{method}: {answer:?}"
        );
        assert_eq!(answer.arg3_hex, Some(hex(&result)), "{method}");
    }
}

async fn exceptions_are_thrown_both_ways(peer: Peer) {
    let server = Server::start(peer, "torture").await;
    let error = TortureClient::with(client_of(&server, "torture"))
        .fail(failure())
        .await
        .unwrap_err();
    let MethodError::Exception(TortureFailThrows::Failure(thrown)) = error else {
        panic!("{error}");
    };
    assert_eq!(thrown, failure());
    let (_channel, address) = serve().await;
    let arguments = encode(&TortureFailArgs { it: failure() }).unwrap();
    let call = Call::recoded("torture", "fail", &arguments);
    let answer = Client::start(peer).call(Way::Peer(address), &call).await;
    // Thrown as field 1, where the argument was.
    assert_eq!(
        (answer.code, answer.arg3_hex),
        (Some(1), Some(hex(&arguments)))
    );
}

/// Methods with their arguments and results, encoded by us.
pub(crate) fn exchanges(peer: Peer) -> Vec<(&'static str, Bytes, Bytes)> {
    let mut exchanges = Vec::new();
    for it in values(peer) {
        exchanges.push((
            "everything",
            args(&TortureEverythingArgs { it: it.clone() }),
            returned(it),
        ));
    }
    for it in texts() {
        exchanges.push((
            "whoami",
            args(&BaseWhoamiArgs { it: it.clone() }),
            returned(it),
        ));
    }
    exchanges.push((
        "shape",
        args(&TortureShapeArgs { it: shape() }),
        returned(shape()),
    ));
    exchanges.push((
        "tree",
        args(&TortureTreeArgs { it: tree(12) }),
        returned(tree(12)),
    ));
    exchanges.push(("nothing", args(&TortureNothingArgs {}), returned(())));
    let thrown = TortureFailThrows::Failure(failure());
    let result = encode_result::<(), _>(&Err(thrown)).unwrap();
    exchanges.push(("fail", args(&TortureFailArgs { it: failure() }), result));
    exchanges
}

fn args(arguments: &impl Struct) -> Bytes {
    encode(arguments).unwrap()
}

fn returned<T: Returned>(value: T) -> Bytes {
    encode_result::<T, Infallible>(&Ok(value)).unwrap()
}

fn texts() -> Vec<String> {
    let long = "long ".repeat(20_000);
    ["", "plain", "Grüße, 世界 🦀", "\0\u{1}\"\\", &long]
        .map(str::to_owned)
        .to_vec()
}

fn values(peer: Peer) -> Vec<Everything> {
    let empty = Everything {
        shape: Shape::Circle(0.0),
        ..Everything::default()
    };
    let nested = Everything {
        again: Some(Box::new(full(peer))),
        ..full(peer)
    };
    vec![empty, full(peer), nested]
}

/// Sets have one element at most: Python's have no order to compare bytes by.
fn full(peer: Peer) -> Everything {
    let lists = [
        ("a", vec![Bytes::from_static(b"\xff\0"), Bytes::new()]),
        ("b", vec![]),
    ];
    let nested = lists.map(|(name, list)| (name.to_owned(), list)).into();
    Everything {
        flag: true,
        // Node reads a byte without its sign, and then cannot write it.
        small: if peer == Peer::Node { 127 } else { -128 },
        medium: i16::MIN,
        number: i32::MAX,
        great: i64::MIN,
        fraction: -1.5e-300,
        text: "Grüße, 世界 🦀".to_owned(),
        data: Bytes::from(pattern(300)),
        color: Color::Blue,
        point: Point { x: -1, y: 1 },
        points: vec![Point { x: 1, y: 2 }, Point { x: 3, y: 4 }],
        words: ["one".to_owned()].into(),
        counts: [("eins".to_owned(), 1), ("zwei".to_owned(), 2)].into(),
        nested: [(7, nested), (8, Default::default())].into(),
        shape: shape(),
        tree: tree(3),
        maybe_text: Some(String::new()),
        again: None,
        deep: Some(vec![vec![vec![true, false], vec![]], vec![]]),
    }
}

fn shape() -> Shape {
    let corner = Shape::Corner(Point { x: 5, y: -5 });
    Shape::Many(vec![Shape::Circle(2.5), corner, Shape::Many(vec![])])
}

fn tree(depth: usize) -> Tree {
    let name = format!("tree {depth}");
    let left = (depth > 1).then(|| Box::new(tree(depth - 1)));
    let children = vec![Tree::default(), Tree::default()];
    Tree {
        left,
        children,
        name,
    }
}

fn failure() -> Failure {
    let cause = Failure {
        message: "deeper".to_owned(),
        cause: None,
    };
    Failure {
        message: "Ünerwartet".to_owned(),
        cause: Some(Box::new(cause)),
    }
}

/// Both services on our runtime, as `kv` and `torture`.
async fn serve() -> (Channel, SocketAddr) {
    let channel = Channel::new("typed");
    channel.service("kv").serve(Store::default().into_service());
    channel
        .service("torture")
        .serve(Torture::into_service(Mirror));
    let address = channel.listen("127.0.0.1:0").await.expect("a port is free");
    (channel, address)
}

fn client_of(server: &Server, service: &str) -> tchannel_rt::Client {
    let client = tchannel_rt::Client::new(&Channel::new("caller"), service);
    client.peer(server.address().to_string()).ttl(DEFAULT_TTL)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Default)]
struct Store(Mutex<HashMap<String, String>>);

impl KeyValue for Store {
    async fn get(&self, key: String) -> Result<String, MethodError<KeyValueGetThrows>> {
        let found = self.0.lock().unwrap().get(&key).cloned();
        Ok(found.ok_or(NotFound { key })?)
    }

    async fn put(&self, key: String, value: String) -> Result<(), MethodError> {
        self.0.lock().unwrap().insert(key, value);
        Ok(())
    }

    async fn blob(&self, data: Bytes) -> Result<Bytes, MethodError> {
        Ok(data)
    }
}

struct Mirror;

impl Base for Mirror {
    async fn whoami(&self, it: String) -> Result<String, MethodError> {
        Ok(it)
    }
}

impl Torture for Mirror {
    async fn everything(&self, it: Everything) -> Result<Everything, MethodError> {
        Ok(it)
    }

    async fn shape(&self, it: Shape) -> Result<Shape, MethodError> {
        Ok(it)
    }

    async fn tree(&self, it: Tree) -> Result<Tree, MethodError> {
        Ok(it)
    }

    async fn huge(&self, it: Bytes) -> Result<Bytes, MethodError> {
        Ok(it)
    }

    async fn colors(&self, it: Vec<Color>) -> Result<Vec<Color>, MethodError> {
        Ok(it)
    }

    async fn nothing(&self) -> Result<(), MethodError> {
        Ok(())
    }

    async fn fail(&self, it: Failure) -> Result<(), MethodError<TortureFailThrows>> {
        Err(it.into())
    }
}
