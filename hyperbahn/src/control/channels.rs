//! `channels_v1`: the services this router knows, and what becomes of calls to them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::answer::Answer;
use super::json;
use crate::routing::{OwnService, View};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Channel<'a> {
    service_name: &'a str,
    handler_type: &'static str,
}

pub(super) fn answer(view: &View) -> Answer {
    let own = OwnService::ALL.map(|own| (own.name(), own_handler(own)));
    let offered = view.services.iter();
    let relayed = offered.map(|(name, _)| (name, "tchannel.relay-handler"));
    let channels = own.into_iter().chain(relayed).map(|(name, handler_type)| {
        let channel = Channel {
            service_name: name,
            handler_type,
        };
        (name, channel)
    });
    json::ok(&channels.collect::<BTreeMap<_, _>>())
}

fn own_handler(own: OwnService) -> &'static str {
    match own {
        OwnService::Hyperbahn => "hyperbahn.advertisement-handler",
        OwnService::Autobahn | OwnService::Ringpop | OwnService::Tchannel => {
            "tchannel.endpoint-handler"
        }
    }
}
