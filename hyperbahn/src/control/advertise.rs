//! `ad`, `unad` and their relayed forms.
//!
//! A service process names its services; the address is the one its connection announced. A router
//! that passes an ad on to an exit node names the address in the body. When it passes on what it was told
//! earlier, it says how long ago that was. Unknown fields are ignored.
//! Source: spec/hyperbahn/api.md, "ad"; spec/hyperbahn/api.md, "take-over".

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::json;
use super::read::Request;
use crate::host_port::{HostPort, HostPortError};
use crate::refusal::Refusal;
use crate::registry::{Handed, Offer};

#[derive(Deserialize)]
struct Ad {
    services: Vec<AdService>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdService {
    service_name: String,
}

#[derive(Serialize, Deserialize)]
struct Relay {
    services: Vec<RelayService>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RelayService {
    #[serde(default)]
    cost: u64,
    service_name: String,
    host_port: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    age_ms: Option<u64>,
}

/// What another router passes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relayed {
    /// What instances have just said.
    pub fresh: Vec<Offer>,
    /// What they said earlier, from a router that held it.
    pub handed: Vec<Handed>,
}

/// The offers of `ad` or `unad`. Entries with an empty name are left out, as they always were.
pub(super) fn read_ad(request: &Request<'_>) -> Result<Vec<Offer>, Refusal> {
    const SHAPE: &str = r#"{"services":[{"serviceName":"keyvalue"}]}"#;
    let ad: Ad = json::read(request, SHAPE)?;
    let instance = announced(request)?;
    let named = ad.services.into_iter().map(|entry| entry.service_name);
    let offers = named.filter(|name| !name.is_empty()).map(|name| Offer {
        name,
        instance: instance.clone(),
    });
    Ok(offers.collect())
}

/// The offers of `relay-ad` or `relay-unad`.
pub(super) fn read_relay(request: &Request<'_>) -> Result<Relayed, Refusal> {
    const SHAPE: &str = r#"{"services":[{"serviceName":"keyvalue","hostPort":"10.0.0.1:4040"}]}"#;
    let relay: Relay = json::read(request, SHAPE)?;
    let mut relayed = Relayed::default();
    for entry in relay.services {
        if entry.service_name.is_empty() {
            continue;
        }
        let instance = HostPort::parse(&entry.host_port).map_err(|error| {
            Refusal::bad_request(format!("{}: hostPort: {error}", request.endpoint))
        })?;
        let offer = Offer {
            name: entry.service_name,
            instance,
        };
        match entry.age_ms.map(Duration::from_millis) {
            None => relayed.fresh.push(offer),
            Some(age) => relayed.handed.push(Handed { offer, age }),
        }
    }
    Ok(relayed)
}

/// The body of `relay-ad` and `relay-unad` for what an instance has just said.
pub fn relay_body(offers: &[Offer]) -> impl Serialize + use<> {
    let services = offers.iter().map(|offer| relay_service(offer, None));
    Relay {
        services: services.collect(),
    }
}

/// The body of `relay-ad` for what was said earlier.
pub fn hand_over_body(handed: &[Handed]) -> impl Serialize + use<> {
    let services = handed.iter().map(|one| {
        let age = u64::try_from(one.age.as_millis()).unwrap_or(u64::MAX);
        relay_service(&one.offer, Some(age))
    });
    Relay {
        services: services.collect(),
    }
}

fn relay_service(offer: &Offer, age_ms: Option<u64>) -> RelayService {
    RelayService {
        cost: 0,
        service_name: offer.name.clone(),
        host_port: offer.instance.to_string(),
        age_ms,
    }
}

/// The router that asks for what it is to take over.
pub(super) fn read_take_over(request: &Request<'_>) -> Result<HostPort, Refusal> {
    const SHAPE: &str = r#"{"hostPort":"10.0.0.5:21300"}"#;
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct TakeOver {
        host_port: String,
    }
    let asked: TakeOver = json::read(request, SHAPE)?;
    HostPort::parse(&asked.host_port)
        .map_err(|error| Refusal::bad_request(format!("{}: hostPort: {error}", request.endpoint)))
}

/// The body of `take-over`.
pub fn take_over_body(newcomer: &HostPort) -> impl Serialize + use<> {
    serde_json::json!({"hostPort": newcomer.as_str()})
}

/// The answer to `take-over`, once the newcomer has them: how many registrations it was sent.
pub fn taken_over(registrations: usize) -> Answer {
    json::ok(&serde_json::json!({"registrations": registrations}))
}

fn announced(request: &Request<'_>) -> Result<HostPort, Refusal> {
    HostPort::parse(request.announced).map_err(|error| {
        Refusal::bad_request(match error {
            HostPortError::Ephemeral { text } => format!(
                "{}: this connection announced host_port {text}, which nobody can call back: \
                 listen first, then advertise over a channel that announces where it listens",
                request.endpoint
            ),
            HostPortError::Malformed { .. } => {
                format!("{}: the announced host_port {error}", request.endpoint)
            }
        })
    })
}

/// The answer to `ad` and `unad`: how many exit nodes were told.
pub fn advertised(connection_count: usize) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Advertised {
        connection_count: usize,
    }
    json::ok(&Advertised { connection_count })
}

/// The answer to `relay-ad` and `relay-unad`.
pub fn relayed() -> Answer {
    #[derive(Serialize)]
    struct Relayed {}
    json::ok(&Relayed {})
}
