//! What Thrift files say.

use std::collections::{BTreeMap, HashSet};

use tchannel_codegen::idl::{Field, Idl, Notes, Ref, Requiredness, Service, StructKind, Type};

use super::{
    FieldDescription, InterfaceDescription, MemberDescription, MethodDescription, TypeDescription,
};
use crate::interface::thrift::{ThriftInterface, ThriftMethod, constant, exception_name, words};
use crate::interface::{Kind, Method};

/// An interface for each service that has a method which is wanted.
pub(super) fn describe(
    interface: &ThriftInterface,
    is_wanted: &dyn Fn(&Method<'_>) -> bool,
) -> Vec<InterfaceDescription> {
    let services = interface.services().into_iter();
    let described = services.map(|service| of_service(interface, service, is_wanted));
    described.filter(|it| !it.methods.is_empty()).collect()
}

fn of_service(
    interface: &ThriftInterface,
    service: &Service,
    is_wanted: &dyn Fn(&Method<'_>) -> bool,
) -> InterfaceDescription {
    let idl = interface.idl();
    let mut types = Types {
        idl,
        seen: HashSet::new(),
        found: Vec::new(),
    };
    let mut methods = Vec::new();
    for (arg1, method) in interface.methods_of(service) {
        let method = Method {
            arg1,
            kind: Kind::Thrift(method),
        };
        if is_wanted(&method) {
            methods.push(of_method(&method, &mut types));
        }
    }
    InterfaceDescription {
        kind: "thrift",
        name: service.name.clone(),
        file: idl.files().first().map(|file| file.path.clone()),
        scheme: "thrift",
        docs: service.notes.doc.clone(),
        methods,
        types: types.found,
    }
}

fn of_method(method: &Method<'_>, types: &mut Types<'_>) -> MethodDescription {
    let Kind::Thrift(thrift) = method.kind else {
        unreachable!("Thrift files have no other methods");
    };
    let ThriftMethod {
        idl, method: it, ..
    } = thrift;
    for field in &it.arguments {
        types.visit(&field.ty);
    }
    it.returns.iter().for_each(|ty| types.visit(ty));
    for thrown in &it.throws {
        types.visit(&Type::Struct(thrown.exception));
    }
    let (request, response) = (thrift.request_stream(), thrift.response_stream());
    let arguments = it.arguments.iter().filter(|_| request.is_none());
    let arguments = arguments.map(|field| FieldDescription {
        required: field.requiredness != Requiredness::Optional && field.default.is_none(),
        ..of_field(idl, field)
    });
    let errors = it.throws.iter();
    let errors = errors.map(|thrown| exception_name(idl, it, thrown).to_owned());
    MethodDescription {
        name: method.arg1().to_owned(),
        target: String::new(),
        docs: it.notes.doc.clone(),
        arguments: arguments.collect(),
        request_stream: request.map(|ty| words(idl, ty)),
        returns: it
            .returns
            .as_ref()
            .filter(|_| response.is_none())
            .map(|ty| words(idl, ty)),
        response_stream: response.map(|ty| words(idl, ty)),
        errors: errors.collect(),
        idempotent: false,
        ttl_ms: None,
        annotations: annotations(&it.notes),
        example: method.sample(),
    }
}

fn annotations(notes: &Notes) -> BTreeMap<String, String> {
    // What is streamed is told in the signature.
    let annotations = notes
        .annotations
        .iter()
        .filter(|(name, _)| name != "streaming");
    let annotations =
        annotations.map(|(name, value)| (name.clone(), value.clone().unwrap_or_default()));
    annotations.collect()
}

fn of_field(idl: &Idl, field: &Field) -> FieldDescription {
    FieldDescription {
        name: field.name.clone(),
        ty: words(idl, &field.ty),
        required: field.requiredness == Requiredness::Required,
        default: field
            .default
            .as_ref()
            .map(|value| constant(idl, &field.ty, value)),
        docs: field.notes.doc.clone(),
    }
}

/// The named types that were come across.
struct Types<'a> {
    idl: &'a Idl,
    seen: HashSet<(u8, Ref)>,
    found: Vec<TypeDescription>,
}

impl Types<'_> {
    /// Takes in what `ty` leads to. A list instead of recursion: files may chain any number of types.
    fn visit(&mut self, ty: &Type) {
        let mut next = vec![ty.clone()];
        while let Some(ty) = next.pop() {
            match ty {
                Type::List(element) | Type::Set(element) => next.push(*element),
                Type::Map(key, value) => next.extend([*value, *key]),
                Type::Enum(at) if self.seen.insert((0, at)) => {
                    self.found.push(self.enumeration(at))
                }
                Type::Typedef(at) if self.seen.insert((1, at)) => {
                    self.found.push(self.typedef(at));
                    next.push(self.idl.typedef(at).ty.clone());
                }
                Type::Struct(at) if self.seen.insert((2, at)) => {
                    self.found.push(self.structure(at));
                    let fields = self.idl.structure(at).fields.iter().rev();
                    next.extend(fields.map(|field| field.ty.clone()));
                }
                _ => {}
            }
        }
    }

    fn enumeration(&self, at: Ref) -> TypeDescription {
        let it = self.idl.enumeration(at);
        let members = it.members.iter().map(|member| MemberDescription {
            name: member.name.clone(),
            value: Some(member.value),
            docs: member.notes.doc.clone(),
        });
        TypeDescription {
            name: it.name.clone(),
            kind: "enum",
            docs: it.notes.doc.clone(),
            members: members.collect(),
            ..TypeDescription::default()
        }
    }

    fn typedef(&self, at: Ref) -> TypeDescription {
        let it = self.idl.typedef(at);
        TypeDescription {
            name: it.name.clone(),
            kind: "type",
            docs: it.notes.doc.clone(),
            stands_for: Some(words(self.idl, &it.ty)),
            ..TypeDescription::default()
        }
    }

    fn structure(&self, at: Ref) -> TypeDescription {
        let it = self.idl.structure(at);
        let fields = it.fields.iter().map(|field| of_field(self.idl, field));
        TypeDescription {
            name: it.name.clone(),
            kind: match it.kind {
                StructKind::Struct => "struct",
                StructKind::Union => "union",
                StructKind::Exception => "exception",
            },
            docs: it.notes.doc.clone(),
            fields: fields.collect(),
            ..TypeDescription::default()
        }
    }
}
