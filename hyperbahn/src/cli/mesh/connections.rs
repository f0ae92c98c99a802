//! What each exit says of the instances of a service: the answer of `connections_v1`.
//!
//! Source: spec/hyperbahn/api.md, "connections_v1".

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{note_behind, note_silent};
use crate::cli::table::Table;

/// By the address of the exit.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Connections {
    exits: BTreeMap<String, Said>,
}

/// What one exit knows, or why it did not say.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Said {
    /// The instances, by address.
    Known {
        /// Each with its connections to that exit.
        instances: BTreeMap<String, Instance>,
    },
    /// There was no answer.
    Silent {
        /// The reason; some routers give more than a text.
        err: Value,
    },
}

/// One instance as one exit sees it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instance {
    connected: Directions<bool>,
    init_headers: Directions<Option<Link>>,
    /// All names that it offers, as far as that exit knows.
    pub(super) service_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Directions<T> {
    r#in: T,
    out: T,
}

/// What the instance said of itself when a connection began.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Link {
    pub(super) process_name: Option<String>,
    pub(super) tchannel_language: Option<String>,
    pub(super) tchannel_language_version: Option<String>,
    pub(super) tchannel_version: Option<String>,
}

impl Connections {
    pub(super) fn exit(&self, address: &str) -> Option<&Said> {
        self.exits.get(address)
    }

    /// The exits that answered, each with its instances.
    pub(super) fn known(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Instance>)> {
        self.exits.iter().filter_map(|(exit, said)| match said {
            Said::Known { instances } => Some((exit.as_str(), instances)),
            Said::Silent { .. } => None,
        })
    }

    /// The exits that did not answer, each with the reason.
    pub(super) fn silent(&self) -> impl Iterator<Item = (&str, String)> {
        self.exits.iter().filter_map(|(exit, said)| match said {
            Said::Known { .. } => None,
            Said::Silent { err } => Some((exit.as_str(), reason(err))),
        })
    }

    /// Instances that some exit knows.
    pub(super) fn total(&self) -> usize {
        let all = self.known().flat_map(|(_, instances)| instances.keys());
        all.collect::<BTreeSet<_>>().len()
    }

    /// Says what is off: exits that do not answer, exits that know too little, nobody to call at all.
    pub(super) fn note(&self, table: &mut Table, service: &str) {
        let total = self.total();
        for (exit, reason) in self.silent() {
            note_silent(table, exit, &reason);
        }
        for (exit, instances) in self.known() {
            if instances.len() < total {
                note_behind(table, exit, instances.len(), total, service);
            }
        }
        if total == 0 {
            table.note(format_args!(
                "no instance of {service} is known: is it running, and does it advertise this name?"
            ));
        }
    }
}

impl Said {
    /// Why there is nothing to tell.
    pub(super) fn error(&self) -> Option<String> {
        match self {
            Self::Known { .. } => None,
            Self::Silent { err } => Some(reason(err)),
        }
    }
}

impl Instance {
    pub(super) fn is_connected(&self) -> bool {
        self.connected.r#in || self.connected.out
    }

    pub(super) fn link(&self) -> Option<&Link> {
        let links = &self.init_headers;
        links.out.as_ref().or(links.r#in.as_ref())
    }
}

fn reason(err: &Value) -> String {
    let text = err.as_str().or_else(|| err["message"].as_str());
    text.map_or_else(|| err.to_string(), ToOwned::to_owned)
}
