//! Services from traits in other shapes: json, another name, older and newer ends, no methods at all.

use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tchannel_rt::{Channel, ErrorCode, MethodError, TypedService, in_process};
use test_codegen::traits::corners::{Empty, local};
use test_codegen::traits::evolution::{new, old};
use test_codegen::traits::greeter::{Greeter, Person, Refusal};
use test_codegen::traits::json::{JsonGreeter, JsonGreeterClient};
use test_codegen::traits::renamed::{Renamed, RenamedClient};

struct It;

impl JsonGreeter for It {
    async fn hello(&self, person: Person) -> Result<String, Refusal> {
        match person.title {
            None => Err(Refusal::Unknown { name: person.name }),
            Some(title) => Ok(format!("{title} {}", person.name)),
        }
    }

    async fn count(&self) -> u64 {
        7
    }

    fn words(&self, text: String) -> impl Stream<Item = String> {
        stream::iter([text.clone(), text])
    }
}

impl Renamed for It {
    async fn ping(&self) -> bool {
        true
    }
}

impl Empty for It {}

async fn listening(name: &str, service: TypedService) -> (Channel, Channel) {
    let server = Channel::new(name);
    server.service(name).serve(service);
    let addr = server.listen("127.0.0.1:0").await.unwrap();
    let caller = Channel::new("caller");
    caller.peers(name).add(&addr.to_string());
    (server, caller)
}

#[tokio::test]
async fn the_scheme_may_be_json_and_the_name_another() {
    let (_server, caller) = listening("greetings", JsonGreeter::into_service(It)).await;
    let client = JsonGreeterClient::new(&caller);
    let person = Person {
        name: "Lovelace".to_owned(),
        title: Some("Lady".to_owned()),
    };
    assert_eq!(client.hello(person).await.unwrap(), "Lady Lovelace");
    let error = client.hello(Person::default()).await.unwrap_err();
    assert!(
        matches!(error, MethodError::Exception(Refusal::Unknown { .. })),
        "{error}"
    );
    let words = client.words("a").await.unwrap();
    assert_eq!(
        words.map(Result::unwrap).collect::<Vec<_>>().await,
        ["a", "a"]
    );
    let call = caller.call("greetings::count");
    assert_eq!(call.json(&Value::Null).await.unwrap().arg3, b"7"[..]);
    let call = caller.call("greetings::hello");
    let response = call.json(&json!({"person": {"name": "x"}})).await.unwrap();
    assert!(!response.is_ok());
    assert_eq!(response.arg3, br#"{"Unknown":{"name":"x"}}"#[..]);
}

#[tokio::test]
async fn the_runtime_may_go_by_another_name() {
    let client = RenamedClient::with(in_process(Renamed::into_service(It)));
    assert!(client.ping().await.unwrap());
    assert!(!local().to_string().is_empty());
}

struct Old;

impl old::Shop for Old {
    async fn price(&self, item: String) -> u32 {
        item.len() as u32
    }

    async fn stock(&self, _item: String, place: Option<String>) -> u32 {
        place.map_or(0, |place| place.len() as u32)
    }
}

struct New;

impl new::Shop for New {
    async fn price(&self, item: String, discount: Option<u32>) -> u32 {
        item.len() as u32 - discount.unwrap_or_default()
    }

    async fn stock(&self, nearby: Option<bool>, _item: String) -> u32 {
        nearby.map_or(0, u32::from)
    }

    async fn close(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn an_old_client_calls_a_new_server() {
    use new::Shop as _;
    let client = old::ShopClient::with(in_process(New.into_service()));
    assert_eq!(client.price("bread").await.unwrap(), 5);
    assert_eq!(
        client
            .stock("bread", Some("here".to_owned()))
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn a_new_client_calls_an_old_server() {
    use old::Shop as _;
    let client = new::ShopClient::with(in_process(Old.into_service()));
    assert_eq!(client.price("bread", Some(2)).await.unwrap(), 5);
    assert_eq!(client.price("bread", None).await.unwrap(), 5);
    assert_eq!(client.stock(Some(true), "bread").await.unwrap(), 0);
    let error = client.close().await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::BadRequest));
}

async fn interface(service: TypedService) -> Value {
    let (_server, caller) = listening("it", service).await;
    let call = caller.call("it::Meta::interfaces");
    let answer: Value = call.json(&Value::Null).await.unwrap().decode().unwrap();
    answer["interfaces"][0].clone()
}

#[tokio::test]
async fn a_trait_without_methods_is_a_service_without_methods() {
    let described = interface(Empty::into_service(It)).await;
    assert_eq!(
        described,
        json!({"kind": "schema", "name": "Empty", "scheme": "msgpack", "docs": "Nothing to call.", "methods": []})
    );
}

#[tokio::test]
async fn a_service_publishes_names_docs_options_and_schemas() {
    let described = interface(crate::greeter::Server::default().into_service()).await;
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        let text = serde_json::to_string_pretty(&described).unwrap();
        std::fs::write("tests/data/greeter.json", text + "\n").unwrap();
    }
    let expected: Value = serde_json::from_str(include_str!("../data/greeter.json")).unwrap();
    assert_eq!(described, expected);
}
