//! What Rust needs to know of the types together: which fields need a box, and which structs an order.

use std::collections::HashSet;

use super::Resolver;
use crate::ast::{Requiredness, StructKind};
use crate::diagnostic::Diagnostic;
use crate::model::{Field, Model, Ref, Type};

impl Resolver<'_> {
    pub(super) fn shape(&mut self) {
        for (at, index) in self.fields() {
            let field = &self.model.structure(at).fields[index];
            let Some(to) = held(&self.model, field) else {
                continue;
            };
            if is_required(&self.model, at, field) && reaches(&self.model, to, at, is_required) {
                let title = format!("`{}` requires itself, so it has no end", field.thrift_name);
                let error = Diagnostic::new(field.span, title, "expected an `optional` field")
                    .help("a value of this type would have to hold another one, and so on");
                self.complain(error);
            } else if reaches(&self.model, to, at, |_, _, _| true) {
                self.model.files[at.file].structs[at.index].fields[index].is_boxed = true;
            }
        }
        for at in keys(&self.model) {
            self.model.files[at.file].structs[at.index].is_key = true;
        }
    }

    fn fields(&self) -> Vec<(Ref, usize)> {
        let mut fields = Vec::new();
        for at in structs(&self.model) {
            let count = self.model.structure(at).fields.len();
            fields.extend((0..count).map(|index| (at, index)));
        }
        fields
    }
}

fn structs(model: &Model) -> Vec<Ref> {
    let files = model.files.iter().enumerate();
    files
        .flat_map(|(file, it)| (0..it.structs.len()).map(move |index| Ref { file, index }))
        .collect()
}

/// The struct that a field holds within itself; what is in containers is held elsewhere.
fn held(model: &Model, field: &Field) -> Option<Ref> {
    match model.resolved(&field.ty) {
        Type::Struct(at) => Some(*at),
        _ => None,
    }
}

fn is_required(model: &Model, owner: Ref, field: &Field) -> bool {
    let is_union = model.structure(owner).kind == StructKind::Union;
    field.requiredness == Requiredness::Required && !is_union
}

/// Whether `from` holds `target`, over fields that `follows` admits.
fn reaches(
    model: &Model,
    from: Ref,
    target: Ref,
    follows: fn(&Model, Ref, &Field) -> bool,
) -> bool {
    let mut seen = HashSet::from([from]);
    let mut next = vec![from];
    while let Some(at) = next.pop() {
        if at == target {
            return true;
        }
        let fields = model.structure(at).fields.iter();
        let held = fields
            .filter(|field| follows(model, at, field))
            .filter_map(|field| held(model, field));
        next.extend(held.filter(|at| seen.insert(*at)));
    }
    false
}

/// Structs that need an order: they stand in a set or a key, themselves or within another.
fn keys(model: &Model) -> HashSet<Ref> {
    let mut keys = HashSet::new();
    for file in &model.files {
        let typedefs = file.typedefs.iter().map(|it| &it.ty);
        let consts = file.consts.iter().map(|it| &it.ty);
        let fields = file
            .structs
            .iter()
            .flat_map(|it| &it.fields)
            .map(|field| &field.ty);
        let methods = file.services.iter().flat_map(|service| &service.methods);
        let of_methods = methods.flat_map(|method| {
            let arguments = method.arguments.fields.iter().map(|field| &field.ty);
            arguments.chain(&method.returns)
        });
        for ty in typedefs.chain(consts).chain(fields).chain(of_methods) {
            keys_of(model, ty, false, &mut keys);
        }
    }
    keys
}

fn keys_of(model: &Model, ty: &Type, is_key: bool, keys: &mut HashSet<Ref>) {
    match model.resolved(ty) {
        Type::List(element) => keys_of(model, element, is_key, keys),
        Type::Set(element) => keys_of(model, element, is_key || model.has_order(element), keys),
        Type::Map(key, value) => {
            keys_of(model, key, is_key || model.has_order(key), keys);
            keys_of(model, value, is_key, keys);
        }
        Type::Struct(at) if is_key && keys.insert(*at) => {
            for field in &model.structure(*at).fields {
                keys_of(model, &field.ty, true, keys);
            }
        }
        _ => {}
    }
}
