//! Which handler answers a call: by service and method, inside the layers that were put around them.
//!
//! Whoever looks for many keeps what was there when it last looked: reading that takes no lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use crate::handler::Endpoint;
use crate::layer::{SharedLayer, layered};
use crate::typed::Published;

/// All handlers of a channel.
#[derive(Default)]
pub(crate) struct Handlers {
    registered: Mutex<Arc<Registered>>,
    /// How often anything was registered.
    version: AtomicU64,
}

/// All that was registered at some time.
#[derive(Clone, Default)]
struct Registered {
    // Names that this end has registered, so nobody else can make them collide.
    services: FxHashMap<Vec<u8>, Methods>,
    /// Never fewer: an id of the past is still good.
    slots: Vec<Slot>,
    layers: Vec<SharedLayer>,
}

#[derive(Clone, Default)]
struct Methods {
    by_name: FxHashMap<Vec<u8>, EndpointId>,
    catch_all: Option<EndpointId>,
    layers: Vec<SharedLayer>,
    published: Published,
}

/// Where a handler is, or one of its kind that was registered in its place later.
#[derive(Clone, Copy)]
pub(crate) struct EndpointId(usize);

/// A handler, and the same inside its layers; without layers they are one.
#[derive(Clone)]
struct Slot {
    handler: Arc<Endpoint>,
    layered: Arc<Endpoint>,
}

impl Handlers {
    pub(crate) fn register(&self, service: &str, method: Option<&str>, handler: Arc<Endpoint>) {
        self.change(|registered| {
            let Registered {
                services,
                slots,
                layers,
            } = registered;
            let methods = services.entry(service.into()).or_default();
            let all = layers.iter().chain(&methods.layers).cloned();
            let layered = layered(all, &handler);
            let slot = Slot { handler, layered };
            let before = match method {
                Some(method) => methods.by_name.get(method.as_bytes()),
                None => methods.catch_all.as_ref(),
            };
            // A call that has found the one may not be given to the other.
            let same_kind = |id: &&EndpointId| {
                slots[id.0].handler.is_streaming() == slot.handler.is_streaming()
            };
            let before = before.filter(same_kind);
            let id = before.copied().unwrap_or(EndpointId(slots.len()));
            match slots.get_mut(id.0) {
                Some(before) => *before = slot,
                None => slots.push(slot),
            }
            match method {
                Some(method) => drop(methods.by_name.insert(method.as_bytes().to_vec(), id)),
                None => methods.catch_all = Some(id),
            }
        });
    }

    /// Puts a layer around all handlers, inside the layers of the channel that are there.
    pub(crate) fn layer_all(&self, layer: SharedLayer) {
        self.change(|registered| {
            registered.layers.push(layer);
            registered.wrap_all();
        });
    }

    /// Puts a layer around the handlers of a service, inside the layers that are there.
    pub(crate) fn layer(&self, service: &str, layer: SharedLayer) {
        self.change(|registered| {
            let methods = registered.services.entry(service.into()).or_default();
            methods.layers.push(layer);
            registered.wrap_all();
        });
    }

    /// What is told of the typed services under this name.
    pub(crate) fn published(&self, service: &str) -> Published {
        self.change(|registered| {
            let methods = registered.services.entry(service.into()).or_default();
            methods.published.clone()
        })
    }

    /// Brings `known` up to date.
    pub(crate) fn look(&self, known: &mut KnownHandlers) {
        if known.version != self.version.load(Ordering::Acquire) {
            let registered = self.lock();
            known.registered = registered.clone();
            known.version = self.version.load(Ordering::Acquire);
        }
    }

    /// Whoever reads meanwhile keeps what was there before: for them, all of it is copied.
    fn change<R>(&self, change: impl FnOnce(&mut Registered) -> R) -> R {
        let mut registered = self.lock();
        let changed = change(Arc::make_mut(&mut registered));
        self.version.fetch_add(1, Ordering::Release);
        changed
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Registered>> {
        self.registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handlers that were there at the last [look](Handlers::look).
#[derive(Default)]
pub(crate) struct KnownHandlers {
    registered: Arc<Registered>,
    version: u64,
}

impl KnownHandlers {
    /// The handler for a call, or what to tell its caller.
    pub(crate) fn find(&self, service: &[u8], arg1: &[u8]) -> Result<EndpointId, String> {
        let Some(methods) = self.registered.services.get(service) else {
            return Err(format!(
                "unknown service {:?} (method {:?})",
                String::from_utf8_lossy(service),
                String::from_utf8_lossy(arg1)
            ));
        };
        let found = methods.by_name.get(arg1).or(methods.catch_all.as_ref());
        found.copied().ok_or_else(|| {
            format!(
                "no such endpoint service={:?} endpoint={:?}",
                String::from_utf8_lossy(service),
                String::from_utf8_lossy(arg1)
            )
        })
    }

    /// The handler at `id`, which was found here now or earlier.
    pub(crate) fn get(&self, id: EndpointId) -> &Arc<Endpoint> {
        &self.registered.slots[id.0].layered
    }
}

impl Registered {
    /// Puts all handlers inside the layers of the channel and those of their service, anew.
    fn wrap_all(&mut self) {
        for methods in self.services.values() {
            for EndpointId(place) in methods.by_name.values().chain(&methods.catch_all) {
                let slot = &mut self.slots[*place];
                let all = self.layers.iter().chain(&methods.layers).cloned();
                slot.layered = layered(all, &slot.handler);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::StreamRequest;
    use crate::handler::Reply;

    #[test]
    fn a_call_that_has_found_its_handler_is_not_given_to_one_of_the_other_kind() {
        let handlers = Handlers::default();
        let mut known = KnownHandlers::default();
        let whole = || Endpoint::unary(|_| async { Ok(Reply::ok("", "")) });
        let stream = || Endpoint::stream(|_: StreamRequest| async { Ok(()) });
        handlers.register("s", Some("m"), whole());
        handlers.look(&mut known);
        let found = known.find(b"s", b"m").expect("it was registered");
        handlers.register("s", Some("m"), stream());
        handlers.look(&mut known);
        assert!(!known.get(found).is_streaming(), "still the kind it was");
        let later = known.find(b"s", b"m").expect("so was this one");
        assert!(known.get(later).is_streaming());
    }
}
