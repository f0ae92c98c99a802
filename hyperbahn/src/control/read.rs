//! From the args of a call to what the caller wants.

use bytes::Bytes;

use super::advertise::Relayed;
use super::answer::Answer;
use super::{advertise, discover, health, hosts};
use crate::host_port::HostPort;
use crate::refusal::Refusal;
use crate::registry::Offer;
use crate::routing::OwnService;

/// Longest body that is read, in bytes: room for a thousand names of the greatest length, twice.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// A call to one of the router's own services.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The service that was called.
    pub service: OwnService,
    /// arg1.
    pub endpoint: &'a str,
    /// The `as` header, if there was one.
    pub scheme: Option<&'a str>,
    /// arg3. The application headers in arg2 mean nothing to any endpoint and are not read.
    pub body: &'a Bytes,
    /// The `host_port` that the caller's connection announced.
    pub announced: &'a str,
}

/// What a caller wants from the router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Take these offers in, wherever they belong.
    Ad(Vec<Offer>),
    /// Withdraw these offers, wherever they are held.
    Unad(Vec<Offer>),
    /// Take these offers in, here.
    RelayAd(Relayed),
    /// Withdraw these offers, here.
    RelayUnad(Vec<Offer>),
    /// Send this router, which is about to join, what it will be an exit for.
    TakeOver(HostPort),
    /// List the instances of a service, as thrift, wherever they are known.
    Discover(String),
    /// List the instances of a service that are known here, as thrift.
    DiscoverHere(String),
    /// List the exit nodes of a service.
    Hosts(String),
    /// List the instances of a service at each exit node, with their connections.
    Connections(String),
    /// List the instances of a service here, with their connections.
    ExitConnections(String),
    /// List the routers.
    Members,
    /// List all services, with how many instances each has and which exits hold them.
    Services,
    /// List the services that have an instance here, with how many.
    ExitServices,
    /// List the services that have an instance here, and the router's own.
    Channels,
    /// Say that the router runs.
    Health,
    /// Say that the router runs, as thrift.
    MetaHealth(OwnService),
    /// Say what the router is made of, as thrift.
    MetaVersion,
}

/// Reads what the caller wants.
///
/// # Errors
///
/// The [`Answer`] to give at once, when the request is malformed.
pub fn read(request: &Request<'_>) -> Result<Command, Answer> {
    let scheme = request.scheme.ok_or_else(|| {
        Refusal::bad_request("Expected incoming call request to have \"as\" header set.")
    })?;
    let reader = Reader::of(request).ok_or_else(|| no_such_endpoint(request))?;
    if scheme != reader.scheme {
        return Err(wrong_scheme(reader.scheme).into());
    }
    if request.body.len() > MAX_BODY_BYTES {
        return Err(too_long(request).into());
    }
    (reader.read)(request)
}

/// How an endpoint is asked.
struct Reader {
    scheme: &'static str,
    read: fn(&Request<'_>) -> Result<Command, Answer>,
}

impl Reader {
    fn of(request: &Request<'_>) -> Option<Self> {
        use OwnService::{Autobahn, Hyperbahn};
        let json = |read| {
            Some(Self {
                scheme: "json",
                read,
            })
        };
        let thrift = |read| {
            Some(Self {
                scheme: "thrift",
                read,
            })
        };
        match (request.service, request.endpoint) {
            (Hyperbahn, "ad") => json(|r| Ok(Command::Ad(advertise::read_ad(r)?))),
            (Hyperbahn, "unad") => json(|r| Ok(Command::Unad(advertise::read_ad(r)?))),
            (Hyperbahn, "relay-ad") => json(|r| Ok(Command::RelayAd(advertise::read_relay(r)?))),
            (Hyperbahn, "relay-unad") => {
                json(|r| Ok(Command::RelayUnad(advertise::read_relay(r)?.fresh)))
            }
            (Hyperbahn, "take-over") => {
                json(|r| Ok(Command::TakeOver(advertise::read_take_over(r)?)))
            }
            (Hyperbahn, "Hyperbahn::discover") => {
                thrift(|r| discover::read(r).map(Command::Discover))
            }
            // For routers that disagree about exit nodes: it never goes on.
            (Hyperbahn, "Hyperbahn::discoverAffine") => {
                thrift(|r| discover::read(r).map(Command::DiscoverHere))
            }
            (Autobahn, "hosts_v1") => json(|r| hosts::read(r).map(Command::Hosts)),
            (Autobahn, "connections_v1") => json(|r| hosts::read(r).map(Command::Connections)),
            (Autobahn, "exit_connections_v1") => {
                json(|r| hosts::read(r).map(Command::ExitConnections))
            }
            (Autobahn, "members_v1") => json(|_| Ok(Command::Members)),
            (Autobahn, "services_v1") => json(|_| Ok(Command::Services)),
            (Autobahn, "exit_services_v1") => json(|_| Ok(Command::ExitServices)),
            (Autobahn, "channels_v1") => json(|_| Ok(Command::Channels)),
            (Autobahn, "health_v1") => json(|_| Ok(Command::Health)),
            (_, "Meta::health") => thrift(health::read),
            (_, "Meta::versionInfo") => thrift(|_| Ok(Command::MetaVersion)),
            _ => None,
        }
    }
}

fn no_such_endpoint(request: &Request<'_>) -> Refusal {
    Refusal::bad_request(format!(
        "no such endpoint service=\"{}\" endpoint=\"{}\"",
        request.service.name(),
        crate::host_port::abbreviate(request.endpoint),
    ))
}

fn too_long(request: &Request<'_>) -> Refusal {
    Refusal::bad_request(format!(
        "the body of {} has {} bytes: the most is {MAX_BODY_BYTES}",
        request.endpoint,
        request.body.len(),
    ))
}

fn wrong_scheme(expected: &str) -> Refusal {
    Refusal::bad_request(format!("Expected call request as header to be {expected}"))
}
