//! Who gets an answer, and who serves a call: one small entry per open call.

use tchannel_proto::{Frame, InboundKey, OutboundKey};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::Conn;
use crate::peer::Chosen;
use crate::stats::ServedStats;

/// Who gets the answer to an outbound call.
#[derive(Default)]
pub(crate) enum Target {
    /// Nobody: the call is over.
    #[default]
    Nobody,
    /// A caller of this process, by index of its [`Exchange`](super::Exchange).
    Exchange(usize),
    /// The caller of a relayed call.
    Relay(RelayTicket),
}

/// Who serves an inbound call.
#[derive(Default)]
pub(crate) enum Served {
    /// Nobody: the call is over, or its answer was given at once.
    #[default]
    Nobody,
    /// A unary handler that waits for the whole request, by index of its [`Exchange`](super::Exchange).
    Collecting {
        exchange: usize,
        call: Box<super::settle::PendingCall>,
    },
    /// A handler at work.
    Running {
        task: Option<AbortHandle>,
        cancelled: Option<CancellationToken>,
        requests: Option<usize>,
        stats: ServedStats,
    },
    /// Another connection.
    Relay(RelayLink),
}

/// Where a relayed call goes.
pub(crate) enum RelayLink {
    /// To a call of another connection.
    Open { callee: Conn, key: OutboundKey },
    /// To whoever has yet to be given its first frame, perhaps over a connection that is still being made; these
    /// frames wait for that.
    Dialling { waiting: Vec<Frame>, bytes: usize },
}

impl RelayLink {
    pub(crate) const fn new() -> Self {
        Self::Dialling {
            waiting: Vec::new(),
            bytes: 0,
        }
    }

    /// Whether further frames may go to a connection from now on.
    pub(crate) fn has_nothing_waiting(&self) -> bool {
        matches!(self, Self::Dialling { waiting, .. } if waiting.is_empty())
    }
}

/// The way back of a relayed call.
pub(crate) struct RelayTicket {
    pub(crate) caller: Conn,
    pub(crate) key: InboundKey,
    /// The instance that was chosen, to be told how the call ended.
    pub(crate) chosen: Chosen,
}
