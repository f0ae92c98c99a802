//! Any Thrift struct made of strings and further structs, by field id.

use std::collections::BTreeMap;

use bytes::Bytes;
use tchannel_rt::scheme::thrift::{Field, ReadError, Reader, Struct, Type, Writer};

/// Stands for every args, result and exception struct of `peers/kv.thrift`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(BTreeMap<i16, Value>);

#[derive(Clone, Debug)]
enum Value {
    Bytes(Bytes),
    Record(Record),
}

impl Record {
    /// With these bytes, or this text, in a field.
    pub(crate) fn bytes(mut self, id: i16, bytes: impl Into<Bytes>) -> Self {
        self.0.insert(id, Value::Bytes(bytes.into()));
        self
    }

    /// With this struct in a field.
    pub(crate) fn record(mut self, id: i16, record: Self) -> Self {
        self.0.insert(id, Value::Record(record));
        self
    }

    /// The bytes in a field.
    pub(crate) fn get(&self, id: i16) -> Option<&Bytes> {
        match self.0.get(&id)? {
            Value::Bytes(bytes) => Some(bytes),
            Value::Record(_) => None,
        }
    }

    /// The struct in a field.
    pub(crate) fn nested(&self, id: i16) -> Option<&Self> {
        match self.0.get(&id)? {
            Value::Record(record) => Some(record),
            Value::Bytes(_) => None,
        }
    }

    fn read_field(&mut self, reader: &mut Reader<'_>, field: Field) -> Result<(), ReadError> {
        let value = match field.ty {
            Type::String => Value::Bytes(reader.read_binary()?),
            Type::Struct => Value::Record(Self::read(reader)?),
            other => return reader.skip(other),
        };
        self.0.insert(field.id, value);
        Ok(())
    }
}

impl Struct for Record {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        let mut record = Self::default();
        reader.read_struct(|reader, field| record.read_field(reader, field))?;
        Ok(record)
    }

    fn write(&self, writer: &mut Writer) {
        for (id, value) in &self.0 {
            match value {
                Value::Bytes(bytes) => {
                    writer.write_field(Type::String, *id);
                    writer.write_binary(bytes);
                }
                Value::Record(record) => {
                    writer.write_field(Type::Struct, *id);
                    record.write(writer);
                }
            }
        }
        writer.write_stop();
    }
}
