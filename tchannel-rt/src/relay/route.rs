//! The question a relay asks for each call, and the answers there are.

use tchannel_proto::peek::CallReqPeek;
use tchannel_proto::{ErrorCode, PeerInfo};

use crate::peer::PeerList;

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
    /// Back to the caller, as an error frame.
    Refuse {
        /// Its code.
        code: ErrorCode,
        /// Its message: should name service, cause and hop.
        message: String,
    },
}
