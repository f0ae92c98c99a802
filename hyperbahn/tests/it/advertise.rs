//! Advertising, withdrawing, and what a call finds in between.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tchannel_rt::{Channel, ErrorCode, Reply};
use tokio::sync::Barrier;

use super::{listening, router, routers, service, through};

#[tokio::test]
async fn a_service_is_called_by_name_as_soon_as_its_ad_is_answered() {
    let router = router().await;
    let _service = service(&router, &["keyvalue"]).await;
    let caller = Channel::new("web");
    let answer = through(&router, &caller, "keyvalue::echo")
        .send("a", "b")
        .await
        .unwrap();
    assert_eq!((&answer.arg2[..], &answer.arg3[..]), (&b"a"[..], &b"b"[..]));
}

#[tokio::test]
async fn a_withdrawn_name_is_declined_and_its_siblings_go_on() {
    let router = router().await;
    let process = listening(&["keyvalue", "other"]).await;
    let both = process
        .advertise(routers(&router), &["keyvalue", "other"])
        .unwrap();
    assert!(both.advertised().await);
    let unad = json!({"services": [{"cost": 0, "serviceName": "keyvalue"}]});
    let answer = through(&router, &process, "hyperbahn::unad")
        .json(&unad)
        .await
        .unwrap();
    assert_eq!(&answer.arg3[..], br#"{"connectionCount":1}"#);

    let caller = Channel::new("web");
    let error = through(&router, &caller, "keyvalue::echo")
        .send("", "")
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Declined);
    assert_eq!(
        error.message(),
        format!(
            "no peer available for request: no instance of \"keyvalue\" is registered at router {}",
            router.address()
        )
    );
    let answer = through(&router, &caller, "other::whoami")
        .send("", "")
        .await
        .unwrap();
    assert_eq!(answer.arg3, "other");
}

#[tokio::test]
async fn a_withdrawn_service_can_be_advertised_again() {
    let router = router().await;
    let process = listening(&["keyvalue"]).await;
    for _ in 0..2 {
        let advertisement = process.advertise(routers(&router), &["keyvalue"]).unwrap();
        assert!(advertisement.advertised().await);
        let caller = Channel::new("web");
        through(&router, &caller, "keyvalue::echo")
            .send("", "")
            .await
            .unwrap();
        advertisement.withdraw().await;
        let error = through(&router, &caller, "keyvalue::echo")
            .send("", "")
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Declined);
    }
}

#[tokio::test]
async fn calls_at_the_same_time_are_spread_over_all_instances() {
    const CALLS: usize = 30;
    let router = router().await;
    let all_are_here = Arc::new(Barrier::new(CALLS));
    let mut processes = Vec::new();
    for _ in 0..3 {
        let process = service(&router, &["keyvalue"]).await;
        let address = process.local_addr().unwrap().to_string();
        let all_are_here = Arc::clone(&all_are_here);
        process.service("keyvalue").raw("where", move |_| {
            let (address, all_are_here) = (address.clone(), Arc::clone(&all_are_here));
            async move {
                all_are_here.wait().await;
                Ok(Reply::ok("", address))
            }
        });
        processes.push(process);
    }
    let caller = Channel::new("web");
    let calls = (0..CALLS).map(|_| async {
        let call = through(&router, &caller, "keyvalue::where").ttl(Duration::from_secs(20));
        call.send("", "").await.unwrap().arg3
    });
    let answered: HashSet<_> = join_all(calls).await.into_iter().collect();
    assert_eq!(answered.len(), processes.len());
}

#[tokio::test]
async fn a_client_of_the_runtime_discovers_what_was_advertised() {
    let router = router().await;
    let process = service(&router, &["keyvalue"]).await;
    let found = process.discover("keyvalue").await.unwrap();
    assert_eq!(found, [process.local_addr().unwrap().to_string()]);
    let error = process.discover("nosuch").await.unwrap_err();
    assert_eq!(error.message(), "no peer available for nosuch");
}

#[tokio::test]
async fn a_process_that_does_not_listen_is_told_so_and_registers_nothing() {
    let router = router().await;
    let caller = Channel::new("web");
    let ad = json!({"services": [{"serviceName": "web"}]});
    let error = through(&router, &caller, "hyperbahn::ad")
        .json(&ad)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
    assert!(error.message().contains("listen first"), "{error}");
    let error = through(&router, &caller, "web::echo")
        .send("", "")
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Declined);
}

#[tokio::test]
async fn an_ad_beyond_a_bound_is_refused_whole() {
    let router = router().await;
    let process = listening(&["keyvalue"]).await;
    let names: Vec<_> = (0..1001)
        .map(|n| json!({"serviceName": format!("s{n}")}))
        .collect();
    let ad = json!({ "services": names });
    let error = through(&router, &process, "hyperbahn::ad")
        .json(&ad)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
    assert_eq!(
        error.message(),
        "1001 services in one advertisement: the most is 1000, send several"
    );
    let error = through(&router, &process, "s0::echo")
        .send("", "")
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Declined);
}
