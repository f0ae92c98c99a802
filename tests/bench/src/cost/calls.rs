//! Calls with both ends, and a relay between them, in one thread and without a socket. What the kernel does is
//! not counted, and neither is luck.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tchannel_rt::{Channel, ChannelConfig};
use tokio::task::JoinSet;

use super::router::route_among;
use crate::load::Echo;
use crate::options::{SERVICE, Scheme};
use crate::relay::relay_to;
use crate::runtime;
use crate::typed::{Caller, serve_echo};

pub(super) fn raw(times: u64) -> Duration {
    ENDS.call(times)
}

pub(super) fn thrift(times: u64) -> Duration {
    ENDS.in_scheme(Scheme::Thrift).call(times)
}

pub(super) fn msgpack(times: u64) -> Duration {
    ENDS.in_scheme(Scheme::Msgpack).call(times)
}

pub(super) fn of_trait(times: u64) -> Duration {
    ENDS.in_scheme(Scheme::Trait).call(times)
}

pub(super) fn relayed(times: u64) -> Duration {
    ENDS.apart_by(Between::Relay).call(times)
}

pub(super) fn routed_among<const SERVICES: usize>(times: u64) -> Duration {
    let router = Between::Router { services: SERVICES };
    ENDS.apart_by(router).call(times)
}

pub(super) fn raw_of<const IN_FLIGHT: u64>(times: u64) -> Duration {
    let in_flight = IN_FLIGHT;
    Ends { in_flight, ..ENDS }.call(times)
}

pub(super) fn raw_among<const CONNECTIONS: usize>(times: u64) -> Duration {
    let connections = CONNECTIONS;
    Ends {
        connections,
        ..ENDS
    }
    .call(times)
}

/// A caller, a server, and what is between and beside them.
#[derive(Clone, Copy)]
struct Ends {
    scheme: Scheme,
    between: Between,
    in_flight: u64,
    /// All that the server has; calls are made over one.
    connections: usize,
}

#[derive(Clone, Copy)]
enum Between {
    Nothing,
    Relay,
    /// A relay that knows so many services.
    Router {
        services: usize,
    },
}

const ENDS: Ends = Ends {
    scheme: Scheme::Raw,
    between: Between::Nothing,
    in_flight: 64,
    connections: 1,
};

impl Ends {
    const fn in_scheme(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }

    const fn apart_by(self, between: Between) -> Self {
        Self { between, ..self }
    }

    /// Makes so many calls once everybody has made one.
    fn call(self, times: u64) -> Duration {
        let runtime = runtime::with_threads(1).expect("a runtime");
        runtime.block_on(async {
            let server = Channel::with_config(SERVICE, silent());
            serve_echo(&server, SERVICE);
            let direct = server.in_process();
            let _idle = connect(&direct, self.connections - 1).await;
            let hop = match self.between {
                Between::Nothing => None,
                Between::Relay => Some(relay_to(&direct)),
                Between::Router { services } => Some(route_among(services, &direct)),
            };
            let addr = hop.as_ref().unwrap_or(&server).in_process();
            let caller = Caller::new(Channel::new("caller"), SERVICE, Some(&addr), self.scheme);
            self.share(&caller, self.in_flight).await;
            let began = Instant::now();
            self.share(&caller, times).await;
            began.elapsed()
        })
    }

    async fn share(self, caller: &Caller, times: u64) {
        let mut callers = JoinSet::new();
        for number in 0..self.in_flight {
            let calls = (times + self.in_flight - 1 - number) / self.in_flight;
            callers.spawn(call_often(caller.clone(), calls));
        }
        callers.join_all().await;
    }
}

async fn call_often(caller: Caller, times: u64) {
    let payload = Bytes::from_static(&[7; 32]);
    for _ in 0..times {
        let echoed = caller.echo(payload.clone()).await;
        assert_eq!(echoed, Ok(payload.len()));
    }
}

/// As a channel is, but for pings: those go by the clock, and so would the count of a call beside them.
fn silent() -> ChannelConfig {
    let mut config = ChannelConfig::default();
    config.ping_after = None;
    config
}

/// Channels with a connection each, over which one call was made.
async fn connect(addr: &str, count: usize) -> Vec<Channel> {
    let mut channels = Vec::new();
    for _ in 0..count {
        let channel = Channel::with_config("idle", silent());
        let caller = Caller::new(channel.clone(), SERVICE, Some(addr), Scheme::Raw);
        call_often(caller, 1).await;
        channels.push(channel);
    }
    channels
}
