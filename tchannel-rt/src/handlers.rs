//! Which handler answers a call: by service and method, inside the layers that were put around them.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rustc_hash::FxHashMap;

use crate::handler::Endpoint;
use crate::layer::{SharedLayer, layered};
use crate::typed::Published;

/// All handlers of a channel.
#[derive(Default)]
pub(crate) struct Handlers(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    // Names that this end has registered, so nobody else can make them collide.
    services: FxHashMap<String, Methods>,
    layers: Vec<SharedLayer>,
}

#[derive(Default)]
struct Methods {
    by_name: FxHashMap<Vec<u8>, Slot>,
    catch_all: Option<Slot>,
    layers: Vec<SharedLayer>,
    published: Published,
}

/// A handler, and the same inside its layers; without layers they are one.
struct Slot {
    handler: Arc<Endpoint>,
    layered: Arc<Endpoint>,
}

impl Handlers {
    pub(crate) fn register(&self, service: &str, method: Option<&str>, handler: Arc<Endpoint>) {
        let mut inner = self.write();
        let Inner { services, layers } = &mut *inner;
        let methods = services.entry(service.to_owned()).or_default();
        let all = layers.iter().chain(&methods.layers).cloned();
        let layered = layered(all, &handler);
        let slot = Slot { handler, layered };
        match method {
            Some(method) => {
                methods.by_name.insert(method.as_bytes().to_vec(), slot);
            }
            None => methods.catch_all = Some(slot),
        }
    }

    /// Puts a layer around all handlers, inside the layers of the channel that are there.
    pub(crate) fn layer_all(&self, layer: SharedLayer) {
        let mut inner = self.write();
        let Inner { services, layers } = &mut *inner;
        layers.push(layer);
        services
            .values_mut()
            .for_each(|methods| methods.wrap(layers));
    }

    /// Puts a layer around the handlers of a service, inside the layers that are there.
    pub(crate) fn layer(&self, service: &str, layer: SharedLayer) {
        let mut inner = self.write();
        let Inner { services, layers } = &mut *inner;
        let methods = services.entry(service.to_owned()).or_default();
        methods.layers.push(layer);
        methods.wrap(layers);
    }

    /// What is told of the typed services under this name.
    pub(crate) fn published(&self, service: &str) -> Published {
        let mut inner = self.write();
        let methods = inner.services.entry(service.to_owned()).or_default();
        methods.published.clone()
    }

    /// The handler for a call, or what to tell its caller.
    pub(crate) fn find(&self, service: &str, arg1: &[u8]) -> Result<Arc<Endpoint>, String> {
        let inner = self.read();
        let Some(methods) = inner.services.get(service) else {
            return Err(format!(
                "unknown service {service:?} (method {:?})",
                String::from_utf8_lossy(arg1)
            ));
        };
        let found = methods.by_name.get(arg1).or(methods.catch_all.as_ref());
        found.map(|slot| slot.layered.clone()).ok_or_else(|| {
            format!(
                "no such endpoint service={service:?} endpoint={:?}",
                String::from_utf8_lossy(arg1)
            )
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Methods {
    /// Puts all handlers inside `outer` layers and their own, anew.
    fn wrap(&mut self, outer: &[SharedLayer]) {
        for slot in self.by_name.values_mut().chain(&mut self.catch_all) {
            let all = outer.iter().chain(&self.layers).cloned();
            slot.layered = layered(all, &slot.handler);
        }
    }
}
