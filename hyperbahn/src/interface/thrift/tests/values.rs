//! Values of any Thrift type, as they are shown.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tchannel_codegen::idl::{Field, Idl, Requiredness, Struct, StructKind, Type};

use super::super::write::base64;
use crate::interface::Json;

/// Values of the struct `name`.
pub(super) fn of_type(idl: &Idl, name: &str) -> BoxedStrategy<Json> {
    let structs = &idl.files()[0].structs;
    structure(idl, structs.iter().find(|it| it.name == name).unwrap(), 3)
}

fn structure(idl: &Idl, it: &Struct, depth: u32) -> BoxedStrategy<Json> {
    let below = depth.saturating_sub(1);
    if it.kind == StructKind::Union {
        // The first one of a union here needs no other.
        let shown = if depth == 0 { 1 } else { it.fields.len() };
        let members = it.fields.iter().take(shown).map(|field| {
            let name = field.name.clone();
            let member = value(idl, &field.ty, below);
            member.prop_map(move |value| Json::member(name.clone(), value))
        });
        return proptest::strategy::Union::new(members).boxed();
    }
    let is_required = |field: &Field| field.requiredness == Requiredness::Required;
    let fields = it.fields.iter();
    let fields = fields.filter(|field| depth > 0 || is_required(field));
    let members = fields.map(|field| {
        let name = field.name.clone();
        let value = value(idl, &field.ty, below);
        let value = match is_required(field) {
            true => value.prop_map(Some).boxed(),
            false => prop::option::weighted(0.3, value).boxed(),
        };
        value.prop_map(move |value| Some((name.clone(), value?)))
    });
    let members = members.collect::<Vec<_>>();
    let members = members.prop_map(|members| members.into_iter().flatten().collect());
    members.prop_map(Json::Object).boxed()
}

fn value(idl: &Idl, ty: &Type, depth: u32) -> BoxedStrategy<Json> {
    let below = depth.saturating_sub(1);
    match idl.resolved(ty) {
        Type::Bool => any::<bool>().prop_map(Json::from).boxed(),
        Type::I8 => any::<i8>().prop_map(Json::from).boxed(),
        Type::I16 => any::<i16>().prop_map(Json::from).boxed(),
        Type::I32 => any::<i32>().prop_map(Json::from).boxed(),
        Type::I64 => any::<i64>().prop_map(Json::integer).boxed(),
        Type::Double => prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::NEG_INFINITY)]
            .prop_map(Json::double)
            .boxed(),
        Type::String => ".{0,6}".prop_map(Json::from).boxed(),
        Type::Binary => any::<Vec<u8>>().prop_map(|it| base64(&it).into()).boxed(),
        Type::Uuid => any::<u128>()
            .prop_map(|it| tchannel_rt::thrift::Uuid::from_u128(it).to_string().into())
            .boxed(),
        Type::Enum(at) => {
            let names: BTreeMap<i32, String> = idl
                .enumeration(*at)
                .members
                .iter()
                .rev()
                .map(|member| (member.value, member.name.clone()))
                .collect();
            prop_oneof![0..8, any::<i32>()]
                .prop_map(move |number| match names.get(&number) {
                    Some(name) => name.as_str().into(),
                    None => number.into(),
                })
                .boxed()
        }
        Type::List(_) | Type::Set(_) if depth == 0 => Just(Json::Array(Vec::new())).boxed(),
        Type::Map(..) if depth == 0 => Just(Json::map(Vec::new())).boxed(),
        Type::List(element) | Type::Set(element) => {
            prop::collection::vec(value(idl, element, below), 0..4)
                .prop_map(Json::Array)
                .boxed()
        }
        Type::Map(key, of) => {
            let pair = (value(idl, key, below), value(idl, of, below));
            prop::collection::vec(pair, 0..4)
                .prop_map(Json::map)
                .boxed()
        }
        Type::Struct(at) => structure(idl, idl.structure(*at), depth),
        Type::Typedef(_) => unreachable!("typedefs are resolved"),
    }
}
