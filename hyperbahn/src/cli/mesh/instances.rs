//! `hyperbahn instances`: which processes offer a service, and which exits know them.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::connections::{Connections, Link};
use super::{AskArgs, count};
use crate::cli::exit::Exit;
use crate::cli::table::{Column, NOTHING, Table};

const EXAMPLES: &str = "\
Examples:
  hyperbahn instances demo
  hyperbahn instances demo --router 10.0.0.5:21300
  hyperbahn instances demo --json

Every exit of the service should know each instance, and some exits should be connected to it: all
of them, or a share when there are many instances.";

/// Which service.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InstancesArgs {
    /// Name of the service
    #[arg(value_name = "NAME")]
    service: String,

    #[command(flatten)]
    ask: AskArgs,
}

#[derive(Debug, Serialize)]
struct Document {
    instances: Vec<Instance>,
    /// Exits that did not answer, each with the reason.
    unreachable: BTreeMap<String, String>,
}

#[derive(Debug, Default, Serialize)]
struct Instance {
    address: String,
    process: Option<String>,
    language: Option<String>,
    language_version: Option<String>,
    tchannel_version: Option<String>,
    /// Exits that have it registered.
    known_by: Vec<String>,
    /// Exits that have a connection to it.
    connected_to: Vec<String>,
    other_services: BTreeSet<String>,
}

/// Lists the instances of a service.
pub(crate) async fn run(args: InstancesArgs) -> Exit {
    let body = json!({"serviceName": args.service});
    match args.ask.ask("connections_v1", &body).await {
        Ok(connections) => {
            let document = document(&connections, &args.service);
            let table = table(&document, &connections, &args.service);
            args.ask.show(&document, &table)
        }
        Err(exit) => exit,
    }
}

fn document(connections: &Connections, service: &str) -> Document {
    let unreachable = connections.silent();
    Document {
        instances: merged(connections, service),
        unreachable: unreachable
            .map(|(exit, reason)| (exit.to_owned(), reason))
            .collect(),
    }
}

/// What all exits say of each instance, by address.
fn merged(connections: &Connections, service: &str) -> Vec<Instance> {
    let mut merged: BTreeMap<&str, Instance> = BTreeMap::new();
    for (exit, instances) in connections.known() {
        for (address, seen) in instances {
            let instance = merged.entry(address).or_default();
            instance.address.clone_from(address);
            instance.known_by.push(exit.to_owned());
            if seen.is_connected() {
                instance.connected_to.push(exit.to_owned());
            }
            if let Some(link) = seen.link() {
                instance.learn(link);
            }
            let others = seen.service_names.iter().filter(|name| *name != service);
            instance.other_services.extend(others.cloned());
        }
    }
    merged.into_values().collect()
}

impl Instance {
    fn learn(&mut self, link: &Link) {
        let link = link.clone();
        self.process = self.process.take().or(link.process_name);
        self.language = self.language.take().or(link.tchannel_language);
        self.language_version = self
            .language_version
            .take()
            .or(link.tchannel_language_version);
        self.tchannel_version = self.tchannel_version.take().or(link.tchannel_version);
    }

    /// "node 20.11.0"
    fn made_of(&self) -> String {
        match (&self.language, &self.language_version) {
            (Some(language), Some(version)) => format!("{language} {version}"),
            (Some(language), None) => language.clone(),
            _ => NOTHING.to_owned(),
        }
    }
}

fn table(document: &Document, connections: &Connections, service: &str) -> Table {
    let mut table = Table::new(&[
        Column::Left("ADDRESS"),
        Column::Left("PROCESS"),
        Column::Left("LANGUAGE"),
        Column::Right("KNOWN BY"),
        Column::Right("CONNECTED TO"),
        Column::Left("OTHER SERVICES"),
    ]);
    for instance in &document.instances {
        let process = instance.process.clone();
        let others: Vec<_> = instance.other_services.iter().cloned().collect();
        table.row([
            instance.address.clone(),
            process.unwrap_or_else(|| NOTHING.to_owned()),
            instance.made_of(),
            count(instance.known_by.len(), "exit"),
            count(instance.connected_to.len(), "exit"),
            match others.is_empty() {
                true => NOTHING.to_owned(),
                false => others.join(", "),
            },
        ]);
    }
    for instance in &document.instances {
        if instance.connected_to.is_empty() {
            table.note(format_args!(
                "{} is connected to no exit: can the routers dial it?",
                instance.address
            ));
        }
    }
    connections.note(&mut table, service);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_exits_say_of_an_instance_is_put_together() {
        let link = json!({
            "hostPort": "i:1", "processName": "web[7]", "tchannelLanguage": "node",
            "tchannelLanguageVersion": "20.11.0", "tchannelVersion": "4.1.0",
        });
        let connected = json!({
            "connected": {"in": false, "out": true}, "identified": {"in": false, "out": true},
            "initHeaders": {"in": null, "out": link}, "serviceNames": ["a", "b"],
        });
        let stranger = json!({
            "connected": {"in": false, "out": false}, "identified": {"in": false, "out": false},
            "initHeaders": {"in": null, "out": null}, "serviceNames": ["a"],
        });
        let said = json!({
            "r:1": {"instances": {"i:1": connected, "i:22": stranger}},
            "r:2": {"instances": {"i:1": stranger, "i:22": stranger}},
            "r:3": {"err": {"type": "timeout", "message": "no answer"}},
        });
        let connections: Connections = serde_json::from_value(said).unwrap();
        let document = document(&connections, "a");
        let lines = "\
ADDRESS  PROCESS  LANGUAGE      KNOWN BY  CONNECTED TO  OTHER SERVICES
i:1      web[7]   node 20.11.0   2 exits        1 exit  b
i:22     -        -              2 exits       0 exits  -

i:22 is connected to no exit: can the routers dial it?
r:3 did not answer: no answer";
        assert_eq!(table(&document, &connections, "a").to_string(), lines);
        assert_eq!(
            serde_json::to_value(&document).unwrap(),
            json!({
                "instances": [
                    {"address": "i:1", "process": "web[7]", "language": "node",
                     "language_version": "20.11.0", "tchannel_version": "4.1.0",
                     "known_by": ["r:1", "r:2"], "connected_to": ["r:1"], "other_services": ["b"]},
                    {"address": "i:22", "process": null, "language": null,
                     "language_version": null, "tchannel_version": null,
                     "known_by": ["r:1", "r:2"], "connected_to": [], "other_services": []},
                ],
                "unreachable": {"r:3": "no answer"},
            })
        );
    }
}
