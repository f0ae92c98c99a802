//! What the stats say of the process.

use hyperbahn_swim::Surroundings;

use super::Ring;

/// All of it, at this moment.
pub(super) fn surroundings(ring: &Ring) -> Surroundings {
    let servers = ring.servers().iter();
    Surroundings {
        ring_checksum: ring.checksum(),
        replica_checksum: Some(ring.replica_checksum()),
        servers: servers.map(|server| server.address().to_owned()).collect(),
        pid: std::process::id(),
        memory_bytes: memory_bytes(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        // One workspace, one version.
        tchannel_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Resident memory; 0 where the system does not say.
fn memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    resident_kib(&status).unwrap_or_default() * 1024
}

fn resident_kib(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::resident_kib;

    #[test]
    fn resident_memory_is_read_from_the_status_of_the_process() {
        let status = "Name:\tx\nVmHWM:\t  9 kB\nVmRSS:\t   5312 kB\nThreads:\t1\n";
        assert_eq!(resident_kib(status), Some(5312));
        assert_eq!(resident_kib("Name:\tx\n"), None);
    }
}
