//! Addresses for processes that come back where they were.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// A loopback address at which nobody listens.
///
/// Its port is one that systems do not choose for outgoing connections, so nobody takes it by chance while
/// its process is down.
pub fn free_address() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() as u16;
    for _ in 0..PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + first.wrapping_mul(STRIDE).wrapping_add(step) % PORTS;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return format!("127.0.0.1:{port}");
        }
    }
    panic!("no port from {FIRST} on is free");
}

const FIRST: u16 = 20_000;
const PORTS: u16 = 12_000;
/// More than one run of the tests uses, so that two at once seldom try the same.
const STRIDE: u16 = 97;
