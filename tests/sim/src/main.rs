//! Measures rings on virtual time.
//!
//! ```text
//! cargo run --release -p test-sim -- crash --size 1000 --runs 30
//! ```

use std::fmt::Write;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

use test_sim::experiments::{ALL, Experiment, Settings};

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("{}", help());
        return ExitCode::SUCCESS;
    }
    match parse(args.into_iter()) {
        Ok((name, experiment, settings)) => {
            println!("{name}: {settings:?}");
            let started = Instant::now();
            print!("{}", experiment(&settings));
            let seconds = started.elapsed().as_secs_f64();
            println!("  took {seconds:.1} s, at most {} MB", most_memory_mb());
            ExitCode::SUCCESS
        }
        Err(what) => {
            eprintln!("{what}\n\n{}", help());
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let Settings {
        size,
        runs,
        seed,
        time,
        registrations,
        ..
    } = Settings::default();
    let mut help = format!(
        "Measures rings of members on virtual time.\n\n  \
         test-sim EXPERIMENT [FLAGS]\n\n  \
         --size N        members, {size} by default\n  \
         --runs N        how often, {runs} by default; each with the next seed\n  \
         --seed N        decides all the rest, {seed} by default: the same flags repeat a run\n  \
         --loss PERCENT  of all messages\n  \
         --registrations N  held by a mesh of routers, {registrations} by default\n  \
         --heal SECONDS  between two chances to look for the lost\n  \
         --seconds N     virtual time of a run that does not end by itself, {} by default\n\n",
        time.as_secs()
    );
    for (name, about, _) in ALL {
        writeln!(help, "  {name:<10} {about}").expect("a string takes all that is written");
    }
    help
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
        match flag.as_str() {
            "--size" => settings.size = number(&flag, &value)?,
            "--runs" => settings.runs = number(&flag, &value)?,
            "--seed" => settings.seed = number(&flag, &value)?,
            "--seconds" => settings.time = Duration::from_secs(number(&flag, &value)?),
            "--heal" => settings.heal = Some(Duration::from_secs(number(&flag, &value)?)),
            "--registrations" => settings.registrations = number(&flag, &value)?,
            "--loss" => settings.loss = Some(number::<f64>(&flag, &value)? / 100.0),
            _ => return Err(format!("there is no flag {flag}")),
        }
    }
    let is_possible = [settings.size, settings.runs, settings.registrations]
        .iter()
        .all(|count| *count > 0);
    let what = "--size, --runs and --registrations are at least 1".to_owned();
    is_possible
        .then_some((name, experiment, settings))
        .ok_or(what)
}

fn number<T: FromStr>(flag: &str, value: &str) -> Result<T, String> {
    let number = value.parse();
    number.map_err(|_| format!("{flag} {value}: give a number"))
}

/// What the process has held at most, where the system tells.
fn most_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}
