//! Does one thing so many times, for whoever counts instructions: `bench-cost CASE TIMES`.
#![expect(clippy::print_stderr, reason = "people read what went wrong")]

use std::process::ExitCode;

use test_bench::cost::{CASES, Case};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let case = args.next().and_then(|name| Case::find(&name));
    let times = args.next().and_then(|times| times.parse().ok());
    let (Some(case), Some(times)) = (case, times) else {
        eprintln!("usage: bench-cost CASE TIMES, where CASE is one of");
        CASES.iter().for_each(|case| eprintln!("  {:?}", case.name));
        return ExitCode::from(2);
    };
    (case.run)(times);
    ExitCode::SUCCESS
}
