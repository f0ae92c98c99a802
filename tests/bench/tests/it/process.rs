//! Programs of this package as processes, and what they print.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use test_bench::report::Report;

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: String,
}

impl Server {
    pub(crate) fn start(program: &str, args: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo has built it");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("asked for above"))
            .read_line(&mut line)
            .expect("text");
        let port = line.trim().strip_prefix("READY ");
        let port = port.unwrap_or_else(|| panic!("{program} said {line:?}"));
        Self {
            addr: format!("127.0.0.1:{port}"),
            child,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a client, a program and what comes before its flags, to its end and gives its lines.
pub(crate) fn client(program: &[&str], addr: &str, args: &[&str]) -> Vec<String> {
    let output = Command::new(program[0])
        .args(&program[1..])
        .args([
            "client",
            "--addr",
            addr,
            "--warmup-ms",
            "50",
            "--duration-ms",
            "200",
        ])
        .args(args)
        .output()
        .expect("cargo has built it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(str::to_owned).collect()
}

/// START, STOP and a report that knows all of its keys and no others.
pub(crate) fn check_lines(lines: &[String]) -> Report {
    let [start, stop, report] = lines else {
        panic!("three lines, not {lines:?}");
    };
    assert_eq!([&**start, &**stop], ["START", "STOP"]);
    serde_json::from_str(report).unwrap_or_else(|error| panic!("{error}: {report}"))
}
