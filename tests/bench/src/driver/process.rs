//! Processes on a core of their own, and what the system knows of them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::Error;

/// A running process; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Receiver<std::io::Result<String>>,
}

impl Process {
    /// Starts `command`, the program and its args, on one core.
    ///
    /// # Errors
    ///
    /// When there is no such program.
    pub fn start(core: usize, command: &[String]) -> Result<Self, Error> {
        let mut pinned = Command::new("taskset");
        pinned.args(["-c", &core.to_string()]).args(command);
        pinned.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = pinned
            .spawn()
            .map_err(|error| format!("can not start taskset, which pins to a core: {error}"))?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        // A thread for it, so that one that says nothing does not keep everybody waiting.
        let (said, lines) = sync_channel(LINES);
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines();
            while lines.next().is_some_and(|line| said.send(line).is_ok()) {}
        });
        Ok(Self { child, lines })
    }

    /// Starts a server and waits until it says where it listens, `READY <port>` or as our router does; gives its
    /// address.
    ///
    /// # Errors
    ///
    /// When it says something else, or ends.
    pub fn serve(core: usize, command: &[String]) -> Result<(Self, String), Error> {
        let mut server = Self::start(core, command)?;
        let line = server.line()?;
        let port = line
            .strip_prefix("READY ")
            .or_else(|| line.strip_prefix("router listens on "))
            .ok_or_else(|| format!("{command:?} said {line:?}, not READY"))?;
        let address = match port.contains(':') {
            true => port.to_owned(),
            false => format!("127.0.0.1:{port}"),
        };
        Ok((server, address))
    }

    /// The next line it prints, within a minute.
    ///
    /// # Errors
    ///
    /// When it has ended, or says nothing.
    pub fn line(&mut self) -> Result<String, Error> {
        self.line_within(PATIENCE)
    }

    /// The next line it prints, within `limit`.
    ///
    /// # Errors
    ///
    /// When it has ended, or says nothing.
    pub fn line_within(&mut self, limit: Duration) -> Result<String, Error> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => Ok(line?),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("it said nothing for {} s", limit.as_secs()).into())
            }
            Err(RecvTimeoutError::Disconnected) => Err(match self.status() {
                Some(status) => format!("it ended: {status}").into(),
                None => "it has closed its standard output".into(),
            }),
        }
    }

    /// How it has ended, if it has.
    fn status(&mut self) -> Option<ExitStatus> {
        let mut looks = 0..100;
        while looks.next().is_some() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        None
    }

    /// What the system knows of it now.
    pub fn usage(&self) -> Usage {
        Usage::of(self.child.id())
    }

    /// Counts the system calls it makes for as long as `work` takes; `None` where `perf` is not to be had.
    pub fn count_syscalls<T>(&self, work: impl FnOnce() -> T) -> (T, Option<u64>) {
        let perf = Command::new("perf")
            .args(["stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p"])
            .arg(self.child.id().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let outcome = work();
        (outcome, perf.ok().and_then(counted))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `perf stat` has counted, told to stop.
fn counted(perf: Child) -> Option<u64> {
    let stop = Command::new("kill")
        .args(["-INT", &perf.id().to_string()])
        .status();
    stop.ok()?;
    let output = perf.wait_with_output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.contains("sys_enter"))?;
    line.split(',').next()?.parse().ok()
}

/// What a process has used so far, and has now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Time on a processor, all threads together, in nanoseconds.
    pub cpu_ns: u64,
    /// Memory in RAM, in KiB.
    pub rss_kib: u64,
}

impl Usage {
    /// Of the process of that id; zero where the system does not tell.
    pub fn of(pid: u32) -> Self {
        // Threads that have ended count here, which they do not where each is listed.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace();
        let ticks = fields
            .skip(UTIME)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok());
        let cpu_ns = ticks.sum::<u64>() * NANOS_A_TICK;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let rss_kib = rss.and_then(|rss| rss.split_whitespace().next()?.parse().ok());
        Self {
            cpu_ns,
            rss_kib: rss_kib.unwrap_or_default(),
        }
    }
}

/// Lines that wait to be read; programs here print three.
const LINES: usize = 16;
/// Longest wait for a line: a server that starts, or a client that counts.
const PATIENCE: Duration = Duration::from_secs(60);
/// Where the time in user mode stands behind the name of the program; that in the kernel follows.
const UTIME: usize = 11;
/// Linux tells times in hundredths of a second.
const NANOS_A_TICK: u64 = 10_000_000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Process;

    fn start(script: &str) -> Process {
        let command = ["sh", "-c", script].map(str::to_owned);
        Process::start(0, &command).expect("taskset and sh are there")
    }

    #[test]
    fn one_that_ends_says_how() {
        let mut process = start("echo one; exit 7");
        assert_eq!(process.line().expect("a line"), "one");
        let error = process.line().expect_err("it has ended").to_string();
        assert_eq!(error, "it ended: exit status: 7");
    }

    #[test]
    fn one_that_says_nothing_is_not_waited_for_longer_than_the_limit() {
        let error = start("exec sleep 1000").line_within(Duration::from_millis(1));
        let error = error.expect_err("it says nothing").to_string();
        assert!(error.starts_with("it said nothing"), "{error}");
    }
}
