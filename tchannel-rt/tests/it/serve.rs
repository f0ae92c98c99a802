//! A service in one expression: what it tells the routers, and how it comes to its end.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tchannel_rt::hyperbahn::Routers;
use tchannel_rt::{
    Channel, ChannelConfig, ChannelError, ErrorCode, HandlerError, Incoming, Reply, Serve, Service,
    Serving, Why, serve,
};
use tokio::sync::mpsc;

use crate::support::{LONG, echo, once};

/// A router in this process that tells of each ad and unad, and may be told to refuse them.
struct Router {
    channel: Channel,
    heard: mpsc::Receiver<(&'static str, String)>,
    refuses: Arc<AtomicBool>,
}

impl Router {
    fn start() -> Self {
        let channel = Channel::new("hyperbahn");
        let (tell, heard) = mpsc::channel(100);
        let refuses = Arc::new(AtomicBool::new(false));
        for method in ["ad", "unad"] {
            let (tell, refuses) = (tell.clone(), refuses.clone());
            channel
                .service("hyperbahn")
                .json(method, move |ad: Incoming<Value>| {
                    let (tell, refuses) = (tell.clone(), refuses.clone());
                    async move {
                        if refuses.load(Ordering::Relaxed) {
                            return Err(HandlerError::busy("not now"));
                        }
                        let services = ad.body["services"].as_array().unwrap();
                        let names = services.iter().map(|one| one["serviceName"].as_str());
                        let names: Vec<&str> = names.map(Option::unwrap).collect();
                        tell.send((method, names.join(" "))).await?;
                        Ok(Value::Null)
                    }
                });
        }
        Self {
            channel,
            heard,
            refuses,
        }
    }

    fn routers(&self) -> Routers {
        Routers::from_iter([self.channel.in_process()])
    }

    async fn hears(&mut self, method: &str, names: &str) {
        let (heard, told) = self.heard.recv().await.expect("the router is there");
        assert_eq!((heard, &*told), (method, names));
    }

    /// Where the instance that is connected can be called.
    fn instance(&self) -> String {
        self.channel.all_remotes()[0].peer.host_port.to_string()
    }
}

/// `echo`, and `slow`, which takes five seconds.
fn work(it: &Service) {
    it.raw("echo", async |call| Ok(Reply::ok("", call.arg3)));
    it.raw("slow", async |_| {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(Reply::ok("", "done"))
    });
}

fn served(router: &Router) -> Serve {
    serve("svc", work)
        .listen("127.0.0.1:0")
        .routers(router.routers())
}

/// Waits until `serving` has as many connections that others have opened.
async fn connected(serving: &Serving, count: usize) {
    while serving.channel().connections().0 != count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_is_advertised_under_each_of_its_names_once() {
    let mut router = Router::start();
    let serve = served(&router).also("svc", work).also("other", work);
    let serving = serve.start().await.unwrap();
    assert!(serving.advertised().await);
    router.hears("ad", "svc other").await;
    let at = router.instance();
    assert_eq!(at, serving.addr().to_string());
    for target in ["svc::echo", "other::echo"] {
        let call = router.channel.call(target).peer(&at);
        assert_eq!(call.send("", "x").await.unwrap().arg3, "x");
    }
}

#[tokio::test(start_paused = true)]
async fn a_router_that_takes_no_ad_yet_is_asked_again() {
    let mut router = Router::start();
    router.refuses.store(true, Ordering::Relaxed);
    let serving = served(&router).start().await.unwrap();
    tokio::time::sleep(LONG).await;
    router.refuses.store(false, Ordering::Relaxed);
    assert!(serving.advertised().await);
    router.hears("ad", "svc").await;
}

#[tokio::test(start_paused = true)]
async fn routers_that_are_not_there_keep_nobody_from_calling() {
    let nobody = Channel::new("hyperbahn");
    let routers = Routers::from_iter([nobody.in_process()]);
    drop(nobody);
    let serve = serve("svc", work).listen("127.0.0.1:0").routers(routers);
    let serving = serve.start().await.unwrap();
    let client = Channel::new("test");
    let at = serving.channel().in_process();
    let call = client.call("svc::echo").peer(&at);
    assert_eq!(call.send("", "x").await.unwrap().arg3, "x");
    assert_eq!(serving.shutdown().await.cut_off, 0);
    assert!(!serving.advertised().await);
}

#[tokio::test(start_paused = true)]
async fn shutting_down_withdraws_and_finishes_what_is_in_flight() {
    let mut router = Router::start();
    let serving = served(&router).start().await.unwrap();
    assert!(serving.advertised().await);
    router.hears("ad", "svc").await;
    let client = Channel::new("test");
    let at = serving.channel().in_process();
    let slow = once(client.call("svc::slow").peer(&at).ttl(LONG)).send("", "");
    let (answer, ended) = tokio::join!(slow, async {
        connected(&serving, 1).await;
        let other = serving.clone();
        let waits = tokio::spawn(async move { other.ended().await });
        let ended = serving.shutdown().await;
        assert_eq!(waits.await.unwrap(), ended);
        ended
    });
    assert_eq!(answer.unwrap().arg3, "done");
    assert_eq!((ended.cut_off, ended.why), (0, Why::Asked));
    router.hears("unad", "svc").await;
    let gone = once(client.call("svc::echo").peer(&at)).send("", "").await;
    assert!(gone.unwrap_err().is_connection_refused());
}

#[tokio::test(start_paused = true)]
async fn what_outlasts_the_drain_limit_is_cut_off_and_counted() {
    let (channel, mut handlers) = echo(ChannelConfig::default());
    let serve = serve("echo", |_: &Service| {}).channel(&channel);
    let serve = serve.without_routers().listen("127.0.0.1:0");
    let serving = serve.drain_limit(Duration::ZERO).start().await.unwrap();
    let client = Channel::new("test");
    let at = channel.in_process();
    let call = || once(client.call("echo::never").peer(&at).ttl(LONG)).send("", "");
    let (one, other, ended) = tokio::join!(call(), call(), async {
        handlers.next().await;
        handlers.next().await;
        serving.shutdown().await
    });
    assert_eq!(ended.cut_off, 2);
    for outcome in [one, other] {
        assert_eq!(outcome.unwrap_err().code(), ErrorCode::NetworkError);
    }
}

#[tokio::test(start_paused = true)]
async fn a_router_that_does_not_answer_can_not_use_up_more_than_the_drain_limit() {
    let mut router = Router::start();
    let serve = served(&router).drain_limit(Duration::from_secs(1));
    let serving = serve.start().await.unwrap();
    assert!(serving.advertised().await);
    router.hears("ad", "svc").await;
    router
        .channel
        .service("hyperbahn")
        .raw("unad", async |_| std::future::pending().await);
    let shutdown = tokio::time::timeout(Duration::from_secs(2), serving.shutdown());
    assert_eq!(shutdown.await.expect("withdrawing takes 3 s").cut_off, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_announced_is_what_routers_hear() {
    let router = Router::start();
    let serve = served(&router).announce("10.1.2.3:4040");
    let serving = serve.start().await.unwrap();
    assert!(serving.advertised().await);
    assert_eq!(router.instance(), "10.1.2.3:4040");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_nobody_holds_is_gone() {
    let serve = serve("svc", work).without_routers().listen("127.0.0.1:0");
    let serving = serve.start().await.unwrap();
    let at = serving.channel().in_process();
    drop(serving);
    let client = Channel::new("test");
    let call = || once(client.call("svc::echo").peer(&at)).send("", "");
    // Its task is told to stop, and has to have its turn for that.
    while call().await.is_ok() {}
    assert!(call().await.unwrap_err().is_connection_refused());
}

#[tokio::test(start_paused = true)]
async fn closing_the_channel_ends_the_service() {
    let channel = Channel::new("mine");
    let (ready, mut told) = mpsc::channel(1);
    let serve = serve("svc", work)
        .without_routers()
        .listen("127.0.0.1:0")
        .channel(&channel)
        .on_ready(move |serving| ready.try_send(serving.addr()).unwrap());
    let ended = tokio::spawn(serve.into_future());
    let addr = told.recv().await.unwrap();
    assert_eq!(channel.local_addr(), Some(addr));
    channel.close().await;
    let ended = ended.await.unwrap().unwrap();
    assert_eq!((ended.cut_off, ended.why), (0, Why::Asked));
}

#[tokio::test]
async fn what_can_not_work_is_refused_before_anybody_is_told() {
    let address = serve("svc", work)
        .without_routers()
        .listen("nowhere")
        .start();
    assert!(matches!(address.await, Err(ChannelError::Listen { .. })));
    let announced = serve("svc", work).without_routers().announce("nowhere");
    let error = announced.start().await.unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
    let router = serve("svc", work).routers(Routers::from_iter(["nowhere"]));
    let error = router.await.unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}
