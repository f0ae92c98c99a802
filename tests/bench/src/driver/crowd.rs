//! Many connections and many names: a process that has them, beside what is measured.

use std::time::Duration;

use super::process::Process;
use super::{Error, Settings, relay};

/// Whom a crowd connects to, and how many it is.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// Connections.
    pub connections: usize,
    /// Names each advertises; none where there is no router.
    pub names: usize,
    /// Different names in all.
    pub services: usize,
}

/// Connections of the largest crowd.
pub const MANY: usize = 10_000;

/// The command of our router with room for any crowd.
///
/// # Errors
///
/// When its configuration can not be written.
pub fn router(settings: &Settings) -> Result<Vec<String>, Error> {
    let config = settings.programs.join("bench-router.toml");
    std::fs::write(
        &config,
        "connections_max = 20000\n[registry]\nmax_services = 200000\n",
    )?;
    let more = ["--config", &config.to_string_lossy()];
    Ok(relay::router(settings, &more))
}

impl Crowd {
    /// One that advertises nothing.
    pub const fn idle(connections: usize) -> Self {
        Self {
            connections,
            names: 0,
            services: 1,
        }
    }

    /// Starts it and waits until all are connected, and known where they advertise.
    ///
    /// # Errors
    ///
    /// When one is refused.
    pub fn join(
        self,
        settings: &Settings,
        address: &str,
        core: usize,
    ) -> Result<Vec<Process>, Error> {
        let mut processes = Vec::new();
        let mut first = 0;
        while first < self.connections {
            let count = (self.connections - first).min(IN_ONE_PROCESS);
            processes.push(self.start(settings, address, core, first, count)?);
            first += count;
        }
        Ok(processes)
    }

    fn start(
        self,
        settings: &Settings,
        address: &str,
        core: usize,
        first: usize,
        count: usize,
    ) -> Result<Process, Error> {
        let mut command = vec![
            settings.program("bench-crowd"),
            "--addr".to_owned(),
            address.to_owned(),
        ];
        for (flag, value) in [
            ("--first", first),
            ("--connections", count),
            ("--names", self.names),
            ("--services", self.services),
        ] {
            command.extend([flag.to_owned(), value.to_string()]);
        }
        let mut crowd = Process::start(core, &command)?;
        let line = crowd.line_within(PATIENCE)?;
        match line.starts_with("READY") {
            true => Ok(crowd),
            false => Err(format!("the crowd said {line:?}").into()),
        }
    }
}

/// Longest wait for 5,000 connections and what they advertise.
const PATIENCE: Duration = Duration::from_secs(240);
/// Connections of one process: each listens too, so it takes two of the files that a process may have open.
const IN_ONE_PROCESS: usize = 5_000;
