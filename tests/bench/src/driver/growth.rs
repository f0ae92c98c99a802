//! Whether a call costs the same among many: services, connections, calls in flight.

use std::path::PathBuf;

use super::contestant::{Contestant, OURS};
use super::crowd::Crowd;
use super::echo::{Sample, Work, flags, run_client};
use super::memory::MANY;
use super::process::Process;
use super::relay::{ENDS, RELAY, router};
use super::spread::Spread;
use super::table::{Table, cell};
use super::{Error, Settings};

/// Calls at 64 in flight, or as many as are asked for, among more and more of each.
pub fn measure(
    settings: &Settings,
    contestants: &[Contestant],
    mut say: impl FnMut(&str),
) -> Table {
    let mut table = Table::new(
        "growth: CPU µs of a 32 B call",
        &["among", "at", "CPU µs", "to the first"],
    );
    let mut add =
        |among: &str, of: &str, sizes: &[usize], run: &dyn Fn(usize) -> Result<f64, Error>| {
            let mut rounds: Vec<Vec<Option<f64>>> = vec![Vec::new(); sizes.len()];
            for _ in 0..settings.rounds {
                for (size, rounds) in sizes.iter().zip(&mut rounds) {
                    let cost = run(*size);
                    let cost = cost.inspect_err(|error| say(&format!("{size} {among}: {error}")));
                    rounds.push(cost.ok());
                }
            }
            for (size, costs) in sizes.iter().zip(&rounds) {
                table.row([
                    format!("{size} {among}"),
                    of.to_owned(),
                    cell(Spread::of(costs.iter().copied().flatten())),
                    cell(Spread::of_ratios(costs, &rounds[0])),
                ]);
            }
        };
    add("services", "router", &[1, 1_000, 100_000], &|services| {
        Ok(among_services(settings, services)?.watched_us)
    });
    add("connections", "server", &[1, 1_000, MANY], &|connections| {
        Ok(among_connections(settings, connections)?.watched_us)
    });
    if let Some(ours) = contestants.iter().find(|who| who.name == OURS) {
        add(
            "calls in flight",
            "both ends",
            &[64, 1_000, 10_000],
            &|inflight| {
                let (server, address) = Process::serve(0, &ours.server())?;
                let client = client(settings, &["--addr", &address], Work::new(32, inflight));
                let sample = run_client(1, &client, &server)?;
                Ok(sample.watched_us + sample.client_us)
            },
        );
    }
    table
}

fn among_services(settings: &Settings, services: usize) -> Result<Sample, Error> {
    let config: PathBuf = settings.programs.join("bench-router.toml");
    std::fs::write(&config, "[registry]\nmax_services = 200000\n")?;
    let more = ["--config", &config.to_string_lossy()];
    let (router, address) = Process::serve(RELAY, &router(settings, &more))?;
    let _crowd = match services {
        0 | 1 => None,
        _ => Some(
            Crowd {
                connections: 100,
                names: services / 100,
                services,
            }
            .join(settings, &address, ENDS)?,
        ),
    };
    let server = [
        &settings.program("bench-peer"),
        "server",
        "--advertise",
        &address,
    ];
    let (_server, _) = Process::serve(ENDS, &server.map(str::to_owned))?;
    let client = client(settings, &["--router", &address], Work::new(32, 64));
    run_client(ENDS, &client, &router)
}

fn among_connections(settings: &Settings, connections: usize) -> Result<Sample, Error> {
    let server = [&settings.program("bench-peer"), "server"].map(str::to_owned);
    let (server, address) = Process::serve(RELAY, &server)?;
    let crowd = Crowd {
        connections,
        names: 0,
        services: 1,
    };
    let _crowd = crowd.join(settings, &address, ENDS)?;
    let client = client(settings, &["--addr", &address], Work::new(32, 64));
    run_client(ENDS, &client, &server)
}

fn client(settings: &Settings, to: &[&str], work: Work) -> Vec<String> {
    let mut command = vec![settings.program("bench-peer"), "client".to_owned()];
    command.extend(to.iter().map(|&word| word.to_owned()));
    command.extend(flags(settings, work));
    command
}
