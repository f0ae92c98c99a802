//! What our runtime does on a connection with a peer, beyond the calls that every pair makes.

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use tchannel_rt::{Channel, ChannelConfig, ChecksumType, ErrorCode, Response};
use test_interop::{Call, Client, DEFAULT_TTL, Peer, Server, Way, pattern};
use tokio::sync::mpsc;

use crate::ours;
use crate::pair::every_peer;

every_peer! {
    every_checksum_type_that_the_peer_knows_is_understood,
    args_in_a_stream_of_small_chunks_arrive_whole,
    a_call_in_flight_fails_at_once_when_the_peer_dies,
    a_handler_stops_when_its_caller_dies,
    a_cancelled_call_leaves_the_connection_as_good_as_before,
    a_peer_that_is_silent_for_long_is_not_hung_up_on,
}

async fn every_checksum_type_that_the_peer_knows_is_understood(peer: Peer) {
    let there = There::start(peer).await;
    for checksum_type in known_checksum_types(peer) {
        let call = there.channel.call("kv::echo").peer(&there.address);
        let call = call.ttl(DEFAULT_TTL).checksum_type(*checksum_type);
        // More than one frame: the checksum of the second goes on from that of the first.
        let sent = Bytes::from(pattern(200_000));
        let response = call.send("headers", sent.clone()).await;
        let response = response.unwrap_or_else(|error| panic!("{checksum_type:?}: {error}"));
        assert!(response.arg3 == sent, "{checksum_type:?}");
    }
}

/// Farmhash is for Node alone; Go and Python do not even answer.
fn known_checksum_types(peer: Peer) -> &'static [ChecksumType] {
    use ChecksumType::{Crc32, Crc32c, Farmhash, None};
    match peer {
        Peer::Node => &[None, Crc32, Farmhash, Crc32c],
        Peer::Python | Peer::Go => &[None, Crc32, Crc32c],
        Peer::RingpopGo => &[],
    }
}

async fn args_in_a_stream_of_small_chunks_arrive_whole(peer: Peer) {
    let there = There::start(peer).await;
    let call = there.channel.call("kv::echo").peer(&there.address);
    let (mut args, answer) = call
        .ttl(DEFAULT_TTL)
        .stream()
        .await
        .expect("the peer listens");
    for chunk in ["head", "ers"] {
        args.send_arg2(chunk).await.expect("the call goes on");
    }
    for chunk in ["a", "", "bcd", "e"] {
        args.send(chunk).await.expect("the call goes on");
    }
    args.finish().await.expect("the call goes on");
    let mut answer = answer.response().await.expect("the peer answers");
    assert_eq!(answer.args.arg2(100).await.expect("arg2 ends"), "headers");
    assert_eq!(answer.args.arg3(100).await.expect("arg3 ends"), "abcde");
}

async fn a_call_in_flight_fails_at_once_when_the_peer_dies(peer: Peer) {
    let There {
        channel,
        address,
        server,
    } = There::start(peer).await;
    let call = channel.call("kv::never").peer(&address).ttl(DEFAULT_TTL);
    let kill = async { drop(server) };
    let (outcome, ()) = tokio::join!(call.send("", ""), kill);
    let error = outcome.expect_err("nobody can answer");
    assert_eq!(error.code(), ErrorCode::NetworkError, "{error}");
}

async fn a_handler_stops_when_its_caller_dies(peer: Peer) {
    let (events, mut happens) = mpsc::channel(2);
    let channel = Channel::new("kv");
    ours::offer_never(&channel, "kv", events);
    let address = channel.listen("127.0.0.1:0").await.expect("a port is free");

    let client = Client::start(peer);
    let never = Call::raw("kv", "never");
    let answer = client.call(Way::Peer(address), &never);
    // The client is killed with the future that waits for its answer.
    tokio::select! {
        event = happens.recv() => assert_eq!(event, Some("began")),
        answer = answer => panic!("it has no answer to give: {answer:?}"),
    }
    drop(client);
    assert_eq!(happens.recv().await, Some("stopped"));
}

async fn a_cancelled_call_leaves_the_connection_as_good_as_before(peer: Peer) {
    let there = There::start(peer).await;
    there.echo("before").await;
    for _ in 0..100 {
        let call = there.channel.call("kv::never").peer(&there.address);
        let sent = call.ttl(DEFAULT_TTL).send("", "");
        assert!(
            sent.now_or_never().is_none(),
            "nobody can have answered yet"
        );
    }
    there.echo("after").await;
    assert_eq!(there.channel.connections(), (0, 1));
}

async fn a_peer_that_is_silent_for_long_is_not_hung_up_on(peer: Peer) {
    let mut config = ChannelConfig::default();
    // Twenty pings, and Python answers none.
    config.ping_after = Some(Duration::from_millis(50));
    let there = There::start_with(peer, config).await;
    there.echo("before").await;
    let call = there.channel.call("kv::slow").peer(&there.address);
    let response = call.ttl(DEFAULT_TTL).send("", "1000").await;
    assert_eq!(response.expect("it is merely slow").arg3, "1000");
    assert_eq!(there.channel.connections(), (0, 1));
}

/// A service of a peer, and a channel of ours.
struct There {
    channel: Channel,
    address: String,
    server: Server,
}

impl There {
    async fn start(peer: Peer) -> Self {
        Self::start_with(peer, ChannelConfig::default()).await
    }

    async fn start_with(peer: Peer, config: ChannelConfig) -> Self {
        let server = Server::start(peer, "kv").await;
        Self {
            channel: Channel::with_config("interop", config),
            address: server.address().to_string(),
            server,
        }
    }

    async fn echo(&self, text: &'static str) -> Response {
        let call = self.channel.call("kv::echo").peer(&self.address);
        let response = call.ttl(DEFAULT_TTL).send("", text).await;
        let response = response.expect("the peer answers");
        assert_eq!(response.arg3, text);
        response
    }
}
