//! A caller and a service, and the way between them.

use std::net::SocketAddr;

use hyperbahn::config::NodeConfig;
use hyperbahn::node::Node;
use tchannel_rt::Channel;
use test_interop::{Answer, Call, Client, Peer, Server, Way};

use crate::ours::{self, OurClient};

/// The name of every service.
const SERVICE: &str = "kv";

/// Who wrote one end of a pair.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// Our runtime.
    Ours,
    /// A peer, if it is installed.
    Theirs(Option<Peer>),
}

/// A caller, and the service it calls.
pub(crate) struct Pair {
    caller: Caller,
    way: Way,
    _service: Service,
    _router: Option<Node>,
}

enum Caller {
    Ours(OurClient),
    Theirs(Box<Client>),
}

#[expect(dead_code, reason = "held so that the service goes on")]
enum Service {
    Ours(Channel),
    Theirs(Box<Server>),
}

impl Pair {
    /// The caller dials the service.
    pub(crate) async fn direct(caller: End, service: End) -> Option<Self> {
        let caller = Caller::start(caller)?;
        let (service, address) = Service::start(service).await?;
        Some(Self {
            caller,
            way: Way::Peer(address),
            _service: service,
            _router: None,
        })
    }

    /// The service advertises to a router of ours, and the caller calls it through that router.
    pub(crate) async fn routed(caller: End, service: End) -> Option<Self> {
        let caller = Caller::start(caller)?;
        let (router, address) = start_router().await;
        let service = Service::advertise(service, address).await?;
        Some(Self {
            caller,
            way: Way::Router(address),
            _service: service,
            _router: Some(router),
        })
    }

    /// A call of a raw endpoint of the service.
    pub(crate) fn raw(&self, endpoint: &str) -> Call {
        Call::raw(SERVICE, endpoint)
    }

    /// The name of the service.
    pub(crate) fn service(&self) -> &'static str {
        SERVICE
    }

    /// Makes a call.
    pub(crate) async fn call(&self, call: &Call) -> Answer {
        match &self.caller {
            Caller::Ours(client) => client.call(self.way, call).await,
            Caller::Theirs(client) => client.call(self.way, call).await,
        }
    }
}

impl Caller {
    fn start(end: End) -> Option<Self> {
        Some(match end {
            End::Ours => Self::Ours(OurClient::new()),
            End::Theirs(peer) => Self::Theirs(Box::new(Client::start(peer?))),
        })
    }
}

impl Service {
    async fn start(end: End) -> Option<(Self, SocketAddr)> {
        Some(match end {
            End::Ours => {
                let (channel, address) = ours::serve(SERVICE).await;
                (Self::Ours(channel), address)
            }
            End::Theirs(peer) => {
                let server = Server::start(peer?, SERVICE).await;
                let address = server.address();
                (Self::Theirs(Box::new(server)), address)
            }
        })
    }

    async fn advertise(end: End, router: SocketAddr) -> Option<Self> {
        Some(match end {
            End::Ours => Self::Ours(ours::advertise(SERVICE, router).await),
            End::Theirs(peer) => {
                let server = Server::advertise(peer?, SERVICE, &[router]).await;
                Self::Theirs(Box::new(server))
            }
        })
    }
}

/// Starts a router of ours on a free port.
pub(crate) async fn start_router() -> (Node, SocketAddr) {
    let config = NodeConfig {
        listen: "127.0.0.1:0".to_owned(),
        ..NodeConfig::default()
    };
    let node = Node::start(config).await.expect("a port is free");
    let address = node.address().to_string();
    let address = address.parse().expect("it listens on an address");
    (node, address)
}

/// Runs every check on a pair, one test each. A pair that cannot be made has said so aloud.
macro_rules! every_check {
    ($($name:ident: $pair:expr;)*) => { $(
        mod $name {
            use crate::pair::every_check;
            every_check!(@tests $pair,
                args_of_every_size_come_back,
                an_arg3_that_ends_around_the_frame_edge_comes_back,
                an_application_error_arrives_with_its_args,
                each_system_error_arrives_as_itself,
                an_unknown_endpoint_is_a_bad_request,
                a_call_that_nobody_answers_times_out,
                json_arrives_as_it_was_meant,
                thrift_arrives_as_it_was_meant,
                a_thousand_calls_in_flight_get_each_its_own_answer,
            );
        }
    )* };
    (@tests $pair:expr, $($check:ident,)*) => { $(
        #[tokio::test(flavor = "multi_thread")]
        async fn $check() {
            use super::*;
            if let Some(pair) = $pair.await {
                crate::checks::$check(&pair).await;
            }
        }
    )* };
}
pub(crate) use every_check;

/// Runs each function of the module on each peer, one test each.
macro_rules! every_peer {
    ($($sentence:ident,)*) => {
        crate::pair::every_peer!(@tests node: $($sentence,)*);
        crate::pair::every_peer!(@tests python: $($sentence,)*);
        crate::pair::every_peer!(@tests go: $($sentence,)*);
    };
    (@tests $peer:ident: $($sentence:ident,)*) => {
        mod $peer { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $sentence() {
                if let Some(peer) = test_interop::Peer::$peer() {
                    super::$sentence(peer).await;
                }
            }
        )* }
    };
}
pub(crate) use every_peer;
