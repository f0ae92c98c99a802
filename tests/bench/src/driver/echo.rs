//! Echoes over one connection: server on one core, client on the other.

use std::collections::BTreeMap;

use super::contestant::{Contestant, FLOOR, OURS, TYPED};
use super::process::Process;
use super::spread::{Spread, short};
use super::stolen::undisturbed;
use super::table::{Table, cell};
use super::{Error, Goal, Log, Measured, Settings};
use crate::report::Report;

/// What one run has shown.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What the client says.
    pub report: Report,
    /// Time of the watched process on its processor, a call, in microseconds.
    pub watched_us: f64,
    /// The same of the client.
    pub client_us: f64,
    /// System calls of the watched process, a call.
    pub syscalls: Option<f64>,
    /// What the watched process holds in RAM at the end, in MiB.
    pub rss_mib: f64,
}

/// A load by its name.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Bytes each way.
    pub payload: usize,
    /// Calls in flight.
    pub inflight: usize,
}

/// What everybody is measured by.
pub const WORK: [Work; 9] = [
    Work::new(32, 1),
    Work::new(32, 16),
    Work::new(32, 64),
    Work::new(32, 256),
    Work::new(4 * 1024, 64),
    Work::new(100 * 1024, 1),
    Work::new(100 * 1024, 16),
    Work::new(1024 * 1024, 1),
    Work::new(1024 * 1024, 16),
];

impl Work {
    /// So much, so often at once.
    pub const fn new(payload: usize, inflight: usize) -> Self {
        Self { payload, inflight }
    }
}

impl std::fmt::Display for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { payload, inflight } = self;
        match payload {
            1_048_576 => write!(f, "1 MiB, {inflight} in flight"),
            1024.. => write!(f, "{} KiB, {inflight} in flight", payload / 1024),
            _ => write!(f, "{payload} B, {inflight} in flight"),
        }
    }
}

/// The flags of a load.
pub fn flags(settings: &Settings, work: Work) -> Vec<String> {
    let pairs = [
        ("--payload", work.payload),
        ("--inflight", work.inflight),
        ("--warmup-ms", settings.warmup.as_millis() as usize),
        ("--duration-ms", settings.duration.as_millis() as usize),
    ];
    let flags = pairs.map(|(flag, value)| [flag.to_owned(), value.to_string()]);
    flags.concat()
}

/// Runs a client on `core` to its end, and looks at `watched` while it counts.
///
/// # Errors
///
/// When the client ends early, or a call failed.
pub fn run_client(core: usize, command: &[String], watched: &Process) -> Result<Sample, Error> {
    let mut client = Process::start(core, command)?;
    expect(&mut client, "START")?;
    let before = (watched.usage(), client.usage());
    let (stopped, syscalls) = watched.count_syscalls(|| {
        expect(&mut client, "STOP")?;
        Ok::<_, Error>((watched.usage(), client.usage()))
    });
    let after = stopped?;
    let report: Report = serde_json::from_str(&client.line()?)?;
    if report.errors > 0 {
        let (calls, errors) = (report.calls, report.errors);
        let first = report.first_error.unwrap_or_default();
        return Err(format!(
            "{errors} of {} calls failed, the first with: {first}",
            calls + errors
        )
        .into());
    }
    if report.calls == 0 {
        return Err(format!("no call ended within the {} s that count", report.elapsed_s).into());
    }
    let calls = report.calls as f64;
    let each = |after: u64, before: u64| after.saturating_sub(before) as f64 / 1e3 / calls;
    Ok(Sample {
        watched_us: each(after.0.cpu_ns, before.0.cpu_ns),
        client_us: each(after.1.cpu_ns, before.1.cpu_ns),
        syscalls: syscalls.map(|count| count as f64 / calls),
        rss_mib: after.0.rss_kib as f64 / 1024.0,
        report,
    })
}

fn expect(client: &mut Process, mark: &str) -> Result<(), Error> {
    let line = client.line()?;
    match line == mark {
        true => Ok(()),
        false => Err(format!("a client said {line:?}, not {mark}").into()),
    }
}

fn run(settings: &Settings, who: &Contestant, work: Work) -> Result<Sample, Error> {
    let (server, address) = Process::serve(0, &who.server())?;
    let mut client = who.program.clone();
    client.extend(["client", "--addr", &address].map(str::to_owned));
    client.extend(flags(settings, work));
    client.extend(who.client_flags.clone());
    run_client(1, &client, &server)
}

/// Samples by contestant, one for each round; `None` where a run has failed.
type Samples = BTreeMap<&'static str, Vec<Option<Sample>>>;

/// Runs all contestants at one load, round by round. Who fails takes no part in later rounds.
pub fn measure(settings: &Settings, contestants: &[Contestant], work: Work, log: &Log) -> Measured {
    let able: Vec<&Contestant> = contestants
        .iter()
        .filter(|who| who.can(work.payload, work.inflight))
        .collect();
    let mut samples = Samples::new();
    for round in 0..settings.rounds {
        log.say(&format!(
            "{work}: round {} of {}",
            round + 1,
            settings.rounds
        ));
        for turn in 0..able.len() {
            let who = able[(turn + round) % able.len()];
            let samples = samples.entry(who.name).or_default();
            let has_failed = samples.iter().any(Option::is_none);
            let sample = (!has_failed).then(|| undisturbed(log, || run(settings, who, work)));
            samples.push(match sample {
                Some(Ok(sample)) => Some(sample),
                Some(Err(error)) => {
                    log.fail(&format!("{}, {work}", who.name), &error);
                    None
                }
                None => None,
            });
        }
    }
    Measured {
        table: tabulate(&able, work, &samples),
        goals: goals(work, &samples),
    }
}

fn tabulate(contestants: &[&Contestant], work: Work, samples: &Samples) -> Table {
    let columns = [
        "peer",
        "calls/s",
        "of floor",
        "ours to it",
        "MB/s",
        "p50 µs",
        "p99 µs",
        "CPU µs server",
        "CPU µs client",
        "system calls server",
    ];
    let mut table = Table::new(format!("echo {work}"), &columns);
    for who in contestants {
        let of = |get: fn(&Sample) -> f64| spread(&column(samples, who.name, get));
        let plain = |get: fn(&Sample) -> f64| cell(of(get).map(|it| short(it.median)));
        table.row([
            who.name.to_owned(),
            cell(of(speed)),
            cell(ratio(samples, who.name, FLOOR, speed)),
            cell(ratio(samples, OURS, who.name, speed)),
            plain(|sample| sample.report.mbps),
            cell(of(p50)),
            plain(|sample| sample.report.us.p99),
            plain(|sample| sample.watched_us),
            plain(|sample| sample.client_us),
            plain(syscalls),
        ]);
    }
    table
}

/// What we want to reach at this load.
fn goals(work: Work, samples: &Samples) -> Vec<Goal> {
    let ours_to = |other, get| ratio(samples, OURS, other, get);
    let faster = |factor: f64, other| {
        let what = format!("{work}: calls/s, to {other}");
        Goal::at_least(what, factor, ours_to(other, speed))
    };
    let of_floor = |share| {
        let what = format!("{work}: calls/s, of the floor");
        Goal::at_least(what, share, ours_to(FLOOR, speed))
    };
    match (work.payload, work.inflight) {
        (32, 1) => vec![Goal::at_most(
            format!("{work}: p50, to the floor"),
            1.25,
            ours_to(FLOOR, p50),
        )],
        (32, 64) => {
            let few = spread(&column(samples, OURS, syscalls));
            let few = Goal::at_most(format!("{work}: system calls a call, server"), 0.1, few);
            let typed = TYPED
                .into_iter()
                .flat_map(|typed| typed_goals(typed, work, samples));
            let all = [faster(2.0, "tarpc"), of_floor(0.4), few];
            all.into_iter().chain(typed).collect()
        }
        (0..=4096, _) => vec![faster(2.0, "tarpc")],
        _ => vec![faster(1.0, "volo"), of_floor(0.8)],
    }
}

/// What we want of a typed call: little more than of a raw one, and faster than others.
fn typed_goals(typed: &'static str, work: Work, samples: &Samples) -> Vec<Goal> {
    let scheme = typed.trim_start_matches("ours, ");
    let name = |what: &str| format!("{work}, by {scheme}: {what}");
    let faster = |other| {
        let than = ratio(samples, typed, other, speed);
        Goal::at_least(name(&format!("calls/s, to {other}")), 1.0, than)
    };
    let cost = ratio(samples, typed, OURS, both_us);
    let cost = Goal::at_most(name("CPU of both ends, to raw"), 1.3, cost);
    vec![cost, faster("tarpc"), faster("volo")]
}

fn speed(sample: &Sample) -> f64 {
    sample.report.cps
}

fn p50(sample: &Sample) -> f64 {
    sample.report.us.p50
}

fn both_us(sample: &Sample) -> f64 {
    sample.watched_us + sample.client_us
}

fn syscalls(sample: &Sample) -> f64 {
    sample.syscalls.unwrap_or(f64::NAN)
}

/// One contestant to another, round by round.
fn ratio(samples: &Samples, one: &str, other: &str, get: fn(&Sample) -> f64) -> Option<Spread> {
    Spread::of_ratios(&column(samples, one, get), &column(samples, other, get))
}

fn column(samples: &Samples, name: &str, get: fn(&Sample) -> f64) -> Vec<Option<f64>> {
    let rounds = samples.get(name).map_or(&[][..], Vec::as_slice);
    rounds
        .iter()
        .map(|sample| sample.as_ref().map(get))
        .collect()
}

fn spread(values: &[Option<f64>]) -> Option<Spread> {
    Spread::of(values.iter().copied().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Load;
    use crate::report::Tally;

    /// So many calls a second.
    fn sample(calls: u64) -> Option<Sample> {
        let mut tally = Tally::default();
        tally.answered(std::time::Duration::from_micros(10), calls);
        Some(Sample {
            report: tally.report(&Load::default(), std::time::Duration::from_secs(1)),
            watched_us: 1.0,
            client_us: 2.0,
            syscalls: None,
            rss_mib: 1.0,
        })
    }

    fn samples() -> Samples {
        BTreeMap::from([
            (OURS, vec![sample(200), sample(300)]),
            (FLOOR, vec![sample(1000), sample(1000)]),
            ("tarpc", vec![sample(100), None]),
        ])
    }

    fn contestant(name: &'static str) -> Contestant {
        Contestant {
            name,
            program: Vec::new(),
            client_flags: Vec::new(),
            limits: (usize::MAX, usize::MAX),
        }
    }

    #[test]
    fn a_row_says_what_share_of_the_floor_it_is_and_how_many_times_it_we_are() {
        let all = [OURS, FLOOR, "tarpc"].map(contestant);
        let all: Vec<_> = all.iter().collect();
        let table = tabulate(&all, Work::new(32, 16), &samples());
        let ratios: Vec<_> = table.rows.iter().map(|row| [&*row[2], &*row[3]]).collect();
        let expected = [
            ["0.250 (0.200..0.300)", "1.00"],
            ["1.00", "0.250 (0.200..0.300)"],
            ["0.100", "2.00"],
        ];
        assert_eq!(ratios, expected);
    }

    #[test]
    fn goals_are_held_against_the_rounds_in_which_both_took_part() {
        let goals = goals(Work::new(32, 16), &samples());
        let [goal] = &goals[..] else {
            panic!("{goals:?}");
        };
        assert_eq!(goal.what, "32 B, 16 in flight: calls/s, to tarpc");
        assert_eq!((goal.verdict(), goal.measured), ("yes", Spread::of([2.0])));
    }
}
