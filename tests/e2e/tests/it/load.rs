//! Calls that go on in the background while a scenario does its worst.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tchannel_rt::{CallError, Channel};
use tokio::task::JoinHandle;

/// What became of the calls of a load.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) answered: u64,
    pub(crate) retried: u64,
    pub(crate) failed: Vec<CallError>,
}

/// Workers that call the same method without a pause until stopped.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    workers: Vec<JoinHandle<Counts>>,
}

impl Load {
    pub(crate) fn start(channel: &Channel, target: &'static str, workers: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicU64::new(0));
        let worker = || {
            tokio::spawn(work(
                channel.clone(),
                target,
                stop.clone(),
                answered.clone(),
            ))
        };
        let workers = (0..workers).map(|_| worker()).collect();
        Self {
            stop,
            answered,
            workers,
        }
    }

    /// Waits until `more` further calls have been answered.
    pub(crate) async fn answered(&self, more: u64) {
        let goal = self.answered.load(Ordering::Relaxed) + more;
        while self.answered.load(Ordering::Relaxed) < goal {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn stop(self) -> Counts {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Counts::default();
        for worker in self.workers {
            let counts = worker.await.expect("a worker does not panic");
            all.answered += counts.answered;
            all.retried += counts.retried;
            all.failed.extend(counts.failed);
        }
        all
    }
}

async fn work(
    channel: Channel,
    target: &'static str,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
) -> Counts {
    let mut counts = Counts::default();
    while !stop.load(Ordering::Relaxed) {
        match channel
            .call(target)
            .ttl(Duration::from_secs(5))
            .send("", "x")
            .await
        {
            Ok(response) => {
                counts.answered += 1;
                counts.retried += u64::from(response.attempts > 1);
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => counts.failed.push(error),
        }
    }
    counts
}
