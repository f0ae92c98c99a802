//! JSON to MessagePack and back.
//!
//! What JSON has no form for is told by an object with one member: bytes are `{"$bytes": "base64"}`, an extension
//! is `{"$ext": [type, "base64"]}` and is only read. A map whose keys are neither texts nor whole numbers is an array
//! of pairs.

use std::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use tchannel_rt::scheme::{SchemeError, msgpack};

use super::Json;
use super::thrift::{base64, of_base64};

/// arg3 for `value`.
///
/// # Errors
///
/// [`SchemeError`] when bytes are no base64.
pub fn encode(value: &Value) -> Result<Bytes, SchemeError> {
    msgpack::encode(&Packed(value))
}

/// The value in `arg3`.
///
/// # Errors
///
/// [`SchemeError`] when it is not exactly one.
pub fn decode(arg3: &[u8]) -> Result<Json, SchemeError> {
    msgpack::decode::<Unpacked>(arg3).map(|unpacked| unpacked.0)
}

/// Whether `value` stands for bytes.
pub(super) fn as_bytes(value: &Value) -> Option<&str> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    members.get(BYTES)?.as_str()
}

const BYTES: &str = "$bytes";
const EXTENSION: &str = "$ext";

struct Packed<'a>(&'a Value);

impl Serialize for Packed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(text) = as_bytes(self.0) {
            return match of_base64(text) {
                Some(bytes) => serializer.serialize_bytes(&bytes),
                None => Err(serde::ser::Error::custom(format_args!(
                    "{text:?} is no base64"
                ))),
            };
        }
        match self.0 {
            Value::Array(values) => serializer.collect_seq(values.iter().map(Packed)),
            Value::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, &Packed(value))?;
                }
                map.end()
            }
            plain => plain.serialize(serializer),
        }
    }
}

struct Unpacked(Json);

impl<'de> Deserialize<'de> for Unpacked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Unpacker).map(Self)
    }
}

struct Unpacker;

impl<'de> Visitor<'de> for Unpacker {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, it: bool) -> Result<Json, E> {
        Ok(it.into())
    }

    fn visit_i64<E>(self, it: i64) -> Result<Json, E> {
        Ok(it.into())
    }

    fn visit_u64<E>(self, it: u64) -> Result<Json, E> {
        Ok(it.into())
    }

    fn visit_f64<E>(self, it: f64) -> Result<Json, E> {
        Ok(Json::double(it))
    }

    fn visit_str<E>(self, it: &str) -> Result<Json, E> {
        Ok(it.into())
    }

    fn visit_bytes<E>(self, it: &[u8]) -> Result<Json, E> {
        Ok(Json::member(BYTES, base64(it).into()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::NULL)
    }

    fn visit_none<E>(self) -> Result<Json, E> {
        Ok(Json::NULL)
    }

    fn visit_some<D: Deserializer<'de>>(self, it: D) -> Result<Json, D::Error> {
        it.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(Unpacked(element)) = elements.next_element()? {
            array.push(element);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut pairs = Vec::new();
        while let Some((Unpacked(key), Unpacked(value))) = entries.next_entry()? {
            pairs.push((key, value));
        }
        Ok(Json::map(pairs))
    }

    // How an extension type comes: its number, and bytes.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, it: D) -> Result<Json, D::Error> {
        match it.deserialize_any(self)? {
            Json::Array(parts) => match &parts[..] {
                [number, Json::Object(bytes)] => {
                    let bytes = bytes.first().map_or(Json::NULL, |(_, text)| text.clone());
                    let parts = vec![number.clone(), bytes];
                    Ok(Json::member(EXTENSION, Json::Array(parts)))
                }
                _ => Err(Error::custom("an extension that is none")),
            },
            other => Ok(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[track_caller]
    fn shows(arg3: &[u8], expected: &str) {
        assert_eq!(decode(arg3).unwrap().to_string(), expected);
    }

    #[test]
    fn members_keep_their_order() {
        shows(b"\x82\xa1b\x01\xa1a\xc0", r#"{"b":1,"a":null}"#);
    }

    #[test]
    fn bytes_and_extensions_are_told_by_a_member() {
        shows(b"\xc4\x02\0\xff", r#"{"$bytes":"AP8="}"#);
        shows(b"\xd6\xff\0\0\0\x01", r#"{"$ext":[-1,"AAAAAQ=="]}"#);
        let bytes = encode(&json!([{"$bytes": "AP8="}, {"$bytes": "AP8"}])).unwrap();
        assert_eq!(bytes, b"\x92\xc4\x02\0\xff\xc4\x02\0\xff"[..]);
        let error = encode(&json!({"$bytes": "?"})).unwrap_err().to_string();
        assert!(error.contains("\"?\" is no base64"), "{error}");
    }

    #[test]
    fn keys_that_are_no_names_make_pairs() {
        shows(b"\x82\x01\xa1a\x02\xa1b", r#"{"1":"a","2":"b"}"#);
        shows(b"\x81\x90\x01", "[[[],1]]");
        shows(b"\x82\x01\xa1a\xa11\xa1b", r#"[[1,"a"],["1","b"]]"#);
    }

    #[test]
    fn numbers_that_json_lacks_are_named() {
        shows(b"\xcb\x7f\xf0\0\0\0\0\0\0", r#""Infinity""#);
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            Just(json!({"$bytes": "AP8="})),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{0,4}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_come_back_as_they_were(value in values()) {
            let arg3 = encode(&value).unwrap();
            prop_assert_eq!(decode(&arg3).unwrap().to_value(), value);
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
