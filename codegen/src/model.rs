//! What was meant: every name looked up, every constant checked against its type.
//!
//! Files, types and services refer to each other by index, so that recursion needs no pointers.

use crate::ast::{Notes, Requiredness, Streaming, StructKind};
use crate::diagnostic::Span;

/// Everything that one run generates code for.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// The file that was asked for comes first.
    pub(crate) files: Vec<File>,
}

/// One file, a module in Rust.
#[derive(Debug)]
pub(crate) struct File {
    /// The name of its module.
    pub(crate) module: String,
    /// Its path relative to the folder that holds all files, with `/`.
    pub(crate) path: String,
    /// The IDL itself.
    pub(crate) text: String,
    /// Files it includes, directly or through others, itself first.
    pub(crate) reaches: Vec<usize>,
    pub(crate) typedefs: Vec<Typedef>,
    pub(crate) consts: Vec<Const>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) structs: Vec<Struct>,
    pub(crate) services: Vec<Service>,
}

/// Points to a definition of one kind, in the files that were read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ref {
    pub(crate) file: usize,
    /// Among the definitions of its kind in that file.
    pub(crate) index: usize,
}

/// The type of a field, an argument, a result or an element.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// True or false.
    Bool,
    /// A signed byte; `byte` is the same.
    I8,
    /// 2 bytes, signed.
    I16,
    /// 4 bytes, signed.
    I32,
    /// 8 bytes, signed.
    I64,
    /// IEEE 754, 8 bytes.
    Double,
    /// Text in UTF-8.
    String,
    /// Any bytes.
    Binary,
    /// 16 bytes.
    Uuid,
    /// Elements in order.
    List(Box<Type>),
    /// Elements without order.
    Set(Box<Type>),
    /// Keys and values.
    Map(Box<Type>, Box<Type>),
    /// An enum.
    Enum(Ref),
    /// A struct, union or exception.
    Struct(Ref),
    /// Another name for a type.
    Typedef(Ref),
}

#[derive(Debug)]
pub(crate) struct Typedef {
    pub(crate) thrift_name: String,
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) notes: Notes,
}

#[derive(Debug)]
pub(crate) struct Const {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) value: Value,
    pub(crate) notes: Notes,
}

#[derive(Debug)]
pub(crate) struct Enum {
    pub(crate) thrift_name: String,
    pub(crate) name: String,
    pub(crate) members: Vec<Member>,
    /// The name of the variant for values that no member has.
    pub(crate) unknown: String,
    pub(crate) notes: Notes,
}

impl Enum {
    /// The member that stands for zero, else the first.
    pub(crate) fn default_member(&self) -> Option<usize> {
        let zero = self.members.iter().position(|member| member.value == 0);
        zero.or((!self.members.is_empty()).then_some(0))
    }
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) thrift_name: String,
    /// The name of its variant.
    pub(crate) name: String,
    pub(crate) value: i32,
    /// The member above with the same value.
    pub(crate) alias_of: Option<usize>,
    pub(crate) notes: Notes,
}

/// A struct, union or exception, or the arguments of a method.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) kind: StructKind,
    /// Its name in Thrift; of arguments, that in Rust.
    pub(crate) thrift_name: String,
    pub(crate) name: String,
    /// As they were written.
    pub(crate) fields: Vec<Field>,
    /// In a union, the variant without a value.
    pub(crate) unknown: String,
    /// Whether it stands in a set or is the key of a map.
    pub(crate) is_key: bool,
    pub(crate) notes: Notes,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) id: i16,
    pub(crate) requiredness: Requiredness,
    pub(crate) ty: Type,
    /// Its name in Thrift.
    pub(crate) thrift_name: String,
    /// Its name in Rust: of a field, or in unions of a variant.
    pub(crate) name: String,
    /// Whether a default was written; what it is is found out last.
    pub(crate) has_default: bool,
    pub(crate) default: Option<Value>,
    /// Whether its type leads back to the struct, so that it needs a box.
    pub(crate) is_boxed: bool,
    pub(crate) span: Span,
    pub(crate) notes: Notes,
}

impl Struct {
    /// By id, as they are sent.
    pub(crate) fn fields_by_id(&self) -> Vec<&Field> {
        let mut fields: Vec<&Field> = self.fields.iter().collect();
        fields.sort_by_key(|field| field.id);
        fields
    }
}

impl Field {
    /// Whether Rust holds it in an `Option`.
    pub(crate) fn is_option(&self) -> bool {
        match self.requiredness {
            Requiredness::Required => false,
            Requiredness::Optional => true,
            Requiredness::Default => self.is_boxed,
        }
    }
}

/// A constant of a type that stands beside it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of a bool.
    Bool(bool),
    /// Of any whole number.
    Int(i64),
    /// Of a double.
    Double(f64),
    /// Of a string, or of binary.
    Text(String),
    /// Of a uuid.
    Uuid(u128),
    /// A member by its index.
    Enum(Ref, usize),
    /// A list or a set.
    List(Vec<Value>),
    /// Keys and values.
    Map(Vec<(Value, Value)>),
    /// Some fields by their index; in unions, one.
    Struct(Ref, Vec<(usize, Value)>),
}

#[derive(Debug)]
pub(crate) struct Service {
    /// Its name in Thrift, which arg1 begins with.
    pub(crate) thrift_name: String,
    /// The name of its trait.
    pub(crate) name: String,
    pub(crate) client: String,
    pub(crate) parent: Option<Ref>,
    /// Whether it is the parent of another.
    pub(crate) is_extended: bool,
    pub(crate) methods: Vec<Method>,
    pub(crate) notes: Notes,
}

#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) thrift_name: String,
    pub(crate) name: String,
    pub(crate) returns: Option<Type>,
    pub(crate) arguments: Struct,
    /// The type of what it throws, when it throws at all.
    pub(crate) throws: Option<Throws>,
    pub(crate) streaming: Streaming,
    pub(crate) notes: Notes,
}

/// An enum of a method's exceptions.
#[derive(Debug)]
pub(crate) struct Throws {
    pub(crate) name: String,
    /// Each one's variant, id and struct.
    pub(crate) exceptions: Vec<Thrown>,
}

#[derive(Debug)]
pub(crate) struct Thrown {
    pub(crate) variant: String,
    /// Its name in the `throws` of the method.
    pub(crate) thrift_name: String,
    pub(crate) id: i16,
    pub(crate) exception: Ref,
}

impl Model {
    pub(crate) fn structure(&self, at: Ref) -> &Struct {
        &self.files[at.file].structs[at.index]
    }

    pub(crate) fn enumeration(&self, at: Ref) -> &Enum {
        &self.files[at.file].enums[at.index]
    }

    pub(crate) fn service(&self, at: Ref) -> &Service {
        &self.files[at.file].services[at.index]
    }

    /// The type behind all typedefs.
    pub(crate) fn resolved<'a>(&'a self, mut ty: &'a Type) -> &'a Type {
        while let Type::Typedef(at) = ty {
            ty = &self.files[at.file].typedefs[at.index].ty;
        }
        ty
    }

    /// Whether values of this type have an order, as keys of maps and elements of sets need.
    pub(crate) fn has_order(&self, ty: &Type) -> bool {
        self.has_order_beyond(ty, &mut Vec::new())
    }

    fn has_order_beyond(&self, ty: &Type, seen: &mut Vec<Ref>) -> bool {
        match self.resolved(ty) {
            Type::Double => false,
            Type::List(element) => self.has_order_beyond(element, seen),
            Type::Set(element) => self.has_order_beyond(element, seen),
            Type::Map(key, value) => {
                self.has_order_beyond(key, seen) && self.has_order_beyond(value, seen)
            }
            Type::Struct(at) if seen.contains(at) => true,
            Type::Struct(at) => {
                seen.push(*at);
                let fields = &self.structure(*at).fields;
                fields
                    .iter()
                    .all(|field| self.has_order_beyond(&field.ty, seen))
            }
            _ => true,
        }
    }
}
