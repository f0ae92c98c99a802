//! Constants and defaults, checked against the types they are for.

use super::Resolver;
use super::names::Item;
use crate::ast::{self, Definition, Requiredness, StructKind, ValueKind};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Const, Ref, Type, Value};
use crate::naming::{Scope, const_name, value_name};

impl Resolver<'_> {
    pub(super) fn values(&mut self) {
        for (file, loaded) in self.files.iter().enumerate() {
            let mut scope = Scope::with(&["IDL", "INTERFACE"]);
            let (mut structs, mut services) = (0, 0);
            for definition in &loaded.document.definitions {
                match definition {
                    Definition::Const(it) => {
                        self.constant(file, &mut scope, it);
                    }
                    Definition::Struct(it) => {
                        self.defaults(
                            Ref {
                                file,
                                index: structs,
                            },
                            &it.fields,
                        );
                        structs += 1;
                    }
                    Definition::Service(it) => {
                        self.defaults_of_arguments(
                            Ref {
                                file,
                                index: services,
                            },
                            it,
                        );
                        services += 1;
                    }
                    _ => {}
                }
            }
        }
    }

    fn constant(&mut self, file: usize, scope: &mut Scope, it: &ast::Const) {
        if let Some(ty) = self.ty(file, &it.ty)
            && let Some(value) = self.value(file, &ty, &it.value)
        {
            // What needs memory becomes a function.
            let name = match value {
                Value::List(_) | Value::Map(_) | Value::Struct(..) => value_name(&it.name.text),
                _ => const_name(&it.name.text),
            };
            let name = scope.take(name);
            let notes = it.notes.clone();
            self.model.files[file].consts.push(Const {
                name,
                ty,
                value,
                notes,
            });
        }
    }

    fn defaults(&mut self, at: Ref, fields: &[ast::Field]) {
        for (index, field) in fields.iter().enumerate() {
            let Some(default) = &field.default else {
                continue;
            };
            let ty = self.model.structure(at).fields[index].ty.clone();
            let value = self.value(at.file, &ty, default);
            self.model.files[at.file].structs[at.index].fields[index].default = value;
        }
    }

    fn defaults_of_arguments(&mut self, at: Ref, service: &ast::Service) {
        for (m, method) in service.methods.iter().enumerate() {
            for (index, argument) in method.arguments.iter().enumerate() {
                let Some(default) = &argument.default else {
                    continue;
                };
                let ty = self.model.service(at).methods[m].arguments.fields[index]
                    .ty
                    .clone();
                let value = self.value(at.file, &ty, default);
                let service = &mut self.model.files[at.file].services[at.index];
                service.methods[m].arguments.fields[index].default = value;
            }
        }
    }

    /// The value of type `ty` that was written in `file`, or `None` once it was complained about.
    pub(super) fn value(&mut self, file: usize, ty: &Type, value: &ast::Value) -> Option<Value> {
        self.evaluate(file, ty, value, &mut Vec::new())
    }

    /// `open` are the constants that are being looked into.
    fn evaluate(
        &mut self,
        file: usize,
        ty: &Type,
        value: &ast::Value,
        open: &mut Vec<Ref>,
    ) -> Option<Value> {
        self.values += 1;
        if self.values >= MAX_VALUES {
            if self.values == MAX_VALUES {
                let title = format!("constants have more than {MAX_VALUES} parts");
                self.complain(Diagnostic::new(
                    value.span,
                    title,
                    "expected fewer up to here",
                ));
            }
            return None;
        }
        let ty = self.model.resolved(ty).clone();
        if let ValueKind::Word(word) = &value.kind {
            return self.word(file, &ty, word, value.span, open);
        }
        match (&ty, &value.kind) {
            (Type::Bool, ValueKind::Int(number @ (0 | 1))) => Some(Value::Bool(*number == 1)),
            (Type::I8 | Type::I16 | Type::I32 | Type::I64, ValueKind::Int(number)) => {
                self.integer(&ty, *number, value.span)
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "what a double can not hold is rounded, as in Thrift"
            )]
            (Type::Double, ValueKind::Int(number)) => Some(Value::Double(*number as f64)),
            (Type::Double, ValueKind::Double(number)) => Some(Value::Double(*number)),
            (Type::String | Type::Binary, ValueKind::Text(text)) => Some(Value::Text(text.clone())),
            (Type::Uuid, ValueKind::Text(text)) => self.uuid(text, value.span),
            (Type::Enum(at), ValueKind::Int(number)) => {
                self.member_by_value(*at, *number, value.span)
            }
            (Type::List(_) | Type::Set(_), ValueKind::Map(pairs)) if pairs.is_empty() => {
                Some(Value::List(Vec::new()))
            }
            (Type::Map(..), ValueKind::List(values)) if values.is_empty() => {
                Some(Value::Map(Vec::new()))
            }
            (Type::List(element) | Type::Set(element), ValueKind::List(values)) => {
                let values: Vec<_> = values
                    .iter()
                    .map(|value| self.evaluate(file, element, value, open))
                    .collect();
                Some(Value::List(values.into_iter().collect::<Option<_>>()?))
            }
            (Type::Map(key_type, value_type), ValueKind::Map(pairs)) => {
                let pairs: Vec<_> = pairs
                    .iter()
                    .map(|(key, value)| {
                        let key = self.evaluate(file, key_type, key, open);
                        Some((key?, self.evaluate(file, value_type, value, open)?))
                    })
                    .collect();
                Some(Value::Map(pairs.into_iter().collect::<Option<_>>()?))
            }
            (Type::Struct(at), ValueKind::Map(pairs)) => {
                self.fields_of(file, *at, pairs, value.span, open)
            }
            _ => {
                let title = format!(
                    "expected {}, found {}",
                    self.describe(&ty),
                    found(&value.kind)
                );
                let label = format!("expected {}", self.describe(&ty));
                self.complain(Diagnostic::new(value.span, title, label));
                None
            }
        }
    }

    fn integer(&mut self, ty: &Type, number: i64, span: Span) -> Option<Value> {
        let bits = match ty {
            Type::I8 => 8,
            Type::I16 => 16,
            Type::I32 => 32,
            _ => 64,
        };
        let max = i64::MAX >> (64 - bits);
        if (-max - 1..=max).contains(&number) {
            return Some(Value::Int(number));
        }
        let title = format!("{number} does not fit i{bits}");
        self.complain(Diagnostic::new(
            span,
            title,
            format!("expected {} to {max}", -max - 1),
        ));
        None
    }

    fn uuid(&mut self, text: &str, span: Span) -> Option<Value> {
        let braced = text.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
        let bare = braced.unwrap_or(text);
        let groups: Vec<usize> = bare.split('-').map(str::len).collect();
        let digits = bare.replace('-', "");
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        match u128::from_str_radix(&digits, 16) {
            Ok(uuid) if groups == [8, 4, 4, 4, 12] && is_hex => Some(Value::Uuid(uuid)),
            _ => {
                let title = format!("{text:?} is no uuid");
                let label = "expected a form such as 00112233-4455-6677-8899-aabbccddeeff";
                self.complain(Diagnostic::new(span, title, label));
                None
            }
        }
    }

    fn member_by_value(&mut self, at: Ref, number: i64, span: Span) -> Option<Value> {
        let it = self.model.enumeration(at);
        let found = it
            .members
            .iter()
            .position(|member| i64::from(member.value) == number);
        if found.is_none() {
            let title = format!("no member of {} is {number}", it.name);
            self.complain(Diagnostic::new(
                span,
                title,
                "expected a member of the enum",
            ));
        }
        found.map(|member| Value::Enum(at, member))
    }

    /// `true`, a member of an enum, or another constant.
    fn word(
        &mut self,
        file: usize,
        ty: &Type,
        word: &str,
        span: Span,
        open: &mut Vec<Ref>,
    ) -> Option<Value> {
        if let (Type::Bool, "true" | "false") = (ty, word) {
            return Some(Value::Bool(word == "true"));
        }
        if let Some((at, member)) = self.find_member(file, ty, word) {
            return match ty {
                Type::Enum(expected) if *expected == at => Some(Value::Enum(at, member)),
                Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
                    let number = self.model.enumeration(at).members[member].value;
                    self.integer(ty, number.into(), span)
                }
                _ => {
                    let title = format!(
                        "expected {}, found a member of {}",
                        self.describe(ty),
                        self.model.enumeration(at).name
                    );
                    let label = format!("expected {}", self.describe(ty));
                    self.complain(Diagnostic::new(span, title, label));
                    None
                }
            };
        }
        let Some(Item::Const(at)) = self.look_up(file, word).map(|named| named.item) else {
            self.complain_about_unknown(file, word, span, "value");
            return None;
        };
        if open.contains(&at) {
            let title = format!("the constant `{word}` is made of itself");
            self.complain(Diagnostic::new(span, title, "expected another value"));
            return None;
        }
        let definitions = self.files[at.file].document.definitions.iter();
        let mut consts = definitions.filter_map(|definition| match definition {
            Definition::Const(it) => Some(it),
            _ => None,
        });
        let value = &consts.nth(at.index)?.value;
        open.push(at);
        let before = self.errors.len();
        let evaluated = self.evaluate(at.file, ty, value, open);
        open.pop();
        // The other constant may be sound and only of no use here.
        for error in &mut self.errors[before..] {
            *error = error.clone().context(span, "needed for this");
        }
        evaluated
    }

    /// `Enum.MEMBER`, `file.Enum.MEMBER`, or where its enum is expected a `MEMBER` that says less.
    fn find_member(&self, file: usize, ty: &Type, word: &str) -> Option<(Ref, usize)> {
        let (at, name) = match (word.rsplit_once('.'), ty) {
            (Some((prefix, name)), _) => (self.enum_meant(file, ty, prefix, word)?, name),
            (None, Type::Enum(at)) => (*at, word),
            (None, _) => return None,
        };
        let members = &self.model.enumeration(at).members;
        let member = members
            .iter()
            .position(|member| member.thrift_name == name)?;
        Some((at, member))
    }

    /// The enum that stands before a member's name. Thrift files also name just the file, or an enum of
    /// another file, as long as it is the enum that is expected.
    fn enum_meant(&self, file: usize, ty: &Type, prefix: &str, word: &str) -> Option<Ref> {
        match self.look_up(file, prefix).map(|named| named.item) {
            Some(Item::Enum(at)) => return Some(at),
            Some(Item::Typedef(at)) => match self.model.resolved(&Type::Typedef(at)) {
                Type::Enum(at) => return Some(*at),
                _ => return None,
            },
            Some(_) => return None,
            None => {}
        }
        let Type::Enum(expected) = *ty else {
            return None;
        };
        let includes = &self.files[file].includes;
        let is_its_file = || {
            includes
                .iter()
                .any(|known| (known.0 == prefix) && (known.1 == expected.file))
        };
        let is_its_name = self.model.enumeration(expected).thrift_name == prefix;
        let is_meant = is_its_name || (is_its_file() && self.look_up(file, word).is_none());
        is_meant.then_some(expected)
    }

    fn fields_of(
        &mut self,
        file: usize,
        at: Ref,
        pairs: &[(ast::Value, ast::Value)],
        span: Span,
        open: &mut Vec<Ref>,
    ) -> Option<Value> {
        let mut fields: Vec<(usize, Value)> = Vec::new();
        let mut is_sound = true;
        for (key, value) in pairs {
            let it = self.model.structure(at);
            let ValueKind::Text(name) = &key.kind else {
                let title = format!("expected the name of a field of {} in quotes", it.name);
                self.complain(Diagnostic::new(key.span, title, "expected a string"));
                return None;
            };
            let Some(index) = it
                .fields
                .iter()
                .position(|field| field.thrift_name == *name)
            else {
                let title = format!("{} has no field `{name}`", it.name);
                let names: Vec<_> = it
                    .fields
                    .iter()
                    .map(|field| field.thrift_name.as_str())
                    .collect();
                let label = format!("expected one of {}", names.join(", "));
                self.complain(Diagnostic::new(key.span, title, label));
                is_sound = false;
                continue;
            };
            let ty = it.fields[index].ty.clone();
            match self.evaluate(file, &ty, value, open) {
                Some(value) => fields.push((index, value)),
                None => is_sound = false,
            }
        }
        let it = self.model.structure(at);
        let missing = it.fields.iter().enumerate().find(|(index, field)| {
            field.requiredness == Requiredness::Required
                && !field.has_default
                && !fields.iter().any(|(given, _)| given == index)
        });
        let title = match it.kind {
            StructKind::Union if pairs.len() != 1 => format!(
                "a constant of the union {} has {} fields",
                it.name,
                pairs.len()
            ),
            StructKind::Struct | StructKind::Exception => match missing {
                Some((_, field)) => format!(
                    "the required field `{}` of {} is missing",
                    field.thrift_name, it.name
                ),
                None => return is_sound.then_some(Value::Struct(at, fields)),
            },
            StructKind::Union => return is_sound.then_some(Value::Struct(at, fields)),
        };
        self.complain(Diagnostic::new(
            span,
            title,
            "expected all that is required, and of a union exactly one field",
        ));
        None
    }

    fn describe(&self, ty: &Type) -> String {
        match self.model.resolved(ty) {
            Type::Bool => "true or false".to_owned(),
            Type::I8 => "an i8".to_owned(),
            Type::I16 => "an i16".to_owned(),
            Type::I32 => "an i32".to_owned(),
            Type::I64 => "an i64".to_owned(),
            Type::Double => "a double".to_owned(),
            Type::String => "a string".to_owned(),
            Type::Binary => "a string of bytes".to_owned(),
            Type::Uuid => "a uuid in quotes".to_owned(),
            Type::List(_) => "a list `[...]`".to_owned(),
            Type::Set(_) => "a set `[...]`".to_owned(),
            Type::Map(..) => "a map `{...}`".to_owned(),
            Type::Enum(at) => format!("a member of {}", self.model.enumeration(*at).name),
            Type::Struct(at) => format!(
                "fields of {} as `{{\"name\": value}}`",
                self.model.structure(*at).name
            ),
            Type::Typedef(_) => "a value".to_owned(),
        }
    }
}

fn found(value: &ValueKind) -> &'static str {
    match value {
        ValueKind::Int(_) => "a whole number",
        ValueKind::Double(_) => "a fraction",
        ValueKind::Text(_) => "a string",
        ValueKind::Word(_) => "a name",
        ValueKind::List(_) => "a list",
        ValueKind::Map(_) => "a map",
    }
}

/// Parts of all constants; those that name others twice grow fast.
const MAX_VALUES: usize = 100_000;
