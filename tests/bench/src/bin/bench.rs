//! Ours and others side by side: tables in Markdown on standard output, how far it is on standard error.
//!
//! Builds what it runs. Needs two cores, and `taskset` to give each side one.
#![expect(clippy::print_stdout, reason = "tables are for people")]
#![expect(
    clippy::print_stderr,
    reason = "and so is what is wrong with the flags"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use lexopt::prelude::{Long, Short, ValueExt};
use serde_json::json;
use test_bench::driver::stolen::PERCENT_MAX;
use test_bench::driver::{
    Error, Goal, Log, Measured, Settings, Table, contestant, echo, fairness, goal, growth, machine,
    memory, relay,
};

const USAGE: &str = "\
usage: bench [FLAGS]
  --rounds N        how often everybody takes a turn, 3 by default
  --duration-ms MS  what a run counts, 1000 by default and 30000 at most
  --quick           one round of 400 ms: to see that all works, not for figures to keep
  --only PART       only tables whose titles have PART in them; may be repeated. Titles begin with \"echo 32 B\",
                    \"relay 32 B\" and the like, \"fairness\", \"growth\", \"memory\"
  --json            one JSON document instead of Markdown
  --no-build        run what is there";

fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("bench: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Error> {
    let settings = &options.settings;
    let log = Log::default();
    if options.builds {
        build(&settings.programs, &log)?;
    }
    let (contestants, mut absent) = contestant::all(settings);
    absent.extend(relay::haproxy_is_there().err());
    for who in &absent {
        log.say(&format!("left out: {who}"));
    }
    let machine = machine::describe();
    let mut page = Page::new(options.json);
    page.say(&format!("{machine}\n\n{settings}\n"));
    for work in echo::WORK {
        if settings.wants(&format!("echo {work}")) {
            page.add(echo::measure(settings, &contestants, work, &log));
        }
    }
    for work in relay::WORK {
        if settings.wants(&format!("relay {work}")) {
            page.add(relay::measure(settings, work, &log));
        }
    }
    for (title, measure) in PARTS {
        if settings.wants(title) {
            page.add(measure(settings, &log));
        }
    }
    page.say(&goal::tabulate(&page.goals).to_string());
    if log.repeats() + log.disturbed() > 0 {
        page.say(&format!(
            "Others took more than {PERCENT_MAX} % of the processors during runs that were made once more: {}; that count \
             all the same: {}.\n",
            log.repeats(),
            log.disturbed()
        ));
    }
    list(&page, "Left out", &absent);
    list(&page, "Failed", &log.failures());
    if options.json {
        let Page { tables, goals, .. } = page;
        let failed = log.failures();
        let all = json!({ "machine": machine, "settings": settings.to_string(), "tables": tables,
            "goals": goals, "repeated": log.repeats(),
            "disturbed": log.disturbed(), "left_out": absent, "failed": failed });
        println!("{all:#}");
    }
    log.say("done");
    Ok(())
}

type Measure = fn(&Settings, &Log) -> Measured;

const PARTS: [(&str, Measure); 3] = [
    ("fairness", fairness::measure),
    ("growth", growth::measure),
    ("memory", memory::measure),
];

fn list(page: &Page, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        page.say(&format!("{title}:\n\n- {}\n", lines.join("\n- ")));
    }
}

/// What has been measured so far, printed as it comes unless it is to be JSON.
struct Page {
    json: bool,
    tables: Vec<Table>,
    goals: Vec<Goal>,
}

impl Page {
    fn new(json: bool) -> Self {
        Self {
            json,
            tables: Vec::new(),
            goals: Vec::new(),
        }
    }

    fn say(&self, text: &str) {
        if !self.json {
            println!("{text}");
        }
    }

    fn add(&mut self, Measured { table, goals }: Measured) {
        self.say(&table.to_string());
        self.tables.push(table);
        self.goals.extend(goals);
    }
}

struct Options {
    settings: Settings,
    json: bool,
    builds: bool,
}

impl Options {
    /// `None` for whoever asks for help.
    fn read() -> Result<Option<Self>, lexopt::Error> {
        let mut settings = Settings::new(programs());
        let (mut json, mut builds) = (false, true);
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Long("rounds") => settings.rounds = parser.value()?.parse_with(rounds)?,
                Long("duration-ms") => settings.duration = parser.value()?.parse_with(duration)?,
                Long("quick") => settings.be_quick(),
                Long("only") => settings.only.push(parser.value()?.string()?),
                Long("json") => json = true,
                Long("no-build") => builds = false,
                Short('h') | Long("help") => return Ok(None),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Some(Self {
            settings,
            json,
            builds,
        }))
    }
}

fn rounds(text: &str) -> Result<usize, &'static str> {
    let rounds = text.parse().ok().filter(|rounds| *rounds > 0);
    rounds.ok_or("give a whole number above zero")
}

// Whoever says nothing for a minute counts as failed.
fn duration(text: &str) -> Result<Duration, &'static str> {
    let millis = text
        .parse()
        .ok()
        .filter(|millis| (1..=30_000).contains(millis));
    millis.map(Duration::from_millis).ok_or("give 1 to 30000")
}

/// Where this program stands, and with it all others.
fn programs() -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    here.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Builds everything into the folder that this program came from.
fn build(programs: &Path, log: &Log) -> Result<(), Error> {
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
        log.say(&format!("cargo build --release {}", what.join(" ")));
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release"])
            .args(what)
            .env("CARGO_TARGET_DIR", target)
            .current_dir(ours)
            .status()?;
        if !status.success() {
            log.fail("cargo build", &"what it did not build is left out");
        }
    }
    Ok(())
}
