//! `hyperbahn members`: which routers there are, and how they are.

use std::collections::BTreeMap;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AskArgs;
use crate::cli::exit::Exit;
use crate::cli::table::{Column, NOTHING, Table};

const EXAMPLES: &str = "\
Examples:
  hyperbahn members
  hyperbahn members --router 10.0.0.5:21300
  hyperbahn members --json

The status is one of alive, suspect (it does not answer pings), faulty (it has stopped, or is given up),
leave (an operator took it out) and tombstone (about to be forgotten). The incarnation counts milliseconds; a member raises its own
when it starts, comes back or contradicts a rumour.";

/// Whom to ask for the members.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MembersArgs {
    #[command(flatten)]
    ask: AskArgs,
}

/// As in the answer of `members_v1`.
#[derive(Debug, Deserialize, Serialize)]
struct Member {
    address: String,
    status: String,
    incarnation: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

/// Lists the routers.
pub(crate) async fn run(args: MembersArgs) -> Exit {
    match args
        .ask
        .ask::<Vec<Member>>("members_v1", &Value::Null)
        .await
    {
        Ok(members) => args.ask.show(&members, &table(&members)),
        Err(exit) => exit,
    }
}

fn table(members: &[Member]) -> Table {
    let mut table = Table::new(&[
        Column::Left("ADDRESS"),
        Column::Left("STATUS"),
        Column::Right("INCARNATION (ms)"),
        Column::Left("LABELS"),
    ]);
    for member in members {
        table.row([
            member.address.clone(),
            member.status.clone(),
            member.incarnation.to_string(),
            labels(member),
        ]);
    }
    for Member {
        address, status, ..
    } in members
    {
        match status.as_str() {
            "suspect" => table.note(format_args!(
                "{address} is suspect: it does not answer pings; unless it does, it is given up"
            )),
            "faulty" => table.note(format_args!(
                "{address} is faulty: it has stopped or is given up, and is off the ring until it comes back"
            )),
            _ => {}
        }
    }
    table
}

fn labels(member: &Member) -> String {
    let labels = member.labels.iter();
    let labels = labels.map(|(key, value)| format!("{key}={value}"));
    match labels.collect::<Vec<_>>() {
        none if none.is_empty() => NOTHING.to_owned(),
        labels => labels.join(","),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_that_is_in_doubt_or_given_up_is_noted() {
        let said = json!([
            {"address": "10.0.0.1:21300", "status": "alive", "incarnation": 1_700_000_000_000_u64},
            {"address": "10.0.0.12:21300", "status": "suspect", "incarnation": 7,
             "labels": {"zone": "b", "rack": "1"}},
            {"address": "10.0.0.13:21300", "status": "faulty", "incarnation": 8},
            {"address": "10.0.0.14:21300", "status": "leave", "incarnation": 9},
        ]);
        let members: Vec<Member> = serde_json::from_value(said.clone()).unwrap();
        let lines = "\
ADDRESS          STATUS   INCARNATION (ms)  LABELS
10.0.0.1:21300   alive       1700000000000  -
10.0.0.12:21300  suspect                 7  rack=1,zone=b
10.0.0.13:21300  faulty                  8  -
10.0.0.14:21300  leave                   9  -

10.0.0.12:21300 is suspect: it does not answer pings; unless it does, it is given up
10.0.0.13:21300 is faulty: it has stopped or is given up, and is off the ring until it comes back";
        assert_eq!(table(&members).to_string(), lines);
        assert_eq!(serde_json::to_value(&members).unwrap(), said);
    }
}
