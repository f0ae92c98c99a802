//! What was written: one [`Document`] for each file, names not yet looked up.

use crate::diagnostic::Span;

/// A name, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// One file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    pub(crate) includes: Vec<Name>,
    /// The name after `namespace rs`.
    pub(crate) namespace: Option<Name>,
    pub(crate) definitions: Vec<Definition>,
}

/// What a file defines.
#[derive(Clone, Debug)]
pub(crate) enum Definition {
    Const(Const),
    Typedef(Typedef),
    Enum(Enum),
    Struct(Struct),
    Service(Service),
}

impl Definition {
    pub(crate) fn name(&self) -> &Name {
        match self {
            Self::Const(it) => &it.name,
            Self::Typedef(it) => &it.name,
            Self::Enum(it) => &it.name,
            Self::Struct(it) => &it.name,
            Self::Service(it) => &it.name,
        }
    }
}

/// What was said about a definition beside what it is.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Notes {
    /// The doc comment, without its marks.
    pub doc: Option<String>,
    /// `(name = "value")` in the order they were written.
    pub annotations: Vec<(String, Option<String>)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Const {
    pub(crate) ty: Type,
    pub(crate) name: Name,
    pub(crate) value: Value,
    pub(crate) notes: Notes,
}

#[derive(Clone, Debug)]
pub(crate) struct Typedef {
    pub(crate) ty: Type,
    pub(crate) name: Name,
    pub(crate) notes: Notes,
}

#[derive(Clone, Debug)]
pub(crate) struct Enum {
    pub(crate) name: Name,
    pub(crate) members: Vec<Member>,
    pub(crate) notes: Notes,
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: Name,
    pub(crate) value: i32,
    pub(crate) notes: Notes,
}

#[derive(Clone, Debug)]
pub(crate) struct Struct {
    pub(crate) kind: StructKind,
    pub(crate) name: Name,
    pub(crate) fields: Vec<Field>,
    pub(crate) notes: Notes,
}

/// What kind of struct a struct is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StructKind {
    /// All of its fields.
    Struct,
    /// One of its fields.
    Union,
    /// A struct that is thrown.
    Exception,
}

/// A field of a struct, an argument, or a declared exception.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) id: i16,
    pub(crate) requiredness: Requiredness,
    pub(crate) ty: Type,
    pub(crate) name: Name,
    pub(crate) default: Option<Value>,
    pub(crate) notes: Notes,
}

/// Whether a field has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requiredness {
    /// Always sent, and refused when it is missing.
    Required,
    /// Need not be there.
    Optional,
    /// Neither was written: always sent, need not be received.
    Default,
}

#[derive(Clone, Debug)]
pub(crate) struct Type {
    pub(crate) kind: TypeKind,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum TypeKind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    Double,
    String,
    Binary,
    Uuid,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Named(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) kind: ValueKind,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum ValueKind {
    Int(i64),
    Double(f64),
    Text(String),
    /// `true`, a constant or a member of an enum.
    Word(String),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
}

#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) name: Name,
    pub(crate) parent: Option<Name>,
    pub(crate) methods: Vec<Method>,
    pub(crate) notes: Notes,
}

#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) name: Name,
    /// `None` for `void`.
    pub(crate) returns: Option<Type>,
    pub(crate) arguments: Vec<Field>,
    pub(crate) throws: Vec<Field>,
    pub(crate) notes: Notes,
    /// Those of the notes, and where they stand.
    pub(crate) annotations: Vec<Annotation>,
}

/// `name = "value"`, or a name alone.
#[derive(Clone, Debug)]
pub(crate) struct Annotation {
    pub(crate) name: Name,
    pub(crate) value: Option<Name>,
}

/// Which side of a method is a stream of values, by its annotation `streaming`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Streaming {
    /// Neither: it takes its arguments and gives what it returns.
    #[default]
    No,
    /// `"request"`: it takes any number of its only argument.
    Request,
    /// `"response"`: it gives any number of what it returns.
    Response,
    /// `"both"`.
    Both,
}

impl Streaming {
    /// Whether the request is a stream.
    #[must_use]
    pub fn request(self) -> bool {
        matches!(self, Self::Request | Self::Both)
    }

    /// Whether the response is a stream.
    #[must_use]
    pub fn response(self) -> bool {
        matches!(self, Self::Response | Self::Both)
    }
}
