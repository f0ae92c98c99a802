//! Recorded structs, hostile structs, and structs of every type there and back.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

#[derive(Debug, PartialEq)]
struct DiscoverResult {
    peers: Option<Vec<Peer>>,
    no_peers: Option<Failure>,
}

#[derive(Debug, PartialEq)]
struct Peer {
    ipv4: i32,
    port: i32,
}

#[derive(Debug, PartialEq)]
struct Failure {
    message: String,
    service_name: String,
}

impl Struct for DiscoverResult {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let (mut peers, mut no_peers) = (None, None);
        reader.read_struct(|reader, field| {
            match (field.id, field.ty) {
                (0, Type::Struct) => reader.read_struct(|reader, field| {
                    match (field.id, field.ty) {
                        (1, Type::List) => {
                            peers = Some(reader.read_list(Type::Struct, Peer::read)?)
                        }
                        (_, unknown) => reader.skip(unknown)?,
                    }
                    Ok(())
                })?,
                (1, Type::Struct) => no_peers = Some(Failure::read(reader)?),
                (_, unknown) => reader.skip(unknown)?,
            }
            Ok(())
        })?;
        Ok(Self { peers, no_peers })
    }

    fn write(&self, writer: &mut Writer) {
        if let Some(peers) = &self.peers {
            writer.write_field(Type::Struct, 0);
            writer.write_field(Type::List, 1);
            writer.write_list(Type::Struct, peers.len());
            peers.iter().for_each(|peer| peer.write(writer));
            writer.write_stop();
        }
        if let Some(failure) = &self.no_peers {
            writer.write_field(Type::Struct, 1);
            failure.write(writer);
        }
        writer.write_stop();
    }
}

impl Struct for Peer {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let (mut ipv4, mut port) = (None, None);
        reader.read_struct(|reader, field| {
            match (field.id, field.ty) {
                (1, Type::Struct) => reader.read_struct(|reader, field| {
                    match (field.id, field.ty) {
                        (1, Type::I32) => ipv4 = Some(reader.read_i32()?),
                        (_, unknown) => reader.skip(unknown)?,
                    }
                    Ok(())
                })?,
                (2, Type::I32) => port = Some(reader.read_i32()?),
                (_, unknown) => reader.skip(unknown)?,
            }
            Ok(())
        })?;
        Ok(Self {
            ipv4: ipv4.ok_or(ReadError::Missing {
                name: "ipv4",
                id: 1,
            })?,
            port: port.ok_or(ReadError::Missing {
                name: "port",
                id: 2,
            })?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.write_field(Type::Struct, 1);
        writer.write_field(Type::I32, 1);
        writer.write_i32(self.ipv4);
        writer.write_stop();
        writer.write_field(Type::I32, 2);
        writer.write_i32(self.port);
        writer.write_stop();
    }
}

impl Struct for Failure {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let (mut message, mut service_name) = (String::new(), String::new());
        reader.read_struct(|reader, field| {
            match (field.id, field.ty) {
                (1, Type::String) => message = reader.read_string()?,
                (2, Type::String) => service_name = reader.read_string()?,
                (_, unknown) => reader.skip(unknown)?,
            }
            Ok(())
        })?;
        Ok(Self {
            message,
            service_name,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.write_field(Type::String, 1);
        writer.write_string(&self.message);
        writer.write_field(Type::String, 2);
        writer.write_string(&self.service_name);
        writer.write_stop();
    }
}

/// A struct of fields whose values are not looked at.
#[derive(Debug, PartialEq)]
struct Opaque;

impl Struct for Opaque {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        reader.skip(Type::Struct)?;
        Ok(Self)
    }

    fn write(&self, writer: &mut Writer) {
        writer.write_stop();
    }
}

#[track_caller]
fn check_recorded<T: Struct + PartialEq + std::fmt::Debug>(recorded: &'static [u8], value: &T) {
    assert_eq!(&decode::<T>(&Bytes::from_static(recorded)).unwrap(), value);
    assert_eq!(encode(value).unwrap(), recorded);
}

#[track_caller]
fn check_refused<T: Struct + std::fmt::Debug>(arg3: &[u8], message: &str) {
    let error = decode::<T>(&Bytes::copy_from_slice(arg3)).unwrap_err();
    assert_eq!(error.to_string(), format!("thrift arg3: {message}"));
}

#[test]
fn a_routers_recorded_list_of_peers_reads_and_writes_byte_for_byte() {
    check_recorded(
        b"\x0c\0\0\x0f\0\x01\x0c\0\0\0\x01\x0c\0\x01\x08\0\x01\x7f\0\0\x01\0\x08\0\x02\0\0\x53\x97\0\0\0",
        &DiscoverResult { peers: Some(vec![Peer { ipv4: 0x7f00_0001, port: 21_399 }]), no_peers: None },
    );
}

#[test]
fn a_routers_recorded_exception_reads_and_writes_byte_for_byte() {
    check_recorded(
        b"\x0c\0\x01\x0b\0\x01\0\0\0\x1cno peer available for nosuch\x0b\0\x02\0\0\0\x06nosuch\0\0",
        &DiscoverResult {
            peers: None,
            no_peers: Some(Failure {
                message: "no peer available for nosuch".into(),
                service_name: "nosuch".into(),
            }),
        },
    );
}

#[test]
fn an_unknown_field_of_any_type_is_skipped() {
    let mut writer = Writer::new();
    writer.write_field(Type::Map, 77);
    writer.write_map(Type::String, Type::List, 1);
    writer.write_string("k");
    writer.write_list(Type::Double, 2);
    writer.write_double(1.0);
    writer.write_double(2.0);
    writer.write_field(Type::Set, 78);
    writer.write_list(Type::Struct, 2);
    writer.write_stop();
    writer.write_stop();
    writer.write_field(Type::Bool, 79);
    writer.write_bool(true);
    // The right id under the wrong type is another field.
    writer.write_field(Type::I64, 1);
    writer.write_i64(-1);
    writer.write_field(Type::String, 2);
    writer.write_string("svc");
    writer.write_stop();
    let failure = decode::<Failure>(&writer.finish().unwrap()).unwrap();
    assert_eq!(
        failure,
        Failure {
            message: String::new(),
            service_name: "svc".into()
        }
    );
}

#[test]
fn a_missing_required_field_is_named() {
    check_refused::<Peer>(b"\0", "missing required field \"ipv4\" with id 1");
}

#[test]
fn arg3_is_exactly_one_struct() {
    check_refused::<Opaque>(b"", "it ends early: 1 bytes wanted, 0 left");
    check_refused::<Opaque>(b"\x08\0\x01\0\0", "it ends early: 4 bytes wanted, 2 left");
    check_refused::<Opaque>(b"\0\0\0", "2 bytes follow its end");
}

#[test]
fn a_type_that_does_not_exist_is_refused() {
    check_refused::<Opaque>(b"\x01\0\x01\0", "type 1 does not exist");
    check_refused::<Opaque>(b"\x0f\0\x01\x05\0\0\0\x01x\0", "type 5 does not exist");
}

#[test]
fn an_empty_list_may_have_elements_of_any_type() {
    let empty = b"\x0c\0\0\x0f\0\x01\0\0\0\0\0\0\0";
    let result = decode::<DiscoverResult>(&Bytes::from_static(empty)).unwrap();
    assert_eq!(result.peers, Some(Vec::new()));
}

#[test]
fn elements_of_another_type_are_refused() {
    check_refused::<DiscoverResult>(
        b"\x0c\0\0\x0f\0\x01\x08\0\0\0\x01\0\0\0\x01\0\0",
        "elements are I32, not Struct",
    );
}

#[test]
fn a_length_that_is_not_there_is_refused_before_memory_is_taken() {
    check_refused::<Failure>(
        b"\x0b\0\x01\x7f\xff\xff\xff",
        "it ends early: 2147483647 bytes wanted, 0 left",
    );
    check_refused::<Failure>(b"\x0b\0\x01\xff\xff\xff\xff", "a length of -1 is negative");
    check_refused::<DiscoverResult>(
        b"\x0c\0\0\x0f\0\x01\x0c\x7f\xff\xff\xff\0\0\0",
        "it ends early: 2147483647 bytes wanted, 3 left",
    );
    check_refused::<Opaque>(
        b"\x0f\0\x01\x0c\x7f\xff\xff\xff\0",
        "it ends early: 1 bytes wanted, 0 left",
    );
}

#[test]
fn elements_of_all_containers_together_are_bounded() {
    let mut writer = Writer::new();
    writer.write_list(Type::List, 2);
    for _ in 0..2 {
        writer.write_list(Type::Bool, MAX_ELEMENTS / 2);
        (0..MAX_ELEMENTS / 2).for_each(|_| writer.write_bool(true));
    }
    let bytes = writer.finish().unwrap();
    let mut reader = Reader::new(&bytes);
    let lists = reader.read_list(Type::List, |reader| {
        reader.read_list(Type::Bool, Reader::read_bool)
    });
    assert_eq!(lists, Err(ReadError::TooMany));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        let inner = depth - 1;
        Bytes::from([&b"\x0c\0\x01".repeat(inner)[..], &[0; 1], &vec![0; inner]].concat())
    };
    assert!(decode::<Opaque>(&nested(MAX_DEPTH)).is_ok());
    check_refused::<Opaque>(&nested(MAX_DEPTH + 1), "it nests deeper than 64");
    check_refused::<Opaque>(&b"\x0c\0\x01".repeat(1 << 20), "it nests deeper than 64");
}

#[test]
fn lists_within_lists_count_as_nesting() {
    let lists = [b"\x0f\0\x01", &b"\x0f\0\0\0\x01".repeat(1 << 20)[..]].concat();
    check_refused::<Opaque>(&lists, "it nests deeper than 64");
}

#[test]
fn an_untyped_list_or_map_tells_its_types() {
    let list = Bytes::from_static(b"\x08\0\0\0\x02\0\0\0\x05\0\0\0\x06");
    let read = Reader::new(&list).read_untyped_list(|reader, _| reader.read_i32());
    assert_eq!(read, Ok((Some(Type::I32), vec![5, 6])));
    let map = Bytes::from_static(b"\x03\x02\0\0\0\x01\x07\x01");
    let read = Reader::new(&map)
        .read_untyped_map(|reader, _, _| Ok((reader.read_byte()?, reader.read_bool()?)));
    assert_eq!(read, Ok((Some((Type::Byte, Type::Bool)), vec![(7, true)])));
}

#[test]
fn an_empty_untyped_list_or_map_has_no_types() {
    let empty = Bytes::from_static(&[0; 6]);
    let list = Reader::new(&empty).read_untyped_list(|reader, found| reader.skip(found));
    assert_eq!(list, Ok((None, vec![])));
    let map = Reader::new(&empty).read_untyped_map(|reader, key, _| reader.skip(key));
    assert_eq!(map, Ok((None, vec![])));
}

#[test]
fn an_untyped_count_that_cannot_be_is_refused_before_memory_is_taken() {
    let list = Bytes::from_static(b"\x08\x7f\xff\xff\xff");
    let read = Reader::new(&list).read_untyped_list(|reader, found| reader.skip(found));
    assert!(matches!(read, Err(ReadError::EndsEarly { .. })));
    let map = Bytes::from_static(b"\x08\x08\x7f\xff\xff\xff");
    let read = Reader::new(&map).read_untyped_map(|reader, key, _| reader.skip(key));
    assert!(matches!(read, Err(ReadError::EndsEarly { .. })));
}

#[test]
fn binary_is_a_slice_of_the_arg() {
    let arg3 = Bytes::from_static(b"\0\0\0\x03\x00\xff\x01");
    let mut reader = Reader::new(&arg3);
    let binary = reader.read_binary().unwrap();
    assert_eq!(binary, b"\x00\xff\x01"[..]);
    assert_eq!(binary.as_ptr(), arg3[4..].as_ptr());
}

/// Any Thrift value, to prove that what is written is what is read and skipped.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Bool(bool),
    Byte(i8),
    Double(f64),
    I16(i16),
    I32(i32),
    I64(i64),
    String(String),
    Struct(Vec<(i16, Value)>),
    Map(Type, Type, Vec<(Value, Value)>),
    Set(Type, Vec<Value>),
    List(Type, Vec<Value>),
}

impl Value {
    fn ty(&self) -> Type {
        match self {
            Self::Bool(_) => Type::Bool,
            Self::Byte(_) => Type::Byte,
            Self::Double(_) => Type::Double,
            Self::I16(_) => Type::I16,
            Self::I32(_) => Type::I32,
            Self::I64(_) => Type::I64,
            Self::String(_) => Type::String,
            Self::Struct(_) => Type::Struct,
            Self::Map(..) => Type::Map,
            Self::Set(..) => Type::Set,
            Self::List(..) => Type::List,
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Bool(value) => writer.write_bool(*value),
            Self::Byte(value) => writer.write_byte(*value),
            Self::Double(value) => writer.write_double(*value),
            Self::I16(value) => writer.write_i16(*value),
            Self::I32(value) => writer.write_i32(*value),
            Self::I64(value) => writer.write_i64(*value),
            Self::String(value) => writer.write_string(value),
            Self::Struct(fields) => {
                for (id, value) in fields {
                    writer.write_field(value.ty(), *id);
                    value.write(writer);
                }
                writer.write_stop();
            }
            Self::Map(key, value, pairs) => {
                writer.write_map(*key, *value, pairs.len());
                pairs.iter().for_each(|(key, value)| {
                    key.write(writer);
                    value.write(writer);
                });
            }
            Self::Set(element, values) | Self::List(element, values) => {
                writer.write_list(*element, values.len());
                values.iter().for_each(|value| value.write(writer));
            }
        }
    }

    /// Reads a value of the shape of `like`.
    fn read(like: &Self, reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        Ok(match like {
            Self::Bool(_) => Self::Bool(reader.read_bool()?),
            Self::Byte(_) => Self::Byte(reader.read_byte()?),
            Self::Double(_) => Self::Double(reader.read_double()?),
            Self::I16(_) => Self::I16(reader.read_i16()?),
            Self::I32(_) => Self::I32(reader.read_i32()?),
            Self::I64(_) => Self::I64(reader.read_i64()?),
            Self::String(_) => Self::String(reader.read_string()?),
            Self::Struct(fields) => {
                let mut expected = fields.iter();
                let mut read = Vec::new();
                reader.read_struct(|reader, field| {
                    let (_, like) = expected.next().expect("as many fields as were written");
                    assert_eq!(field.ty, like.ty());
                    read.push((field.id, Self::read(like, reader)?));
                    Ok(())
                })?;
                Self::Struct(read)
            }
            Self::Map(key, value, pairs) => {
                let mut expected = pairs.iter();
                let read = reader.read_map(*key, *value, |reader| {
                    let (key, value) = expected.next().expect("as many pairs as were written");
                    Ok((Self::read(key, reader)?, Self::read(value, reader)?))
                })?;
                Self::Map(*key, *value, read)
            }
            Self::Set(element, values) => {
                Self::Set(*element, Self::read_all(*element, values, reader)?)
            }
            Self::List(element, values) => {
                Self::List(*element, Self::read_all(*element, values, reader)?)
            }
        })
    }

    fn read_all(
        element: Type,
        like: &[Self],
        reader: &mut Reader<'_>,
    ) -> Result<Vec<Self>, ReadError> {
        let mut expected = like.iter();
        reader.read_list(element, |reader| {
            Self::read(
                expected.next().expect("as many elements as were written"),
                reader,
            )
        })
    }
}

/// Keeps those of the type of the first, as a container needs.
fn alike<T>(mut values: Vec<T>, ty: impl Fn(&T) -> (Type, Type)) -> (Type, Type, Vec<T>) {
    let (first, second) = values.first().map_or((Type::I32, Type::Struct), &ty);
    values.retain(|value| ty(value) == (first, second));
    (first, second, values)
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i8>().prop_map(Value::Byte),
        (-1e300..1e300f64).prop_map(Value::Double),
        any::<i16>().prop_map(Value::I16),
        any::<i32>().prop_map(Value::I32),
        any::<i64>().prop_map(Value::I64),
        ".{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let values = prop::collection::vec(inner.clone(), 0..5);
        let pairs = prop::collection::vec((inner.clone(), inner.clone()), 0..5);
        let list = |values| alike(values, |value: &Value| (value.ty(), value.ty()));
        prop_oneof![
            prop::collection::vec((any::<i16>(), inner), 0..5).prop_map(Value::Struct),
            values.clone().prop_map(move |values| {
                let (ty, _, values) = list(values);
                Value::List(ty, values)
            }),
            values.prop_map(move |values| {
                let (ty, _, values) = list(values);
                Value::Set(ty, values)
            }),
            pairs.prop_map(|pairs| {
                let (key, value, pairs) = alike(pairs, |(key, value)| (key.ty(), value.ty()));
                Value::Map(key, value, pairs)
            }),
        ]
    })
}

fn written(value: &Value) -> Bytes {
    let mut writer = Writer::new();
    value.write(&mut writer);
    writer.finish().unwrap()
}

proptest! {
    #[test]
    fn every_value_comes_back_as_it_was(value in any_value()) {
        let bytes = written(&value);
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(Value::read(&value, &mut reader).unwrap(), value);
        prop_assert!(reader.finish().is_ok());
    }

    #[test]
    fn skipping_a_value_ends_where_it_ends(value in any_value()) {
        let bytes = written(&value);
        let mut reader = Reader::new(&bytes);
        reader.skip(value.ty()).unwrap();
        prop_assert!(reader.finish().is_ok());
    }

    #[test]
    fn a_value_cut_short_is_refused(value in any_value(), at in 0.0..1.0f64) {
        let bytes = written(&value);
        let cut = bytes.slice(..(bytes.len() as f64 * at) as usize);
        prop_assert!(Value::read(&value, &mut Reader::new(&cut)).is_err());
        prop_assert!(Reader::new(&cut).skip(value.ty()).is_err());
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes: Vec<u8>) {
        let bytes = Bytes::from(bytes);
        let _ = decode::<Opaque>(&bytes);
        let _ = decode::<DiscoverResult>(&bytes);
    }
}
