//! Knowing that a caller no longer waits.

use std::fmt;

use tchannel_proto::InboundKey;
use tokio_util::sync::CancellationToken;

use crate::connection::{Conn, Served};
use crate::handler::Remote;

/// Gives a token on request; a call that nobody asks for one costs nothing.
#[derive(Clone)]
pub(crate) struct Cancellation {
    conn: Conn,
    key: InboundKey,
}

impl Cancellation {
    pub(crate) fn new(conn: Conn, key: InboundKey) -> Self {
        Self { conn, key }
    }

    pub(crate) fn remote(&self) -> Remote {
        self.conn.remote()
    }

    /// Cancelled once the caller has cancelled, is gone, or waits no longer.
    pub(crate) fn token(&self) -> CancellationToken {
        match self.conn.core().served(self.key) {
            Served::Running { cancelled, .. } => cancelled.get_or_insert_default().clone(),
            _ => {
                let over = CancellationToken::new();
                over.cancel();
                over
            }
        }
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancellation").finish_non_exhaustive()
    }
}
