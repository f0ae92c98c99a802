//! `Meta`: what every typed service can be asked, answered from the interfaces under its name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::IgnoredAny;

use super::MethodError;
use super::generated::meta::{HealthRequest, HealthStatus, Meta, ThriftIDLs, VersionInfo};
use super::interface::{Description, Interface, ThriftFiles};
use crate::handler::HandlerError;
use crate::service::Service;

/// The interfaces under one service name, in the order in which they were put there. Clones share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Published {
    interfaces: Arc<Mutex<Vec<Told>>>,
}

/// An interface, and which of the services it describes are served.
#[derive(Clone, Debug)]
struct Told {
    interface: Interface,
    services: Vec<&'static str>,
}

/// What `Meta::interfaces` answers.
#[derive(Debug, Serialize)]
struct Interfaces {
    interfaces: Vec<Description>,
}

/// Adds to what is told under the name of `service`, and sees that it is told. `name` is the one that the service
/// has in its interface.
///
/// Source: spec/schemes/interfaces.md, "asking".
pub(super) fn publish(service: &Service, name: &'static str, interface: Interface) {
    let published = service.published();
    if !published.add(name, interface) {
        return;
    }
    service.put_methods(published.clone().into_service());
    service.json("Meta::interfaces", move |_: crate::Incoming<IgnoredAny>| {
        let interfaces = published.describe();
        async move { Ok::<_, HandlerError>(Interfaces { interfaces }) }
    });
}

impl Published {
    /// Whether there was none before.
    fn add(&self, name: &'static str, interface: Interface) -> bool {
        let mut interfaces = self.lock();
        let is_first = interfaces.is_empty();
        let mut known = interfaces.iter_mut();
        match known.find(|own| own.interface.is_same(&interface)) {
            Some(own) => {
                own.interface = interface;
                if !own.services.contains(&name) {
                    own.services.push(name);
                }
            }
            None => interfaces.push(Told {
                interface,
                services: vec![name],
            }),
        }
        is_first
    }

    fn describe(&self) -> Vec<Description> {
        let interfaces = self.lock().clone();
        let told = interfaces.into_iter();
        told.map(|told| told.interface.describe(told.services))
            .collect()
    }

    fn thrift_files(&self) -> Vec<ThriftFiles> {
        let files = |told: &Told| match told.interface {
            Interface::Thrift(files) => Some(files),
            Interface::Trait(_) => None,
        };
        self.lock().iter().filter_map(files).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Told>> {
        self.interfaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Source: spec/schemes/thrift.md, "Meta".
impl Meta for Published {
    /// An instance that answers at all is well: one that drains has declined the call before.
    async fn health(&self, _hr: HealthRequest) -> Result<HealthStatus, MethodError> {
        Ok(HealthStatus {
            ok: true,
            ..HealthStatus::default()
        })
    }

    async fn thrift_idl(&self) -> Result<ThriftIDLs, MethodError> {
        let all = self.thrift_files();
        let first = all.first().map_or("", |files| files.entry_point);
        let mut answer = ThriftIDLs {
            entry_point: first.to_owned(),
            ..ThriftIDLs::default()
        };
        // Of two files of one name the earlier stays: the file to begin with may include it.
        for (name, text) in all.iter().flat_map(|files| files.idls) {
            let text = || (*text).to_owned();
            answer.idls.entry((*name).to_owned()).or_insert_with(text);
        }
        Ok(answer)
    }

    async fn version_info(&self) -> Result<VersionInfo, MethodError> {
        Ok(VersionInfo {
            language: "rust".to_owned(),
            language_version: env!("CARGO_PKG_RUST_VERSION").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }
}
