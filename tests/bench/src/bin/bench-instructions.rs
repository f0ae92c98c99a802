//! Counts the instructions of every case and complains of those that grew: `bench-instructions [--update]`.
//!
//! Ends with 0 when none grew, 1 when one did, 3 when nothing could be counted.
#![expect(clippy::print_stdout, reason = "a table for people")]
#![expect(clippy::print_stderr, reason = "and what is wrong")]

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use test_bench::cost::{CASES, Case, GROWTH};
use test_bench::driver::machine::processor;
use test_bench::instructions::{
    ALLOWED, ALLOWED_AMONG_MANY, ALLOWED_ELSEWHERE, Baseline, Unavailable, announced, count_all,
    is_within,
};

fn main() -> ExitCode {
    let is_update = std::env::args().any(|arg| arg == "--update");
    match run(is_update) {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            complaints
                .iter()
                .for_each(|complaint| eprintln!("{complaint}"));
            ExitCode::FAILURE
        }
        Err(error) if error.is::<Unavailable>() => {
            eprintln!("bench-instructions: NOT COUNTED: {error}");
            ExitCode::from(3)
        }
        Err(error) => {
            eprintln!("bench-instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(is_update: bool) -> Result<Vec<String>, Box<dyn Error>> {
    let program = std::env::current_exe()?.with_file_name("bench-cost");
    let before = Baseline::read().unwrap_or_default();
    let counts = count_all(&program, &CASES)?;
    let names = CASES.iter().map(|case| case.name.to_owned());
    let now = Baseline {
        rustc: release()?,
        processor: processor(),
        instructions: names.zip(counts).collect(),
    };
    let mut complaints = grown(&before, &now)?;
    complaints.extend(grown_among_many(&now));
    if is_update && complaints.is_empty() {
        now.write()?;
    }
    Ok(complaints)
}

/// Prints what the counts were and are, and complains of those that are more.
fn grown(before: &Baseline, now: &Baseline) -> Result<Vec<String>, Box<dyn Error>> {
    let changelog = std::fs::read_to_string(changelog())?;
    let is_comparable = now.rustc == before.rustc || before.rustc.is_empty();
    let is_same_processor = now.processor == before.processor;
    let mut complaints = Vec::new();
    println!("{:36} {:>12} {:>12}", "instructions of", "were", "are");
    for Case {
        name, is_steady, ..
    } in CASES
    {
        let instructions = now.instructions[name];
        let was = before.instructions.get(name).copied();
        let were = was.map_or_else(String::new, |was| was.to_string());
        println!("{name:36} {were:>12} {instructions:>12}");
        let allowed = match is_same_processor && is_steady {
            true => ALLOWED,
            false => ALLOWED_ELSEWHERE,
        };
        let limit = was.max(announced(&changelog, name));
        if let Some(limit) = limit
            && is_comparable
            && !is_within(instructions, limit, allowed)
        {
            complaints.push(format!(
                "`{name}` takes {instructions} instructions, {limit} are allowed: make it cheaper, or say in \
                 CHANGELOG.md why it is worth them (tests/bench/README.md has the form)"
            ));
        }
    }
    if !is_comparable {
        println!(
            "rustc {} counts differently than rustc {}, which the baseline is of: NOT COMPARED",
            now.rustc, before.rustc
        );
    }
    if !is_same_processor {
        println!(
            "this is {:?}, the baseline is of {:?}: {:.0} % more are allowed",
            now.processor,
            before.processor,
            ALLOWED_ELSEWHERE * 100.0
        );
    }
    Ok(complaints)
}

/// Prints what many cost beside few, and complains where it is too much.
fn grown_among_many(now: &Baseline) -> Vec<String> {
    let mut complaints = Vec::new();
    println!("\n{:36} {:36} {:>6}", "from", "to", "times");
    for (few, many) in GROWTH {
        let [before, after] = [few, many].map(|name| now.instructions[name]);
        let times = after as f64 / before as f64;
        println!("{few:36} {many:36} {times:>6.2}");
        if !is_within(after, before, ALLOWED_AMONG_MANY) {
            complaints.push(format!(
                "`{many}` takes {times:.2} times the instructions of `{few}`, {:.1} times are allowed: find what \
                 grows with their number",
                1.0 + ALLOWED_AMONG_MANY
            ));
        }
    }
    complaints
}

fn changelog() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../CHANGELOG.md")
}

/// Major and minor version of the compiler on the path.
fn release() -> Result<String, Box<dyn Error>> {
    let output = Command::new("rustc").arg("--version").output()?;
    let text = String::from_utf8(output.stdout)?;
    let version = text.split(' ').nth(1).ok_or("rustc says no version")?;
    Ok(version.splitn(3, '.').take(2).collect::<Vec<_>>().join("."))
}
