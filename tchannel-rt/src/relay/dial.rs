//! A call whose peer has no connection yet. It is dialled off the read path: other calls of this caller do not
//! wait for it.

use std::sync::Arc;
use std::time::Instant;

use bytestring::ByteString;
use tchannel_proto::{ErrorCode, Frame, InboundKey, Ttl};

use super::calls::send_on;
use super::pass::tie;
use super::refusal::{Refusal, service_of};
use super::{PassedCall, Relay};
use crate::clock;
use crate::connection::{Conn, RelayLink, Served};
use crate::dispatch::Dispatch;
use crate::peer::{Chosen, Destination, Order, patience};

/// A call req that waits for a connection.
pub(crate) struct Dial {
    pub(super) key: InboundKey,
    pub(super) frame: Frame,
    /// What the caller would wait when it arrived.
    pub(super) ttl: Ttl,
    pub(super) arrived: Instant,
    /// By which another one can be chosen.
    pub(super) order: Option<Box<Order>>,
    pub(super) chosen: Chosen,
}

impl Dial {
    /// Dials, then sends the call of `caller`, or tells it why not.
    pub(super) fn start(self, caller: Conn, dispatch: Arc<Dispatch>) {
        tokio::spawn(async move {
            let Some(relay) = dispatch.relay() else {
                return;
            };
            let key = self.key;
            if let Err((code, text)) = self.run(relay, &caller).await {
                let mut core = caller.core();
                core.take_served(key);
                let _ = core.proto.respond_error(key, code, &text);
                caller.flush_soon(core);
            }
        });
    }

    async fn run(self, relay: &Relay, caller: &Conn) -> Result<(), Refusal> {
        let Self {
            key,
            frame,
            ttl,
            arrived,
            order,
            chosen,
        } = self;
        let to = Destination::again(&chosen, order);
        let left = || relay.remaining(ttl, arrived, clock::now());
        let (callee, chosen) = connect_to_one(relay, &frame, left, to.as_ref(), chosen).await?;
        if !is_waiting(caller, key) {
            // Cancelled, or its caller is gone.
            return Ok(());
        }
        let Some(ttl) = left() else {
            return Err(relay.ttl_passed(&frame));
        };
        let call = PassedCall {
            key,
            frame,
            ttl,
            chosen,
            callee: callee.clone(),
        };
        let sent = send_on(relay, caller, &mut callee.core(), call, clock::now());
        let sent = sent.map(|to| tie(caller, to));
        callee.flush();
        caller.read_on();
        sent
    }
}

fn is_waiting(caller: &Conn, key: InboundKey) -> bool {
    matches!(
        caller.core().served(key),
        Served::Relay(RelayLink::Dialling { .. })
    )
}

/// Connects to the chosen peer, or to another one while none can be reached: nothing has been sent yet.
async fn connect_to_one(
    relay: &Relay,
    frame: &Frame,
    left: impl Fn() -> Option<Ttl>,
    to: Option<&Destination>,
    first: Chosen,
) -> Result<(Conn, Chosen), Refusal> {
    let service = service_of(frame);
    let mut chosen = first;
    let mut tried: Vec<ByteString> = Vec::new();
    loop {
        let at = chosen.peer().host_port().clone();
        let left = left().map_or_else(Default::default, Ttl::as_duration);
        let has_another = to.is_some_and(|to| to.has_another(&at, &tried));
        let limit = if has_another { patience(left) } else { left };
        let failure = match tokio::time::timeout(limit, chosen.peer().connection()).await {
            Ok(Ok(callee)) => return Ok((callee, chosen)),
            Ok(Err(error)) => error.message().to_owned(),
            Err(_) if has_another => {
                format!("no connection to {at} within {} ms", limit.as_millis())
            }
            Err(_) => {
                chosen.failed(ErrorCode::Timeout);
                return Err(relay.ttl_passed_while_connecting(&service, &at));
            }
        };
        chosen.failed(ErrorCode::NetworkError);
        tried.push(at);
        let next = to.and_then(|to| to.choose(clock::now(), left, &tried));
        match next {
            Some(next) if !tried.contains(next.peer().host_port()) => chosen = next,
            _ => return Err(relay.nobody_reached(&service, tried.len(), &failure)),
        }
    }
}
