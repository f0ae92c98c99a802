//! Whether a call costs the same among many: services, connections, calls in flight.

use super::crowd::{self, Crowd, MANY};
use super::echo::{Sample, Work, flags, run_client};
use super::process::Process;
use super::relay::{ENDS, RELAY};
use super::spread::Spread;
use super::stolen::undisturbed;
use super::table::{Table, cell};
use super::{Error, Goal, Log, Measured, Settings};

/// What there may be many of.
struct Kind {
    name: &'static str,
    /// Whose time on a processor is taken.
    of: &'static str,
    sizes: [usize; 3],
    /// The time of a call among so many, in microseconds.
    cost: fn(&Settings, usize) -> Result<f64, Error>,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "services",
        of: "router",
        sizes: [1, 1_000, 100_000],
        cost: among_services,
    },
    Kind {
        name: "connections",
        of: "server",
        sizes: [1, 1_000, MANY],
        cost: among_connections,
    },
    Kind {
        name: "calls in flight",
        of: "both ends",
        sizes: [64, 1_000, 10_000],
        cost: among_calls,
    },
];

/// Calls at 64 in flight, or as many as are asked for, among more and more of each.
pub fn measure(settings: &Settings, log: &Log) -> Measured {
    let columns = ["among", "CPU of the", "µs", "to the first"];
    let mut table = Table::new("growth: CPU of a 32 B call", &columns);
    let mut goals = Vec::new();
    for kind in &KINDS {
        let costs = measure_kind(settings, kind, log);
        for (size, of_size) in kind.sizes.iter().zip(&costs) {
            let to_first = Spread::of_ratios(of_size, &costs[0]);
            let among = counted(*size, kind.name);
            if *size != kind.sizes[0] {
                let few = counted(kind.sizes[0], kind.name);
                let what = format!("CPU of a call among {among}, to one among {few}");
                goals.push(Goal::at_most(what, 1.3, to_first));
            }
            let cost = Spread::of(of_size.iter().copied().flatten());
            table.row([among, kind.of.to_owned(), cell(cost), cell(to_first)]);
        }
    }
    Measured { table, goals }
}

fn counted(count: usize, things: &str) -> String {
    match count {
        1 => format!("1 {}", things.trim_end_matches('s')),
        _ => format!("{count} {things}"),
    }
}

/// By size, then by round.
fn measure_kind(settings: &Settings, kind: &Kind, log: &Log) -> [Vec<Option<f64>>; 3] {
    let mut costs: [Vec<Option<f64>>; 3] = Default::default();
    for round in 0..settings.rounds {
        let name = kind.name;
        log.say(&format!(
            "growth, {name}: round {} of {}",
            round + 1,
            settings.rounds
        ));
        for (size, costs) in kind.sizes.iter().zip(&mut costs) {
            let cost = undisturbed(log, || (kind.cost)(settings, *size));
            let cost = cost.inspect_err(|error| log.fail(&format!("{size} {name}"), error));
            costs.push(cost.ok());
        }
    }
    costs
}

fn among_services(settings: &Settings, services: usize) -> Result<f64, Error> {
    let (router, address) = Process::serve(RELAY, &crowd::router(settings)?)?;
    let crowd = Crowd {
        connections: 100,
        names: services / 100,
        services,
    };
    let crowd = (services > 1).then(|| crowd.join(settings, &address, ENDS));
    let _crowd = crowd.transpose()?;
    Ok(through(settings, &router, &address)?.watched_us)
}

/// Calls through a router at that address to a server of its own.
///
/// # Errors
///
/// When a program ends early, or a call failed.
pub fn through(settings: &Settings, router: &Process, address: &str) -> Result<Sample, Error> {
    let server = [
        &settings.program("bench-peer"),
        "server",
        "--advertise",
        address,
    ];
    let (_server, _) = Process::serve(ENDS, &server.map(str::to_owned))?;
    let client = client(settings, &["--router", address], Work::new(32, 64));
    run_client(ENDS, &client, router)
}

fn among_connections(settings: &Settings, connections: usize) -> Result<f64, Error> {
    let (server, address) = Process::serve(RELAY, &server(settings))?;
    let _crowd = Crowd::idle(connections).join(settings, &address, ENDS)?;
    let client = client(settings, &["--addr", &address], Work::new(32, 64));
    Ok(run_client(ENDS, &client, &server)?.watched_us)
}

fn among_calls(settings: &Settings, inflight: usize) -> Result<f64, Error> {
    let (server, address) = Process::serve(RELAY, &server(settings))?;
    let client = client(settings, &["--addr", &address], Work::new(32, inflight));
    let sample = run_client(ENDS, &client, &server)?;
    Ok(sample.watched_us + sample.client_us)
}

fn server(settings: &Settings) -> Vec<String> {
    vec![settings.program("bench-peer"), "server".to_owned()]
}

fn client(settings: &Settings, to: &[&str], work: Work) -> Vec<String> {
    let mut command = vec![settings.program("bench-peer"), "client".to_owned()];
    command.extend(to.iter().map(|&word| word.to_owned()));
    command.extend(flags(settings, work));
    command
}
