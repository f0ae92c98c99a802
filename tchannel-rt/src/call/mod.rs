//! Calls on this floor: made ([`Call`]), answered ([`Response`]), streamed ([`ArgWriter`], [`ArgReader`]).

mod cancellation;
mod in_flight;
mod outbound;
mod reader;
mod response;
mod sending;
mod stream;
mod target;
mod told;
mod writer;

pub(crate) use cancellation::Cancellation;
pub(crate) use outbound::Begun;
pub use outbound::Call;
pub use reader::ArgReader;
pub use response::{Response, ResponseError};
pub(crate) use sending::Sending;
pub use stream::{PendingResponse, Responder, StreamRequest, StreamResponse};
pub(crate) use target::split_target;
pub(crate) use told::Told;
pub use writer::ArgWriter;
