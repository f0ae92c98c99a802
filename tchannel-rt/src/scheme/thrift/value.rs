//! What a field or an element may hold, and its wire type.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use uuid::Uuid;

use super::{ReadError, Reader, Struct, Type, Writer};

/// A value of one wire type. Every [`Struct`] is one.
///
/// Source: spec/schemes/thrift.md, "structs".
pub trait Value: Sized {
    /// The type it has on the wire.
    const TYPE: Type;

    /// Reads a value that has this type.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the bytes are none.
    fn read_value(reader: &mut Reader<'_>) -> Result<Self, ReadError>;

    /// Writes the value.
    fn write_value(&self, writer: &mut Writer);
}

impl<T: Struct> Value for T {
    const TYPE: Type = Type::Struct;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        T::read(reader)
    }

    fn write_value(&self, writer: &mut Writer) {
        self.write(writer);
    }
}

impl<T: Struct> Struct for Box<T> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        T::read(reader).map(Self::new)
    }

    fn write(&self, writer: &mut Writer) {
        T::write(self, writer);
    }
}

macro_rules! scalar {
    ($type:ty, $wire:ident, $read:ident, |$writer:ident, $value:ident| $write:expr) => {
        impl Value for $type {
            const TYPE: Type = Type::$wire;

            fn read_value(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
                reader.$read()
            }

            fn write_value(&self, $writer: &mut Writer) {
                let $value = self;
                $write;
            }
        }
    };
}

scalar!(bool, Bool, read_bool, |writer, value| writer
    .write_bool(*value));
scalar!(i8, Byte, read_byte, |writer, value| writer
    .write_byte(*value));
scalar!(i16, I16, read_i16, |writer, value| writer.write_i16(*value));
scalar!(i32, I32, read_i32, |writer, value| writer.write_i32(*value));
scalar!(i64, I64, read_i64, |writer, value| writer.write_i64(*value));
scalar!(f64, Double, read_double, |writer, value| writer
    .write_double(*value));
scalar!(String, String, read_string, |writer, value| writer
    .write_string(value));
scalar!(Bytes, String, read_binary, |writer, value| writer
    .write_binary(value));
scalar!(Uuid, Uuid, read_uuid, |writer, value| writer
    .write_uuid(value));

impl<T: Value> Value for Vec<T> {
    const TYPE: Type = Type::List;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        reader.read_list(T::TYPE, T::read_value)
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.write_list(T::TYPE, self.len());
        self.iter().for_each(|value| value.write_value(writer));
    }
}

impl<T: Value + Ord> Value for BTreeSet<T> {
    const TYPE: Type = Type::Set;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        Ok(Vec::read_value(reader)?.into_iter().collect())
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.write_list(T::TYPE, self.len());
        self.iter().for_each(|value| value.write_value(writer));
    }
}

impl<K: Value + Ord, V: Value> Value for BTreeMap<K, V> {
    const TYPE: Type = Type::Map;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let pairs = reader.read_map(K::TYPE, V::TYPE, pair)?;
        Ok(pairs.into_iter().collect())
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.write_map(K::TYPE, V::TYPE, self.len());
        for (key, value) in self {
            key.write_value(writer);
            value.write_value(writer);
        }
    }
}

pub(super) fn pair<K: Value, V: Value>(reader: &mut Reader<'_>) -> Result<(K, V), ReadError> {
    Ok((K::read_value(reader)?, V::read_value(reader)?))
}
