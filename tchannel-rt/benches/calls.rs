//! Calls a second over loopback: unary echo, and the same through one relay.
//!
//! All ends share the machine's cores; compare runs of one machine with each other, not with the world.

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tchannel_rt::proto::peek::CallReqPeek;
use tchannel_rt::{Channel, PeerInfo, PeerList, Reply, Route, RouteTo};
use tokio::runtime::Runtime;

struct ToOne(PeerList);

impl Route for ToOne {
    fn route(&self, _: &CallReqPeek<'_>, _: &PeerInfo) -> RouteTo {
        RouteTo::Peers(self.0.clone())
    }

    fn hop(&self) -> &str {
        "bench"
    }
}

struct World {
    client: Channel,
    server: String,
    relay: String,
    _kept: [Channel; 2],
}

async fn build() -> World {
    let server = Channel::new("echo");
    server.service("echo").raw("echo", |request| async move {
        Ok(Reply::ok(request.arg2, request.arg3))
    });
    let server_addr = server
        .listen("127.0.0.1:0")
        .await
        .expect("a free port")
        .to_string();
    let relay = Channel::new("relay");
    let peers = relay.new_peer_list("echo");
    peers.add(&server_addr);
    relay.relay(ToOne(peers));
    let relay_addr = relay
        .listen("127.0.0.1:0")
        .await
        .expect("a free port")
        .to_string();
    World {
        client: Channel::new("bench"),
        server: server_addr,
        relay: relay_addr,
        _kept: [server, relay],
    }
}

async fn burst(world: &World, peer: &str, in_flight: usize, body: &Bytes) {
    let one = || {
        world
            .client
            .call("echo::echo")
            .peer(peer)
            .send(Bytes::new(), body.clone())
    };
    futures::future::try_join_all((0..in_flight).map(|_| one()))
        .await
        .expect("answers");
}

fn calls(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let world = runtime.block_on(build());
    for (name, peer) in [("direct", &world.server), ("relayed", &world.relay)] {
        let mut group = c.benchmark_group(name);
        for (size, in_flight) in [(32, 1), (32, 64), (4096, 64), (1024 * 1024, 1)] {
            let body = Bytes::from(vec![7; size]);
            group.throughput(Throughput::Elements(in_flight as u64));
            let id = BenchmarkId::new(format!("{size} B"), format!("{in_flight} in flight"));
            group.bench_function(id, |b| {
                b.iter(|| runtime.block_on(burst(&world, peer, in_flight, &body)))
            });
        }
        group.finish();
    }
}

criterion_group!(benches, calls);
criterion_main!(benches);
