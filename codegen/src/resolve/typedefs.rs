//! Types, and the names that typedefs give them.

use std::collections::HashSet;

use super::Resolver;
use super::names::Item;
use crate::ast::{self, Definition, TypeKind};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Ref, Type, Typedef};
use crate::naming::type_name;

impl Resolver<'_> {
    pub(super) fn typedefs(&mut self) {
        let mut spans = Vec::new();
        for (file, loaded) in self.files.iter().enumerate() {
            for definition in &loaded.document.definitions {
                let Definition::Typedef(typedef) = definition else {
                    continue;
                };
                // A type that could not be found has been complained about.
                let ty = self.ty(file, &typedef.ty).unwrap_or(Type::Bool);
                let name = self.scopes[file].take(type_name(&typedef.name.text));
                let index = self.model.files[file].typedefs.len();
                self.model.files[file].typedefs.push(Typedef {
                    thrift_name: typedef.name.text.clone(),
                    name,
                    ty,
                    notes: typedef.notes.clone(),
                });
                spans.push((Ref { file, index }, typedef.name.span));
            }
        }
        for (typedef, span) in spans {
            self.complain_about_cycle(typedef, span);
        }
    }

    fn complain_about_cycle(&mut self, typedef: Ref, span: Span) {
        let mut seen = HashSet::new();
        if self.leads_to(&self.definition_of(typedef), typedef, &mut seen) {
            let error = Diagnostic::new(
                span,
                "this typedef is made of itself",
                "expected another type",
            )
            .help("put a struct in between: structs may hold themselves");
            self.complain(error);
            self.is_endless = true;
        }
    }

    fn definition_of(&self, typedef: Ref) -> Type {
        self.model.files[typedef.file].typedefs[typedef.index]
            .ty
            .clone()
    }

    fn leads_to(&self, ty: &Type, target: Ref, seen: &mut HashSet<Ref>) -> bool {
        match ty {
            Type::Typedef(at) if *at == target => true,
            Type::Typedef(at) => {
                seen.insert(*at) && self.leads_to(&self.definition_of(*at), target, seen)
            }
            Type::List(element) | Type::Set(element) => self.leads_to(element, target, seen),
            Type::Map(key, value) => {
                self.leads_to(key, target, seen) || self.leads_to(value, target, seen)
            }
            _ => false,
        }
    }

    /// The type that was written in `file`, or `None` once it was complained about.
    pub(super) fn ty(&mut self, file: usize, ty: &ast::Type) -> Option<Type> {
        Some(match &ty.kind {
            TypeKind::Bool => Type::Bool,
            TypeKind::I8 => Type::I8,
            TypeKind::I16 => Type::I16,
            TypeKind::I32 => Type::I32,
            TypeKind::I64 => Type::I64,
            TypeKind::Double => Type::Double,
            TypeKind::String => Type::String,
            TypeKind::Binary => Type::Binary,
            TypeKind::Uuid => Type::Uuid,
            TypeKind::List(element) => Type::List(Box::new(self.ty(file, element)?)),
            TypeKind::Set(element) => Type::Set(Box::new(self.ty(file, element)?)),
            TypeKind::Map(key, value) => {
                let (key, value) = (self.ty(file, key), self.ty(file, value));
                Type::Map(Box::new(key?), Box::new(value?))
            }
            TypeKind::Named(name) => return self.named_type(file, name, ty.span),
        })
    }

    fn named_type(&mut self, file: usize, name: &str, span: Span) -> Option<Type> {
        match self.look_up(file, name) {
            Some(named) => match named.item {
                Item::Typedef(at) => Some(Type::Typedef(at)),
                Item::Enum(at) => Some(Type::Enum(at)),
                Item::Struct(at) => Some(Type::Struct(at)),
                item @ (Item::Const(_) | Item::Service(_)) => {
                    let title = format!("`{name}` is {}, not a type", item.describe());
                    let error = Diagnostic::new(span, title, "expected a type");
                    self.complain(error.context(named.span, "this is what it is"));
                    None
                }
            },
            None => {
                self.complain_about_unknown(file, name, span, "type");
                None
            }
        }
    }

    pub(super) fn complain_about_unknown(
        &mut self,
        file: usize,
        name: &str,
        span: Span,
        what: &str,
    ) {
        let is_service = what == "service";
        let fits = |item| match item {
            Item::Service(_) => is_service,
            Item::Const(_) => what == "value",
            _ => !is_service,
        };
        let label = match self.similar(file, name, fits) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("expected a {what} of this file, or `file.Name` of one it includes"),
        };
        if let Some((prefix, member)) = name.rsplit_once('.')
            && let Some(Item::Enum(at)) = self.look_up(file, prefix).map(|named| named.item)
        {
            let members = self.model.enumeration(at).members.iter();
            let names: Vec<_> = members.map(|member| member.thrift_name.as_str()).collect();
            let label = format!("expected one of {}", names.join(", "));
            let title = format!("{prefix} has no member `{member}`");
            self.complain(Diagnostic::new(span, title, label));
            return;
        }
        let title = format!("there is no {what} `{name}`");
        self.complain(Diagnostic::new(span, title, label));
    }
}
