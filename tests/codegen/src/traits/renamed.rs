//! A runtime under another name.

use tchannel_rt as transport;

/// As short as can be.
#[allow(missing_docs)]
#[transport::service(crate = "transport", msgpack)]
pub trait Renamed {
    async fn ping(&self) -> bool;
}
