//! From facts to the bytes of an answer.

use bytes::Bytes;

use super::connections::PeerLinks;
use super::{channels, connections, discover, health, hosts};
use crate::host_port::HostPort;
use crate::refusal::Refusal;
use crate::routing::View;

use super::read::Command;

/// What goes back to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Call res with code 0.
    Ok(Body),
    /// Call res with code 1: the endpoint's own kind of failure.
    NotOk(Body),
    /// An error frame.
    Refused(Refusal),
}

/// The args of a call res.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The `as` header.
    pub scheme: &'static str,
    /// Application headers.
    pub arg2: Bytes,
    /// The body.
    pub arg3: Bytes,
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Answers a question from the view, with `links` telling how an instance is connected.
///
/// `None` for a command that changes something: the node acts on those first and then answers with
/// [`advertised`](super::advertised) or [`relayed`](super::relayed).
pub fn answer(
    command: &Command,
    view: &View,
    links: impl Fn(&HostPort) -> PeerLinks,
) -> Option<Answer> {
    Some(match command {
        Command::Ad(_) | Command::Unad(_) | Command::RelayAd(_) | Command::RelayUnad(_) => {
            return None;
        }
        Command::Discover(service) => discover::answer(service, view),
        Command::Hosts(_) => hosts::answer(view),
        Command::Connections(service) => connections::answer_by_exit(service, view, links),
        Command::ExitConnections(service) => connections::answer(service, view, links),
        Command::Channels => channels::answer(view),
        Command::Health => health::answer(),
        Command::MetaHealth(own) => health::answer_meta(*own),
        Command::MetaVersion => health::answer_version(),
    })
}
