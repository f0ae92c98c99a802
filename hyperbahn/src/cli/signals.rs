//! Being told to stop.

use std::io;

/// Waits until the process is asked to stop, by SIGTERM or SIGINT.
///
/// # Errors
///
/// When the system does not let signals be watched.
#[cfg(unix)]
pub(crate) async fn stop() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Waits until the process is asked to stop, by Ctrl-C.
///
/// # Errors
///
/// When the system does not let signals be watched.
#[cfg(not(unix))]
pub(crate) async fn stop() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
