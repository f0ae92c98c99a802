//! Ours and others side by side: `bench [--rounds N] [--duration-ms MS] [--only PART] [--json]`.
//!
//! Builds what it runs. Needs two cores, and `taskset` to give each side one.
#![expect(clippy::print_stdout, reason = "tables are for people")]
#![expect(clippy::print_stderr, reason = "and so is what is left out")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lexopt::prelude::{Long, ValueExt};
use test_bench::driver::{
    Error, Settings, Table, contestant, echo, fairness, growth, memory, relay,
};

fn main() -> Result<(), Error> {
    let options = Options::read()?;
    let settings = &options.settings;
    if options.builds {
        build(&settings.programs)?;
    }
    let (contestants, absent) = contestant::all(settings);
    let say = |what: &str| eprintln!("bench: {what}");
    absent
        .iter()
        .for_each(|who| say(&format!("left out: {who}")));
    let mut tables = Vec::new();
    let mut add = |table: Table| {
        if !options.json {
            println!("{table}");
        }
        tables.push(table);
    };
    for work in echo::WORK {
        if settings.wants(&format!("echo {work}")) {
            add(echo::measure(settings, &contestants, work, say));
        }
    }
    for work in relay::WORK {
        if settings.wants(&format!("relay {work}")) {
            add(relay::measure(settings, work, say));
        }
    }
    if settings.wants("fairness") {
        add(fairness::measure(settings)?);
    }
    if settings.wants("growth") {
        add(growth::measure(settings, &contestants, say));
    }
    if settings.wants("memory") {
        add(memory::measure(settings)?);
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&tables)?);
    }
    Ok(())
}

struct Options {
    settings: Settings,
    json: bool,
    builds: bool,
}

impl Options {
    fn read() -> Result<Self, lexopt::Error> {
        let mut options = Self {
            settings: Settings {
                rounds: 3,
                duration: Duration::from_secs(1),
                warmup: Duration::from_millis(300),
                only: Vec::new(),
                programs: programs(),
            },
            json: false,
            builds: true,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Long("rounds") => options.settings.rounds = parser.value()?.parse()?,
                Long("duration-ms") => {
                    options.settings.duration = Duration::from_millis(parser.value()?.parse()?);
                }
                Long("only") => options.settings.only.push(parser.value()?.string()?),
                Long("json") => options.json = true,
                Long("no-build") => options.builds = false,
                other => return Err(other.unexpected()),
            }
        }
        Ok(options)
    }
}

/// Where this program stands, and with it all others.
fn programs() -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    here.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Builds everything into the folder that this program came from.
fn build(programs: &Path) -> Result<(), Error> {
    let target = programs
        .parent()
        .ok_or("this program stands in no target folder")?;
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    let peers = ours.join("peers").join("Cargo.toml");
    let peers = peers.to_string_lossy();
    for what in [
        &["-p", "test-bench", "-p", "hyperbahn"][..],
        &["--manifest-path", &peers, "--locked"],
    ] {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release"])
            .args(what)
            .env("CARGO_TARGET_DIR", target)
            .current_dir(ours)
            .status()?;
        if !status.success() {
            eprintln!("bench: cargo build --release {what:?} failed; its programs are left out");
        }
    }
    Ok(())
}
