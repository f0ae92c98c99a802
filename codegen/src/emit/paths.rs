//! Types as Rust writes them.

use super::Emitter;
use super::layout::Piece;
use crate::model::{Field, Ref, Type};

impl Emitter<'_> {
    /// `name` of the module of `file`, from where we are.
    pub(super) fn path_in(&self, file: usize, name: &str) -> String {
        if file == self.file {
            return name.to_owned();
        }
        format!("super::{}::{name}", self.model.files[file].module)
    }

    pub(super) fn struct_path(&self, at: Ref) -> String {
        self.path_in(at.file, &self.model.structure(at).name)
    }

    pub(super) fn enum_path(&self, at: Ref) -> String {
        self.path_in(at.file, &self.model.enumeration(at).name)
    }

    pub(super) fn ty(&self, ty: &Type) -> Piece {
        Piece::text(match ty {
            Type::Bool => "bool",
            Type::I8 => "i8",
            Type::I16 => "i16",
            Type::I32 => "i32",
            Type::I64 => "i64",
            Type::Double => "f64",
            Type::String => "String",
            Type::Binary => "rt::Bytes",
            Type::Uuid => "rt::Uuid",
            Type::List(element) => return Piece::generics("Vec", vec![self.ty(element)]),
            Type::Set(element) => {
                let name = if self.model.has_order(element) {
                    "BTreeSet"
                } else {
                    "rt::VecSet"
                };
                return Piece::generics(name, vec![self.ty(element)]);
            }
            Type::Map(key, value) => {
                let name = if self.model.has_order(key) {
                    "BTreeMap"
                } else {
                    "rt::VecMap"
                };
                return Piece::generics(name, vec![self.ty(key), self.ty(value)]);
            }
            Type::Enum(at) => return Piece::text(self.enum_path(*at)),
            Type::Struct(at) => return Piece::text(self.struct_path(*at)),
            Type::Typedef(at) => {
                let name = &self.model.files[at.file].typedefs[at.index].name;
                return Piece::text(self.path_in(at.file, name));
            }
        })
    }

    /// The type of a field, with its box and its option.
    pub(super) fn field_type(&self, field: &Field) -> Piece {
        let mut ty = self.ty(&field.ty);
        if field.is_boxed {
            ty = Piece::generics("Box", vec![ty]);
        }
        if field.is_option() {
            ty = Piece::generics("Option", vec![ty]);
        }
        ty
    }
}
