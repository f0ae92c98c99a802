//! A service and its client in one line, for tests.

use crate::channel::Channel;
use crate::serve::Offer;
use crate::typed::Client;

/// The name that the service has for itself and its callers.
const SERVICE: &str = "in-process";

/// A client of `service`, which runs in this process: everything but the socket.
///
/// For tests: `GreeterClient::with(tchannel_rt::in_process(Me.into_service()))`. Frames, deadlines, cancels
/// and errors are those of [`Channel::in_process`]. The service stops with the last clone of the client; its
/// handlers know it by the name `in-process`.
#[must_use = "the service stops with its client"]
pub fn in_process(service: impl Offer) -> Client {
    let channel = Channel::new(SERVICE);
    service.put(&channel.service(SERVICE));
    channel.peers(SERVICE).add(&channel.in_process());
    Client::new(&channel, SERVICE)
}
