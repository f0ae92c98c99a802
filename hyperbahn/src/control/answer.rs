//! From facts to the bytes of an answer.

use bytes::Bytes;

use super::connections::PeerLinks;
use super::{channels, connections, discover, health, hosts, services};
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

/// Answers a question that this router can answer by itself, from the view, with `links` telling how an
/// instance is connected.
///
/// `None` for a command that changes something or needs other routers.
pub fn answer(
    command: &Command,
    view: &View,
    links: impl Fn(&HostPort) -> PeerLinks,
) -> Option<Answer> {
    Some(match command {
        Command::Ad(_)
        | Command::Unad(_)
        | Command::RelayAd(_)
        | Command::RelayUnad(_)
        | Command::TakeOver(_)
        | Command::Discover(_)
        | Command::Connections(_)
        | Command::Services
        | Command::Members => {
            return None;
        }
        Command::DiscoverHere(service) => discover::answer(service, view),
        Command::Hosts(service) => hosts::answer(service, view),
        Command::ExitConnections(service) => connections::answer(service, view, links),
        Command::ExitServices => services::answer(view),
        Command::Channels => channels::answer(view),
        Command::Health => health::answer(),
        Command::MetaHealth(own) => health::answer_meta(*own),
        Command::MetaVersion => health::answer_version(),
    })
}

/// The answer that another router gave to a thrift question, for whoever asked this one.
pub fn passed_on(ok: bool, arg3: Bytes) -> Answer {
    let body = Body {
        scheme: "thrift",
        arg2: Bytes::from_static(&[0, 0]),
        arg3,
    };
    match ok {
        true => Answer::Ok(body),
        false => Answer::NotOk(body),
    }
}

/// What an answer of this router says, as another router would read it.
///
/// # Errors
///
/// What went wrong, if it is no answer with code 0.
pub fn read_back<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, String> {
    match answer {
        Answer::Ok(body) => serde_json::from_slice(&body.arg3).map_err(|error| error.to_string()),
        Answer::NotOk(body) => Err(String::from_utf8_lossy(&body.arg3).into_owned()),
        Answer::Refused(refusal) => Err(refusal.to_string()),
    }
}
