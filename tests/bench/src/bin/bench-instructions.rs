//! Counts the instructions of every case and complains of those that grew: `bench-instructions [--update]`.
//!
//! Ends with 0 when none grew, 1 when one did, 3 when nothing could be counted.
#![expect(clippy::print_stdout, reason = "a table for people")]
#![expect(clippy::print_stderr, reason = "and what is wrong")]

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use test_bench::cost::CASES;
use test_bench::instructions::{
    ALLOWED, ALLOWED_ELSEWHERE, Baseline, Unavailable, announced, count, is_within,
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
    let changelog = std::fs::read_to_string(changelog())?;
    let mut now = Baseline {
        rustc: release()?,
        processor: processor(),
        ..Baseline::default()
    };
    let is_comparable = now.rustc == before.rustc || before.rustc.is_empty();
    let is_same_processor = now.processor == before.processor;
    let allowed = match is_same_processor {
        true => ALLOWED,
        false => ALLOWED_ELSEWHERE,
    };
    let mut complaints = Vec::new();
    println!("{:28} {:>12} {:>12}", "instructions of", "were", "are");
    for case in &CASES {
        let instructions = count(&program, case)?;
        now.instructions.insert(case.name.to_owned(), instructions);
        let was = before.instructions.get(case.name).copied();
        let were = was.map_or_else(String::new, |was| was.to_string());
        println!("{:28} {were:>12} {instructions:>12}", case.name);
        let limit = was.max(announced(&changelog, case.name));
        if let Some(limit) = limit
            && is_comparable
            && !is_within(instructions, limit, allowed)
        {
            complaints.push(format!(
                "`{}` takes {instructions} instructions, {limit} are allowed: make it cheaper, or say in \
                 CHANGELOG.md why it is worth them (tests/bench/README.md has the form)",
                case.name
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
            allowed * 100.0
        );
    }
    if is_update && complaints.is_empty() {
        now.write()?;
    }
    Ok(complaints)
}

/// Empty where the system does not say.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    model
        .unwrap_or_default()
        .trim_start_matches([' ', '\t', ':'])
        .to_owned()
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
