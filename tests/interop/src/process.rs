//! A program of a peer while it runs: lines in, lines out, and what it complained about.

use std::collections::VecDeque;
use std::io::Write;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::Peer;

/// A running program. It is killed when dropped, and shows its last complaints if a test failed.
pub(crate) struct Process {
    peer: Peer,
    stdin: ChildStdin,
    complaints: Complaints,
    _child: Child,
}

/// The lines that the program prints.
pub(crate) type Output = Lines<BufReader<ChildStdout>>;

impl Process {
    /// Starts the program of a peer with these arguments.
    pub(crate) fn start(peer: Peer, args: &[&str]) -> (Self, Output) {
        let mut command: Command = peer.command();
        let mut child = command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let stdin = child.stdin.take().expect("stdin was piped");
        let stdout = child.stdout.take().expect("stdout was piped");
        let stderr = child.stderr.take().expect("stderr was piped");
        let process = Self {
            peer,
            stdin,
            complaints: Complaints::collect(stderr),
            _child: child,
        };
        (process, BufReader::new(stdout).lines())
    }

    /// Writes one line to the program.
    pub(crate) async fn write_line(&mut self, line: &str) {
        let line = format!("{line}\n");
        if let Err(error) = self.stdin.write_all(line.as_bytes()).await {
            panic!("the {} peer does not listen: {error}", self.peer.name());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.complaints.show(self.peer);
        }
    }
}

/// The last lines on the program's stderr.
#[derive(Clone, Default)]
struct Complaints(Arc<Mutex<VecDeque<String>>>);

const COMPLAINTS_KEPT: usize = 40;

impl Complaints {
    fn collect(stderr: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let complaints = Self::default();
        let kept = complaints.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                kept.keep(line);
            }
        });
        complaints
    }

    fn keep(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == COMPLAINTS_KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn show(&self, peer: Peer) {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stderr = std::io::stderr();
        for line in lines.iter() {
            // A closed stderr leaves nobody to tell.
            let _ = writeln!(stderr, "{} | {line}", peer.name());
        }
    }
}
