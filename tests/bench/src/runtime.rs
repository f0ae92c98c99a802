//! A tokio runtime with as many threads as was asked for.

use tokio::runtime::{Builder, Runtime};

/// One thread runs everything where it was called; more are a pool.
///
/// # Errors
///
/// What the system says when it has no thread or no poller to give.
pub fn with_threads(threads: usize) -> std::io::Result<Runtime> {
    if threads <= 1 {
        return Builder::new_current_thread().enable_all().build();
    }
    Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
}
