//! What tells a process to stop: SIGTERM, and Ctrl-C.

use super::Why;
use crate::error::ChannelError;

#[cfg(unix)]
pub(super) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Keeps the signals from ending the process from now on, for good.
    pub(super) fn watch() -> Result<Self, ChannelError> {
        use tokio::signal::unix::{SignalKind, signal};
        let watch = |kind| signal(kind).map_err(|source| ChannelError::Signals { source });
        Ok(Self {
            terminate: watch(SignalKind::terminate())?,
            interrupt: watch(SignalKind::interrupt())?,
        })
    }

    pub(super) async fn next(&mut self) -> Why {
        tokio::select! {
            _ = self.terminate.recv() => Why::Terminated,
            _ = self.interrupt.recv() => Why::Interrupted,
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn watch() -> Result<Self, ChannelError> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) -> Why {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Why::Interrupted
    }
}
