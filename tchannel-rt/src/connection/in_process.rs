//! Addresses within the process, and who takes connections there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::transport::Stream;

/// Takes a connection that somebody in this process opens.
pub(crate) type TakeIn = Arc<dyn Fn(Stream) + Send + Sync>;

/// A place in this process where connections are taken, for as long as it lives.
pub(crate) struct Listening {
    number: u64,
}

/// What an address within the process begins with, where others have a host.
const PREFIX: &str = "in-process:";

static PROCESS: Mutex<Process> = Mutex::new(Process {
    last: 0,
    listening: BTreeMap::new(),
});

struct Process {
    last: u64,
    listening: BTreeMap<u64, TakeIn>,
}

impl Listening {
    /// Takes connections from now on, at an address that nobody has had before.
    pub(crate) fn start(take_in: TakeIn) -> Self {
        let mut process = process();
        process.last += 1;
        let number = process.last;
        process.listening.insert(number, take_in);
        Self { number }
    }

    pub(crate) fn host_port(&self) -> String {
        format!("{PREFIX}{}", self.number)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let gone = process().listening.remove(&self.number);
        // What it holds may listen too, so not under the lock.
        drop(gone);
    }
}

/// The number in an address within the process, if it is one.
pub(crate) fn number_of(host_port: &str) -> Option<u64> {
    host_port.strip_prefix(PREFIX)?.parse().ok()
}

/// Opens a connection to whoever listens at `number`, if anybody does.
pub(super) fn connect(number: u64) -> Option<Stream> {
    let take_in = process().listening.get(&number).cloned()?;
    let (mine, yours) = Stream::pair();
    take_in(yours);
    Some(mine)
}

fn process() -> MutexGuard<'static, Process> {
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}
