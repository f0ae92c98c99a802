//! What a router holds in RAM, and what a call through it costs: alone, with idle connections, with registrations.

use std::time::Duration;

use super::crowd::{self, Crowd, MANY};
use super::growth::through;
use super::process::Process;
use super::relay::{ENDS, RELAY};
use super::spread::{Spread, short};
use super::table::{NOTHING, Table, cell};
use super::{Error, Goal, Log, Measured, Settings};

/// A router with a crowd around it.
#[derive(Clone, Copy, Debug)]
struct Held {
    rss_mib: f64,
    /// Time on a processor while nobody calls, in milliseconds a second: pings.
    idle_ms: f64,
    cpu_us: f64,
}

/// Starts a router for each crowd, looks at its memory, and makes calls through it.
pub fn measure(settings: &Settings, log: &Log) -> Measured {
    let mut rounds: Vec<Vec<Option<Held>>> = vec![Vec::new(); CROWDS.len()];
    for round in 0..settings.rounds {
        log.say(&format!(
            "memory: round {} of {}",
            round + 1,
            settings.rounds
        ));
        for (crowd, rounds) in CROWDS.iter().zip(&mut rounds) {
            let held = hold(settings, *crowd);
            let held = held.inspect_err(|error| log.fail(&name(*crowd), error));
            rounds.push(held.ok());
        }
    }
    tabulate(&rounds)
}

const CROWDS: [Option<Crowd>; 4] = [
    None,
    Some(Crowd::idle(1_000)),
    Some(Crowd::idle(MANY)),
    Some(Crowd {
        connections: MANY,
        names: 10,
        services: 10_000,
    }),
];

fn name(crowd: Option<Crowd>) -> String {
    let Some(Crowd {
        connections, names, ..
    }) = crowd
    else {
        return "nothing".to_owned();
    };
    match names {
        0 => format!("{connections} idle connections"),
        _ => format!(
            "{connections} connections, {} registrations",
            connections * names
        ),
    }
}

fn hold(settings: &Settings, crowd: Option<Crowd>) -> Result<Held, Error> {
    let (router, address) = Process::serve(RELAY, &crowd::router(settings)?)?;
    let crowd = crowd.map(|crowd| crowd.join(settings, &address, ENDS));
    let _crowd = crowd.transpose()?;
    // Before any call, which leaves buffers behind.
    let before = router.usage();
    std::thread::park_timeout(IDLE);
    let idle_ns = router.usage().cpu_ns.saturating_sub(before.cpu_ns);
    Ok(Held {
        rss_mib: before.rss_kib as f64 / 1024.0,
        idle_ms: idle_ns as f64 / 1e6 / IDLE.as_secs_f64(),
        cpu_us: through(settings, &router, &address)?.watched_us,
    })
}

const IDLE: Duration = Duration::from_secs(2);

fn tabulate(rounds: &[Vec<Option<Held>>]) -> Measured {
    let columns = [
        "with",
        "RSS MiB",
        "KiB a connection beyond the first row",
        "CPU ms a second, idle",
        "CPU µs of a 32 B call",
        "to the first",
    ];
    let mut table = Table::new("memory of one router, and a call through it", &columns);
    let column = |row: usize, get: &dyn Fn(&Held) -> f64| -> Vec<Option<f64>> {
        rounds[row]
            .iter()
            .map(|held| held.as_ref().map(get))
            .collect()
    };
    let rss = |row| column(row, &|held| held.rss_mib);
    let idle_ms = |row| column(row, &|held| held.idle_ms);
    let cpu = |row| column(row, &|held| held.cpu_us);
    let kib_each = |row: usize| {
        let connections = CROWDS[row].map_or(f64::NAN, |crowd| crowd.connections as f64);
        let pairs = rss(row).into_iter().zip(rss(0));
        Spread::of(pairs.filter_map(|(rss, alone)| Some((rss? - alone?) * 1024.0 / connections)))
    };
    let spread = |values: Vec<Option<f64>>| Spread::of(values.into_iter().flatten());
    let median = |values: Option<Spread>| cell(values.map(|it| short(it.median)));
    for (row, crowd) in CROWDS.iter().enumerate() {
        let each = crowd.map_or(NOTHING.to_owned(), |_| median(kib_each(row)));
        table.row([
            name(*crowd),
            median(spread(rss(row))),
            each,
            median(spread(idle_ms(row))),
            cell(spread(cpu(row))),
            cell(Spread::of_ratios(&cpu(row), &cpu(0))),
        ]);
    }
    let (idle, all) = (2, 3);
    let what = |crowd: usize, what: &str| format!("a router with {}: {what}", name(CROWDS[crowd]));
    let goals = vec![
        Goal::at_most(what(0, "RSS MiB"), 12.0, spread(rss(0))),
        Goal::at_most(what(idle, "KiB a connection"), 24.0, kib_each(idle)),
        Goal::at_most(what(all, "RSS MiB"), 1024.0, spread(rss(all))),
        Goal::at_most(
            what(all, "CPU of a call, to the first"),
            1.3,
            Spread::of_ratios(&cpu(all), &cpu(0)),
        ),
    ];
    Measured { table, goals }
}
