//! Sets and maps of what has no order in Rust, such as doubles.

use serde::{Deserialize, Serialize};

use super::value::pair;
use super::{ReadError, Reader, Type, Value, Writer};

/// A Thrift set whose elements have no order, kept as it came, duplicates too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VecSet<T>(pub Vec<T>);

/// A Thrift map whose keys have no order, kept as it came, duplicates too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VecMap<K, V>(pub Vec<(K, V)>);

impl<T> Default for VecSet<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K, V> Default for VecMap<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Value> Value for VecSet<T> {
    const TYPE: Type = Type::Set;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        Vec::read_value(reader).map(Self)
    }

    fn write_value(&self, writer: &mut Writer) {
        self.0.write_value(writer);
    }
}

impl<K: Value, V: Value> Value for VecMap<K, V> {
    const TYPE: Type = Type::Map;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        reader.read_map(K::TYPE, V::TYPE, pair).map(Self)
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.write_map(K::TYPE, V::TYPE, self.0.len());
        for (key, value) in &self.0 {
            key.write_value(writer);
            value.write_value(writer);
        }
    }
}
