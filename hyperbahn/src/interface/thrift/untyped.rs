//! Thrift values as JSON, without an IDL: each field by its id and its type.
//!
//! ```text
//! {"1":{"str":"abc"}, "2":{"rec":{"1":{"i32":5}}}, "3":{"lst":["i32",2,7,8]},
//!  "4":{"map":["str","i64",1,{"a":9}]}, "5":{"tf":1}}
//! ```
//!
//! These are the words of Thrift's own JSON protocol. A string that is no text is `{"hex":"00ff"}`;
//! a map key that is no string is written as one.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tchannel_rt::scheme::thrift::{ReadError, Reader, Type, Writer};
use tchannel_rt::thrift::Uuid;

/// The struct in `arg3`.
///
/// # Errors
///
/// [`ReadError`] when the bytes are not exactly one struct.
pub fn decode(arg3: &Bytes) -> Result<Value, ReadError> {
    let mut reader = Reader::new(arg3);
    let value = read_struct(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// arg3 for a struct.
///
/// # Errors
///
/// A sentence that names the part which is no Thrift value.
pub fn encode(value: &Value) -> Result<Bytes, String> {
    let mut writer = Writer::new();
    write_struct(&mut writer, value)?;
    writer.finish().map_err(|error| error.to_string())
}

/// Text as it is, other bytes as `{"hex":"00ff"}`.
pub fn text_or_hex(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "hex": digits })
        }
    }
}

fn read_struct(reader: &mut Reader<'_>) -> Result<Value, ReadError> {
    let mut fields = Map::new();
    reader.read_struct(|reader, field| {
        let value = read_value(reader, field.ty)?;
        fields.insert(field.id.to_string(), json!({ word(field.ty): value }));
        Ok(())
    })?;
    Ok(Value::Object(fields))
}

fn read_value(reader: &mut Reader<'_>, ty: Type) -> Result<Value, ReadError> {
    Ok(match ty {
        Type::Bool => json!(u8::from(reader.read_bool()?)),
        Type::Byte => json!(reader.read_byte()?),
        Type::I16 => json!(reader.read_i16()?),
        Type::I32 => json!(reader.read_i32()?),
        Type::I64 => json!(reader.read_i64()?),
        Type::Double => from_double(reader.read_double()?),
        Type::String => text_or_hex(&reader.read_binary()?),
        Type::Struct => read_struct(reader)?,
        Type::Map => read_map(reader)?,
        Type::Set | Type::List => read_list(reader)?,
        Type::Uuid => json!(reader.read_uuid()?.to_string()),
    })
}

fn read_list(reader: &mut Reader<'_>) -> Result<Value, ReadError> {
    let (element, values) = reader.read_untyped_list(read_value)?;
    let head = [json!(element.map_or("str", word)), json!(values.len())];
    Ok(head.into_iter().chain(values).collect())
}

fn read_map(reader: &mut Reader<'_>) -> Result<Value, ReadError> {
    let (types, pairs) = reader.read_untyped_map(|reader, key, value| {
        let key = match read_value(reader, key)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Ok((key, read_value(reader, value)?))
    })?;
    let (key, value) = types.map_or(("str", "str"), |(key, value)| (word(key), word(value)));
    let count = pairs.len();
    Ok(json!([key, value, count, Map::from_iter(pairs)]))
}

fn write_struct(writer: &mut Writer, value: &Value) -> Result<(), String> {
    let fields = value.as_object().ok_or_else(|| no("struct", value))?;
    for (id, field) in fields {
        let number = id
            .parse()
            .map_err(|_| format!("{id:?} is no field id: give a number such as \"1\""))?;
        let mut typed = field.as_object().into_iter().flatten();
        let (Some((word, value)), None) = (typed.next(), typed.next()) else {
            return Err(format!(
                "field {id} is {field}: give its type and value, such as {{\"str\":\"abc\"}}"
            ));
        };
        let ty = of_word(word)?;
        writer.write_field(ty, number);
        write_value(writer, ty, value)?;
    }
    writer.write_stop();
    Ok(())
}

fn write_value(writer: &mut Writer, ty: Type, value: &Value) -> Result<(), String> {
    match ty {
        Type::Bool => writer.write_bool(boolean(value)?),
        Type::Byte => writer.write_byte(integer(ty, value)?),
        Type::I16 => writer.write_i16(integer(ty, value)?),
        Type::I32 => writer.write_i32(integer(ty, value)?),
        Type::I64 => writer.write_i64(integer(ty, value)?),
        Type::Double => writer.write_double(double(value)?),
        Type::String => writer.write_binary(&bytes(value)?),
        Type::Struct => write_struct(writer, value)?,
        Type::Map => write_map(writer, value)?,
        Type::Set | Type::List => write_list(writer, value)?,
        Type::Uuid => writer.write_uuid(&uuid(value)?),
    }
    Ok(())
}

fn write_list(writer: &mut Writer, value: &Value) -> Result<(), String> {
    let Some([Value::String(element), _, values @ ..]) = value.as_array().map(Vec::as_slice) else {
        return Err(format!("{value} is no list: give [\"i32\",2,7,8]"));
    };
    let element = of_word(element)?;
    writer.write_list(element, values.len());
    values
        .iter()
        .try_for_each(|value| write_value(writer, element, value))
}

fn write_map(writer: &mut Writer, value: &Value) -> Result<(), String> {
    let parts = value.as_array().map(Vec::as_slice);
    let Some(
        [
            Value::String(key),
            Value::String(of),
            _,
            Value::Object(pairs),
        ],
    ) = parts
    else {
        return Err(format!(
            "{value} is no map: give [\"str\",\"i32\",1,{{\"a\":5}}]"
        ));
    };
    let (key_type, value_type) = (of_word(key)?, of_word(of)?);
    writer.write_map(key_type, value_type, pairs.len());
    for (key, value) in pairs {
        let key = match key_type {
            Type::String => json!(key),
            _ => serde_json::from_str(key).map_err(|_| no(word(key_type), &json!(key)))?,
        };
        write_value(writer, key_type, &key)?;
        write_value(writer, value_type, value)?;
    }
    Ok(())
}

fn boolean(value: &Value) -> Result<bool, String> {
    match (value, value.as_i64()) {
        (Value::Bool(value), _) => Ok(*value),
        (_, Some(number @ 0..=1)) => Ok(number == 1),
        _ => Err(no("tf", value)),
    }
}

fn integer<N: TryFrom<i64>>(ty: Type, value: &Value) -> Result<N, String> {
    let number = value.as_i64().and_then(|number| number.try_into().ok());
    number.ok_or_else(|| no(word(ty), value))
}

// JSON has no number for infinities and what is no number.
fn from_double(value: f64) -> Value {
    match value.is_finite() {
        true => json!(value),
        false => json!(value.to_string()),
    }
}

fn double(value: &Value) -> Result<f64, String> {
    let number = match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    };
    number.ok_or_else(|| no("dbl", value))
}

fn uuid(value: &Value) -> Result<Uuid, String> {
    let uuid = value.as_str().and_then(|text| text.parse().ok());
    uuid.ok_or_else(|| no("uid", value))
}

fn bytes(value: &Value) -> Result<Vec<u8>, String> {
    let bytes = match (value.as_str(), value.get("hex").and_then(Value::as_str)) {
        (Some(text), _) => Some(text.as_bytes().to_vec()),
        (_, Some(digits)) => of_hex(digits),
        _ => None,
    };
    bytes.ok_or_else(|| no("str", value))
}

/// The bytes of `00ff`.
pub(super) fn of_hex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect()
}

const WORDS: [(Type, &str); 12] = [
    (Type::Bool, "tf"),
    (Type::Byte, "i8"),
    (Type::I16, "i16"),
    (Type::I32, "i32"),
    (Type::I64, "i64"),
    (Type::Double, "dbl"),
    (Type::String, "str"),
    (Type::Struct, "rec"),
    (Type::Map, "map"),
    (Type::Set, "set"),
    (Type::List, "lst"),
    (Type::Uuid, "uid"),
];

fn word(ty: Type) -> &'static str {
    let found = WORDS.iter().find(|(own, _)| *own == ty);
    found.expect("every type has a word").1
}

fn of_word(word: &str) -> Result<Type, String> {
    let found = WORDS.iter().find(|(_, own)| *own == word);
    found.map(|(ty, _)| *ty).ok_or_else(|| {
        let known = WORDS.map(|(_, word)| word).join(", ");
        format!("{word:?} is no type: known are {known}")
    })
}

fn no(word: &str, value: &Value) -> String {
    format!("{value} is no {word}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, arg3: &'static [u8]) {
        let value: Value = serde_json::from_str(text).unwrap();
        let encoded = encode(&value).unwrap();
        assert_eq!(
            encoded.escape_ascii().to_string(),
            arg3.escape_ascii().to_string()
        );
        assert_eq!(decode(&Bytes::from_static(arg3)), Ok(value));
    }

    #[track_caller]
    fn refuses(text: &str, expected: &str) {
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(encode(&value), Err(expected.to_owned()));
    }

    #[test]
    fn a_discovery_query_is_what_clients_send() {
        check(
            r#"{"1":{"rec":{"1":{"str":"keyvalue"}}}}"#,
            b"\x0c\0\x01\x0b\0\x01\0\0\0\x08keyvalue\0\0",
        );
    }

    #[test]
    fn every_type_has_its_word() {
        check(
            r#"{"1":{"tf":1},"2":{"i8":-1},"3":{"i16":-2},"4":{"i32":-3},"5":{"i64":-4}}"#,
            b"\x02\0\x01\x01\x03\0\x02\xff\x06\0\x03\xff\xfe\x08\0\x04\xff\xff\xff\xfd\
              \x0a\0\x05\xff\xff\xff\xff\xff\xff\xff\xfc\0",
        );
        check(
            r#"{"1":{"dbl":1.0},"2":{"dbl":"NaN"}}"#,
            b"\x04\0\x01\x3f\xf0\0\0\0\0\0\0\x04\0\x02\x7f\xf8\0\0\0\0\0\0\0",
        );
        check(
            r#"{"1":{"uid":"00112233-4455-6677-8899-aabbccddeeff"}}"#,
            b"\x10\0\x01\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\0",
        );
        check(
            r#"{"1":{"lst":["i32",2,7,8]},"2":{"set":["str",1,"a"]}}"#,
            b"\x0f\0\x01\x08\0\0\0\x02\0\0\0\x07\0\0\0\x08\x0e\0\x02\x0b\0\0\0\x01\0\0\0\x01a\0",
        );
        check(
            r#"{"1":{"map":["str","i8",1,{"a":5}]},"2":{"map":["i8","str",1,{"5":"a"}]}}"#,
            b"\x0d\0\x01\x0b\x03\0\0\0\x01\0\0\0\x01a\x05\x0d\0\x02\x03\x0b\0\0\0\x01\x05\0\0\0\x01a\0",
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_hexadecimal() {
        check(
            r#"{"1":{"str":{"hex":"00ff"}}}"#,
            b"\x0b\0\x01\0\0\0\x02\0\xff\0",
        );
    }

    #[test]
    fn what_is_no_thrift_is_named() {
        refuses("[]", "[] is no struct");
        refuses(
            r#"{"a":{"i32":1}}"#,
            "\"a\" is no field id: give a number such as \"1\"",
        );
        refuses(
            r#"{"1":5}"#,
            "field 1 is 5: give its type and value, such as {\"str\":\"abc\"}",
        );
        refuses(
            r#"{"1":{"int":5}}"#,
            "\"int\" is no type: known are tf, i8, i16, i32, i64, dbl, str, rec, map, set, lst, uid",
        );
        refuses(r#"{"1":{"i8":128}}"#, "128 is no i8");
        refuses(r#"{"1":{"tf":2}}"#, "2 is no tf");
        refuses(r#"{"1":{"str":{"hex":"0"}}}"#, "{\"hex\":\"0\"} is no str");
        refuses(
            r#"{"1":{"lst":[7]}}"#,
            "[7] is no list: give [\"i32\",2,7,8]",
        );
        refuses(
            r#"{"1":{"map":[7]}}"#,
            "[7] is no map: give [\"str\",\"i32\",1,{\"a\":5}]",
        );
    }
}
