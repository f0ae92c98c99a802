//! Calls that go on in the background while a scenario does its worst: one every half a millisecond, whatever
//! became of those before, unless the machine is too slow for so many.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tchannel_rt::{CallError, Channel};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Between one call and the next, all callers together.
const BETWEEN: Duration = Duration::from_micros(500);

/// Calls in flight, ten times as many as usual, above which the next one waits: that the machine is busy with
/// something else is not what is to be shown. The line about the calls says how many waited.
const IN_FLIGHT_MAX: usize = 500;

/// Time of a call, retries included. Longer than any pause of a busy machine.
const TTL: Duration = Duration::from_secs(30);

/// What became of the calls.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) sent: usize,
    held_back: usize,
    pub(crate) answered: usize,
    pub(crate) retried: usize,
    pub(crate) failed: Vec<Failed>,
    /// Calls by the instance that answered them.
    pub(crate) by_instance: BTreeMap<String, usize>,
    times: Vec<Duration>,
}

/// A call without an answer.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) sent: Instant,
    pub(crate) error: CallError,
}

/// Calls by several callers in turn, until stopped.
pub(crate) struct Traffic {
    shared: Arc<Shared>,
    pacer: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    in_flight: AtomicUsize,
    counts: Mutex<Counts>,
    ended: Notify,
}

impl Traffic {
    /// Calls of `target` by each of `callers` in turn.
    pub(crate) fn start(callers: &[Channel], target: &'static str) -> Self {
        let shared = Arc::new(Shared::default());
        let pacer = tokio::spawn(pace(callers.to_vec(), target, shared.clone()));
        Self { shared, pacer }
    }

    /// Waits until `more` further calls have been answered.
    pub(crate) async fn answered(&self, more: usize) {
        let goal = self.shared.counts(|counts| counts.answered) + more;
        self.shared
            .until(|shared| shared.counts(|counts| counts.answered) >= goal)
            .await;
    }

    /// Calls that have neither an answer nor an error so far.
    pub(crate) fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::SeqCst)
    }

    /// Whether `instance` has answered a call.
    pub(crate) fn has_answered(&self, instance: &str) -> bool {
        let by_instance = |counts: &mut Counts| counts.by_instance.contains_key(instance);
        self.shared.counts(by_instance)
    }

    /// Makes no further calls, waits for those in flight, and prints a line about all of them.
    pub(crate) async fn stop(self, scenario: &str) -> Counts {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.pacer.await.expect("it does not panic");
        self.shared
            .until(|shared| shared.in_flight.load(Ordering::SeqCst) == 0)
            .await;
        let counts = self.shared.counts(std::mem::take);
        counts.print(scenario);
        counts
    }
}

impl Shared {
    fn counts<T>(&self, look: impl FnOnce(&mut Counts) -> T) -> T {
        look(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if is_so(self) {
                return;
            }
            ended.await;
        }
    }
}

async fn pace(callers: Vec<Channel>, target: &'static str, shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(BETWEEN);
    for caller in callers.into_iter().cycle() {
        ticks.tick().await;
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        if shared.in_flight.load(Ordering::SeqCst) >= IN_FLIGHT_MAX {
            shared.counts(|counts| counts.held_back += 1);
            let is_below =
                |shared: &Shared| shared.in_flight.load(Ordering::SeqCst) < IN_FLIGHT_MAX;
            shared.until(is_below).await;
        }
        shared.in_flight.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(call(caller, target, shared.clone()));
    }
}

async fn call(caller: Channel, target: &'static str, shared: Arc<Shared>) {
    let sent = Instant::now();
    let outcome = caller.call(target).ttl(TTL).send("", "").await;
    shared.counts(|counts| {
        counts.sent += 1;
        counts.times.push(sent.elapsed());
        match outcome {
            Ok(response) => {
                counts.answered += 1;
                counts.retried += usize::from(response.attempts > 1);
                let instance = String::from_utf8_lossy(&response.arg3).into_owned();
                *counts.by_instance.entry(instance).or_default() += 1;
            }
            Err(error) => {
                counts.retried += usize::from(error.attempts() > 1);
                counts.failed.push(Failed { sent, error });
            }
        }
    });
    shared.in_flight.fetch_sub(1, Ordering::SeqCst);
    shared.ended.notify_waiters();
}

impl Counts {
    #[track_caller]
    pub(crate) fn assert_none_failed(&self) {
        assert!(self.failed.is_empty(), "{:#?}", self.failures());
    }

    fn print(&self, scenario: &str) {
        let Self {
            sent,
            held_back,
            answered,
            retried,
            failed,
            ..
        } = self;
        let failed = failed.len();
        let [half, most, all] = [0.5, 0.99, 1.0].map(|share| self.time_of(share));
        println!(
            "{scenario:<48} sent {sent:>6} (held back {held_back:>5}) answered {answered:>6} retried {retried:>5} failed {failed:>4} \
             | half within {half:>4} ms, 99 % {most:>5} ms, all {all:>5} ms"
        );
        for (failure, count) in self.failures() {
            println!("    {count:>5} x {failure}");
        }
    }

    /// How often calls failed, by code and message.
    fn failures(&self) -> BTreeMap<String, usize> {
        let mut failures = BTreeMap::new();
        for Failed { error, .. } in &self.failed {
            let peer = error.peer().unwrap_or("nobody");
            let failure = format!("{} of {peer}: {}", error.code(), error.message());
            *failures.entry(failure).or_default() += 1;
        }
        failures
    }

    /// Milliseconds within which this share of the calls had ended.
    fn time_of(&self, share: f64) -> u128 {
        let mut times = self.times.clone();
        times.sort_unstable();
        let index = (times.len() as f64 * share) as usize;
        let time = times.get(index.min(times.len().saturating_sub(1)));
        time.map_or(0, Duration::as_millis)
    }
}
