//! Many connections and many names: a process that has them, beside what is measured.

use super::Error;
use super::Settings;
use super::process::Process;

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

impl Crowd {
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
        let line = crowd.line()?;
        match line.starts_with("READY") {
            true => Ok(crowd),
            false => Err(format!("the crowd said {line:?}").into()),
        }
    }
}

/// Connections of one process: each listens too, so it takes two of the files that a process may have open.
const IN_ONE_PROCESS: usize = 5_000;
