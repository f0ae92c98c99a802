//! Where log lines go.

use tracing_subscriber::EnvFilter;

/// Writes logs to standard error: what `RUST_LOG` asks for, else `level` and above.
pub(crate) fn to_stderr(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Fails only when somebody else in this process has set up logs already.
    let _ = logs.try_init();
}
