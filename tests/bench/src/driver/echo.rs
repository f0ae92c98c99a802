//! Echoes over one connection: server on one core, client on the other.

use std::collections::BTreeMap;

use super::contestant::{Contestant, FLOOR, OURS};
use super::process::Process;
use super::spread::Spread;
use super::table::{Table, cell};
use super::{Error, Settings};
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
    if report.errors > 0 || report.calls == 0 {
        let (calls, errors) = (report.calls, report.errors);
        let first = report.first_error.unwrap_or_default();
        return Err(format!("{command:?}: {calls} calls, {errors} errors: {first}").into());
    }
    let calls = report.calls as f64;
    let each = |after: u64, before: u64| after.saturating_sub(before) as f64 / 1e3 / calls;
    Ok(Sample {
        watched_us: each(after.0.cpu_ns, before.0.cpu_ns),
        client_us: each(after.1.cpu_ns, before.1.cpu_ns),
        syscalls: syscalls.map(|count| count as f64 / calls),
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

/// Runs all contestants at one load, round by round.
pub fn measure(
    settings: &Settings,
    contestants: &[Contestant],
    work: Work,
    mut say: impl FnMut(&str),
) -> Table {
    let able: Vec<&Contestant> = contestants
        .iter()
        .filter(|who| who.can(work.payload, work.inflight))
        .collect();
    let mut samples = Samples::new();
    for round in 0..settings.rounds {
        for turn in 0..able.len() {
            let who = able[(turn + round) % able.len()];
            let sample = run(settings, who, work)
                .inspect_err(|error| say(&format!("{work}: {}: {error}", who.name)));
            samples.entry(who.name).or_default().push(sample.ok());
        }
    }
    tabulate(&able, work, &samples)
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
    let mut table = Table::new(work.to_string(), &columns);
    let speed = |name: &str| column(samples, name, |sample| sample.report.cps);
    for who in contestants {
        let of = |get: fn(&Sample) -> f64| spread(&column(samples, who.name, get));
        let plain =
            |get: fn(&Sample) -> f64| cell(of(get).map(|it| super::spread::short(it.median)));
        let syscalls = samples[who.name].iter().flatten();
        let syscalls = Spread::of(syscalls.filter_map(|sample| sample.syscalls));
        table.row([
            who.name.to_owned(),
            cell(of(|sample| sample.report.cps)),
            cell(Spread::of_ratios(&speed(who.name), &speed(FLOOR))),
            cell(Spread::of_ratios(&speed(OURS), &speed(who.name))),
            plain(|sample| sample.report.mbps),
            cell(of(|sample| sample.report.us.p50)),
            plain(|sample| sample.report.us.p99),
            plain(|sample| sample.watched_us),
            plain(|sample| sample.client_us),
            cell(syscalls.map(|it| super::spread::short(it.median))),
        ]);
    }
    table
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
