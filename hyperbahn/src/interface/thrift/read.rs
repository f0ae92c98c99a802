//! The struct of a response to JSON.
//!
//! What a service answers is shown even where it is not what its interface says; notes say so.

use bytes::Bytes;
use tchannel_codegen::idl::{Field as IdlField, Idl, Method, Requiredness, Struct, Thrown, Type};
use tchannel_rt::scheme::thrift::{Field, ReadError, Reader};

use super::untyped::{self, text_or_hex};
use super::wire_type;
use super::words::words;
use super::write::base64;
use crate::interface::mismatch::Path;
use crate::interface::{Answer, Json, Mismatch};

/// What arg3 of a response of `method` says.
pub(super) fn answer(
    idl: &Idl,
    method: &Method,
    is_ok: bool,
    arg3: &Bytes,
) -> Result<Answer, Mismatch> {
    let mut decoder = Decoder {
        idl,
        path: Path::new("result"),
        notes: Vec::new(),
    };
    let read = match is_ok {
        true => decoder.returned(method, arg3),
        false => decoder.thrown(method, arg3),
    };
    match read {
        Ok(body) => Ok(Answer {
            body,
            notes: decoder.notes,
        }),
        Err(error) => Err(decoder.path.mismatch(error.to_string())),
    }
}

/// What a value of a stream says.
pub(super) fn piece(idl: &Idl, ty: &Type, chunk: &Bytes) -> Result<Answer, Mismatch> {
    let mut decoder = Decoder {
        idl,
        path: Path::new("value"),
        notes: Vec::new(),
    };
    let mut reader = Reader::new(chunk);
    let read = decoder.value(ty, &mut reader);
    match read.and_then(|body| reader.finish().map(|()| body)) {
        Ok(body) => Ok(Answer {
            body,
            notes: decoder.notes,
        }),
        Err(error) => Err(decoder.path.mismatch(error.to_string())),
    }
}

struct Decoder<'a> {
    idl: &'a Idl,
    path: Path,
    notes: Vec<String>,
}

impl<'a> Decoder<'a> {
    fn returned(&mut self, method: &'a Method, arg3: &Bytes) -> Result<Json, ReadError> {
        let mut returned = None;
        self.result(arg3, |decoder, reader, field| match &method.returns {
            Some(ty) if field.id == 0 && field.ty == wire_type(decoder.idl, ty) => {
                returned = Some(decoder.value(ty, reader)?);
                Ok(true)
            }
            _ => Ok(false),
        })?;
        if let (Some(ty), None) = (&method.returns, &returned) {
            let ty = words(self.idl, ty);
            self.note(format!("there is none, though the method returns {ty}"));
        }
        Ok(returned.unwrap_or(Json::NULL))
    }

    fn thrown(&mut self, method: &'a Method, arg3: &Bytes) -> Result<Json, ReadError> {
        let idl = self.idl;
        let mut thrown = None;
        self.result(arg3, |decoder, reader, field| {
            let declared = method.throws.iter().find(|thrown| thrown.id == field.id);
            match declared {
                Some(declared) if field.ty == tchannel_rt::scheme::thrift::Type::Struct => {
                    let name = exception_name(idl, method, declared);
                    let here = decoder.path.member(name);
                    let value = decoder.structure(idl.structure(declared.exception), reader)?;
                    decoder.path.back(here);
                    thrown = Some(Json::member(name, value));
                    Ok(true)
                }
                _ => Ok(false),
            }
        })?;
        match thrown {
            Some(thrown) => Ok(thrown),
            None => {
                self.notes.clear();
                self.note(
                    "it is an exception that the interface does not declare, shown by field ids"
                        .to_owned(),
                );
                Ok(Json::Plain(untyped::decode(arg3)?))
            }
        }
    }

    /// Reads a whole result; `known` says whether it has read the value of a field.
    fn result(
        &mut self,
        arg3: &Bytes,
        mut known: impl FnMut(&mut Self, &mut Reader<'_>, Field) -> Result<bool, ReadError>,
    ) -> Result<(), ReadError> {
        let mut reader = Reader::new(arg3);
        reader.read_struct(|reader, field| {
            if !known(self, reader, field)? {
                self.pass_over(reader, field)?;
            }
            Ok(())
        })?;
        reader.finish()
    }

    fn pass_over(&mut self, reader: &mut Reader<'_>, field: Field) -> Result<(), ReadError> {
        let Field { id, ty } = field;
        self.note(format!(
            "field {id} of type {ty:?} is not in the interface and left out"
        ));
        reader.skip(ty)
    }

    fn note(&mut self, text: String) {
        match self.notes.len() {
            ..NOTES_MAX => self.notes.push(self.path.mismatch(text).to_string()),
            NOTES_MAX => self.notes.push("and more of this kind".to_owned()),
            _ => {}
        }
    }

    fn structure(&mut self, it: &'a Struct, reader: &mut Reader<'_>) -> Result<Json, ReadError> {
        let mut values: Vec<Option<Json>> = vec![None; it.fields.len()];
        reader.read_struct(|reader, field| {
            let is_it = |own: &&(usize, &IdlField)| own.1.id == field.id;
            let own = it.fields.iter().enumerate().collect::<Vec<_>>();
            match own.iter().find(is_it) {
                Some((index, own)) if wire_type(self.idl, &own.ty) == field.ty => {
                    let here = self.path.member(&own.name);
                    values[*index] = Some(self.value(&own.ty, reader)?);
                    self.path.back(here);
                    Ok(())
                }
                _ => self.pass_over(reader, field),
            }
        })?;
        let mut members = Vec::new();
        for (field, value) in it.fields.iter().zip(values) {
            match value {
                Some(value) => members.push((field.name.clone(), value)),
                None if field.requiredness == Requiredness::Required => {
                    self.note(format!("the required field {} is missing", field.name));
                }
                None => {}
            }
        }
        Ok(Json::Object(members))
    }

    fn value(&mut self, ty: &'a Type, reader: &mut Reader<'_>) -> Result<Json, ReadError> {
        let idl = self.idl;
        Ok(match idl.resolved(ty) {
            Type::Bool => reader.read_bool()?.into(),
            Type::I8 => reader.read_byte()?.into(),
            Type::I16 => reader.read_i16()?.into(),
            Type::I32 => reader.read_i32()?.into(),
            Type::I64 => Json::integer(reader.read_i64()?),
            Type::Double => Json::double(reader.read_double()?),
            Type::String => text_or_hex(&reader.read_binary()?).into(),
            Type::Binary => base64(&reader.read_binary()?).into(),
            Type::Uuid => reader.read_uuid()?.to_string().into(),
            Type::Enum(at) => {
                let number = reader.read_i32()?;
                let mut members = idl.enumeration(*at).members.iter();
                match members.find(|member| member.value == number) {
                    Some(member) => member.name.as_str().into(),
                    None => number.into(),
                }
            }
            Type::List(element) | Type::Set(element) => self.list(element, reader)?,
            Type::Map(key, value) => self.map(key, value, reader)?,
            Type::Struct(at) => self.structure(idl.structure(*at), reader)?,
            Type::Typedef(_) => unreachable!("typedefs are resolved"),
        })
    }

    fn list(&mut self, element: &'a Type, reader: &mut Reader<'_>) -> Result<Json, ReadError> {
        let mut index = 0;
        let values = reader.read_list(wire_type(self.idl, element), |reader| {
            let here = self.path.index(index);
            let value = self.value(element, reader)?;
            self.path.back(here);
            index += 1;
            Ok(value)
        })?;
        Ok(Json::Array(values))
    }

    fn map(
        &mut self,
        key_type: &'a Type,
        value_type: &'a Type,
        reader: &mut Reader<'_>,
    ) -> Result<Json, ReadError> {
        let types = (
            wire_type(self.idl, key_type),
            wire_type(self.idl, value_type),
        );
        let mut index = 0;
        let pairs = reader.read_map(types.0, types.1, |reader| {
            let here = self.path.index(index);
            let key = self.value(key_type, reader)?;
            let value = self.value(value_type, reader)?;
            self.path.back(here);
            index += 1;
            Ok((key, value))
        })?;
        Ok(Json::map(pairs))
    }
}

/// The name of its type, unless the method throws several of that type.
pub(in crate::interface) fn exception_name<'a>(
    idl: &'a Idl,
    method: &'a Method,
    thrown: &'a Thrown,
) -> &'a str {
    let same = method
        .throws
        .iter()
        .filter(|other| other.exception == thrown.exception);
    match same.count() {
        1 => &idl.structure(thrown.exception).name,
        _ => &thrown.name,
    }
}

/// What is wrong with an answer is told so often.
const NOTES_MAX: usize = 5;
