//! Wakes the one task that waits for it, which is always the same.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

/// Is set by anybody, and found set once.
///
/// Waiting writes no memory that others share, unlike where any task may wait: the waker is kept for good.
#[derive(Default)]
pub(super) struct Alarm {
    is_set: AtomicBool,
    waker: OnceLock<Waker>,
}

impl Alarm {
    /// Wakes the task, unless that was done and it has not looked since.
    pub(super) fn set(&self) {
        if !self.is_set.swap(true, Ordering::AcqRel)
            && let Some(waker) = self.waker.get()
        {
            waker.wake_by_ref();
        }
    }

    /// Whether the task has yet to look. Setting the alarm again is then of no use to whoever holds a lock that the
    /// task takes after each look.
    pub(super) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    /// Ready if it was set since the last look. Only one task may look.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        if let Some(waker) = self.waker.get() {
            debug_assert!(waker.will_wake(cx.waker()), "one task waits for it");
            // Mostly nobody has set it, and looking is cheaper than an exchange. Who sets it from now on wakes.
            if !self.is_set() {
                return Poll::Pending;
            }
        }
        // Who sets it before there is a waker is seen by the exchange, who does so later wakes.
        self.waker.get_or_init(|| cx.waker().clone());
        if self.is_set.swap(false, Ordering::AcqRel) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn however_often_it_is_set_it_wakes_once_until_somebody_looks() {
        let wakes = Arc::new(Counter::default());
        let waker = Waker::from(wakes.clone());
        let cx = Context::from_waker(&waker);
        let alarm = Alarm::default();
        alarm.set();
        assert!(alarm.poll(&cx).is_ready(), "also if it was set early");
        assert!(alarm.poll(&cx).is_pending());
        for round in 1..=3 {
            (0..5).for_each(|_| alarm.set());
            assert_eq!(wakes.0.load(Ordering::Relaxed), round);
            assert!(alarm.poll(&cx).is_ready());
            assert!(alarm.poll(&cx).is_pending());
        }
    }
}
