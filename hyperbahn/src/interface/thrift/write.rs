//! JSON to the struct of a request.

use ::base64::Engine as _;
use ::base64::alphabet;
use ::base64::engine::general_purpose::STANDARD;
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde_json::{Map, Value};
use tchannel_codegen::idl::{Enum, Field, Idl, Method, Requiredness, Struct, StructKind, Type};
use tchannel_rt::scheme::thrift::{MAX_DEPTH, Writer};
use tchannel_rt::thrift::Uuid;

use super::untyped::of_hex;
use super::words::{expected, words};
use super::{constant, wire_type};
use crate::interface::mismatch::Path;
use crate::interface::{Mismatch, near};

/// arg3 of a call of `method`.
pub(super) fn arguments(idl: &Idl, method: &Method, value: &Value) -> Result<Bytes, Mismatch> {
    let mut encoder = Encoder {
        idl,
        path: Path::new("arguments"),
        writer: Writer::new(),
    };
    let none = Map::new();
    let members = match value {
        Value::Null => &none,
        Value::Object(members) => members,
        other => {
            return Err(encoder
                .path
                .expected("an object of the arguments by name", other));
        }
    };
    encoder.path.deeper(MAX_DEPTH)?;
    encoder.fields(&method.arguments, members, is_required_argument)?;
    let Encoder { writer, path, .. } = encoder;
    writer
        .finish()
        .map_err(|error| path.mismatch(error.to_string()))
}

/// A value of a stream.
pub(super) fn piece(idl: &Idl, ty: &Type, value: &Value) -> Result<Bytes, Mismatch> {
    let mut encoder = Encoder {
        idl,
        path: Path::new("value"),
        writer: Writer::new(),
    };
    encoder.value(ty, value)?;
    let Encoder { writer, path, .. } = encoder;
    let written = writer.finish();
    written.map_err(|error| path.mismatch(error.to_string()))
}

/// Every argument is sent by generated clients; who leaves one out has forgotten it, unless the file says.
fn is_required_argument(field: &Field) -> bool {
    field.requiredness != Requiredness::Optional && field.default.is_none()
}

fn is_required(field: &Field) -> bool {
    field.requiredness == Requiredness::Required
}

struct Encoder<'a> {
    idl: &'a Idl,
    path: Path,
    writer: Writer,
}

impl<'a> Encoder<'a> {
    /// The fields that are there, and the defaults of those that must be.
    fn fields(
        &mut self,
        fields: &'a [Field],
        members: &Map<String, Value>,
        is_required: fn(&Field) -> bool,
    ) -> Result<(), Mismatch> {
        let names = fields.iter().map(|field| field.name.as_str());
        for name in members.keys() {
            if names.clone().all(|known| known != name) {
                let hint = near::hint(name, names);
                let kind = if self.path.is_root() {
                    "argument"
                } else {
                    "field"
                };
                self.path.member(name);
                let message = format!("there is no such {kind}; {hint}");
                return Err(self.path.mismatch(message));
            }
        }
        let mut by_id: Vec<&Field> = fields.iter().collect();
        by_id.sort_by_key(|field| field.id);
        for field in by_id {
            match members.get(&field.name).filter(|value| !value.is_null()) {
                Some(value) => self.field(field, value)?,
                None if is_required(field) => match &field.default {
                    Some(default) => {
                        let default = constant(self.idl, &field.ty, default);
                        self.field(field, &default.to_value())?;
                    }
                    None => return Err(self.missing(field)),
                },
                None => {}
            }
        }
        self.writer.write_stop();
        Ok(())
    }

    fn missing(&mut self, field: &Field) -> Mismatch {
        self.path.member(&field.name);
        let expected = expected(self.idl, &field.ty);
        self.path
            .mismatch(format!("it is missing; expected {expected}"))
    }

    fn field(&mut self, field: &Field, value: &Value) -> Result<(), Mismatch> {
        self.writer
            .write_field(wire_type(self.idl, &field.ty), field.id);
        let here = self.path.member(&field.name);
        self.value(&field.ty, value)?;
        self.path.back(here);
        Ok(())
    }

    fn value(&mut self, ty: &Type, value: &Value) -> Result<(), Mismatch> {
        let idl = self.idl;
        let fits = match idl.resolved(ty) {
            Type::Bool => value.as_bool().map(|it| self.writer.write_bool(it)),
            Type::I8 => integer(value).map(|it| self.writer.write_byte(it)),
            Type::I16 => integer(value).map(|it| self.writer.write_i16(it)),
            Type::I32 => integer(value).map(|it| self.writer.write_i32(it)),
            Type::I64 => long(value).map(|it| self.writer.write_i64(it)),
            Type::Double => double(value).map(|it| self.writer.write_double(it)),
            Type::String => text(value).map(|it| self.writer.write_binary(&it)),
            Type::Binary => binary(value).map(|it| self.writer.write_binary(&it)),
            Type::Uuid => uuid(value).map(|it| self.writer.write_uuid(&it)),
            Type::Enum(at) => return self.member(idl.enumeration(*at), value),
            Type::List(element) | Type::Set(element) => match value.as_array() {
                Some(values) => return self.elements(element, values),
                None => None,
            },
            Type::Map(key, of) => match pairs(value) {
                Some(pairs) => return self.pairs(key, of, &pairs),
                None => None,
            },
            Type::Struct(at) => match value.as_object() {
                Some(members) => return self.structure(idl.structure(*at), members),
                None => None,
            },
            Type::Typedef(_) => unreachable!("typedefs are resolved"),
        };
        fits.ok_or_else(|| self.path.expected(expected(idl, ty), value))
    }

    fn member(&mut self, it: &Enum, value: &Value) -> Result<(), Mismatch> {
        let named = value.as_str().and_then(|name| {
            let mut members = it.members.iter();
            members.find(|member| member.name == name)
        });
        let number = named.map(|member| member.value).or_else(|| integer(value));
        match (number, value) {
            (Some(number), _) => {
                self.writer.write_i32(number);
                Ok(())
            }
            (None, Value::String(name)) => {
                let names = it.members.iter().map(|member| member.name.as_str());
                let hint = near::hint(name, names);
                let message = format!("{} has no member {name:?}; {hint}", it.name);
                Err(self.path.mismatch(message))
            }
            (None, other) => {
                let wanted = format!("{} as the name or number of a member", it.name);
                Err(self.path.expected(wanted, other))
            }
        }
    }

    fn elements(&mut self, element: &Type, values: &[Value]) -> Result<(), Mismatch> {
        self.path.deeper(MAX_DEPTH)?;
        self.writer
            .write_list(wire_type(self.idl, element), values.len());
        for (index, value) in values.iter().enumerate() {
            let here = self.path.index(index);
            self.value(element, value)?;
            self.path.back(here);
        }
        self.path.shallower();
        Ok(())
    }

    fn pairs(
        &mut self,
        key_type: &Type,
        value_type: &Type,
        pairs: &[Pair<'_>],
    ) -> Result<(), Mismatch> {
        self.path.deeper(MAX_DEPTH)?;
        let types = (
            wire_type(self.idl, key_type),
            wire_type(self.idl, value_type),
        );
        self.writer.write_map(types.0, types.1, pairs.len());
        for (index, pair) in pairs.iter().enumerate() {
            let here = match pair {
                Pair::Named(name, value) => {
                    let here = self.path.key(name);
                    self.key(key_type, name)?;
                    self.value(value_type, value)?;
                    here
                }
                Pair::Listed(key, value) => {
                    let here = self.path.index(index);
                    self.value(key_type, key)?;
                    self.value(value_type, value)?;
                    here
                }
            };
            self.path.back(here);
        }
        self.path.shallower();
        Ok(())
    }

    /// A key that had to become the name of a member.
    fn key(&mut self, ty: &Type, name: &str) -> Result<(), Mismatch> {
        let text = Value::from(name);
        let value = match self.idl.resolved(ty) {
            Type::String | Type::Binary | Type::Uuid => text,
            Type::Enum(at) => {
                let mut members = self.idl.enumeration(*at).members.iter();
                match members.any(|member| member.name == name) {
                    true => text,
                    false => name.parse::<i32>().map_or(text, Value::from),
                }
            }
            Type::List(_) | Type::Set(_) | Type::Map(..) | Type::Struct(_) => {
                let words = words(self.idl, ty);
                let message = format!("a map whose keys are {words} is an array of [key, value]");
                return Err(self.path.mismatch(message));
            }
            _ => serde_json::from_str(name).unwrap_or(text),
        };
        self.value(ty, &value)
    }

    fn structure(&mut self, it: &'a Struct, members: &Map<String, Value>) -> Result<(), Mismatch> {
        self.path.deeper(MAX_DEPTH)?;
        let given = members.values().filter(|value| !value.is_null()).count();
        self.fields(&it.fields, members, is_required)?;
        if it.kind == StructKind::Union && given != 1 {
            let names: Vec<&str> = it.fields.iter().map(|field| field.name.as_str()).collect();
            return Err(self.path.mismatch(format!(
                "expected exactly one of {} for the union {}, found {given}",
                names.join(", "),
                it.name
            )));
        }
        self.path.shallower();
        Ok(())
    }
}

enum Pair<'a> {
    Named(&'a str, &'a Value),
    Listed(&'a Value, &'a Value),
}

fn pairs(value: &Value) -> Option<Vec<Pair<'_>>> {
    match value {
        Value::Object(members) => {
            let members = members.iter();
            Some(
                members
                    .map(|(name, value)| Pair::Named(name, value))
                    .collect(),
            )
        }
        Value::Array(pairs) => {
            let pair = |pair: &'_ Value| match pair.as_array().map(Vec::as_slice) {
                Some([_, _]) => Some(()),
                _ => None,
            };
            pairs.iter().map(pair).collect::<Option<()>>()?;
            let listed = pairs.iter().map(|pair| Pair::Listed(&pair[0], &pair[1]));
            Some(listed.collect())
        }
        _ => None,
    }
}

fn integer<N: TryFrom<i64>>(value: &Value) -> Option<N> {
    whole(value)?.try_into().ok()
}

/// `1.0` and `1e3` are whole numbers too.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
        (number.abs() <= EXACT_MAX).then_some(number as i64)
    })
}

fn long(value: &Value) -> Option<i64> {
    match value {
        Value::String(digits) => digits.parse().ok(),
        other => whole(other),
    }
}

fn double(value: &Value) -> Option<f64> {
    match value.as_str() {
        None => value.as_f64(),
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some(_) => None,
    }
}

fn text(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        other => of_hex(only_member(other, "hex")?),
    }
}

fn binary(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => LENIENT.decode(text).ok(),
        other => match only_member(other, "text") {
            Some(text) => Some(text.as_bytes().to_vec()),
            None => of_hex(only_member(other, "hex")?),
        },
    }
}

fn only_member<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    members.get(name)?.as_str()
}

fn uuid(value: &Value) -> Option<Uuid> {
    value.as_str()?.parse().ok()
}

/// Bytes as they are shown.
pub(in crate::interface) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes as they were typed, with padding or without.
pub(in crate::interface) fn of_base64(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text).ok()
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Up to here a double has every whole number.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
