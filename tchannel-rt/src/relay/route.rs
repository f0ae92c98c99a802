//! The question a relay asks for each call, and the answers there are.

use tchannel_proto::ErrorCode;
use tchannel_proto::peek::CallReqPeek;

use crate::peer::PeerList;

/// Decides where calls go. Asked once a call, on the hot path: look things up, do not wait.
pub trait Route: Send + Sync + 'static {
    /// Whether calls to `service` are answered by this process's own handlers.
    fn is_local(&self, service: &[u8]) -> bool;

    /// Where a call goes.
    fn route(&self, call: &CallReqPeek<'_>) -> RouteTo;

    /// The name of this hop, for error messages: its host:port.
    fn hop(&self) -> &str;
}

/// Where a call goes.
#[non_exhaustive]
pub enum RouteTo {
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
