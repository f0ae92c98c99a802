//! The question a relay asks for each call, and the answers there are.

use bytestring::ByteString;
use tchannel_proto::peek::CallReqPeek;
use tchannel_proto::{ErrorCode, PeerInfo};

use crate::peer::{LoadBound, PeerList};

/// Decides where calls go. Asked once a call, on the hot path and under the lock of the caller's connection:
/// look things up, do not wait, do not call.
pub trait Route: Send + Sync + 'static {
    /// Where a call goes that came in over a connection to `from`.
    fn route(&self, call: &CallReqPeek<'_>, from: &PeerInfo) -> RouteTo;

    /// The name of this hop, for error messages: its host:port.
    fn hop(&self) -> &str;
}

/// Where a call goes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RouteTo {
    /// To the handlers of this process.
    Local,
    /// To one of these.
    Peers(PeerList),
    /// To the first of `order` that is among `peers`, is not kept away for failing, and has not more to do than
    /// `bound` allows: consistent hashing with bounded loads. When it can not be reached, to the next; when there
    /// is none left, to any of `peers` as with [`Peers`](Self::Peers).
    InOrder {
        /// Who may be called.
        peers: PeerList,
        /// Their host:ports, best first. Unknown ones are passed over.
        order: Vec<ByteString>,
        /// How many calls in flight one peer may have. `None`: any number.
        bound: Option<LoadBound>,
    },
    /// Back to the caller, as an error frame.
    Refuse {
        /// Its code.
        code: ErrorCode,
        /// Its message: should name service, cause and hop.
        message: String,
    },
}
