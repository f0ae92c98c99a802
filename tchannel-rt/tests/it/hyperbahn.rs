//! The Hyperbahn client against routers that are played by handlers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tchannel_rt::hyperbahn::{AdvertiseEvent, Routers};
use tchannel_rt::{Channel, ChannelConfig, ChannelError, ErrorCode, HandlerError, Incoming, Reply};
use tokio::sync::broadcast::Receiver;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::support::{config, listen, soon};

/// A connection keeps the time of the machine, so with a timer of its own it would stop the tests' clock from
/// jumping.
fn without_pings() -> ChannelConfig {
    config(|config| {
        config.ping_after = None;
        config.drain_limit = Duration::ZERO;
    })
}

/// A router that tells of each ad and unad, and may be told to refuse them.
struct Router {
    channel: Channel,
    addr: String,
    heard: mpsc::Receiver<(&'static str, Value)>,
    refuses: Arc<AtomicBool>,
}

impl Router {
    async fn start() -> Self {
        let channel = Channel::with_config("hyperbahn", without_pings());
        let (tell, heard) = mpsc::channel(100);
        let refuses = Arc::new(AtomicBool::new(false));
        for method in ["ad", "unad"] {
            let (tell, refuses) = (tell.clone(), refuses.clone());
            let answer = move |request: Incoming<Value>| {
                let (tell, refuses) = (tell.clone(), refuses.clone());
                async move {
                    if refuses.load(Ordering::Relaxed) {
                        return Err(HandlerError::busy("not now"));
                    }
                    tell.send((method, request.body)).await?;
                    Ok(json!({ "connectionCount": 1 }))
                }
            };
            channel.service("hyperbahn").json(method, answer);
        }
        let addr = listen(&channel).await;
        Self {
            channel,
            addr,
            heard,
            refuses,
        }
    }

    async fn hear(&mut self) -> (&'static str, Value) {
        soon(self.heard.recv()).await.expect("the router is there")
    }

    async fn hear_ad(&mut self) {
        assert_eq!(self.hear().await, ("ad", ad(&["svc"])));
    }
}

fn ad(services: &[&str]) -> Value {
    let services: Vec<_> = services
        .iter()
        .map(|name| json!({ "serviceName": name, "cost": 0 }))
        .collect();
    json!({ "services": services })
}

fn routers<'a>(routers: impl IntoIterator<Item = &'a Router>) -> Routers {
    routers.into_iter().map(|router| &*router.addr).collect()
}

async fn service() -> Channel {
    let service = Channel::with_config("svc", without_pings());
    service
        .service("svc")
        .raw("method", |_| async { Ok(Reply::default()) });
    listen(&service).await;
    service
}

async fn next(events: &mut Receiver<AdvertiseEvent>) -> AdvertiseEvent {
    soon(events.recv()).await.expect("it goes on")
}

#[tokio::test]
async fn the_first_ad_goes_out_at_once_and_names_all_services() {
    let mut router = Router::start().await;
    let service = service().await;
    let advertisement = service
        .advertise(routers([&router]), &["svc", "other"])
        .unwrap();
    let mut events = advertisement.events();
    assert!(soon(advertisement.advertised()).await);
    assert_eq!(router.hear().await, ("ad", ad(&["svc", "other"])));
    match next(&mut events).await {
        AdvertiseEvent::Advertised { router: at, first } => {
            assert_eq!((&*at, first), (&*router.addr, true));
        }
        other => panic!("{other:?}"),
    }
    // The router calls back over the connection that brought the ad.
    let addr = service.local_addr().unwrap().to_string();
    let call = router.channel.call("svc::method").peer(&addr);
    call.send("", "").await.unwrap();
    assert_eq!(router.channel.connections(), (1, 0));
}

#[tokio::test]
async fn calls_without_peers_go_to_the_routers() {
    let mut router = Router::start().await;
    router
        .channel
        .service("elsewhere")
        .raw("method", |_| async {
            Ok(Reply::ok("", "through the router"))
        });
    let service = service().await;
    service.advertise(routers([&router]), &["svc"]).unwrap();
    router.hear_ad().await;
    let answer = service
        .call("elsewhere::method")
        .send("", "")
        .await
        .unwrap();
    assert_eq!(answer.arg3, "through the router");
    assert_eq!(answer.peer, router.addr);
}

#[tokio::test]
async fn an_ad_is_renewed_after_50_to_70_seconds() {
    let mut router = Router::start().await;
    let service = service().await;
    let advertisement = service.advertise(routers([&router]), &["svc"]).unwrap();
    let mut events = advertisement.events();
    router.hear_ad().await;
    next(&mut events).await;
    // From here on the clock jumps whenever everybody waits, so a minute passes at once.
    tokio::time::pause();
    for _ in 0..5 {
        let before = Instant::now();
        let heard = router.heard.recv().await.expect("the router is there");
        assert_eq!(heard.0, "ad");
        let waited = before.elapsed();
        assert!(
            (48..=72).contains(&waited.as_secs()),
            "renewed after {waited:?} of the test's own time"
        );
    }
    match events.recv().await.unwrap() {
        AdvertiseEvent::Advertised { first, .. } => assert!(!first),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refused_ad_is_tried_again_after_growing_waits_and_its_failures_are_told() {
    let mut router = Router::start().await;
    router.refuses.store(true, Ordering::Relaxed);
    let service = service().await;
    let advertisement = service.advertise(routers([&router]), &["svc"]).unwrap();
    let mut events = advertisement.events();
    let mut waits = Vec::new();
    for expected in 1..=8 {
        match events.recv().await.unwrap() {
            AdvertiseEvent::Failed {
                error,
                failures,
                retry_in,
            } => {
                assert_eq!(failures, expected);
                // Later ones may find that time has passed while it stood still for the socket.
                if failures == 1 {
                    assert_eq!(error.code(), ErrorCode::Busy);
                }
                waits.push(retry_in);
            }
            other => panic!("{other:?}"),
        }
        if expected == 1 {
            tokio::time::pause();
        }
    }
    for (failures, wait) in waits.into_iter().enumerate() {
        let ceiling = Duration::from_millis(500 + 1000 * (1 << failures).min(30));
        assert!(
            wait >= Duration::from_millis(500) && wait <= ceiling,
            "{wait:?} after {failures} failures before it"
        );
    }
    router.refuses.store(false, Ordering::Relaxed);
    assert!(advertisement.advertised().await);
    router.hear_ad().await;
    loop {
        if let AdvertiseEvent::Advertised { first, .. } = events.recv().await.unwrap() {
            assert!(first);
            return;
        }
    }
}

#[tokio::test]
async fn an_ad_that_one_router_does_not_take_goes_to_the_next() {
    let (gone, dead) = crate::wire::listener().await;
    drop(gone);
    let mut alive = Router::start().await;
    let refusing = Router::start().await;
    refusing.refuses.store(true, Ordering::Relaxed);
    let list: Routers = [&*dead, &*refusing.addr, &*alive.addr]
        .into_iter()
        .collect();
    let service = service().await;
    let advertisement = service.advertise(list, &["svc"]).unwrap();
    assert!(soon(advertisement.advertised()).await);
    alive.hear_ad().await;
}

#[tokio::test]
async fn a_lost_router_is_replaced_by_another_without_waiting_for_the_next_round() {
    let mut both = [Router::start().await, Router::start().await];
    let service = service().await;
    let advertisement = service.advertise(routers(&both), &["svc"]).unwrap();
    let mut events = advertisement.events();
    let AdvertiseEvent::Advertised { router: first, .. } = next(&mut events).await else {
        panic!("both were there");
    };
    let lost = both.iter().position(|router| router.addr == first).unwrap();
    both[lost].channel.close().await;
    let [a, b] = &mut both;
    let left = if lost == 0 { b } else { a };
    left.hear_ad().await;
}

#[tokio::test]
async fn closing_withdraws_before_anything_else() {
    let mut router = Router::start().await;
    let service = service().await;
    let advertisement = service.advertise(routers([&router]), &["svc"]).unwrap();
    assert!(soon(advertisement.advertised()).await);
    router.hear_ad().await;
    assert_eq!(soon(service.close()).await, 0);
    assert_eq!(router.hear().await, ("unad", ad(&["svc"])));
    let after = service.advertise(routers([&router]), &["svc"]);
    assert!(matches!(after, Err(ChannelError::Closed)));
}

#[tokio::test]
async fn withdrawing_ends_the_ads_and_leaves_the_channel_open() {
    let mut router = Router::start().await;
    let service = service().await;
    let advertisement = service.advertise(routers([&router]), &["svc"]).unwrap();
    assert!(soon(advertisement.advertised()).await);
    router.hear_ad().await;
    soon(advertisement.withdraw()).await;
    assert_eq!(router.hear().await, ("unad", ad(&["svc"])));
    let addr = service.local_addr().unwrap().to_string();
    let call = router.channel.call("svc::method").peer(&addr);
    call.send("", "").await.unwrap();
}

#[tokio::test]
async fn what_was_never_advertised_is_not_withdrawn() {
    let mut router = Router::start().await;
    router.refuses.store(true, Ordering::Relaxed);
    let service = service().await;
    let advertisement = service.advertise(routers([&router]), &["svc"]).unwrap();
    let waiting = tokio::spawn({
        let advertisement = advertisement.clone();
        async move { advertisement.advertised().await }
    });
    next(&mut advertisement.events()).await;
    router.refuses.store(false, Ordering::Relaxed);
    soon(service.close()).await;
    assert!(!soon(waiting).await.unwrap());
    router.channel.close().await;
    assert!(router.heard.try_recv().is_err());
}

#[tokio::test]
async fn an_advertisement_does_not_keep_its_channel_alive() {
    let mut router = Router::start().await;
    let service = service().await;
    let advertisement = service.advertise(routers([&router]), &["svc"]).unwrap();
    router.hear_ad().await;
    next_closed(&router, || drop(service)).await;
    // Nothing to withdraw, and nobody to do it.
    soon(advertisement.withdraw()).await;
    assert!(router.heard.try_recv().is_err());
}

#[tokio::test]
async fn an_ad_that_nobody_takes_ends_with_its_channel() {
    let mut router = Router::start().await;
    router.refuses.store(true, Ordering::Relaxed);
    let service = service().await;
    let advertisement = service.advertise(routers([&router]), &["svc"]).unwrap();
    next(&mut advertisement.events()).await;
    tokio::time::pause();
    let before = Instant::now();
    drop(service);
    assert!(!advertisement.advertised().await);
    assert!(before.elapsed().is_zero(), "it was on until its next try");
    assert!(router.heard.try_recv().is_err());
}

async fn next_closed(router: &Router, act: impl FnOnce()) {
    act();
    crate::support::until(|| router.channel.connections() == (0, 0)).await;
}

#[tokio::test]
async fn discover_gives_the_instances_and_passes_on_the_routers_refusal() {
    let router = Router::start().await;
    router
        .channel
        .service("hyperbahn")
        .thrift("Hyperbahn::discover", |request| async move {
            // {1: {1: string serviceName}}
            let known = &request.body[..] == b"\x0c\0\x01\x0b\0\x01\0\0\0\x03svc\0\0";
            Ok(if known {
                // {0: {1: [{1: {1: ipv4}, 2: port}]}}
                Ok(b"\x0c\0\0\x0f\0\x01\x0c\0\0\0\x02\
                    \x0c\0\x01\x08\0\x01\x7f\0\0\x01\0\x08\0\x02\0\0\x0f\xc8\0\
                    \x0c\0\x01\x08\0\x01\xff\xff\xff\xff\0\x08\0\x02\0\0\xff\xff\0\
                    \0\0"[..]
                    .into())
            } else {
                // {1: {1: string message, 2: string serviceName}}
                Err(b"\x0c\0\x01\x0b\0\x01\0\0\0\x04none\x0b\0\x02\0\0\0\x01x\0\0"[..].into())
            })
        });
    let client = Channel::new("test");
    client.routers().add(&router.addr);
    let instances = client.discover("svc").await.unwrap();
    assert_eq!(instances, ["127.0.0.1:4040", "255.255.255.255:65535"]);
    let error = client.discover("x").await.unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (ErrorCode::Declined, "none")
    );
}

#[tokio::test]
async fn routers_come_from_a_file_and_a_bad_one_is_named() {
    let router = Router::start().await;
    let file = std::env::temp_dir().join(format!("routers-{}.json", std::process::id()));
    let list = |text: String| {
        std::fs::write(&file, text).unwrap();
        Routers::File(file.clone()).resolve()
    };
    assert_eq!(
        list(json!([router.addr]).to_string()).unwrap(),
        [&*router.addr]
    );
    for (text, named) in [
        ("[", "EOF"),
        ("[1]", "integer"),
        (r#"["nowhere"]"#, "nowhere"),
    ] {
        let error = list(text.to_owned()).unwrap_err().to_string();
        assert!(error.contains(named), "{named} in {error}");
    }
    std::fs::remove_file(&file).unwrap();
    let error = Routers::File(file.clone()).resolve().unwrap_err();
    assert!(
        error.to_string().contains(&file.display().to_string()),
        "{error}"
    );
}

#[tokio::test]
async fn an_address_behind_a_port_mapping_can_be_given() {
    let mut router = Router::start().await;
    let mut config = ChannelConfig::default();
    config.advertised_host_port = Some("10.1.2.3:4040".to_owned());
    let service = Channel::with_config("svc", config);
    listen(&service).await;
    service.advertise(routers([&router]), &["svc"]).unwrap();
    router.hear_ad().await;
    let announced = router.channel.remotes("10.1.2.3:4040");
    assert_eq!(announced.len(), 1);
    assert_eq!(announced[0].peer.host_port, "10.1.2.3:4040");
}
