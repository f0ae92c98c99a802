//! `members_v1`: the routers, as this one sees them.
//!
//! Source: spec/hyperbahn/api.md, "members_v1".

use std::collections::BTreeMap;

use hyperbahn_swim::Member;
use serde::Serialize;

use super::answer::Answer;
use super::json;

#[derive(Serialize)]
struct Row<'a> {
    address: &'a str,
    status: &'static str,
    incarnation: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<&'a str, &'a str>,
}

/// The answer: one object for each member, by address.
pub fn members(members: &[Member]) -> Answer {
    let rows = members.iter().map(|member| Row {
        address: &member.address,
        status: member.status.as_str(),
        incarnation: member.incarnation,
        labels: member
            .labels
            .iter()
            .flat_map(|labels| labels.iter())
            .collect(),
    });
    json::ok(&rows.collect::<Vec<_>>())
}
