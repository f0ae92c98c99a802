//! What callers are told of calls that could not be passed on: service, cause and hop.

use tchannel_proto::peek::CallReqPeek;
use tchannel_proto::{CallRefused, ErrorCode, Failure, Frame};

use super::Relay;
use crate::connection::{Conn, RelayTicket, Target};
use crate::peer::Chosen;

/// Code and message of an error frame.
pub(super) type Refusal = (ErrorCode, String);

impl Relay {
    fn at_hop(&self, text: std::fmt::Arguments<'_>) -> String {
        format!("{text} (at router {})", self.route.hop())
    }

    pub(super) fn bad_request(&self, error: &dyn std::fmt::Display) -> Refusal {
        let text = self.at_hop(format_args!("bad call request: {error}"));
        (ErrorCode::BadRequest, text)
    }

    pub(super) fn no_ttl(&self, frame: &Frame) -> Refusal {
        let service = service_of(frame);
        let text = self.at_hop(format_args!(
            "ttl of the call to {service} is 0, expected the milliseconds the caller will wait"
        ));
        (ErrorCode::BadRequest, text)
    }

    pub(super) fn nobody(&self, frame: &Frame) -> Refusal {
        let service = service_of(frame);
        let text = self.at_hop(format_args!(
            "no peer available for request: {service:?} has no instance"
        ));
        (ErrorCode::Declined, text)
    }

    pub(super) fn ttl_passed(&self, frame: &Frame) -> Refusal {
        let service = service_of(frame);
        let text = self.at_hop(format_args!("the ttl of the call to {service} passed"));
        (ErrorCode::Timeout, text)
    }

    pub(super) fn ttl_passed_while_connecting(&self, service: &str, at: &str) -> Refusal {
        let text = self.at_hop(format_args!(
            "{service}: the ttl passed while connecting to instance {at}"
        ));
        (ErrorCode::Timeout, text)
    }

    pub(super) fn nobody_reached(&self, service: &str, tried: usize, failure: &str) -> Refusal {
        let text = self.at_hop(format_args!(
            "{service}: no instance can be reached, {tried} tried: {failure}"
        ));
        (ErrorCode::NetworkError, text)
    }

    /// The connection to the chosen peer does not take the call.
    pub(super) fn not_taken(
        &self,
        frame: &Frame,
        chosen: &Chosen,
        refused: &CallRefused,
    ) -> Refusal {
        let code = match refused {
            CallRefused::TooManyInFlight { .. } => ErrorCode::Busy,
            _ => ErrorCode::Declined,
        };
        let (service, at) = (service_of(frame), chosen.peer().host_port());
        let text = self.at_hop(format_args!("{service}: instance {at}: {refused}"));
        (code, text)
    }

    /// So many bytes are `queued` for `conn`, which is more than it may have.
    pub(super) fn reads_too_slowly(&self, service: &str, conn: &Conn, queued: usize) -> Refusal {
        let remote = conn.remote_addr();
        let text = self.at_hop(format_args!(
            "{service}: {queued} bytes are queued for {remote}, which reads too slowly"
        ));
        (ErrorCode::Busy, text)
    }

    pub(super) fn callee_failed(&self, ticket: &RelayTicket, why: &Failure) -> Refusal {
        let (service, peer) = (ticket.chosen.service(), ticket.chosen.peer());
        let (code, what) = match why {
            Failure::TimedOut => (
                ErrorCode::Timeout,
                " did not answer within the ttl".to_owned(),
            ),
            Failure::ConnectionLost { sent: false } => (
                ErrorCode::Declined,
                ": the connection was lost before the call had left".to_owned(),
            ),
            Failure::ConnectionLost { .. } => (
                ErrorCode::NetworkError,
                ": the connection was lost during the call".to_owned(),
            ),
            other => (
                ErrorCode::UnexpectedError,
                format!(" gave an answer that can not be passed on: {other:?}"),
            ),
        };
        let at = peer.host_port();
        let text = self.at_hop(format_args!("{service}: instance {at}{what}"));
        (code, text)
    }
}

pub(super) fn service_of(frame: &Frame) -> String {
    CallReqPeek::parse(frame.payload()).map_or_else(
        |_| String::new(),
        |call| String::from_utf8_lossy(call.service).into_owned(),
    )
}

pub(super) fn service_of_target(target: &Target) -> String {
    match target {
        Target::Relay(ticket) => ticket.chosen.service().to_owned(),
        _ => String::new(),
    }
}
