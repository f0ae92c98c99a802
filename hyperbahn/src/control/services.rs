//! `services_v1` and `exit_services_v1`: which services there are, and who holds them.
//!
//! Source: spec/hyperbahn/api.md, "services_v1".

use std::collections::BTreeMap;

use serde::Serialize;

use super::answer::Answer;
use super::json;
use crate::host_port::HostPort;
use crate::routing::View;

/// How many instances of each service a router knows: the body of `exit_services_v1`.
pub type ExitServices = BTreeMap<String, usize>;

/// The services that have an instance at this router.
pub(super) fn answer(view: &View) -> Answer {
    let counts = view.services.iter();
    let counts = counts.map(|(name, instances)| (name, instances.len()));
    json::ok(&counts.collect::<BTreeMap<_, _>>())
}

#[derive(Default, Serialize)]
struct Service {
    instances: usize,
    exits: BTreeMap<String, usize>,
}

#[derive(Serialize)]
struct Services {
    services: BTreeMap<String, Service>,
    unreachable: BTreeMap<String, String>,
}

/// What all routers said: `exit_services_v1` of each, or why there is none.
pub fn services_by_exit(said: BTreeMap<HostPort, Result<ExitServices, String>>) -> Answer {
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    let mut unreachable = BTreeMap::new();
    for (exit, said) in said {
        match said {
            Err(error) => {
                unreachable.insert(exit.to_string(), error);
            }
            Ok(counts) => {
                for (name, count) in counts {
                    let service = services.entry(name).or_default();
                    service.instances = service.instances.max(count);
                    service.exits.insert(exit.to_string(), count);
                }
            }
        }
    }
    json::ok(&Services {
        services,
        unreachable,
    })
}
