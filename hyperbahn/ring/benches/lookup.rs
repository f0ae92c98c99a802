//! Lookups on a thousand servers, and what a change of members costs.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hyperbahn_ring::{Ring, Server};

const SERVERS: usize = 1_000;

fn server(number: usize) -> Server {
    Server::new(format!("10.0.{}.{}:7000", number / 250, number % 250))
}

fn ring() -> Ring {
    Ring::from_servers((0..SERVERS).map(server))
}

/// Enough keys that their points do not all stay in the nearest cache.
fn keys() -> Vec<String> {
    (0..16_384)
        .map(|number| format!("service-{number}"))
        .collect()
}

fn lookups(criterion: &mut Criterion) {
    let (ring, keys) = (ring(), keys());
    let mut group = criterion.benchmark_group("1000 servers");
    let mut key = keys.iter().cycle();
    group.bench_function("lookup", |bencher| {
        bencher.iter(|| ring.lookup(black_box(key.next().expect("a cycle"))))
    });
    group.bench_function("lookup of ten", |bencher| {
        bencher.iter(|| ring.lookup_n(black_box(key.next().expect("a cycle")), 10))
    });
    group.finish();
}

fn changes(criterion: &mut Criterion) {
    let ring = ring();
    let mut group = criterion.benchmark_group("1000 servers");
    group.bench_function("add", |bencher| {
        bencher.iter(|| ring.add(server(black_box(SERVERS))))
    });
    group.bench_function("remove", |bencher| {
        bencher.iter(|| ring.remove(black_box("10.0.2.0:7000")))
    });
    group.bench_function("build", |bencher| {
        bencher.iter(|| Ring::from_servers((0..black_box(SERVERS)).map(server)))
    });
    group.bench_function("checksum", |bencher| bencher.iter(|| ring.checksum()));
    group.finish();
}

criterion_group!(benches, lookups, changes);
criterion_main!(benches);
