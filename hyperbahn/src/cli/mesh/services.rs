//! `hyperbahn services`: every service that somebody offers.

use std::collections::BTreeMap;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AskArgs, note_behind, note_silent};
use crate::cli::exit::Exit;
use crate::cli::table::{Column, Table};

const EXAMPLES: &str = "\
Examples:
  hyperbahn services
  hyperbahn services --router 10.0.0.5:21300
  hyperbahn services --json

EXITS counts the routers that hold the service.";

/// Whom to ask for the services.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServicesArgs {
    #[command(flatten)]
    ask: AskArgs,
}

/// As in the answer of `services_v1`.
#[derive(Debug, Deserialize, Serialize)]
struct Services {
    services: BTreeMap<String, Service>,
    unreachable: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Service {
    instances: usize,
    exits: BTreeMap<String, usize>,
}

/// Lists the services.
pub(crate) async fn run(args: ServicesArgs) -> Exit {
    match args.ask.ask::<Services>("services_v1", &Value::Null).await {
        Ok(services) => args.ask.show(&services, &table(&services)),
        Err(exit) => exit,
    }
}

fn table(said: &Services) -> Table {
    let mut table = Table::new(&[
        Column::Left("SERVICE"),
        Column::Right("INSTANCES"),
        Column::Right("EXITS"),
    ]);
    for (name, service) in &said.services {
        table.row([
            name.clone(),
            service.instances.to_string(),
            service.exits.len().to_string(),
        ]);
    }
    for (router, reason) in &said.unreachable {
        note_silent(&mut table, router, reason);
    }
    for (name, service) in &said.services {
        for (exit, known) in &service.exits {
            if *known < service.instances {
                note_behind(&mut table, exit, *known, service.instances, name);
            }
        }
    }
    if said.services.is_empty() {
        table.note("no service is advertised; 'hyperbahn dev' has some to try");
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(said: Value, lines: &str) {
        let services: Services = serde_json::from_value(said.clone()).unwrap();
        assert_eq!(table(&services).to_string(), lines);
        assert_eq!(serde_json::to_value(&services).unwrap(), said);
    }

    #[test]
    fn services_stand_by_name_and_exits_that_are_behind_are_noted() {
        check(
            json!({
                "services": {
                    "web": {"instances": 12, "exits": {"r:1": 12, "r:2": 11}},
                    "keyvalue": {"instances": 1, "exits": {"r:1": 1}},
                },
                "unreachable": {"r:3": "timeout: no answer"},
            }),
            "\
SERVICE   INSTANCES  EXITS
keyvalue          1      1
web              12      2

r:3 did not answer: timeout: no answer
r:2 knows 11 of 12 instances of web: it learns of the rest when they next advertise, within about 3 minutes",
        );
    }

    #[test]
    fn no_service_at_all_is_worth_a_note() {
        check(
            json!({"services": {}, "unreachable": {}}),
            "\
SERVICE  INSTANCES  EXITS

no service is advertised; 'hyperbahn dev' has some to try",
        );
    }
}
