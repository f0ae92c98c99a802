//! `connections_v1` and `exit_connections_v1`: which instances a router knows and how they are
//! connected.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::answer::Answer;
use super::json;
use crate::host_port::HostPort;
use crate::routing::View;

/// How one peer is connected to this router.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerLinks {
    /// A connection that the peer opened.
    pub incoming: Option<Link>,
    /// A connection that this router opened.
    pub outgoing: Option<Link>,
}

/// What the peer said of itself when a connection began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Where it listens.
    pub host_port: String,
    /// Its process.
    pub process_name: String,
    /// What its TChannel is written in; absent when it did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tchannel_language: Option<String>,
    /// The version of that language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tchannel_language_version: Option<String>,
    /// The version of its TChannel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tchannel_version: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Instance<'a> {
    connected: Directions<bool>,
    identified: Directions<bool>,
    init_headers: Directions<Option<Link>>,
    service_names: Vec<&'a str>,
}

#[derive(Serialize)]
struct Directions<T> {
    r#in: T,
    out: T,
}

/// The instances of `service` at this router.
pub(super) fn answer(service: &str, view: &View, links: impl Fn(&HostPort) -> PeerLinks) -> Answer {
    json::ok(&instances(service, view, links))
}

/// What each exit said: the body of its `exit_connections_v1`, or why there is none.
pub fn connections_by_exit(said: BTreeMap<HostPort, Result<Value, String>>) -> Answer {
    let exits = said.into_iter().map(|(exit, said)| {
        let said = match said {
            Ok(instances) => serde_json::json!({"instances": instances}),
            Err(error) => serde_json::json!({"err": error}),
        };
        (exit.to_string(), said)
    });
    json::ok(&exits.collect::<BTreeMap<_, _>>())
}

fn instances<'v>(
    service: &str,
    view: &'v View,
    links: impl Fn(&HostPort) -> PeerLinks,
) -> BTreeMap<&'v str, Instance<'v>> {
    let beside = view.services.names_beside(service).into_iter();
    let described = beside.map(|(instance, service_names)| {
        (instance.as_str(), describe(links(instance), service_names))
    });
    described.collect()
}

// A connection is known to this router once both sides have introduced themselves, so one that is
// connected is identified as well.
fn describe(links: PeerLinks, service_names: Vec<&str>) -> Instance<'_> {
    let present = || Directions {
        r#in: links.incoming.is_some(),
        out: links.outgoing.is_some(),
    };
    Instance {
        connected: present(),
        identified: present(),
        init_headers: Directions {
            r#in: links.incoming.clone(),
            out: links.outgoing.clone(),
        },
        service_names,
    }
}
