//! Constants as Rust expressions.

use super::Emitter;
use super::layout::Piece;
use crate::ast::StructKind;
use crate::model::{Field, Ref, Type, Value};

impl Emitter<'_> {
    /// The value of a field that is not given one.
    pub(super) fn field_default(&self, field: &Field) -> Piece {
        match &field.default {
            None if field.is_option() => Piece::text("None"),
            None => Piece::text("Default::default()"),
            Some(value) => self.in_field(field, value),
        }
    }

    /// `value` with the box and the option that the field wants.
    fn in_field(&self, field: &Field, value: &Value) -> Piece {
        let mut piece = self.value(&field.ty, value);
        if field.is_boxed {
            piece = Piece::call("Box::new(", vec![piece], ")");
        }
        if field.is_option() {
            piece = Piece::call("Some(", vec![piece], ")");
        }
        piece
    }

    pub(super) fn value(&self, ty: &Type, value: &Value) -> Piece {
        let ty = self.model.resolved(ty);
        match (ty, value) {
            (Type::Binary, Value::Text(text)) => {
                Piece::text(format!("rt::Bytes::from_static({})", bytes_literal(text)))
            }
            (_, Value::Text(text)) => Piece::text(format!("{text:?}.to_owned()")),
            (Type::List(element), Value::List(values)) => {
                Piece::array("vec![", self.values(element, values), "]")
            }
            (Type::Set(element), Value::List(values)) => {
                let values = self.values(element, values);
                match (self.model.has_order(element), values.is_empty()) {
                    (true, true) => Piece::text("BTreeSet::new()"),
                    (true, false) => Piece::call("BTreeSet::from([", values, "])"),
                    (false, _) => {
                        Piece::call("rt::VecSet(", vec![Piece::array("vec![", values, "]")], ")")
                    }
                }
            }
            (Type::Map(key, value), Value::Map(pairs)) => {
                let pairs = pairs.iter().map(|(k, v)| {
                    Piece::call("(", vec![self.value(key, k), self.value(value, v)], ")")
                });
                let pairs: Vec<Piece> = pairs.collect();
                match (self.model.has_order(key), pairs.is_empty()) {
                    (true, true) => Piece::text("BTreeMap::new()"),
                    (true, false) => Piece::call("BTreeMap::from([", pairs, "])"),
                    (false, _) => {
                        Piece::call("rt::VecMap(", vec![Piece::array("vec![", pairs, "]")], ")")
                    }
                }
            }
            (_, Value::Struct(at, fields)) => self.struct_value(*at, fields),
            (_, scalar) => Piece::text(self.scalar(scalar)),
        }
    }

    fn values(&self, element: &Type, values: &[Value]) -> Vec<Piece> {
        values
            .iter()
            .map(|value| self.value(element, value))
            .collect()
    }

    fn struct_value(&self, at: Ref, fields: &[(usize, Value)]) -> Piece {
        let it = self.model.structure(at);
        let path = self.struct_path(at);
        if let (StructKind::Union, [(index, value)]) = (it.kind, fields) {
            let field = &it.fields[*index];
            let mut piece = self.value(&field.ty, value);
            if field.is_boxed {
                piece = Piece::call("Box::new(", vec![piece], ")");
            }
            return Piece::call(format!("{path}::{}(", field.name), vec![piece], ")");
        }
        let mut items: Vec<(String, Piece)> = fields
            .iter()
            .map(|(index, value)| {
                let field = &it.fields[*index];
                (format!("{}: ", field.name), self.in_field(field, value))
            })
            .collect();
        if fields.len() < it.fields.len() {
            items.push(("..".to_owned(), Piece::text("Default::default()")));
        }
        Piece::structure(&path, items)
    }

    pub(super) fn scalar(&self, value: &Value) -> String {
        match value {
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Double(value) => format!("{value:?}"),
            Value::Uuid(value) => format!("rt::Uuid::from_u128({value:#034x})"),
            Value::Enum(at, member) => {
                let member = &self.model.enumeration(*at).members[*member];
                format!("{}::{}", self.enum_path(*at), member.name)
            }
            Value::Text(_) | Value::List(_) | Value::Map(_) | Value::Struct(..) => {
                unreachable!("only called for what needs no memory")
            }
        }
    }
}

pub(super) fn bytes_literal(text: &str) -> String {
    format!("b\"{}\"", text.as_bytes().escape_ascii())
}
