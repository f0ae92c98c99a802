//! Enums, structs, unions and exceptions.

use std::collections::HashMap;

use super::Resolver;
use crate::ast::{self, Definition, StructKind};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Enum, Field, Member, Struct};
use crate::naming::{Scope, type_name, value_name};

impl Resolver<'_> {
    pub(super) fn structs(&mut self) {
        for (file, loaded) in self.files.iter().enumerate() {
            for definition in &loaded.document.definitions {
                match definition {
                    Definition::Enum(it) => {
                        let it = self.enumeration(file, it);
                        self.model.files[file].enums.push(it);
                    }
                    Definition::Struct(it) => {
                        let name = self.scopes[file].take(type_name(&it.name.text));
                        let structure = Struct {
                            thrift_name: it.name.text.clone(),
                            ..self.structure(file, it.kind, name, &it.fields, &it.notes)
                        };
                        self.model.files[file].structs.push(structure);
                    }
                    // Their traits take names too, before names are made up.
                    Definition::Service(_) | Definition::Const(_) | Definition::Typedef(_) => {}
                }
            }
        }
    }

    fn enumeration(&mut self, file: usize, it: &ast::Enum) -> Enum {
        let mut scope = Scope::default();
        let mut seen: HashMap<&str, Span> = HashMap::new();
        let mut members: Vec<Member> = Vec::new();
        for member in &it.members {
            if let Some(first) = seen.insert(&member.name.text, member.name.span) {
                let title = format!(
                    "`{}` has the member `{}` twice",
                    it.name.text, member.name.text
                );
                let error = Diagnostic::new(member.name.span, title, "expected a name of its own");
                self.complain(error.context(first, "the first is here"));
            }
            members.push(Member {
                name: scope.take(type_name(&member.name.text)),
                thrift_name: member.name.text.clone(),
                value: member.value,
                alias_of: members.iter().position(|other| other.value == member.value),
                notes: member.notes.clone(),
            });
        }
        Enum {
            thrift_name: it.name.text.clone(),
            name: self.scopes[file].take(type_name(&it.name.text)),
            members,
            unknown: scope.take("Unknown".to_owned()),
            notes: it.notes.clone(),
        }
    }

    /// A struct with those of these fields whose type is known; their defaults come later.
    pub(super) fn structure(
        &mut self,
        file: usize,
        kind: StructKind,
        name: String,
        fields: &[ast::Field],
        notes: &ast::Notes,
    ) -> Struct {
        let mut scope = Scope::default();
        let mut ids: HashMap<i16, Span> = HashMap::new();
        let mut names: HashMap<&str, Span> = HashMap::new();
        let mut resolved = Vec::new();
        for field in fields {
            let span = field.name.span;
            if let Some(first) = ids.insert(field.id, span) {
                let title = format!("the field id {} comes twice", field.id);
                let error = Diagnostic::new(span, title, "expected an id of its own");
                self.complain(error.context(first, "this field has it already"));
            }
            if let Some(first) = names.insert(&field.name.text, span) {
                let title = format!("the field name `{}` comes twice", field.name.text);
                let error = Diagnostic::new(span, title, "expected a name of its own");
                self.complain(error.context(first, "this field has it already"));
            }
            let name = match kind {
                StructKind::Union => type_name(&field.name.text),
                StructKind::Struct | StructKind::Exception => value_name(&field.name.text),
            };
            let Some(ty) = self.ty(file, &field.ty) else {
                continue;
            };
            resolved.push(Field {
                id: field.id,
                requiredness: field.requiredness,
                ty,
                thrift_name: field.name.text.clone(),
                name: scope.take(name),
                has_default: field.default.is_some(),
                default: None,
                is_boxed: false,
                span,
                notes: field.notes.clone(),
            });
        }
        Struct {
            kind,
            thrift_name: name.clone(),
            name,
            fields: resolved,
            unknown: scope.take("Unknown".to_owned()),
            is_key: false,
            notes: notes.clone(),
        }
    }
}
