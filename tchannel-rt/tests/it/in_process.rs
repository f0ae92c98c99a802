//! Channels of one process without sockets: as over TCP, and on a clock that stands still until it is needed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tchannel_rt::hyperbahn::Routers;
use tchannel_rt::meta::{HealthRequest, MetaClient};
use tchannel_rt::proto::peek::CallReqPeek;
use tchannel_rt::retry::Retry;
use tchannel_rt::{
    ArgWriter, CallContext, CallError, Channel, ChannelConfig, ErrorCode, HandlerError, PeerInfo,
    PeerList, Reply, RetryAdvice, Route, RouteTo, StreamRequest, ThriftFiles, TypedService,
    in_process,
};
use tokio::sync::{Notify, mpsc};

use crate::support::{LONG, config, echo, once, soon};

const MIB: usize = 1 << 20;

fn bytes(count: usize) -> Bytes {
    // A prime, so that a part that is lost or doubled shows.
    let round: Vec<u8> = (0..251).collect();
    let mut all = round.repeat(count / round.len() + 1);
    all.truncate(count);
    all.into()
}

#[tokio::test(start_paused = true)]
async fn a_call_finds_its_channel_by_name_and_by_address() {
    let (server, _) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    let addr = server.in_process();
    client.peers("echo").add(&addr);
    let answer = client.call("echo::echo").send("a", "b").await.unwrap();
    assert_eq!((&answer.arg2[..], &answer.arg3[..]), (&b"a"[..], &b"b"[..]));
    assert_eq!(*answer.peer, *addr);
    let named = client.call("echo::echo").peer(&addr).send("", "c");
    assert_eq!(named.await.unwrap().arg3, "c");
    assert_eq!(client.connections(), (0, 1));
    assert_eq!(server.connections(), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn messages_far_larger_than_what_is_under_way_at_once_arrive_whole() {
    let (server, _) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    let addr = server.in_process();
    let (arg2, arg3) = (bytes(2 * MIB), bytes(10 * MIB));
    let call = client.call("echo::echo").peer(&addr).ttl(LONG);
    let answer = call.send(arg2.clone(), arg3.clone()).await.unwrap();
    assert!(answer.arg2 == arg2 && answer.arg3 == arg3);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_passes_also_if_much_was_read_since_it_was_set() {
    let (server, mut calls) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    client.peers("echo").add(&server.in_process());
    let call = client.call("echo::never").ttl(Duration::from_secs(2));
    let mut late = std::pin::pin!(call.send("", ""));
    let served = tokio::select! {
        _ = &mut late => panic!("nobody answers it"),
        served = calls.next() => served,
    };
    for _ in 0..10 {
        client.call("echo::echo").send("", "").await.unwrap();
    }
    let outcome = soon(late).await;
    assert_eq!(outcome.unwrap_err().code(), ErrorCode::Timeout);
    served.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_from_many_threads_share_the_connection() {
    let (server, _) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    client.peers("echo").add(&server.in_process());
    let calls = (0..64_usize).map(|index| {
        let client = client.clone();
        tokio::spawn(async move {
            for round in 0..20 {
                let sent = bytes((index * 4099 + round) % 100_000);
                let call = client.call("echo::echo").ttl(LONG);
                let answer = call.send("", sent.clone()).await.unwrap();
                assert!(answer.arg3 == sent, "{index}, {round}");
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        soon(call).await.unwrap();
    }
    assert_eq!(client.connections(), (0, 1));
}

async fn stream_back(request: StreamRequest) -> Result<(), HandlerError> {
    let (mut args, mut answer) = (request.args, request.respond.ok()?);
    while let Some(chunk) = args.next_chunk().await? {
        answer.send(chunk).await?;
    }
    answer.finish().await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn streams_go_both_ways_at_once() {
    let server = Channel::new("svc");
    server.service("svc").stream("echo", stream_back);
    let addr = server.in_process();
    let client = Channel::new("test");
    let call = client.call("svc::echo").peer(&addr).ttl(LONG);
    let (mut writer, answer) = call.stream().await.unwrap();
    let mut answer = answer.response().await.unwrap();
    for size in [1, 70_000, MIB] {
        let sent = bytes(size);
        writer.send(sent.clone()).await.unwrap();
        let mut got = Vec::new();
        while got.len() < size {
            got.extend(answer.args.next_chunk().await.unwrap().unwrap());
        }
        assert!(got == sent);
    }
    writer.finish().await.unwrap();
    assert!(answer.args.next_chunk().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_writer_waits_for_its_reader_and_nothing_is_lost() {
    let tight = config(|config| config.queued_bytes_soft = 64 * 1024);
    let server = Channel::with_config("svc", tight.clone());
    let may_read = Arc::new(Notify::new());
    let reads = may_read.clone();
    server.service("svc").stream("count", move |request| {
        let may_read = reads.clone();
        async move {
            let (mut args, mut answer) = (request.args, request.respond.ok()?);
            may_read.notified().await;
            let mut count = 0;
            while let Some(chunk) = args.next_chunk().await? {
                count += chunk.len();
            }
            answer.send(count.to_string()).await?;
            answer.finish().await?;
            Ok(())
        }
    });
    let addr = server.in_process();
    let client = Channel::with_config("test", tight);
    let call = client.call("svc::count").peer(&addr).ttl(LONG);
    let (mut writer, answer) = call.stream().await.unwrap();
    let chunk = bytes(60_000);

    let mut written = 0;
    let writing = async {
        loop {
            writer.send(chunk.clone()).await.unwrap();
            written += chunk.len();
        }
    };
    // On this clock a second passes only once nobody has anything left to do.
    let second = tokio::time::timeout(Duration::from_secs(1), writing);
    assert!(second.await.is_err(), "nobody reads");
    assert!(written < 2 * MIB, "{written} bytes were taken unread");

    may_read.notify_one();
    let (rest, mut answer) = tokio::join!(write_on(writer, chunk.clone()), answer.response());
    rest.unwrap();
    let counted = answer.as_mut().unwrap().args.arg3(100).await.unwrap();
    // The chunk that was waiting when the second was over may have left, in part or as a whole.
    let counted: usize = std::str::from_utf8(&counted).unwrap().parse().unwrap();
    let least = written + chunk.len();
    assert!(
        (least..=least + chunk.len()).contains(&counted),
        "{counted} of {least}"
    );
}

async fn write_on(mut writer: ArgWriter, chunk: Bytes) -> Result<(), CallError> {
    writer.send(chunk).await?;
    writer.finish().await
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_that_of_the_stopped_clock() {
    let (server, mut handlers) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    let addr = server.in_process();
    let call = once(client.call("echo::never").peer(&addr).ttl(LONG));
    let before = tokio::time::Instant::now();
    let error = call.send("", "").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    assert_eq!(error.elapsed().as_secs(), LONG.as_secs());
    assert_eq!(before.elapsed().as_secs(), LONG.as_secs());
    handlers.next().await.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_half_an_hour_answers_at_once_and_leaves_half_of_the_ttl() {
    let server = Channel::new("svc");
    server.service("svc").raw("slow", |request| async move {
        tokio::time::sleep(LONG / 2).await;
        let left = request.context().remaining().as_secs();
        let inherited = CallContext::current().unwrap().remaining().as_secs();
        Ok(Reply::ok("", format!("{left} {inherited}")))
    });
    let addr = server.in_process();
    let client = Channel::new("test");
    let call = client.call("svc::slow").peer(&addr).ttl(LONG);
    let answer = call.send("", "").await.unwrap();
    assert_eq!(answer.arg3, "1800 1800");
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_costs_a_connection_nothing() {
    let (server, _) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    let addr = server.in_process();
    let call = || client.call("echo::echo").peer(&addr).send("", "");
    call().await.unwrap();
    tokio::time::sleep(LONG).await;
    call().await.unwrap();
    assert_eq!(
        (client.connections(), server.connections()),
        ((0, 1), (1, 0))
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_stops_its_handler() {
    let (server, mut handlers) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    let addr = server.in_process();
    let call = client
        .call("echo::never")
        .peer(&addr)
        .ttl(LONG)
        .send("", "");
    let served = tokio::select! {
        _ = call => unreachable!("it never answers"),
        served = handlers.next() => served,
    };
    served.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn closing_finishes_what_is_in_flight_and_then_nobody_is_there() {
    let server = Channel::new("svc");
    let (begun, mut begins) = mpsc::channel(1);
    server.service("svc").raw("slow", move |_| {
        let begun = begun.clone();
        async move {
            begun.send(()).await?;
            tokio::time::sleep(Duration::from_secs(5)).await;
            Ok(Reply::ok("", "done"))
        }
    });
    let addr = server.in_process();
    let client = Channel::new("test");
    let call = |ttl| once(client.call("svc::slow").peer(&addr).ttl(ttl)).send("", "");
    let (answer, cut_off) = tokio::join!(call(LONG), async {
        begins.recv().await;
        server.close().await
    });
    assert_eq!(answer.unwrap().arg3, "done");
    assert_eq!(cut_off, 0);
    let error = call(LONG).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NetworkError);
    assert_eq!(error.retry_advice(), RetryAdvice::Safe);
    assert!(error.is_connection_refused(), "{error}");
    assert!(error.to_string().contains(&addr), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_outlasts_the_drain_limit_is_cut_off_and_counted() {
    let (server, mut handlers) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    let addr = server.in_process();
    let call = once(client.call("echo::never").peer(&addr).ttl(LONG));
    let (outcome, cut_off) = tokio::join!(call.send("", ""), async {
        handlers.next().await;
        server.close().await
    });
    assert_eq!(cut_off, 1);
    assert_eq!(outcome.unwrap_err().code(), ErrorCode::NetworkError);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_dropped_is_gone() {
    let (server, _) = echo(ChannelConfig::default());
    let addr = server.in_process();
    drop(server);
    let client = Channel::new("test");
    let error = once(client.call("echo::echo").peer(&addr)).send("", "");
    assert!(error.await.unwrap_err().is_connection_refused());
}

#[tokio::test(start_paused = true)]
async fn either_end_knows_the_other_and_can_call_it_back() {
    let (server, _) = echo(ChannelConfig::default());
    let (client, _) = echo(ChannelConfig::default());
    let (server_addr, client_addr) = (server.in_process(), client.in_process());
    let call = client.call("echo::echo").peer(&server_addr);
    call.send("", "").await.unwrap();
    let remotes = server.all_remotes();
    assert_eq!(remotes.len(), 1);
    assert_eq!(remotes[0].addr, None);
    assert_eq!(*remotes[0].peer.host_port, *client_addr);
    let back = server.call("echo::echo").peer(&client_addr);
    back.send("", "").await.unwrap();
    assert_eq!(
        server.connections(),
        (1, 0),
        "it is called over what is there"
    );
}

/// Calls of `size` bytes from either end at once. The clock moves only when everybody waits.
async fn check_nobody_waits(size: usize, calls: usize) {
    let (one, _) = echo(ChannelConfig::default());
    let (other, _) = echo(ChannelConfig::default());
    let addrs = [other.in_process(), one.in_process()];
    let first = one.call("echo::echo").peer(&addrs[0]).send("", "");
    first.await.unwrap();
    let before = tokio::time::Instant::now();
    let ends = [one, other];
    let answers = ends.iter().zip(addrs).flat_map(|(end, addr)| {
        (0..calls).map(move |_| {
            let (end, addr) = (end.clone(), addr.clone());
            tokio::spawn(async move {
                let call = once(end.call("echo::echo").peer(&addr).ttl(LONG));
                call.send("", bytes(size)).await.unwrap().arg3.len()
            })
        })
    });
    for answer in answers.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), size);
    }
    assert_eq!(before.elapsed(), Duration::ZERO, "calls of {size} bytes");
}

#[tokio::test(start_paused = true)]
async fn two_ends_that_ask_each_other_for_much_at_once_answer_and_do_not_wait() {
    check_nobody_waits(1000, 3000).await;
    check_nobody_waits(60_000, 500).await;
    check_nobody_waits(MIB, 30).await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_nobody_can_reach_says_so() {
    let (server, _) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    let addr = server.in_process();
    client
        .call("echo::echo")
        .peer(&addr)
        .send("", "")
        .await
        .unwrap();
    assert!(server.all_remotes()[0].peer.is_ephemeral());
}

#[tokio::test(start_paused = true)]
async fn over_the_limit_of_connections_a_channel_of_this_process_is_refused_too() {
    let (server, _) = echo(config(|config| config.connections_max = 0));
    let client = Channel::new("test");
    let addr = server.in_process();
    let error = once(client.call("echo::echo").peer(&addr))
        .send("", "")
        .await;
    assert_eq!(error.unwrap_err().code(), ErrorCode::NetworkError);
}

/// Relays every call to the same peers.
struct To(PeerList);

impl Route for To {
    fn route(&self, _: &CallReqPeek<'_>, _: &PeerInfo) -> RouteTo {
        RouteTo::Peers(self.0.clone())
    }

    fn hop(&self) -> &str {
        "the router"
    }
}

#[tokio::test(start_paused = true)]
async fn a_router_between_channels_of_this_process_passes_calls_and_deadlines_on() {
    let (server, mut handlers) = echo(ChannelConfig::default());
    let router = Channel::new("router");
    let instances = router.new_peer_list("echo");
    instances.add(&server.in_process());
    router.relay(To(instances));
    let client = Channel::new("test");
    let routers = Routers::from_iter([router.in_process()]);
    client.call_through(routers).unwrap();
    let sent = bytes(MIB);
    let answer = client.call("echo::echo").ttl(LONG).send("", sent.clone());
    assert!(answer.await.unwrap().arg3 == sent);
    let never = once(client.call("echo::never").ttl(LONG)).send("", "");
    assert_eq!(never.await.unwrap_err().code(), ErrorCode::Timeout);
    handlers.next().await.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_turns_from_an_instance_that_is_gone_to_another() {
    let (gone, _) = echo(ChannelConfig::default());
    let (there, _) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    let peers = client.peers("echo");
    peers.add(&gone.in_process());
    peers.add(&there.in_process());
    gone.close().await;
    for _ in 0..20 {
        let call = client.call("echo::echo").retry(Retry::default());
        assert_eq!(call.send("", "x").await.unwrap().arg3, "x");
    }
}

#[tokio::test(start_paused = true)]
async fn a_typed_service_is_called_in_one_line() {
    let interface = ThriftFiles {
        entry_point: "none.thrift",
        idls: &[],
    };
    let service = TypedService::new("None", interface, ()).finish();
    let meta = MetaClient::with(in_process(service));
    assert!(meta.health(HealthRequest::default()).await.unwrap().ok);
}
