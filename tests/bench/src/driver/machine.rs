//! What figures were taken on.

use std::process::Command;

/// Processor, kernel, compiler, and how busy it is, in one sentence.
pub fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("unknown");
    format!(
        "{cores} cores of {}, Linux {}, {}, load average {load} when it began.",
        processor(),
        kernel.trim(),
        rustc()
    )
}

/// As the system names it; empty where it does not.
pub fn processor() -> String {
    let info = read("/proc/cpuinfo");
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    model
        .unwrap_or_default()
        .trim_start_matches([' ', '\t', ':'])
        .to_owned()
}

fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let output = output.map_or_else(|_| Vec::new(), |output| output.stdout);
    let text = String::from_utf8_lossy(&output);
    let words: Vec<_> = text.split(' ').take(2).collect();
    words.join(" ")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
