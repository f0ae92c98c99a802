//! What small calls feel of a large stream beside them on the same connection.

use serde::Deserialize;

use super::process::Process;
use super::spread::{Spread, short};
use super::stolen::undisturbed;
use super::table::{NOTHING, Table, cell};
use super::{Error, Goal, Log, Measured, Settings};
use crate::report::Report;

/// What `bench-fairness` prints.
#[derive(Debug, Deserialize)]
struct Line {
    alone: Report,
    beside: Report,
    stream_mbps: f64,
}

/// Small calls alone, then beside a stream, both over one connection.
pub fn measure(settings: &Settings, log: &Log) -> Measured {
    let mut lines = Vec::new();
    for round in 0..settings.rounds {
        log.say(&format!(
            "fairness: round {} of {}",
            round + 1,
            settings.rounds
        ));
        match undisturbed(log, || run(settings)) {
            Ok(line) => lines.push(line),
            Err(error) => log.fail("ours, fairness", &error),
        }
    }
    tabulate(&lines)
}

fn run(settings: &Settings) -> Result<Line, Error> {
    let server = [&settings.program("bench-peer"), "server"].map(str::to_owned);
    let (_server, address) = Process::serve(0, &server)?;
    let millis = settings.duration.as_millis().to_string();
    let client = [&settings.program("bench-fairness"), &address, &millis];
    let mut client = Process::start(1, &client.map(String::to_owned))?;
    Ok(serde_json::from_str(&client.line()?)?)
}

fn tabulate(lines: &[Line]) -> Measured {
    let mut table = Table::new(
        "fairness: 8 small calls in flight beside a stream of 100 MB",
        &["", "p50 µs", "p99 µs", "p99 to alone", "MB/s of the stream"],
    );
    let of = |get: &dyn Fn(&Line) -> f64| Spread::of(lines.iter().map(get));
    let to_alone = of(&|line| line.beside.us.p99 / line.alone.us.p99);
    table.row([
        "alone".to_owned(),
        cell(of(&|line| line.alone.us.p50)),
        cell(of(&|line| line.alone.us.p99)),
        NOTHING.to_owned(),
        NOTHING.to_owned(),
    ]);
    table.row([
        "beside it".to_owned(),
        cell(of(&|line| line.beside.us.p50)),
        cell(of(&|line| line.beside.us.p99)),
        cell(to_alone),
        cell(of(&|line| line.stream_mbps).map(|it| short(it.median))),
    ]);
    let what = "small calls beside a large stream: p99, to alone";
    Measured {
        table,
        goals: vec![Goal::at_most(what, 3.0, to_alone)],
    }
}
