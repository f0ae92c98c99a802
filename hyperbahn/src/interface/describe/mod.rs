//! Interfaces explained: as a value for programs, and as text for people.

mod schema;
mod text;
mod thrift;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Interface, Interfaces, Json, Method, NoMethod};

/// What a service can be asked.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Description {
    /// The name it is called by.
    pub service: String,
    /// In the order in which they are published.
    pub interfaces: Vec<InterfaceDescription>,
}

/// One interface.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct InterfaceDescription {
    /// `thrift` or `schema`.
    pub kind: &'static str,
    /// The name of the Thrift service, or of the trait.
    pub name: String,
    /// The Thrift file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The `as` header of its methods.
    pub scheme: &'static str,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// In the order in which they were written.
    pub methods: Vec<MethodDescription>,
    /// The types that have a name, as far as the methods lead to them.
    pub types: Vec<TypeDescription>,
}

/// One method.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct MethodDescription {
    /// arg1.
    pub name: String,
    /// What `hyperbahn call` may call it: `service::method`.
    pub target: String,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// By name.
    pub arguments: Vec<FieldDescription>,
    /// The type of what follows the arguments, piece by piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_stream: Option<String>,
    /// The type of the result; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returns: Option<String>,
    /// The type of what is answered piece by piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_stream: Option<String>,
    /// The types of its own errors.
    pub errors: Vec<String>,
    /// Whether it may run twice for one call.
    pub idempotent: bool,
    /// How long callers wait, in milliseconds, unless they say otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// Annotations of the Thrift file.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Arguments that fit, for people to change.
    pub example: Json,
}

/// An argument, or a field of a type.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct FieldDescription {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Whether it has to be there.
    pub required: bool,
    /// What it is when it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Json>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

/// A type that has a name.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct TypeDescription {
    /// Its name.
    pub name: String,
    /// `struct`, `union`, `exception`, `enum` or `type`.
    pub kind: &'static str,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// Of a struct, union or exception.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldDescription>,
    /// Of an enum.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberDescription>,
    /// What another name stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<String>,
}

/// A member of an enum.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct MemberDescription {
    /// Its name.
    pub name: String,
    /// The number it travels as; absent if it travels by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<i32>,
    /// What it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

impl Interfaces {
    /// All that is published, as `service`.
    #[must_use]
    pub fn describe(&self, service: &str) -> Description {
        self.describe_those(service, |_| true)
    }

    /// One method and the types it leads to.
    ///
    /// # Errors
    ///
    /// [`NoMethod`], as [`find`](Self::find).
    pub fn describe_method(&self, service: &str, name: &str) -> Result<Description, NoMethod> {
        let only = self.find(name)?;
        Ok(self.describe_those(service, |method| method.arg1() == only.arg1()))
    }

    fn describe_those(
        &self,
        service: &str,
        is_wanted: impl Fn(&Method<'_>) -> bool,
    ) -> Description {
        let mut interfaces = Vec::new();
        for interface in &self.list {
            interfaces.extend(match interface {
                Interface::Thrift(it) => thrift::describe(it, &is_wanted),
                Interface::Schema(it) => schema::describe(it, &is_wanted),
            });
        }
        for method in interfaces.iter_mut().flat_map(|it| &mut it.methods) {
            method.target = format!("{service}::{}", self.call_name(&method.name));
        }
        Description {
            service: service.to_owned(),
            interfaces,
        }
    }
}
