//! A caller and a service, and the way between them.

use test_interop::{Answer, Call, Client, Peer, Server, Way};

/// The name of every service.
const SERVICE: &str = "kv";

/// A caller, and the service it calls.
pub(crate) struct Pair {
    client: Client,
    way: Way,
    _server: Server,
}

impl Pair {
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
        self.client.call(self.way, call).await
    }

    /// One peer calls another, without anything of ours between them.
    pub(crate) async fn foreign(caller: Option<Peer>, server: Option<Peer>) -> Option<Self> {
        let (caller, server) = (caller?, server?);
        let server = Server::start(server, SERVICE).await;
        Some(Self {
            client: Client::start(caller),
            way: Way::Peer(server.address()),
            _server: server,
        })
    }
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
