//! `hyperbahn exits`: which routers hold a service, how much of it they know, how much they keep
//! connected.

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::AskArgs;
use super::connections::{Connections, Said};
use crate::cli::exit::Exit;
use crate::cli::table::{Column, NOTHING, Table};

const EXAMPLES: &str = "\
Examples:
  hyperbahn exits demo
  hyperbahn exits demo --router 10.0.0.5:21300
  hyperbahn exits demo --json

The exits of a service are the first routers on the ring from its name on; they are listed in that
order. All know all instances. Of a service with many instances, each keeps only a share connected.";

/// Which service.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExitsArgs {
    /// Name of the service; any name has exits, whether somebody offers it or not
    #[arg(value_name = "NAME")]
    service: String,

    #[command(flatten)]
    ask: AskArgs,
}

#[derive(Debug, Serialize)]
struct ExitNode {
    address: String,
    #[serde(flatten)]
    known: Known,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Known {
    Counts { instances: usize, connected: usize },
    Silent { error: String },
}

/// Lists the exits of a service.
pub(crate) async fn run(args: ExitsArgs) -> Exit {
    match ask(&args).await {
        Ok((exits, connections)) => {
            let table = table(&exits, &connections, &args.service);
            args.ask.show(&exits, &table)
        }
        Err(exit) => exit,
    }
}

async fn ask(args: &ExitsArgs) -> Result<(Vec<ExitNode>, Connections), Exit> {
    let body = json!({"serviceName": args.service});
    let order = args.ask.ask("hosts_v1", &body).await?;
    let connections = args.ask.ask("connections_v1", &body).await?;
    Ok((in_order(order, &connections), connections))
}

fn in_order(order: Vec<String>, connections: &Connections) -> Vec<ExitNode> {
    let exits = order.into_iter().map(|address| ExitNode {
        known: known(connections.exit(&address)),
        address,
    });
    exits.collect()
}

fn known(said: Option<&Said>) -> Known {
    match said {
        Some(Said::Known { instances }) => Known::Counts {
            instances: instances.len(),
            connected: instances.values().filter(|one| one.is_connected()).count(),
        },
        Some(silent) => Known::Silent {
            error: silent.error().unwrap_or_default(),
        },
        // Between the two questions, the ring has changed.
        None => Known::Silent {
            error: "it was not asked, since the exits are changing".to_owned(),
        },
    }
}

fn table(exits: &[ExitNode], connections: &Connections, service: &str) -> Table {
    let mut table = Table::new(&[
        Column::Left("EXIT"),
        Column::Right("INSTANCES"),
        Column::Right("CONNECTED"),
    ]);
    for exit in exits {
        let [instances, connected] = match &exit.known {
            Known::Counts {
                instances,
                connected,
            } => [instances.to_string(), connected.to_string()],
            Known::Silent { .. } => [NOTHING.to_owned(), NOTHING.to_owned()],
        };
        table.row([exit.address.clone(), instances, connected]);
    }
    connections.note(&mut table, service);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(connected_in: bool, connected_out: bool) -> serde_json::Value {
        json!({
            "connected": {"in": connected_in, "out": connected_out},
            "identified": {"in": connected_in, "out": connected_out},
            "initHeaders": {"in": null, "out": null},
            "serviceNames": ["a"],
        })
    }

    #[track_caller]
    fn check(order: &[&str], said: serde_json::Value, lines: &str, document: serde_json::Value) {
        let order = order.iter().map(|exit| (*exit).to_owned()).collect();
        let connections = serde_json::from_value(said).unwrap();
        let exits = in_order(order, &connections);
        assert_eq!(table(&exits, &connections, "a").to_string(), lines);
        assert_eq!(serde_json::to_value(exits).unwrap(), document);
    }

    #[test]
    fn exits_stand_in_the_order_of_the_ring_and_the_odd_ones_are_noted() {
        check(
            &["r:3", "r:1", "r:2"],
            json!({
                "r:1": {"instances": {"i:1": instance(true, false), "i:2": instance(false, false)}},
                "r:2": {"err": "network error: refused"},
                "r:3": {"instances": {"i:1": instance(true, true)}},
            }),
            "\
EXIT  INSTANCES  CONNECTED
r:3           1          1
r:1           2          1
r:2           -          -

r:2 did not answer: network error: refused
r:3 knows 1 of 2 instances of a: it learns of the rest when they next advertise, within about 3 minutes",
            json!([
                {"address": "r:3", "instances": 1, "connected": 1},
                {"address": "r:1", "instances": 2, "connected": 1},
                {"address": "r:2", "error": "network error: refused"},
            ]),
        );
    }

    #[test]
    fn a_service_that_nobody_offers_has_exits_all_the_same() {
        check(
            &["r:1"],
            json!({"r:1": {"instances": {}}}),
            "\
EXIT  INSTANCES  CONNECTED
r:1           0          0

no instance of a is known: is it running, and does it advertise this name?",
            json!([{"address": "r:1", "instances": 0, "connected": 0}]),
        );
    }
}
