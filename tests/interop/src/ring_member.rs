//! A foreign member of a Ringpop ring.

use std::path::Path;

use crate::Peer;
use crate::process::{Output, Process};

/// A running member; it is killed when this is dropped.
pub struct RingMember {
    address: String,
    _process: Process,
    _output: Output,
}

impl RingMember {
    /// Starts a member at `address` that joins the ring of those in the JSON file `hosts`. A suspect has
    /// `suspect_period_ms` to refute.
    pub fn start(peer: Peer, address: &str, hosts: &Path, suspect_period_ms: u64) -> Self {
        let listen = format!("--listen={address}");
        let hosts = format!("--hosts={}", hosts.display());
        let suspect = format!("--suspect-period={suspect_period_ms}");
        let (process, output) = Process::start(peer, &[&listen, &hosts, &suspect]);
        Self {
            address: address.to_owned(),
            _process: process,
            _output: output,
        }
    }

    /// Where it can be asked.
    pub fn address(&self) -> &str {
        &self.address
    }
}
