//! Measures rings on virtual time.
//!
//! ```text
//! cargo run --release -p test-sim -- crash --size 1000 --runs 30
//! ```

use std::process::ExitCode;
use std::time::{Duration, Instant};

use test_sim::experiments::{ALL, Experiment, Settings};

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]
fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Ok((name, experiment, settings)) => {
            println!("{name}: {settings:?}");
            let started = Instant::now();
            print!("{}", experiment(&settings));
            println!(
                "  took {:.1} s, at most {} MB",
                started.elapsed().as_secs_f64(),
                most_memory_mb()
            );
            ExitCode::SUCCESS
        }
        Err(what) => {
            eprintln!("{what}\n");
            eprintln!(
                "EXPERIMENT [--size N] [--runs N] [--seed N] [--loss PERCENT] [--seconds N]\n"
            );
            for (name, about, _) in ALL {
                eprintln!("  {name:<10} {about}");
            }
            ExitCode::FAILURE
        }
    }
}

fn parse(
    mut args: impl Iterator<Item = String>,
) -> Result<(&'static str, Experiment, Settings), String> {
    let name = args.next().ok_or("which experiment?")?;
    let found = ALL.into_iter().find(|(known, ..)| *known == name);
    let (name, _, experiment) = found.ok_or(format!("there is no experiment {name:?}"))?;
    let mut settings = Settings::default();
    while let Some(flag) = args.next() {
        let value = args.next().ok_or(format!("{flag} needs a value"))?;
        let bad = |_| format!("{flag} {value} is not a number");
        match flag.as_str() {
            "--size" => settings.size = value.parse().map_err(bad)?,
            "--runs" => settings.runs = value.parse().map_err(bad)?,
            "--seed" => settings.seed = value.parse().map_err(bad)?,
            "--seconds" => settings.time = Duration::from_secs(value.parse().map_err(bad)?),
            "--loss" => {
                let percent: f64 = value
                    .parse()
                    .map_err(|_| format!("{value} is no percentage"))?;
                settings.loss = percent / 100.0;
            }
            _ => return Err(format!("there is no flag {flag}")),
        }
    }
    Ok((name, experiment, settings))
}

/// What the process has held at most, where the system tells.
fn most_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}
