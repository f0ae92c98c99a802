//! `Meta`: what every typed service can be asked, answered from its [`Interface`].

use super::generated::meta::{HealthRequest, HealthStatus, Meta, ThriftIDLs, VersionInfo};
use super::{MethodError, TypedService};

/// The Thrift files that a service was generated from; they travel in the binary.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    /// The file that has the service.
    pub entry_point: &'static str,
    /// Names and texts of that file and of those it includes.
    pub idls: &'static [(&'static str, &'static str)],
}

/// Source: spec/schemes/thrift.md, "Meta".
pub(super) fn service(interface: Interface) -> TypedService {
    interface.into_service()
}

impl Meta for Interface {
    /// An instance that answers at all is well: one that drains has declined the call before.
    async fn health(&self, _hr: HealthRequest) -> Result<HealthStatus, MethodError> {
        Ok(HealthStatus {
            ok: true,
            ..HealthStatus::default()
        })
    }

    async fn thrift_idl(&self) -> Result<ThriftIDLs, MethodError> {
        let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Ok(ThriftIDLs {
            idls: self.idls.iter().map(own).collect(),
            entry_point: self.entry_point.to_owned(),
        })
    }

    async fn version_info(&self) -> Result<VersionInfo, MethodError> {
        Ok(VersionInfo {
            language: "rust".to_owned(),
            language_version: env!("CARGO_PKG_RUST_VERSION").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }
}
