//! One process: started, ready, and whatever is done to it then.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A running process that has said where it listens. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    address: String,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts `program` with `args` and waits for its line `READY host:port`.
    pub async fn start(program: &str, args: &[&str]) -> Self {
        let mut command = Command::new(program);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("can not start {program}: {error}"));
        let stdout = child.stdout.take().expect("asked for above");
        let mut lines = BufReader::new(stdout).lines();
        let line = lines
            .next_line()
            .await
            .expect("readable")
            .unwrap_or_default();
        let address = line
            .strip_prefix("READY ")
            .unwrap_or_else(|| panic!("{program} {args:?} said {line:?}"));
        Self {
            child,
            address: address.to_owned(),
            lines,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// SIGKILL, as a crash would; returns once it is gone.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it was running");
    }

    /// SIGTERM, as an operator would; returns once it has exited in order.
    pub async fn stop(mut self) {
        self.signal("TERM").await;
        let status = self.child.wait().await.expect("it is our child");
        assert!(status.success(), "stopped with {status}");
    }

    /// SIGTERM; returns at once.
    pub async fn terminate(&self) {
        self.signal("TERM").await;
    }

    /// SIGINT, as Ctrl-C sends it; returns at once.
    pub async fn interrupt(&self) {
        self.signal("INT").await;
    }

    /// Its last line, once it has exited in order.
    pub async fn last_line(mut self) -> String {
        let mut last = String::new();
        while let Some(line) = self.lines.next_line().await.expect("readable") {
            last = line;
        }
        let status = self.child.wait().await.expect("it is our child");
        assert!(status.success(), "ended with {status} after {last:?}");
        last
    }

    /// SIGSTOP: its sockets stay, and nothing is answered any more.
    pub async fn freeze(&self) {
        self.signal("STOP").await;
    }

    /// SIGCONT, after [`freeze`](Self::freeze).
    pub async fn thaw(&self) {
        self.signal("CONT").await;
    }

    async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it is running").to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status()
            .await
            .expect("kill exists");
        assert!(sent.success());
    }
}
