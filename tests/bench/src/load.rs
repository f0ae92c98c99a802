//! A closed loop: so many calls in flight at all times, and what is seen of them within a window.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinSet;

use crate::options::Load;
use crate::report::{Report, Tally};

/// One connection of something that can echo.
pub trait Echo: Clone + Send + Sync + 'static {
    /// Sends `payload` and gives how many bytes came back.
    ///
    /// # Errors
    ///
    /// What went wrong, in words.
    fn echo(&self, payload: Bytes) -> impl Future<Output = Result<usize, String>> + Send;
}

/// When calls are counted: those that end within it.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// From here.
    pub start: Instant,
    /// To here.
    pub stop: Instant,
}

impl Window {
    /// The window of a load that begins now.
    pub fn of(load: &Load) -> Self {
        let start = Instant::now() + load.warmup;
        Self {
            start,
            stop: start + load.duration,
        }
    }

    /// Whether what ends at `end` is counted.
    pub fn holds(&self, end: Instant) -> bool {
        self.start <= end && end < self.stop
    }

    /// Whether it is over at `now`.
    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.stop
    }
}

/// Keeps `load.inflight` calls in flight over `connections`, a task for each. `mark` is told when counting
/// begins (`START`) and ends (`STOP`).
pub async fn run<E: Echo>(
    load: &Load,
    threads: usize,
    connections: &[E],
    mark: impl Fn(&'static str),
) -> Report {
    let window = Window::of(load);
    let payload = Bytes::from(vec![7; load.payload]);
    let tallies: Vec<_> = (0..threads.max(1)).map(|_| Shard::default()).collect();
    let mut callers = JoinSet::new();
    for caller in 0..load.inflight {
        let connection = connections[caller % connections.len()].clone();
        let tally = tallies[caller % tallies.len()].clone();
        callers.spawn(call_on(connection, payload.clone(), window, tally));
    }
    tokio::time::sleep_until(window.start.into()).await;
    mark("START");
    tokio::time::sleep_until(window.stop.into()).await;
    mark("STOP");
    // One that never hears back must not keep the others from being reported.
    let _ = tokio::time::timeout(PATIENCE, async {
        while callers.join_next().await.is_some() {}
    })
    .await;
    let mut whole = Tally::default();
    for shard in &tallies {
        whole.add(std::mem::take(&mut *lock(shard)));
    }
    whole.report(load, load.duration)
}

type Shard = Arc<Mutex<Tally>>;

async fn call_on<E: Echo>(connection: E, payload: Bytes, window: Window, tally: Shard) {
    let mut begin = Instant::now();
    while !window.is_over(begin) {
        let outcome = connection.echo(payload.clone()).await;
        let end = Instant::now();
        let failure = match outcome {
            Ok(bytes) if bytes == payload.len() => None,
            Ok(bytes) => Some(format!("{bytes} bytes came back, not {}", payload.len())),
            Err(why) => Some(why),
        };
        if window.holds(end) {
            let mut tally = lock(&tally);
            match &failure {
                None => tally.answered(end - begin, 1),
                Some(why) => tally.failed(why.clone()),
            }
        }
        begin = end;
        if failure.is_some() {
            // A server that is gone fails calls at once: others want the processor too.
            tokio::time::sleep(AFTER_FAILURE).await;
            begin = Instant::now();
        }
    }
}

fn lock(shard: &Shard) -> std::sync::MutexGuard<'_, Tally> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

const PATIENCE: Duration = Duration::from_secs(5);
const AFTER_FAILURE: Duration = Duration::from_millis(1);
