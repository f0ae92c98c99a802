//! What a typed service is made from, as it tells whoever asks.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// What describes the methods of a [`TypedService`](crate::TypedService).
///
/// Source: spec/schemes/interfaces.md, "interfaces".
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Interface {
    /// Thrift files.
    Thrift(ThriftFiles),
    /// A Rust trait, told as JSON Schema.
    Trait(TraitSchema),
}

/// The Thrift files that a service was generated from; they travel in the binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThriftFiles {
    /// The file that has the service.
    pub entry_point: &'static str,
    /// Names and texts of that file and of those it includes.
    pub idls: &'static [(&'static str, &'static str)],
}

/// A Rust trait; its schema is made when somebody asks.
#[derive(Clone, Copy, Debug)]
pub struct TraitSchema {
    /// The name of the trait.
    pub name: &'static str,
    /// Makes the object that describes it, without the member `kind`.
    /// Source: spec/schemes/interfaces.md, "kind schema".
    pub describe: fn() -> Value,
}

impl Interface {
    /// As one element of the list that `Meta::interfaces` answers. `services` are those that are served.
    pub(super) fn describe(&self, services: Vec<&'static str>) -> Description {
        match self {
            Self::Thrift(files) => Description::Thrift {
                entry_point: files.entry_point,
                idls: files.idls.iter().copied().collect(),
                services,
            },
            Self::Trait(schema) => Description::Schema((schema.describe)()),
        }
    }

    /// Whether `other` describes the same service, perhaps as it was before.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Thrift(one), Self::Thrift(two)) => one == two,
            (Self::Trait(one), Self::Trait(two)) => one.name == two.name,
            _ => false,
        }
    }
}

impl From<ThriftFiles> for Interface {
    fn from(files: ThriftFiles) -> Self {
        Self::Thrift(files)
    }
}

impl From<TraitSchema> for Interface {
    fn from(schema: TraitSchema) -> Self {
        Self::Trait(schema)
    }
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Description {
    Thrift {
        entry_point: &'static str,
        idls: BTreeMap<&'static str, &'static str>,
        services: Vec<&'static str>,
    },
    Schema(Value),
}
