//! What Thrift files say, for tools that read values by them or explain them to people.
//!
//! ```
//! use std::collections::BTreeMap;
//! use tchannel_codegen::idl::{Idl, Type};
//!
//! # fn main() -> Result<(), tchannel_codegen::Errors> {
//! let text = "service KeyValue { string get(1: string key) }".to_owned();
//! let idl = Idl::parse("keyvalue.thrift", &BTreeMap::from([("keyvalue.thrift".to_owned(), text)]))?;
//! let service = &idl.files()[0].services[0];
//! let get = &idl.methods(service)[0];
//! assert_eq!((get.name.as_str(), &get.returns), ("get", &Some(Type::String)));
//! # Ok(())
//! # }
//! ```
//!
//! Every name is as it was written, nothing of Rust is in here, and every reference leads somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

pub use crate::ast::{Notes, Requiredness, Streaming, StructKind};
pub use crate::model::{Ref, Type, Value};

use crate::model::{self, Model};
use crate::{Config, Errors};

/// Some Thrift files that belong together, sound and with all names looked up.
#[derive(Debug)]
pub struct Idl {
    files: Vec<File>,
}

/// One file.
#[derive(Debug)]
#[non_exhaustive]
pub struct File {
    /// Its path, relative to the folder that holds all files, with `/`.
    pub path: String,
    /// In the order they were written.
    pub typedefs: Vec<Typedef>,
    /// In the order they were written.
    pub enums: Vec<Enum>,
    /// Structs, unions and exceptions in the order they were written.
    pub structs: Vec<Struct>,
    /// In the order they were written.
    pub services: Vec<Service>,
}

/// Another name for a type.
#[derive(Debug)]
#[non_exhaustive]
pub struct Typedef {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub ty: Type,
    /// Its docs and annotations.
    pub notes: Notes,
}

/// Names for numbers, which travel as an i32.
#[derive(Debug)]
#[non_exhaustive]
pub struct Enum {
    /// Its name.
    pub name: String,
    /// Several may have the same value.
    pub members: Vec<Member>,
    /// Its docs and annotations.
    pub notes: Notes,
}

/// A name for a number.
#[derive(Debug)]
#[non_exhaustive]
pub struct Member {
    /// The name.
    pub name: String,
    /// The number.
    pub value: i32,
    /// Its docs and annotations.
    pub notes: Notes,
}

/// A struct, union or exception.
#[derive(Debug)]
#[non_exhaustive]
pub struct Struct {
    /// Which of the three.
    pub kind: StructKind,
    /// Its name.
    pub name: String,
    /// In the order they were written.
    pub fields: Vec<Field>,
    /// Its docs and annotations.
    pub notes: Notes,
}

/// A field of a struct, or an argument of a method.
#[derive(Debug)]
#[non_exhaustive]
pub struct Field {
    /// The number it travels under.
    pub id: i16,
    /// Whether it has to be there.
    pub requiredness: Requiredness,
    /// What it holds.
    pub ty: Type,
    /// Its name.
    pub name: String,
    /// What it is when it is not there.
    pub default: Option<Value>,
    /// Its docs and annotations.
    pub notes: Notes,
}

/// What can be called.
#[derive(Debug)]
#[non_exhaustive]
pub struct Service {
    /// Its name, which arg1 begins with.
    pub name: String,
    /// The service that it extends.
    pub parent: Option<Ref>,
    /// Its own; see [`Idl::methods`].
    pub methods: Vec<Method>,
    /// Its docs and annotations.
    pub notes: Notes,
}

/// One method.
#[derive(Debug)]
#[non_exhaustive]
pub struct Method {
    /// Its name, which arg1 ends with.
    pub name: String,
    /// What it takes, in the order they were written.
    pub arguments: Vec<Field>,
    /// `None` for `void`.
    pub returns: Option<Type>,
    /// The exceptions it declares.
    pub throws: Vec<Thrown>,
    /// Which side of it is a stream, called as `sthrift`.
    pub streaming: Streaming,
    /// Its docs and annotations.
    pub notes: Notes,
}

/// An exception that a method declares.
#[derive(Debug)]
#[non_exhaustive]
pub struct Thrown {
    /// The number it travels under.
    pub id: i16,
    /// Its name in the declaration.
    pub name: String,
    /// The exception.
    pub exception: Ref,
}

impl Idl {
    /// The file `entry_point` of `texts`, and those of them that it includes. Includes are looked for beside the
    /// file that names them, then in every folder there is.
    ///
    /// The texts may come from anybody: beyond [`MAX_DEFINITIONS`] they are refused.
    ///
    /// # Errors
    ///
    /// [`Errors`], drawn for people, when a text is missing or not sound.
    pub fn parse(entry_point: &str, texts: &BTreeMap<String, String>) -> Result<Self, Errors> {
        let folders = texts.keys().filter_map(|path| Path::new(path).parent());
        let folders: BTreeSet<PathBuf> = folders.map(Path::to_owned).collect();
        let mut config = Config::new();
        for folder in folders {
            config = config.include_dir(folder);
        }
        Self::read(Path::new(entry_point), &config, &mut |path| {
            let text = path.to_str().and_then(|path| texts.get(path));
            text.cloned().ok_or(io::ErrorKind::NotFound.into())
        })
    }

    pub(crate) fn read(
        path: &Path,
        config: &Config,
        read: &mut dyn FnMut(&Path) -> io::Result<String>,
    ) -> Result<Self, Errors> {
        let model = config.model_within(MAX_DEFINITIONS, path, read)?;
        Ok(model.into())
    }

    /// All files; the one that was asked for comes first.
    #[must_use]
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The typedef that `at` points to.
    #[must_use]
    pub fn typedef(&self, at: Ref) -> &Typedef {
        &self.files[at.file].typedefs[at.index]
    }

    /// The enum that `at` points to.
    #[must_use]
    pub fn enumeration(&self, at: Ref) -> &Enum {
        &self.files[at.file].enums[at.index]
    }

    /// The struct, union or exception that `at` points to.
    #[must_use]
    pub fn structure(&self, at: Ref) -> &Struct {
        &self.files[at.file].structs[at.index]
    }

    /// The service that `at` points to.
    #[must_use]
    pub fn service(&self, at: Ref) -> &Service {
        &self.files[at.file].services[at.index]
    }

    /// The type behind all typedefs.
    #[must_use]
    pub fn resolved<'a>(&'a self, mut ty: &'a Type) -> &'a Type {
        while let Type::Typedef(at) = ty {
            ty = &self.typedef(*at).ty;
        }
        ty
    }

    /// The methods of `service`, those it inherits first. All are called under its name.
    #[must_use]
    pub fn methods<'a>(&'a self, service: &'a Service) -> Vec<&'a Method> {
        let parent = |service: &&'a Service| service.parent.map(|at| self.service(at));
        let mut generations: Vec<_> = std::iter::successors(Some(service), parent).collect();
        generations.reverse();
        let methods = generations.into_iter().flat_map(|it| &it.methods);
        methods.collect()
    }
}

/// Definitions that the files read together may have.
pub const MAX_DEFINITIONS: usize = 4096;

impl From<Model> for Idl {
    fn from(model: Model) -> Self {
        let files = model.files.into_iter();
        Self {
            files: files.map(Into::into).collect(),
        }
    }
}

impl From<model::File> for File {
    fn from(it: model::File) -> Self {
        Self {
            path: it.path,
            typedefs: it.typedefs.into_iter().map(Into::into).collect(),
            enums: it.enums.into_iter().map(Into::into).collect(),
            structs: it.structs.into_iter().map(Into::into).collect(),
            services: it.services.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<model::Typedef> for Typedef {
    fn from(it: model::Typedef) -> Self {
        Self {
            name: it.thrift_name,
            ty: it.ty,
            notes: it.notes,
        }
    }
}

impl From<model::Enum> for Enum {
    fn from(it: model::Enum) -> Self {
        let members = it.members.into_iter().map(|member| Member {
            name: member.thrift_name,
            value: member.value,
            notes: member.notes,
        });
        Self {
            name: it.thrift_name,
            members: members.collect(),
            notes: it.notes,
        }
    }
}

impl From<model::Struct> for Struct {
    fn from(it: model::Struct) -> Self {
        Self {
            kind: it.kind,
            name: it.thrift_name,
            fields: it.fields.into_iter().map(Into::into).collect(),
            notes: it.notes,
        }
    }
}

impl From<model::Field> for Field {
    fn from(it: model::Field) -> Self {
        Self {
            id: it.id,
            requiredness: it.requiredness,
            ty: it.ty,
            name: it.thrift_name,
            default: it.default,
            notes: it.notes,
        }
    }
}

impl From<model::Service> for Service {
    fn from(it: model::Service) -> Self {
        Self {
            name: it.thrift_name,
            parent: it.parent,
            methods: it.methods.into_iter().map(Into::into).collect(),
            notes: it.notes,
        }
    }
}

impl From<model::Method> for Method {
    fn from(it: model::Method) -> Self {
        let throws = it.throws.into_iter().flat_map(|throws| throws.exceptions);
        let throws = throws.map(|thrown| Thrown {
            id: thrown.id,
            name: thrown.thrift_name,
            exception: thrown.exception,
        });
        Self {
            name: it.thrift_name,
            arguments: it.arguments.fields.into_iter().map(Into::into).collect(),
            returns: it.returns,
            throws: throws.collect(),
            streaming: it.streaming,
            notes: it.notes,
        }
    }
}
