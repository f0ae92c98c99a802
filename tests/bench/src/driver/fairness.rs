//! What small calls feel of a large stream beside them on the same connection.

use serde::Deserialize;

use super::process::Process;
use super::spread::{Spread, short};
use super::table::{Table, cell};
use super::{Error, Settings};
use crate::report::Report;

/// What `bench-fairness` prints.
#[derive(Debug, Deserialize)]
struct Line {
    alone: Report,
    beside: Report,
    stream_mbps: f64,
}

/// Small calls alone, then beside a stream, both over one connection.
///
/// # Errors
///
/// When a program ends early.
pub fn measure(settings: &Settings) -> Result<Table, Error> {
    let mut lines = Vec::new();
    for _ in 0..settings.rounds {
        let server = [&settings.program("bench-peer"), "server"].map(str::to_owned);
        let (_server, address) = Process::serve(0, &server)?;
        let millis = settings.duration.as_millis().to_string();
        let client = [&settings.program("bench-fairness"), &address, &millis];
        let mut client = Process::start(1, &client.map(String::to_owned))?;
        lines.push(serde_json::from_str::<Line>(&client.line()?)?);
    }
    let mut table = Table::new(
        "8 small calls in flight beside a stream of 100 MB",
        &["", "p50 µs", "p99 µs", "p99 to alone", "MB/s of the stream"],
    );
    let of = |get: &dyn Fn(&Line) -> f64| cell(Spread::of(lines.iter().map(get)));
    table.row([
        "alone".to_owned(),
        of(&|line| line.alone.us.p50),
        of(&|line| line.alone.us.p99),
        String::new(),
        String::new(),
    ]);
    table.row([
        "beside it".to_owned(),
        of(&|line| line.beside.us.p50),
        of(&|line| line.beside.us.p99),
        of(&|line| line.beside.us.p99 / line.alone.us.p99),
        cell(Spread::of(lines.iter().map(|line| line.stream_mbps)).map(|it| short(it.median))),
    ]);
    Ok(table)
}
