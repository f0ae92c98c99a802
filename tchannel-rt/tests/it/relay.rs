//! Calls that pass through a relay: what arrives, what is changed, and what happens when an end fails.

use std::time::Duration;

use bytes::Bytes;
use tchannel_rt::proto::message::Message;
use tchannel_rt::proto::peek::CallReqPeek;
use tchannel_rt::proto::{MessageId, Tracing};
use tchannel_rt::{
    Channel, ChannelConfig, ErrorCode, HandlerError, LoadBound, PeerInfo, PeerList, Reply, Request,
    Route, RouteTo,
};
use tokio::net::TcpListener;

use crate::support::{LONG, config, echo, listen, once, soon};
use crate::wire::{
    Wire, args, call_req, call_req_continue, call_req_with, call_res, cancel, listener,
    more_to_come,
};

/// Every service is at the same peers, but for `local` and `nobody`.
struct ToAll(PeerList);

impl Route for ToAll {
    fn route(&self, call: &CallReqPeek<'_>, _: &PeerInfo) -> RouteTo {
        match call.service {
            b"local" => RouteTo::Local,
            b"nobody" => RouteTo::Refuse {
                code: ErrorCode::Declined,
                message: "no peer available for request (at router here)".to_owned(),
            },
            _ => RouteTo::Peers(self.0.clone()),
        }
    }

    fn hop(&self) -> &str {
        "here"
    }
}

/// A relay to `instances`, its address and its peers.
async fn relay_to(instances: &[&str], config: ChannelConfig) -> (Channel, String, PeerList) {
    let relay = Channel::with_config("relay", config);
    let peers = relay.new_peer_list("svc");
    for instance in instances {
        peers.add(instance);
    }
    assert!(relay.relay(ToAll(peers.clone())));
    relay
        .service("local")
        .raw("hello", |_| async { Ok(Reply::ok("", "from the relay")) });
    let addr = listen(&relay).await;
    (relay, addr, peers)
}

/// A relay with an instance that is played by hand, and a caller that is as well.
async fn between_wires(config: ChannelConfig) -> (Channel, Wire, TcpListener) {
    let (listener, instance) = listener().await;
    let (relay, addr, _) = relay_to(&[&instance], config).await;
    (relay, Wire::connect(&addr, "0.0.0.0:0").await, listener)
}

const CALL: MessageId = MessageId(7);

/// Passes no call on, and says who has made it.
struct WhoIsIt;

impl Route for WhoIsIt {
    fn route(&self, _: &CallReqPeek<'_>, from: &PeerInfo) -> RouteTo {
        RouteTo::Refuse {
            code: ErrorCode::Declined,
            message: format!("{} {:?}", from.process_name, from.header("zone")),
        }
    }

    fn hop(&self) -> &str {
        "here"
    }
}

#[tokio::test]
async fn a_route_knows_over_whose_connection_a_call_came() {
    let relay = Channel::new("relay");
    relay.relay(WhoIsIt);
    let addr = listen(&relay).await;
    for zone in [None, Some("sjc1")] {
        let headers = zone.map(|zone: &str| ("zone".to_owned(), zone.to_owned()));
        let told = config(|config| config.init_headers.extend(headers));
        let client = Channel::with_config("test", told);
        let call = once(client.call("svc::method").peer(&addr));
        let error = call.send("", "").await.unwrap_err();
        let process = format!("[{}] {zone:?}", std::process::id());
        assert!(error.message().ends_with(&process), "{error}");
    }
}

/// The instances by shard key: the one that it names comes first, then the one that is next to it.
struct ByShardKey(PeerList, Vec<String>);

impl Route for ByShardKey {
    fn route(&self, call: &CallReqPeek<'_>, _: &PeerInfo) -> RouteTo {
        let key = call
            .shard_key
            .first()
            .map_or(0, |digit| usize::from(digit - b'0'));
        let order = [&self.1[key], &self.1[(key + 1) % self.1.len()]];
        RouteTo::InOrder {
            peers: self.0.clone(),
            order: order.map(|host_port| host_port.as_str().into()).to_vec(),
            bound: Some(LoadBound {
                times_average: 1.25,
                at_least: 0,
            }),
        }
    }

    fn hop(&self) -> &str {
        "here"
    }
}

#[tokio::test]
async fn calls_with_one_shard_key_reach_one_instance_or_the_next_when_it_is_gone() {
    let (servers, addrs) = named_servers(4).await;
    let relay = Channel::new("relay");
    let peers = relay.new_peer_list("svc");
    peers.update(addrs.iter().map(String::as_str), []);
    relay.relay(ByShardKey(peers, addrs.clone()));
    let addr = listen(&relay).await;
    let client = Channel::new("test");
    let ask = async |key: &str| {
        let call = once(client.call("svc::name").peer(&addr).shard_key(key));
        soon(call.send("", "")).await.unwrap().arg3
    };
    for key in ["0", "1", "2", "3"].repeat(5) {
        assert_eq!(ask(key).await, key);
    }
    servers[2].close().await;
    for key in ["0", "1", "3"] {
        assert_eq!(ask(key).await, key);
    }
    assert_eq!(ask("2").await, "3");
}

#[tokio::test]
async fn an_instance_that_swallows_packets_leaves_time_for_the_next() {
    let (_server, addrs) = named_servers(1).await;
    // Connections to it are made, and nobody ever shakes hands.
    let (_hole, hole) = listener().await;
    let relay = Channel::with_config("relay", config(|config| config.connect_timeout = LONG));
    let peers = relay.new_peer_list("svc");
    let order = vec![hole, addrs[0].clone()];
    peers.update(order.iter().map(String::as_str), []);
    relay.relay(ByShardKey(peers, order));
    let addr = listen(&relay).await;
    let client = Channel::new("test");
    let ttl = Duration::from_secs(15);
    let call = once(client.call("svc::name").peer(&addr).ttl(ttl));
    assert_eq!(soon(call.send("", "")).await.unwrap().arg3, "0");
}

/// Instances of `svc` whose method `name` says which one it is, by number.
async fn named_servers(count: usize) -> (Vec<Channel>, Vec<String>) {
    let mut servers = Vec::new();
    let mut addrs = Vec::new();
    for name in 0..count {
        let server = Channel::new("svc");
        server.service("svc").raw("name", move |_| async move {
            Ok(Reply::ok("", name.to_string()))
        });
        addrs.push(listen(&server).await);
        servers.push(server);
    }
    (servers, addrs)
}

#[tokio::test]
async fn bodies_of_any_size_pass_in_both_directions() {
    let (server, _) = echo(Default::default());
    let (_relay, addr, _) = relay_to(&[&listen(&server).await], Default::default()).await;
    let client = Channel::new("test");
    // The largest comes first, while the relay has yet to dial.
    for size in [10 << 20, 0, 1, 65_400, 65_535, 200_000] {
        let (arg2, arg3) = (Bytes::from(vec![1; size / 3]), Bytes::from(vec![2; size]));
        let call = client.call("echo::echo").peer(&addr).ttl(LONG);
        let answer = soon(call.send(arg2.clone(), arg3.clone())).await;
        let answer = answer.unwrap_or_else(|error| panic!("{size} bytes: {error}"));
        assert!(
            answer.arg2 == arg2 && answer.arg3 == arg3,
            "{size} bytes changed"
        );
        assert_eq!((&*answer.peer, answer.attempts), (&*addr, 1));
    }
}

#[tokio::test]
async fn a_call_passes_unchanged_but_for_id_and_ttl() {
    let (_relay, mut caller, listener) = between_wires(Default::default()).await;
    let headers = [("as", "x"), ("cn", "me"), ("sk", "key"), ("zz", "unknown")];
    let mut call = call_req_with("svc::method", 5000, headers, "body");
    if let Message::CallReq(call) = &mut call {
        call.tracing = Tracing {
            span_id: 1,
            parent_id: 2,
            trace_id: 3,
            flags: 1,
        };
    }
    caller.say(CALL, call.clone()).await;
    let mut instance = Wire::accept(&listener).await;
    let (id, heard) = instance.hear_call().await;
    assert_ne!(id, CALL);
    let Message::CallReq(mut sent) = call else {
        unreachable!("made above");
    };
    assert!(heard.ttl <= sent.ttl && heard.ttl.is_some());
    sent.ttl = heard.ttl;
    assert_eq!(heard, sent);

    let mut answer = call_res("answer");
    if let Message::CallRes(answer) = &mut answer {
        answer.tracing = sent.tracing;
    }
    instance.say(id, answer.clone()).await;
    assert_eq!(caller.hear().await, (CALL, answer));
}

#[tokio::test]
async fn error_frames_pass_with_their_code_unless_it_would_harm_the_caller() {
    let (_relay, mut caller, listener) = between_wires(Default::default()).await;
    let mut instance = None;
    for (said, heard) in [(1, 1), (3, 3), (4, 4), (6, 6), (8, 8), (0x42, 5), (0xFF, 5)] {
        caller.say(CALL, call_req("svc::method", 5000, "")).await;
        if instance.is_none() {
            instance = Some(Wire::accept(&listener).await);
        }
        let instance = instance.as_mut().expect("just connected");
        let (id, _) = instance.hear_call().await;
        instance.answer_error(id, said, "as asked").await;
        let (id, error) = caller.hear_error().await;
        assert_eq!((id, error.code, &*error.message), (CALL, heard, "as asked"));
    }
}

#[tokio::test]
async fn the_relay_answers_for_itself_and_for_nobody() {
    let (_relay, addr, _) = relay_to(&[], Default::default()).await;
    let client = Channel::new("test");
    let answer = client.call("local::hello").peer(&addr).send("", "").await;
    assert_eq!(answer.unwrap().arg3, "from the relay");
    for (target, text) in [
        (
            "nobody::home",
            "no peer available for request (at router here)",
        ),
        (
            "empty::list",
            r#"no peer available for request: "empty" has no instance (at router here)"#,
        ),
    ] {
        let error = once(client.call(target).peer(&addr)).send("", "").await;
        let error = error.unwrap_err();
        assert_eq!((error.code(), error.message()), (ErrorCode::Declined, text));
    }
}

#[tokio::test]
async fn a_ttl_of_zero_is_a_bad_request_and_the_connection_stays() {
    let (_relay, mut caller, listener) = between_wires(Default::default()).await;
    caller.say(CALL, call_req("svc::method", 0, "")).await;
    let (id, error) = caller.hear_error().await;
    assert_eq!((id, error.code), (CALL, 6));
    for named in ["svc", "ttl", "here"] {
        assert!(error.message.contains(named), "{named}: {}", error.message);
    }
    caller.say(CALL, call_req("svc::method", 1000, "")).await;
    Wire::accept(&listener).await.hear_call().await;
}

#[tokio::test]
async fn a_long_ttl_is_clamped() {
    let limit = Duration::from_secs(2);
    let config = config(|config| config.relay_ttl_max = limit);
    let (_relay, mut caller, listener) = between_wires(config).await;
    caller
        .say(CALL, call_req("svc::method", u32::MAX, ""))
        .await;
    let (_, call) = Wire::accept(&listener).await.hear_call().await;
    assert!(call.ttl.unwrap().as_duration() <= limit, "{:?}", call.ttl);
}

#[tokio::test]
async fn a_deadline_that_passes_is_a_timeout_for_the_caller_and_a_cancel_for_the_instance() {
    let (_relay, mut caller, listener) = between_wires(Default::default()).await;
    caller.say(CALL, call_req("svc::method", 20, "")).await;
    let mut instance = Wire::accept(&listener).await;
    let (id, _) = instance.hear_call().await;
    let (at, error) = caller.hear_error().await;
    assert_eq!((at, error.code), (CALL, 1), "{error:?}");
    assert!(error.message.contains("svc"), "{error:?}");
    let (cancelled, message) = instance.hear().await;
    assert!(matches!(message, Message::Cancel(_)), "{message:?}");
    assert_eq!(cancelled, id);
    // A late answer is for nobody.
    instance.answer(id, "late").await;
    caller.say(CALL, call_req("svc::method", 5000, "")).await;
    let (id, _) = instance.hear_call().await;
    instance.answer(id, "in time").await;
    assert_eq!(caller.hear().await, (CALL, call_res("in time")));
}

#[tokio::test]
async fn a_cancel_passes_through_and_so_does_what_comes_of_it() {
    let (_relay, mut caller, listener) = between_wires(Default::default()).await;
    caller.say(CALL, call_req("svc::method", 60_000, "")).await;
    let mut instance = Wire::accept(&listener).await;
    let (id, _) = instance.hear_call().await;
    caller.say(CALL, cancel("changed my mind")).await;
    let (cancelled, message) = instance.hear().await;
    assert_eq!((cancelled, message), (id, cancel("changed my mind")));
    instance.answer_error(id, 2, "stopped").await;
    let (at, error) = caller.hear_error().await;
    assert_eq!((at, error.code, &*error.message), (CALL, 2, "stopped"));
}

#[tokio::test]
async fn a_dropped_call_drops_the_handler_behind_the_relay() {
    let (server, mut served) = echo(Default::default());
    let (_relay, addr, _) = relay_to(&[&listen(&server).await], Default::default()).await;
    let client = Channel::new("test");
    let call = client.call("echo::never").peer(&addr).ttl(LONG);
    let handler = tokio::select! {
        handler = served.next() => handler,
        outcome = call.send("", "") => panic!("an answer out of nowhere: {outcome:?}"),
    };
    handler.stopped().await;
}

#[tokio::test]
async fn a_lost_caller_drops_the_handlers_behind_the_relay() {
    let (server, mut served) = echo(Default::default());
    let (_relay, addr, _) = relay_to(&[&listen(&server).await], Default::default()).await;
    let mut caller = Wire::connect(&addr, "0.0.0.0:0").await;
    caller.say(CALL, call_req("echo::never", 60_000, "")).await;
    let handler = served.next().await;
    drop(caller);
    handler.stopped().await;
}

#[tokio::test]
async fn an_instance_that_dies_fails_its_calls_at_once() {
    let (_relay, mut caller, listener) = between_wires(Default::default()).await;
    for id in 10..20 {
        caller
            .say(MessageId(id), call_req("svc::method", 60_000, ""))
            .await;
    }
    let mut instance = Wire::accept(&listener).await;
    for _ in 10..20 {
        instance.hear_call().await;
    }
    drop(instance);
    for _ in 10..20 {
        let (_, error) = caller.hear_error().await;
        assert_eq!(error.code, 7, "{error:?}");
        for named in ["svc", "lost", "here"] {
            assert!(error.message.contains(named), "{named}: {}", error.message);
        }
    }
}

#[tokio::test]
async fn an_instance_that_dies_half_way_through_its_answer_fails_the_call() {
    let server = Channel::with_config("svc", config(|config| config.drain_limit = Duration::ZERO));
    let closing = server.clone();
    server.service("svc").stream("half", move |request| {
        let closing = closing.clone();
        async move {
            let mut answer = request.respond.ok()?;
            answer.send("half").await?;
            tokio::spawn(async move { closing.close().await });
            std::future::pending().await
        }
    });
    let (_relay, addr, _) = relay_to(&[&listen(&server).await], Default::default()).await;
    let client = Channel::new("test");
    let (request, pending) = client.call("svc::half").peer(&addr).stream().await.unwrap();
    request.finish().await.unwrap();
    let mut args = soon(pending.response()).await.unwrap().args;
    assert_eq!(soon(args.next_chunk()).await.unwrap().unwrap(), "half");
    let error = soon(args.next_chunk()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NetworkError, "{error}");
}

#[tokio::test]
async fn an_instance_that_can_not_be_reached_is_passed_over() {
    let (server, _) = echo(Default::default());
    let alive = listen(&server).await;
    for _ in 0..10 {
        let (gone, dead) = listener().await;
        drop(gone);
        // A new relay has yet to learn which of the two is dead.
        let (_relay, addr, _) = relay_to(&[&dead, &alive], Default::default()).await;
        let client = Channel::new("test");
        let call = once(client.call("echo::echo").peer(&addr));
        assert_eq!(call.send("", "alive").await.unwrap().arg3, "alive");
    }
}

#[tokio::test]
async fn a_call_whose_instances_can_all_not_be_reached_is_a_network_error_that_says_so() {
    let (gone, dead) = listener().await;
    drop(gone);
    let (_relay, addr, _) = relay_to(&[&dead], Default::default()).await;
    let client = Channel::new("test");
    let call = once(client.call("svc::method").peer(&addr));
    let error = call.send("", "").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NetworkError);
    assert!(
        error.message().contains("svc: no instance can be reached"),
        "{error}"
    );
}

#[tokio::test]
async fn frames_that_come_while_the_instance_is_dialled_follow_in_order() {
    let (_relay, mut caller, listener) = between_wires(Default::default()).await;
    let first = more_to_come(call_req("svc::method", 60_000, "0 "));
    caller.say(CALL, first).await;
    let mut instance = Wire::accept_mutely(&listener).await;
    for part in 1..50 {
        caller
            .say(CALL, call_req_continue(&format!("{part} "), false))
            .await;
    }
    // The relay has read all that by the time it answers this.
    caller.say(MessageId(8), Message::PingReq).await;
    assert_eq!(caller.hear().await, (MessageId(8), Message::PingRes));
    let addr = listener.local_addr().unwrap().to_string();
    instance.shake_hands_as(&addr).await;
    for part in 50..100 {
        caller
            .say(CALL, call_req_continue(&format!("{part} "), part == 99))
            .await;
    }
    let (id, call) = instance.hear_call().await;
    let mut heard = args(&call.chunks)[2].to_vec();
    for _ in 1..100 {
        match instance.hear().await {
            (at, Message::CallReqContinue(more)) if at == id => {
                heard.extend_from_slice(&args(&more.chunks).concat());
            }
            other => panic!("not a continuation: {other:?}"),
        }
    }
    let expected: String = (0..100).map(|part| format!("{part} ")).collect();
    assert_eq!(String::from_utf8(heard).unwrap(), expected);
}

#[tokio::test]
async fn a_call_cancelled_while_its_instance_is_dialled_takes_nothing_from_the_next() {
    let (_relay, mut caller, listener) = between_wires(Default::default()).await;
    caller.say(CALL, call_req("svc::first", 60_000, "")).await;
    let mut instance = Wire::accept_mutely(&listener).await;
    caller.say(CALL, cancel("never mind")).await;
    let (id, error) = caller.hear_error().await;
    assert_eq!((id, error.code), (CALL, 2));

    caller
        .say(MessageId(8), call_req("svc::second", 60_000, ""))
        .await;
    caller.say(MessageId(9), Message::PingReq).await;
    assert_eq!(caller.hear().await.0, MessageId(9));
    let addr = listener.local_addr().unwrap().to_string();
    instance.shake_hands_as(&addr).await;
    // Nothing is heard of the first.
    let (second, call) = instance.hear_call().await;
    assert_eq!(args(&call.chunks)[0], "second");
    instance.answer(second, "served").await;
    assert_eq!(caller.hear().await, (MessageId(8), call_res("served")));
}

#[tokio::test]
async fn calls_pass_while_another_instance_is_being_dialled() {
    let (slow, slow_addr) = listener().await;
    let (server, _) = echo(Default::default());
    let server_addr = listen(&server).await;
    let (_relay, addr, peers) = relay_to(&[&slow_addr], Default::default()).await;
    let mut caller = Wire::connect(&addr, "0.0.0.0:0").await;
    caller.say(CALL, call_req("svc::method", 60_000, "")).await;
    let _mute = Wire::accept_mutely(&slow).await;
    peers.remove(&slow_addr);
    peers.add(&server_addr);
    caller
        .say(MessageId(8), call_req("echo::echo", 60_000, ""))
        .await;
    assert_eq!(caller.hear().await.0, MessageId(8));
}

async fn zeros(request: Request) -> Result<Reply, HandlerError> {
    let bytes = std::str::from_utf8(&request.arg3)?.parse()?;
    Ok(Reply::ok("", vec![0; bytes]))
}

#[tokio::test]
async fn a_caller_that_does_not_read_gets_busy_and_its_neighbours_go_on() {
    let server = Channel::new("svc");
    server.service("svc").raw("zeros", zeros);
    let tight = config(|config| {
        config.queued_bytes_soft = 64 * 1024;
        config.queued_bytes_max = 1 << 20;
    });
    let (_relay, addr, _) = relay_to(&[&listen(&server).await], tight).await;
    let mut deaf = Wire::connect(&addr, "0.0.0.0:0").await;
    let calls = 100;
    for id in 0..calls {
        // Together far more than sockets and queues hold.
        let call = call_req("svc::zeros", 60_000, "1000000");
        deaf.say(MessageId(id), call).await;
    }
    let neighbour = Channel::new("neighbour");
    for _ in 0..50 {
        let call = once(neighbour.call("svc::zeros").peer(&addr).ttl(LONG));
        let answer = soon(call.send("", "1000")).await.unwrap();
        assert_eq!(answer.arg3.len(), 1000);
    }
    let (mut whole, mut busy) = (0, 0);
    while whole + busy < calls {
        match deaf.hear().await.1 {
            Message::Error(error) if error.code == 3 => busy += 1,
            Message::CallRes(res) if res.flags & 1 == 0 => whole += 1,
            Message::CallResContinue(more) if more.flags & 1 == 0 => whole += 1,
            Message::CallRes(_) | Message::CallResContinue(_) => {}
            other => panic!("neither answer nor busy: {other:?}"),
        }
    }
    assert!(busy > 0, "all {whole} answers were held for it");
}

struct DeafBesideEcho(PeerList, PeerList);

impl Route for DeafBesideEcho {
    fn route(&self, call: &CallReqPeek<'_>, _: &PeerInfo) -> RouteTo {
        let is_deaf = call.service == b"deaf";
        RouteTo::Peers(if is_deaf {
            self.0.clone()
        } else {
            self.1.clone()
        })
    }

    fn hop(&self) -> &str {
        "here"
    }
}

#[tokio::test]
async fn an_instance_that_does_not_read_costs_its_callers_busy_and_no_memory() {
    let tight = config(|config| {
        config.queued_bytes_soft = 64 * 1024;
        config.queued_bytes_max = 1 << 20;
    });
    let (deaf, deaf_addr) = listener().await;
    let (server, _) = echo(Default::default());
    let relay = Channel::with_config("relay", tight);
    let route = DeafBesideEcho(relay.new_peer_list("deaf"), relay.new_peer_list("echo"));
    route.0.add(&deaf_addr);
    route.1.add(&listen(&server).await);
    relay.relay(route);
    let addr = listen(&relay).await;
    let client = Channel::new("test");
    let body = Bytes::from(vec![0; 10 << 20]);
    let calls = (0..10).map(|_| {
        let call = once(client.call("deaf::method").peer(&addr).ttl(LONG));
        call.send("", body.clone())
    });
    let neighbours = async {
        let mut instance = Wire::accept(&deaf).await;
        instance.hear_call().await;
        // From now on it hears nothing.
        let neighbour = Channel::new("neighbour");
        for _ in 0..50 {
            let call = once(neighbour.call("echo::echo").peer(&addr).ttl(LONG));
            assert_eq!(soon(call.send("", "hi")).await.unwrap().arg3, "hi");
        }
    };
    let calls = futures::future::join_all(calls);
    let (outcomes, ()) = soon(async { tokio::join!(calls, neighbours) }).await;
    for outcome in outcomes {
        let code = outcome.unwrap_err().code();
        assert!(
            // Declined: it had not left when the instance was gone.
            matches!(
                code,
                ErrorCode::Busy | ErrorCode::NetworkError | ErrorCode::Declined
            ),
            "{code}"
        );
    }
    assert_eq!(client.connections(), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_of_many_callers_each_get_their_own_answer() {
    let (a, _) = echo(Default::default());
    let (b, _) = echo(Default::default());
    let instances = [listen(&a).await, listen(&b).await];
    let instances = [&*instances[0], &*instances[1]];
    let (_relay, addr, _) = relay_to(&instances, Default::default()).await;
    let callers = (0..4).map(|caller| {
        let addr = addr.clone();
        tokio::spawn(async move {
            let client = Channel::new("test");
            let calls = (0..250).map(|call| {
                let (client, addr) = (&client, &addr);
                async move {
                    // Some of them take several frames.
                    let text = format!("{caller} {call} ").repeat(call * 40 + 1);
                    let call = client.call("echo::echo").peer(addr).ttl(LONG);
                    let answer = call.send("", text.clone()).await.unwrap();
                    assert!(answer.arg3 == text, "the answer to somebody else");
                }
            });
            futures::future::join_all(calls).await;
        })
    });
    soon(futures::future::try_join_all(callers)).await.unwrap();
}
