//! Processes on a core of their own, and what the system knows of them.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::Error;

/// A running process; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
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
        Ok(Self {
            child,
            lines: BufReader::new(stdout).lines(),
        })
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

    /// The next line it prints.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn line(&mut self) -> Result<String, Error> {
        match self.lines.next() {
            Some(line) => Ok(line?),
            None => Err(format!("it ended: {}", self.child.wait()?).into()),
        }
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

/// Where the time in user mode stands behind the name of the program; that in the kernel follows.
const UTIME: usize = 11;
/// Linux tells times in hundredths of a second.
const NANOS_A_TICK: u64 = 10_000_000;
