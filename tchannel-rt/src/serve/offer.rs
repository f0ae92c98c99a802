//! What can be served under a name.

use crate::service::Service;
use crate::typed::TypedService;

/// What a service is made of: typed methods, or a closure that registers handlers on a [`Service`].
///
/// ```
/// # use tchannel_rt::{Reply, Service};
/// let echo = |it: &Service| {
///     it.raw("echo", async |call| Ok(Reply::ok(call.arg2, call.arg3)));
/// };
/// let serve = tchannel_rt::serve("echo", echo);
/// ```
pub trait Offer: Send + 'static {
    /// Puts it on the channel, under the name that `service` has.
    fn put(self, service: &Service);
}

impl Offer for TypedService {
    fn put(self, service: &Service) {
        service.serve(self);
    }
}

impl<F: FnOnce(&Service) + Send + 'static> Offer for F {
    fn put(self, service: &Service) {
        self(service);
    }
}
