//! The floor and the copying relay carry what they are given.

use crate::process::{Server, check_lines, client};

const FLOOR: &str = env!("CARGO_BIN_EXE_bench-floor");

#[track_caller]
fn check(kind: &str, load: &[&str], is_relayed: bool) {
    let server = Server::start(FLOOR, &[kind, "server"]);
    let relay = is_relayed.then(|| Server::start(FLOOR, &["copy", &server.addr]));
    let addr = relay.as_ref().map_or(&server.addr, |relay| &relay.addr);
    // A busy machine may not get one call done within a short window.
    let is_carried = ["200", "2000", "20000"].into_iter().any(|window| {
        let load = [load, &["--duration-ms", window]].concat();
        let report = check_lines(&client(&[FLOOR, kind], addr, &load));
        assert_eq!(report.errors, 0);
        report.calls > 0
    });
    assert!(is_carried, "{kind} carries nothing");
}

#[test]
fn both_floors_echo_small_messages_in_batches() {
    for kind in ["std", "tokio"] {
        check(kind, &["--inflight", "64"], false);
    }
}

#[test]
fn messages_that_do_not_fit_in_the_sockets_get_through() {
    for kind in ["std", "tokio"] {
        check(kind, &["--inflight", "16", "--payload", "1048576"], false);
    }
}

#[test]
fn a_relay_that_copies_passes_on_both_ways() {
    check("tokio", &["--inflight", "8", "--payload", "100000"], true);
}
