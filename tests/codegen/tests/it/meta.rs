//! `Meta` beside every generated service.

use serde_json::{Value, json};
use tchannel_rt::meta::{HealthRequest, HealthRequestType, MetaClient};
use tchannel_rt::{Channel, Client, TraitSchema, TypedService};
use test_codegen::committed::torture;
use test_codegen::{old, plain};

#[tokio::test]
async fn an_instance_tells_of_its_health_under_its_own_name_and_under_tchannel() {
    let (server, _client) = crate::keyvalue::served().await;
    let addr = server.local_addr().unwrap().to_string();
    for service in ["keyvalue", "tchannel"] {
        let client = MetaClient::named(&Channel::new("caller"), service);
        let status = client
            .health(HealthRequest::default())
            .peer(&addr)
            .await
            .unwrap();
        assert!(status.ok);
        let request = HealthRequest {
            r#type: Some(HealthRequestType::Traffic),
        };
        assert!(client.health(request).peer(&addr).await.unwrap().ok);
        let version = client.version_info().peer(&addr).await.unwrap();
        assert_eq!(version.language, "rust");
    }
}

#[tokio::test]
async fn health_is_answered_byte_for_byte_as_peers_do() {
    let (server, _client) = crate::keyvalue::served().await;
    let addr = server.local_addr().unwrap().to_string();
    let caller = Channel::new("caller");
    for request in [
        &b"\0"[..],
        b"\x0c\0\x01\0\0",
        b"\x0c\0\x01\x08\0\x01\0\0\0\x01\0\0",
    ] {
        let call = caller.call("keyvalue::Meta::health").peer(&addr);
        let response = call.thrift(request).await.unwrap();
        assert_eq!(response.arg3, b"\x0c\0\0\x02\0\x01\x01\0\0"[..]);
    }
}

#[tokio::test]
async fn a_service_hands_out_its_thrift_files() {
    let (server, _client) = crate::keyvalue::served().await;
    let target = Client::new(&Channel::new("caller"), "keyvalue");
    let client = MetaClient::with(target.peer(server.local_addr().unwrap().to_string()));
    let own = client.thrift_idl().await.unwrap();
    assert_eq!(own.entry_point, "keyvalue.thrift");
    assert_eq!(
        own.idls["keyvalue.thrift"],
        test_codegen::committed::keyvalue::IDL
    );
}

#[test]
fn included_files_are_named_from_the_folder_that_holds_all() {
    let names: Vec<_> = torture::INTERFACE
        .idls
        .iter()
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(names, ["torture.thrift", "common/shared.thrift"]);
    assert_eq!(torture::INTERFACE.entry_point, "torture.thrift");
}

/// Every method fails: it is the interface that is asked for.
struct Nobody;

impl plain::plain::Greeter for Nobody {
    async fn hello(&self, name: String) -> Result<String, tchannel_rt::MethodError> {
        Err(tchannel_rt::MethodError::declined(name))
    }
}

/// What is told under `name` of two Thrift services and a trait, the first of them put there twice.
async fn told(name: &str) -> (Value, Value) {
    let server = Channel::new("several");
    let described = || json!({"name": "Counter", "scheme": "msgpack", "methods": []});
    let counter = TraitSchema {
        name: "Counter",
        describe: described,
    };
    server
        .service("several")
        .serve(plain::plain::Greeter::into_service(Nobody))
        .serve(TypedService::new("Counter", counter, ()).finish())
        .serve(TypedService::new("Post", old::evolution_old::INTERFACE, ()).finish())
        .serve(plain::plain::Greeter::into_service(Nobody));
    let addr = server.listen("127.0.0.1:0").await.unwrap().to_string();
    let caller = Channel::new("caller");
    let interfaces = format!("{name}::Meta::interfaces");
    let mut answers = Vec::new();
    for request in [json!({}), Value::Null] {
        let call = caller.call(&interfaces).peer(&addr);
        answers.push(call.json(&request).await.unwrap().decode().unwrap());
    }
    assert_eq!(answers[0], answers[1]);
    let thrift = MetaClient::named(&caller, name);
    let idls = thrift.thrift_idl().peer(&addr).await.unwrap();
    let idls = json!({"entry_point": idls.entry_point, "idls": idls.idls});
    (answers.remove(0), idls)
}

#[tokio::test]
async fn the_interfaces_under_a_name_are_told_in_order_and_each_once() {
    let (greeter, post) = (plain::plain::IDL, old::evolution_old::IDL);
    for name in ["several", "tchannel"] {
        let (interfaces, thrift) = told(name).await;
        let expected = json!({"interfaces": [
            {"kind": "thrift", "entry_point": "plain.thrift", "idls": {"plain.thrift": greeter},
             "services": ["Greeter"]},
            {"kind": "schema", "name": "Counter", "scheme": "msgpack", "methods": []},
            {"kind": "thrift", "entry_point": "evolution_old.thrift", "idls": {"evolution_old.thrift": post},
             "services": ["Post"]},
        ]});
        assert_eq!(interfaces, expected);
        let all = json!({"plain.thrift": greeter, "evolution_old.thrift": post});
        assert_eq!(thrift, json!({"entry_point": "plain.thrift", "idls": all}));
    }
}
