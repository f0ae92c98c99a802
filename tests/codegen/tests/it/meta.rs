//! `Meta` beside every generated service.

use tchannel_rt::meta::{HealthRequest, HealthRequestType, MetaClient};
use tchannel_rt::{Channel, Client};
use test_codegen::committed::torture;

#[tokio::test]
async fn an_instance_tells_of_its_health_under_its_own_name_and_under_tchannel() {
    let (server, _client) = crate::keyvalue::served().await;
    let addr = server.local_addr().unwrap().to_string();
    for service in ["keyvalue", "tchannel"] {
        let client = MetaClient::new(&Channel::new("caller"), service);
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
