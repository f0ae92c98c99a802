//! Services, what they inherit, and their methods.

use std::collections::HashMap;

use super::Resolver;
use super::names::Item;
use crate::ast::{self, Definition, StructKind};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Method, Ref, Service, Thrown, Throws, Type};
use crate::naming::{Scope, type_name, value_name};

impl<'a> Resolver<'a> {
    pub(super) fn services(&mut self) {
        let services = self.declared();
        for (at, service) in &services {
            let parent = self.parent(at.file, service);
            let name = self.scopes[at.file].take(type_name(&service.name.text));
            self.model.files[at.file].services.push(Service {
                thrift_name: service.name.text.clone(),
                name,
                client: String::new(),
                parent,
                is_extended: false,
                methods: Vec::new(),
                notes: service.notes.clone(),
            });
        }
        for (at, service) in &services {
            let client = format!("{}Client", self.model.service(*at).name);
            let client = self.scopes[at.file].take(client);
            self.model.files[at.file].services[at.index].client = client;
            self.complain_about_inheritance(*at, service);
        }
        for (at, _) in &services {
            if let Some(parent) = self.model.service(*at).parent {
                self.model.files[parent.file].services[parent.index].is_extended = true;
            }
        }
        if !self.is_endless {
            self.methods(services);
        }
    }

    fn declared(&self) -> Vec<(Ref, &'a ast::Service)> {
        let mut services = Vec::new();
        for (file, loaded) in self.files.iter().enumerate() {
            let own =
                loaded
                    .document
                    .definitions
                    .iter()
                    .filter_map(|definition| match definition {
                        Definition::Service(service) => Some(service),
                        _ => None,
                    });
            services.extend(
                own.enumerate()
                    .map(|(index, service)| (Ref { file, index }, service)),
            );
        }
        services
    }

    fn parent(&mut self, file: usize, service: &ast::Service) -> Option<Ref> {
        let parent = service.parent.as_ref()?;
        match self.look_up(file, &parent.text) {
            Some(named) => match named.item {
                Item::Service(at) => return Some(at),
                item => {
                    let title = format!("`{}` is {}, not a service", parent.text, item.describe());
                    self.complain(Diagnostic::new(parent.span, title, "expected a service"));
                }
            },
            None => self.complain_about_unknown(file, &parent.text, parent.span, "service"),
        }
        None
    }

    fn complain_about_inheritance(&mut self, at: Ref, service: &ast::Service) {
        let mut above = self.model.service(at).parent;
        for _ in 0..=self
            .model
            .files
            .iter()
            .map(|file| file.services.len())
            .sum::<usize>()
        {
            match above {
                Some(parent) if parent == at => {
                    let title = format!("the service `{}` extends itself", service.name.text);
                    self.complain(Diagnostic::new(
                        service.name.span,
                        title,
                        "expected another parent",
                    ));
                    self.is_endless = true;
                    return;
                }
                Some(parent) => above = self.model.service(parent).parent,
                None => return,
            }
        }
    }

    /// Parents before children, so that a child knows which names are taken.
    fn methods(&mut self, mut services: Vec<(Ref, &'a ast::Service)>) {
        services.sort_by_key(|(at, _)| self.ancestors(*at).len());
        let mut spans: HashMap<Ref, HashMap<String, Span>> = HashMap::new();
        for (at, service) in services {
            let parent = self.model.service(at).parent;
            let mut seen = parent
                .and_then(|parent| spans.get(&parent).cloned())
                .unwrap_or_default();
            let mut scope = Scope::with(&["new", "named", "with", "into_service"]);
            for ancestor in self.ancestors(at) {
                let names = self
                    .model
                    .service(ancestor)
                    .methods
                    .iter()
                    .map(|method| method.name.clone());
                names.for_each(|name| drop(scope.take(name)));
            }
            for method in &service.methods {
                let name = &method.name;
                if let Some(first) = seen.insert(name.text.clone(), name.span) {
                    let title = format!("the method `{}` comes twice", name.text);
                    let error = Diagnostic::new(name.span, title, "expected a name of its own");
                    self.complain(error.context(first, "the first is here"));
                }
                let rust_name = scope.take(value_name(&name.text));
                let method = self.method(at, rust_name, method);
                self.model.files[at.file].services[at.index]
                    .methods
                    .push(method);
            }
            spans.insert(at, seen);
        }
    }

    fn ancestors(&self, at: Ref) -> Vec<Ref> {
        let parent = |at: &Ref| self.model.service(*at).parent;
        std::iter::successors(parent(&at), parent).collect()
    }

    fn method(&mut self, at: Ref, name: String, method: &ast::Method) -> Method {
        let prefix = format!(
            "{}{}",
            self.model.service(at).name,
            type_name(&method.name.text)
        );
        let arguments_name = self.scopes[at.file].take(format!("{prefix}Args"));
        let notes = ast::Notes::default();
        let fields = &method.arguments;
        let arguments = self.structure(at.file, StructKind::Struct, arguments_name, fields, &notes);
        Method {
            thrift_name: method.name.text.clone(),
            name,
            returns: method.returns.as_ref().and_then(|ty| self.ty(at.file, ty)),
            arguments,
            throws: self.throws(at.file, &prefix, &method.throws),
            streaming: self.streaming(method),
            notes: method.notes.clone(),
        }
    }

    fn throws(&mut self, file: usize, prefix: &str, fields: &[ast::Field]) -> Option<Throws> {
        if fields.is_empty() {
            return None;
        }
        let name = self.scopes[file].take(format!("{prefix}Throws"));
        // Looked at as a struct once, for what its fields have in common with others.
        let as_struct = self.structure(
            file,
            StructKind::Struct,
            name,
            fields,
            &ast::Notes::default(),
        );
        let mut exceptions: Vec<Thrown> = Vec::new();
        let mut scope = Scope::default();
        for field in &as_struct.fields {
            let written = fields
                .iter()
                .find(|written| written.name.span == field.span);
            let written = written.expect("each is made from one that was written");
            let Type::Struct(exception) = *self.model.resolved(&field.ty) else {
                self.complain_about_thrown(written);
                continue;
            };
            let it = self.model.structure(exception);
            if it.kind != StructKind::Exception {
                self.complain_about_thrown(written);
                continue;
            }
            let is_again = exceptions.iter().any(|other| other.exception == exception);
            let variant = if is_again {
                type_name(&field.thrift_name)
            } else {
                it.name.clone()
            };
            exceptions.push(Thrown {
                variant: scope.take(variant),
                thrift_name: field.thrift_name.clone(),
                id: field.id,
                exception,
            });
        }
        Some(Throws {
            name: as_struct.name,
            exceptions,
        })
    }

    fn complain_about_thrown(&mut self, field: &ast::Field) {
        let title = format!(
            "`{}` is no exception, so it can not be thrown",
            field.name.text
        );
        self.complain(Diagnostic::new(
            field.ty.span,
            title,
            "expected the name of an `exception`",
        ));
    }
}
