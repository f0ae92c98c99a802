//! `ad`, `unad` and their relayed forms.
//!
//! A service process names its services; the address is the one its connection announced. A router
//! that passes an ad on to an exit node names the address in the body. Unknown fields are ignored.
//! Source: spec/hyperbahn/api.md, "ad".

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::json;
use super::read::Request;
use crate::host_port::{HostPort, HostPortError};
use crate::refusal::Refusal;
use crate::registry::Offer;

#[derive(Deserialize)]
struct Ad {
    services: Vec<AdService>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdService {
    service_name: String,
}

#[derive(Deserialize)]
struct Relay {
    services: Vec<RelayService>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RelayService {
    service_name: String,
    host_port: String,
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
pub(super) fn read_relay(request: &Request<'_>) -> Result<Vec<Offer>, Refusal> {
    const SHAPE: &str = r#"{"services":[{"serviceName":"keyvalue","hostPort":"10.0.0.1:4040"}]}"#;
    let relay: Relay = json::read(request, SHAPE)?;
    let named = relay.services.into_iter();
    let offers = named
        .filter(|entry| !entry.service_name.is_empty())
        .map(|entry| {
            let instance = HostPort::parse(&entry.host_port).map_err(|error| {
                Refusal::bad_request(format!("{}: hostPort: {error}", request.endpoint))
            })?;
            Ok(Offer {
                name: entry.service_name,
                instance,
            })
        });
    offers.collect()
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
