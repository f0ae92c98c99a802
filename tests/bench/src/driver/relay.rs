//! One hop: a relay alone on a core, client and server together on the other.

use std::path::PathBuf;
use std::process::Command;

use super::contestant::OURS;
use super::echo::{Sample, Work, flags, run_client};
use super::process::Process;
use super::spread::{Spread, short};
use super::stolen::undisturbed;
use super::table::{NOTHING, Table, cell};
use super::{Error, Goal, Log, Measured, Settings};

/// What relays are measured by.
pub const WORK: [Work; 4] = [
    Work::new(32, 1),
    Work::new(32, 64),
    Work::new(4 * 1024, 64),
    Work::new(1024 * 1024, 4),
];

/// What calls pass through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hop {
    /// Nothing.
    Direct,
    /// A copy of bytes.
    Copy,
    /// haproxy, which copies bytes too.
    Haproxy,
    /// Our router, which looks at each call.
    Router,
}

impl Hop {
    fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Copy => "byte copy",
            Self::Haproxy => "haproxy, TCP",
            Self::Router => "our router",
        }
    }
}

/// Nothing, if haproxy can take part.
///
/// # Errors
///
/// Why not.
pub fn haproxy_is_there() -> Result<(), String> {
    let found = Command::new("haproxy").arg("-v").output();
    found
        .map(drop)
        .map_err(|_| "haproxy: not on the path".to_owned())
}

/// Runs our calls directly and through each relay.
pub fn measure(settings: &Settings, work: Work, log: &Log) -> Measured {
    let mut hops = vec![Hop::Direct, Hop::Copy, Hop::Router];
    if haproxy_is_there().is_ok() {
        hops.push(Hop::Haproxy);
    }
    let mut rounds: Vec<Vec<Option<Sample>>> = vec![Vec::new(); hops.len()];
    for round in 0..settings.rounds {
        log.say(&format!(
            "relay {work}: round {} of {}",
            round + 1,
            settings.rounds
        ));
        for turn in 0..hops.len() {
            let index = (turn + round) % hops.len();
            let sample = undisturbed(log, || run(settings, hops[index], work))
                .inspect_err(|error| log.fail(&format!("{}, {work}", hops[index].name()), error));
            rounds[index].push(sample.ok());
        }
    }
    tabulate(work, &hops, &rounds)
}

fn run(settings: &Settings, hop: Hop, work: Work) -> Result<Sample, Error> {
    let peer = settings.program("bench-peer");
    let command = |words: &[&str]| -> Vec<String> {
        let words = words.iter().map(|&word| word.to_owned());
        std::iter::once(peer.clone()).chain(words).collect()
    };
    if hop == Hop::Router {
        let (router, address) = Process::serve(RELAY, &router(settings, &[]))?;
        let advertised = ["server", "--advertise", &address, "--service", "bench"];
        let (_server, _) = Process::serve(ENDS, &command(&advertised))?;
        let mut client = command(&["client", "--router", &address, "--service", "bench"]);
        client.extend(flags(settings, work));
        return run_client(ENDS, &client, &router);
    }
    let (server, at) = Process::serve(ENDS, &command(&["server"]))?;
    let relay = match hop {
        Hop::Copy => Some(Process::serve(RELAY, &copy(settings, &at))?),
        Hop::Haproxy => Some(haproxy(settings, &at)?),
        _ => None,
    };
    let (watched, address) = match &relay {
        Some((relay, address)) => (relay, address),
        None => (&server, &at),
    };
    let mut client = command(&["client", "--addr", address]);
    client.extend(flags(settings, work));
    run_client(ENDS, &client, watched)
}

/// The command of our router, with more flags.
pub fn router(settings: &Settings, more: &[&str]) -> Vec<String> {
    let hyperbahn = settings.program("hyperbahn");
    let quiet = ["env", "RUST_LOG=warn", &hyperbahn];
    let flags = ["serve", "--listen", "127.0.0.1:0"];
    let words = [&quiet, &flags[..], more].concat();
    words.into_iter().map(str::to_owned).collect()
}

fn copy(settings: &Settings, to: &str) -> Vec<String> {
    vec![
        settings.program("bench-floor"),
        "copy".to_owned(),
        to.to_owned(),
    ]
}

/// haproxy does not say when it listens, nor where: it is told a free port and asked until it answers.
fn haproxy(settings: &Settings, to: &str) -> Result<(Process, String), Error> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let path: PathBuf = settings.programs.join("bench-haproxy.cfg");
    let text = format!(
        "global\n nbthread 1\ndefaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n\
         listen bench\n bind 127.0.0.1:{port}\n server one {to}\n"
    );
    std::fs::write(&path, text)?;
    let words = ["haproxy", "-db", "-f"].map(str::to_owned);
    let command = [&words[..], &[path.to_string_lossy().into_owned()]].concat();
    let process = Process::start(RELAY, &command)?;
    let address = format!("127.0.0.1:{port}");
    for _ in 0..200 {
        if std::net::TcpStream::connect(&address).is_ok() {
            return Ok((process, address));
        }
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
    Err("haproxy does not listen".into())
}

fn tabulate(work: Work, hops: &[Hop], rounds: &[Vec<Option<Sample>>]) -> Measured {
    let columns = [
        "through",
        "calls/s",
        "of direct",
        "p50 µs",
        "added p50 µs",
        "added, to copy",
        "relay CPU µs",
        "CPU, to copy",
        "system calls relay",
        "RSS MiB relay",
    ];
    let title = format!("relay {work}: {OURS} through one hop");
    let mut table = Table::new(title, &columns);
    let column = |hop: Hop, get: &dyn Fn(&Sample) -> f64| -> Vec<Option<f64>> {
        let index = hops.iter().position(|&other| other == hop);
        let rounds = index.map_or(&[][..], |index| &rounds[index]);
        rounds
            .iter()
            .map(|sample| sample.as_ref().map(get))
            .collect()
    };
    let p50 = |hop| column(hop, &|sample| sample.report.us.p50);
    let speed = |hop| column(hop, &|sample| sample.report.cps);
    let cpu = |hop| column(hop, &|sample| sample.watched_us);
    let added = |hop| -> Vec<Option<f64>> {
        let pairs = p50(hop).into_iter().zip(p50(Hop::Direct));
        pairs
            .map(|(with, without)| Some(with? - without?))
            .collect()
    };
    let spread = |values: Vec<Option<f64>>| Spread::of(values.into_iter().flatten());
    for &hop in hops {
        let is_hop = hop != Hop::Direct;
        let only = |text: String| if is_hop { text } else { NOTHING.to_owned() };
        let syscalls = column(hop, &|sample| sample.syscalls.unwrap_or(f64::NAN));
        let rss = column(hop, &|sample| sample.rss_mib);
        table.row([
            hop.name().to_owned(),
            cell(spread(speed(hop))),
            cell(Spread::of_ratios(&speed(hop), &speed(Hop::Direct))),
            cell(spread(p50(hop))),
            only(cell(spread(added(hop)))),
            only(cell(Spread::of_ratios(&added(hop), &added(Hop::Copy)))),
            only(cell(spread(cpu(hop)))),
            only(cell(Spread::of_ratios(&cpu(hop), &cpu(Hop::Copy)))),
            only(cell(spread(syscalls).map(|it| short(it.median)))),
            only(cell(spread(rss).map(|it| short(it.median)))),
        ]);
    }
    let to_copy =
        |of: &dyn Fn(Hop) -> Vec<Option<f64>>| Spread::of_ratios(&of(Hop::Router), &of(Hop::Copy));
    let goal = |what: &str, bound, of| {
        Goal::at_most(
            format!("{work}, one hop: {what}, to byte copy"),
            bound,
            to_copy(of),
        )
    };
    let goals = match (work.payload, work.inflight) {
        (32, 1) => vec![goal("added p50", 1.15, &added)],
        (32, _) => vec![goal("CPU of our router", 2.0, &cpu)],
        _ => Vec::new(),
    };
    Measured { table, goals }
}

/// The relay's core.
pub const RELAY: usize = 0;
/// The core of both ends.
pub const ENDS: usize = 1;
