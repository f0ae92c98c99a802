//! `bench-peer`, which other programs drive: what it prints is an agreement with them.

use serde_json::Value;

use crate::process::{Server, check_lines, client};

const PEER: &str = env!("CARGO_BIN_EXE_bench-peer");

#[test]
fn calls_are_counted_between_start_and_stop_and_none_fails() {
    let server = Server::start(PEER, &["server", "--port", "0", "--threads", "1"]);
    let load = [
        "--conns",
        "2",
        "--inflight",
        "8",
        "--payload",
        "100",
        "--threads",
        "2",
    ];
    let report = check_lines(&client(&[PEER], &server.addr, &load));
    assert_eq!((report.errors, report.first_error), (0, None));
    assert!(report.calls > 0 && report.cps > 0.0 && report.mbps > 0.0);
    assert_eq!((report.payload, report.inflight, report.conns), (100, 8, 2));
    assert_eq!(report.elapsed_s, 0.2);
    assert!(
        report.us.p50 > 0.0
            && report.us.p50 <= report.us.p999
            && report.us.p999 <= report.us.max * 1.01
    );
}

#[test]
fn the_line_has_the_keys_that_its_readers_know() {
    let server = Server::start(PEER, &["server"]);
    let lines = client(&[PEER], &server.addr, &[]);
    let report: Value = serde_json::from_str(&lines[2]).expect("JSON");
    let keys = |value: &Value| {
        value
            .as_object()
            .expect("a map")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let mut expected = [
        "calls",
        "errors",
        "first_error",
        "elapsed_s",
        "cps",
        "mbps",
        "payload",
        "inflight",
        "conns",
        "us",
    ];
    expected.sort_unstable();
    assert_eq!(keys(&report), expected);
    assert_eq!(
        keys(&report["us"]),
        ["max", "mean", "p50", "p90", "p99", "p999"]
    );
}

#[test]
fn calls_that_nobody_answers_are_errors_with_a_reason() {
    // The port of a server that is gone.
    let addr = Server::start(PEER, &["server"]).addr.clone();
    let report = check_lines(&client(&[PEER], &addr, &[]));
    assert_eq!(report.calls, 0);
    assert!(report.errors > 0 && report.first_error.is_some_and(|why| why.contains(&addr)));
}
