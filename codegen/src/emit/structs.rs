//! Structs, unions and exceptions: the type, and how it is read and written.

use super::Emitter;
use super::layout::Code;
use crate::ast::{Requiredness, StructKind};
use crate::model::{Field, Struct, Value};

impl Emitter<'_> {
    pub(super) fn structure(&mut self, it: &Struct) {
        self.code.gap();
        self.code.notes(&it.notes);
        if it.kind == StructKind::Union {
            self.union(it);
        } else {
            self.plain_struct(it);
            self.reading_and_writing(it);
        }
        if it.kind == StructKind::Exception {
            self.error(&it.name);
        }
    }

    /// The struct itself, and how it begins when its defaults are not Rust's.
    pub(super) fn plain_struct(&mut self, it: &Struct) {
        let has_defaults = it.fields.iter().any(has_default);
        self.derive(&derived(it, !has_defaults));
        if self.options.serde {
            self.code.line("#[serde(crate = \"rt::serde\", default)]");
        }
        let head = format!("pub struct {}", it.name);
        if it.fields.is_empty() {
            self.code.line(&format!("{head} {{}}"));
            return;
        }
        let fields: Vec<_> = it
            .fields
            .iter()
            .map(|field| (field, self.field_type(field)))
            .collect();
        self.code.block(&head, |code| {
            for (field, ty) in &fields {
                code.notes(&field.notes);
                code.piece(&format!("pub {}: ", field.name), ty, ",");
            }
        });
        if has_defaults {
            self.default(it);
        }
    }

    fn default(&mut self, it: &Struct) {
        let fields: Vec<_> = it
            .fields
            .iter()
            .map(|field| (format!("{}: ", field.name), self.field_default(field)))
            .collect();
        let value = super::Piece::structure("Self", fields);
        self.code.gap();
        self.code
            .block(&format!("impl Default for {}", it.name), |code| {
                code.block("fn default() -> Self", |code| code.piece("", &value, ""));
            });
    }

    pub(super) fn reading_and_writing(&mut self, it: &Struct) {
        let fields = it.fields_by_id();
        self.code.gap();
        self.code
            .block(&format!("impl rt::Struct for {}", it.name), |code| {
                code.block(READ, |code| {
                    if fields.is_empty() {
                        code.line("reader.skip(rt::Type::Struct)?;");
                        code.line("Ok(Self {})");
                    } else {
                        read_fields(code, &fields);
                    }
                });
                code.gap();
                code.block(WRITE, |code| {
                    for field in &fields {
                        let Field { id, name, .. } = field;
                        let put = if field.is_option() { "put_some" } else { "put" };
                        code.line(&format!("writer.{put}({id}, &self.{name});"));
                    }
                    code.line("writer.write_stop();");
                });
            });
    }

    fn union(&mut self, it: &Struct) {
        self.derive(&derived(it, true));
        self.serde_crate();
        let fields: Vec<_> = it
            .fields
            .iter()
            .map(|field| (field, self.variant_type(field)))
            .collect();
        self.code.block(&format!("pub enum {}", it.name), |code| {
            for (field, ty) in &fields {
                code.notes(&field.notes);
                code.line(&format!("{}({ty}),", field.name));
            }
            code.line(
                "/// None of these: a field that the Thrift file does not name, or no field.",
            );
            code.line("#[default]");
            code.line(&format!("{},", it.unknown));
        });
        let fields = it.fields_by_id();
        self.code.gap();
        self.code
            .block(&format!("impl rt::Struct for {}", it.name), |code| {
                code.block(READ, |code| {
                    if fields.is_empty() {
                        code.line("reader.skip(rt::Type::Struct)?;");
                        code.line(&format!("Ok(Self::{})", it.unknown));
                        return;
                    }
                    let head = "reader.read_fields(|reader, field, it: &mut Self| match field.id";
                    code.block_with_tail(head, "})", |code| {
                        for Field { id, name, .. } in &fields {
                            let read = format!(
                                "reader.read_with(field, |value| *it = Self::{name}(value))"
                            );
                            code.line(&format!("{id} => {read},"));
                        }
                        code.line("_ => reader.skip(field.ty),");
                    });
                });
                code.gap();
                code.block(WRITE, |code| {
                    code.block("match self", |code| {
                        for Field { id, name, .. } in &fields {
                            code.line(&format!("Self::{name}(value) => writer.put({id}, value),"));
                        }
                        code.line(&format!("Self::{} => {{}}", it.unknown));
                    });
                    code.line("writer.write_stop();");
                });
            });
    }

    fn variant_type(&self, field: &Field) -> String {
        let ty = self.ty(&field.ty).flat();
        if field.is_boxed {
            format!("Box<{ty}>")
        } else {
            ty
        }
    }

    fn error(&mut self, name: &str) {
        self.code.gap();
        self.code
            .block(&format!("impl std::fmt::Display for {name}"), |code| {
                let head = "fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result";
                code.block(head, |code| code.line("std::fmt::Debug::fmt(self, f)"));
            });
        self.code.gap();
        self.code
            .line(&format!("impl std::error::Error for {name} {{}}"));
    }
}

fn read_fields(code: &mut Code, fields: &[&Field]) {
    let required: Vec<_> = fields
        .iter()
        .filter(|field| field.requiredness == Requiredness::Required)
        .collect();
    if required.is_empty() {
        let head = "reader.read_fields(|reader, field, it: &mut Self| match field.id";
        code.block_with_tail(head, "})", |code| read_each(code, fields));
        return;
    }
    code.line("let mut it = Self::default();");
    for field in &required {
        code.line(&format!("let mut field_{} = None;", field.id));
    }
    let head = "reader.read_struct(|reader, field| match field.id";
    code.block_with_tail(head, "})?;", |code| read_each(code, fields));
    for Field {
        id,
        name,
        thrift_name,
        ..
    } in required
    {
        code.line(&format!(
            "it.{name} = rt::required(field_{id}, {thrift_name:?}, {id})?;"
        ));
    }
    code.line("Ok(it)");
}

fn read_each(code: &mut Code, fields: &[&Field]) {
    for field in fields {
        let Field { id, name, .. } = field;
        let (read, slot) = match field.requiredness {
            Requiredness::Required => ("read_some", format!("field_{id}")),
            _ if field.is_option() => ("read_some", format!("it.{name}")),
            _ => ("read_into", format!("it.{name}")),
        };
        code.line(&format!("{id} => reader.{read}(field, &mut {slot}),"));
    }
    code.line("_ => reader.skip(field.ty),");
}

/// Whether a field begins as something else than Rust would have it.
fn has_default(field: &Field) -> bool {
    match &field.default {
        None => false,
        Some(_) if field.is_option() => true,
        Some(Value::Bool(value)) => *value,
        Some(Value::Int(value)) => *value != 0,
        Some(Value::Double(value)) => *value != 0.0,
        Some(Value::Text(text)) => !text.is_empty(),
        Some(Value::List(values)) => !values.is_empty(),
        Some(Value::Map(pairs)) => !pairs.is_empty(),
        Some(Value::Uuid(_) | Value::Enum(..) | Value::Struct(..)) => true,
    }
}

fn derived(it: &Struct, has_default: bool) -> String {
    let default = if has_default { ", Default" } else { "" };
    let order = if it.is_key {
        ", Eq, PartialOrd, Ord, Hash"
    } else {
        ""
    };
    format!("Clone, Debug{default}, PartialEq{order}")
}

const READ: &str = "fn read(reader: &mut rt::Reader<'_>) -> Result<Self, rt::ReadError>";
const WRITE: &str = "fn write(&self, writer: &mut rt::Writer)";
