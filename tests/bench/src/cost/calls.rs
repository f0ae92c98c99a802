//! Calls with both ends, and a relay between them, in one thread and without a socket. What the kernel does is
//! not counted, and neither is luck.

use bytes::Bytes;
use tchannel_rt::Channel;
use tokio::task::JoinSet;

use crate::load::Echo;
use crate::options::{SERVICE, Scheme};
use crate::relay::relay_to;
use crate::runtime;
use crate::typed::{Caller, serve_echo};

pub(super) fn raw(times: u64) {
    call_in_process(times, Scheme::Raw, false);
}

pub(super) fn thrift(times: u64) {
    call_in_process(times, Scheme::Thrift, false);
}

pub(super) fn msgpack(times: u64) {
    call_in_process(times, Scheme::Msgpack, false);
}

pub(super) fn relayed(times: u64) {
    call_in_process(times, Scheme::Raw, true);
}

// A lone call is not counted: how often the runtime looks for the time and for sockets between two of them
// depends on how fast the machine is.
const IN_FLIGHT: u64 = 64;

fn call_in_process(times: u64, scheme: Scheme, is_relayed: bool) {
    let runtime = runtime::with_threads(1).expect("a runtime");
    runtime.block_on(async {
        let server = Channel::new(SERVICE);
        serve_echo(&server, SERVICE);
        let relay = is_relayed.then(|| relay_to(&server.in_process()));
        let addr = relay.as_ref().unwrap_or(&server).in_process();
        let caller = Caller::new(Channel::new("caller"), SERVICE, Some(&addr), scheme);
        let mut callers = JoinSet::new();
        for number in 0..IN_FLIGHT {
            let calls = (times + IN_FLIGHT - 1 - number) / IN_FLIGHT;
            callers.spawn(call_often(caller.clone(), calls));
        }
        callers.join_all().await;
    });
}

async fn call_often(caller: Caller, times: u64) {
    let payload = Bytes::from_static(&[7; 32]);
    for _ in 0..times {
        let echoed = caller.echo(payload.clone()).await;
        assert_eq!(echoed, Ok(payload.len()));
    }
}
