//! Arguments made up for people to change.

use tchannel_codegen::idl::{Field, Idl, Method, Ref, Requiredness, Struct, StructKind, Type};

use super::constant;
use crate::interface::Json;

/// What a caller of `method` may have to give; what is optional is left out.
pub(super) fn arguments(idl: &Idl, method: &Method) -> Json {
    let mut sampler = Sampler::new(idl);
    let arguments = method.arguments.iter();
    let arguments = arguments.filter(|field| field.requiredness != Requiredness::Optional);
    let members = arguments.map(|field| (field.name.clone(), sampler.field(field)));
    Json::Object(members.collect())
}

/// A value of a stream.
pub(super) fn piece(idl: &Idl, ty: &Type) -> Json {
    Sampler::new(idl).value(ty)
}

struct Sampler<'a> {
    idl: &'a Idl,
    /// The structs that are being made, each within the one before.
    open: Vec<Ref>,
    /// How many values there may be beside those that are made.
    left: usize,
}

impl<'a> Sampler<'a> {
    fn new(idl: &'a Idl) -> Self {
        Self {
            idl,
            open: Vec::new(),
            left: VALUES_MAX,
        }
    }

    fn field(&mut self, field: &'a Field) -> Json {
        match &field.default {
            Some(default) => constant(self.idl, &field.ty, default),
            None => self.value(&field.ty),
        }
    }

    fn value(&mut self, ty: &'a Type) -> Json {
        let Some(left) = self.left.checked_sub(1) else {
            return Json::NULL;
        };
        self.left = left;
        match self.idl.resolved(ty) {
            Type::Bool => true.into(),
            Type::I8 | Type::I16 | Type::I32 | Type::I64 => 1.into(),
            Type::Double => 0.5.into(),
            Type::String => "text".into(),
            Type::Binary => "Ynl0ZXM=".into(),
            Type::Uuid => "00112233-4455-6677-8899-aabbccddeeff".into(),
            Type::Enum(at) => match self.idl.enumeration(*at).members.first() {
                Some(member) => member.name.as_str().into(),
                None => 0.into(),
            },
            Type::List(element) | Type::Set(element) => match self.leads_back(element) {
                true => Json::Array(Vec::new()),
                false => Json::Array(vec![self.value(element)]),
            },
            Type::Map(key, value) => match self.leads_back(key) || self.leads_back(value) {
                true => Json::map(Vec::new()),
                false => Json::map(vec![(self.value(key), self.value(value))]),
            },
            Type::Struct(at) => self.structure(*at),
            Type::Typedef(_) => unreachable!("typedefs are resolved"),
        }
    }

    fn structure(&mut self, at: Ref) -> Json {
        self.open.push(at);
        let it = self.idl.structure(at);
        let fields = self.shown(it);
        let members = fields
            .into_iter()
            .map(|field| (field.name.clone(), self.field(field)));
        let sample = Json::Object(members.collect());
        self.open.pop();
        sample
    }

    /// Of a union one field, of a struct what is not optional; one that leads back where none has to.
    fn shown(&self, it: &'a Struct) -> Vec<&'a Field> {
        let plain = |field: &&Field| !self.leads_back(&field.ty);
        if it.kind == StructKind::Union {
            let field = it.fields.iter().find(plain).or(it.fields.first());
            return field.into_iter().collect();
        }
        let fields = it.fields.iter();
        let fields = fields.filter(|field| match field.requiredness {
            Requiredness::Required => true,
            Requiredness::Default => plain(field),
            Requiredness::Optional => false,
        });
        fields.collect()
    }

    /// Whether a value has one in it of a kind that is being made.
    fn leads_back(&self, ty: &Type) -> bool {
        match self.idl.resolved(ty) {
            Type::Struct(at) => self.open.contains(at) || self.open.len() >= DEPTH_MAX,
            Type::List(element) | Type::Set(element) => self.leads_back(element),
            Type::Map(key, value) => self.leads_back(key) || self.leads_back(value),
            _ => false,
        }
    }
}

/// Structs within each other that a sample shows, unless all have to be there.
const DEPTH_MAX: usize = 4;

/// Values of a sample; what comes after them is null. Structs that require others twice grow fast.
const VALUES_MAX: usize = 1000;
