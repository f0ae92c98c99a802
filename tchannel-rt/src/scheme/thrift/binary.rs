//! TBinaryProtocol without a message envelope, read and written.
//!
//! ```text
//! struct     (type:1 id:2 value)* 00
//! string     len:4 bytes
//! list, set  type:1 n:4 value{n}
//! map        ktype:1 vtype:1 n:4 (key value){n}
//! ```
//!
//! Integers are signed and big-endian.

use bytes::{BufMut, Bytes};
use uuid::Uuid;

use crate::scheme::input::{Input, InputError};
use crate::scheme::written;

/// The wire type of a field or element.
///
/// Source: spec/schemes/thrift.md, "structs".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// One byte, 0 or 1.
    Bool = 2,
    /// A signed byte.
    Byte = 3,
    /// IEEE 754, 8 bytes.
    Double = 4,
    /// 2 bytes.
    I16 = 6,
    /// 4 bytes; enums too.
    I32 = 8,
    /// 8 bytes.
    I64 = 10,
    /// Text or binary.
    String = 11,
    /// Struct, union or exception.
    Struct = 12,
    /// Pairs.
    Map = 13,
    /// Elements without order.
    Set = 14,
    /// Elements in order.
    List = 15,
    /// 16 bytes; newer than the deployed peers.
    Uuid = 16,
}

impl Type {
    fn from_code(code: u8) -> Result<Self, ReadError> {
        Ok(match code {
            2 => Self::Bool,
            3 => Self::Byte,
            4 => Self::Double,
            6 => Self::I16,
            8 => Self::I32,
            10 => Self::I64,
            11 => Self::String,
            12 => Self::Struct,
            13 => Self::Map,
            14 => Self::Set,
            15 => Self::List,
            16 => Self::Uuid,
            _ => return Err(ReadError::UnknownType { code }),
        })
    }

    /// The fewest bytes a value of this type takes.
    fn min_bytes(self) -> usize {
        match self {
            Self::Bool | Self::Byte | Self::Struct => 1,
            Self::I16 => 2,
            Self::I32 | Self::String => 4,
            Self::Set | Self::List => 5,
            Self::Map => 6,
            Self::Double | Self::I64 => 8,
            Self::Uuid => 16,
        }
    }

    /// The bytes a value of this type takes if they are always the same.
    fn fixed_bytes(self) -> Option<usize> {
        match self {
            Self::Bool
            | Self::Byte
            | Self::I16
            | Self::I32
            | Self::I64
            | Self::Double
            | Self::Uuid => Some(self.min_bytes()),
            Self::String | Self::Struct | Self::Map | Self::Set | Self::List => None,
        }
    }
}

/// The types of a map's keys and of its values.
pub type KeyAndValue = (Type, Type);

/// What stands before the value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The type the writer used, which need not be the one the reader expects.
    pub ty: Type,
    /// The field's number in the IDL.
    pub id: i16,
}

/// Reads values off the front of one arg.
///
/// Lengths and counts are checked against the bytes that are left before memory is taken; nesting
/// ends at [`MAX_DEPTH`], elements at [`MAX_ELEMENTS`].
#[derive(Debug)]
pub struct Reader<'a> {
    rest: Input<'a>,
    whole: &'a Bytes,
    depth: usize,
    elements_left: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the front of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a Bytes) -> Self {
        Self {
            rest: Input(bytes),
            whole: bytes,
            depth: 0,
            elements_left: MAX_ELEMENTS,
        }
    }

    /// Ends reading.
    ///
    /// # Errors
    ///
    /// [`ReadError::GoesOn`] when bytes are left.
    pub fn finish(self) -> Result<(), ReadError> {
        Ok(self.rest.end()?)
    }

    /// Reads a struct: `read_field` is given every field and must read or [`skip`](Self::skip) its
    /// value.
    ///
    /// # Errors
    ///
    /// What `read_field` returns, or a [`ReadError`] of this struct's own.
    pub fn read_struct(
        &mut self,
        mut read_field: impl FnMut(&mut Self, Field) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        self.nested(|reader| {
            while let Some(field) = reader.next_field()? {
                read_field(reader, field)?;
            }
            Ok(())
        })
    }

    /// Reads a list or a set, each element with `read`.
    ///
    /// # Errors
    ///
    /// [`ReadError::WrongType`] when there are elements and they are not of type `element`; what
    /// `read` returns; or a [`ReadError`] of this list's own.
    pub fn read_list<T>(
        &mut self,
        element: Type,
        mut read: impl FnMut(&mut Self) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, ReadError> {
        self.nested(|reader| {
            let code = reader.rest.u8()?;
            let count = reader.read_count()?;
            if count == 0 {
                return Ok(Vec::new());
            }
            reader.expect(element, code)?;
            reader.admit(count, element.min_bytes())?;
            (0..count).map(|_| read(reader)).collect()
        })
    }

    /// Reads a map, each key and value with `read`. Order and duplicates are kept.
    ///
    /// # Errors
    ///
    /// As [`read_list`](Self::read_list).
    pub fn read_map<K, V>(
        &mut self,
        key: Type,
        value: Type,
        mut read: impl FnMut(&mut Self) -> Result<(K, V), ReadError>,
    ) -> Result<Vec<(K, V)>, ReadError> {
        self.nested(|reader| {
            let codes = (reader.rest.u8()?, reader.rest.u8()?);
            let count = reader.read_count()?;
            if count == 0 {
                return Ok(Vec::new());
            }
            reader.expect(key, codes.0)?;
            reader.expect(value, codes.1)?;
            reader.admit(count, key.min_bytes() + value.min_bytes())?;
            (0..count).map(|_| read(reader)).collect()
        })
    }

    /// Reads a list or a set without knowing its element type, which is `None` when it is empty.
    ///
    /// # Errors
    ///
    /// What `read` returns, or a [`ReadError`] of this list's own.
    pub fn read_untyped_list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self, Type) -> Result<T, ReadError>,
    ) -> Result<(Option<Type>, Vec<T>), ReadError> {
        self.nested(|reader| {
            let code = reader.rest.u8()?;
            let count = reader.read_count()?;
            if count == 0 {
                return Ok((None, Vec::new()));
            }
            let element = Type::from_code(code)?;
            reader.admit(count, element.min_bytes())?;
            let values: Result<_, _> = (0..count).map(|_| read(reader, element)).collect();
            Ok((Some(element), values?))
        })
    }

    /// Reads a map without knowing its types, which are `None` when it is empty.
    ///
    /// # Errors
    ///
    /// What `read` returns, or a [`ReadError`] of this map's own.
    pub fn read_untyped_map<T>(
        &mut self,
        mut read: impl FnMut(&mut Self, Type, Type) -> Result<T, ReadError>,
    ) -> Result<(Option<KeyAndValue>, Vec<T>), ReadError> {
        self.nested(|reader| {
            let codes = (reader.rest.u8()?, reader.rest.u8()?);
            let count = reader.read_count()?;
            if count == 0 {
                return Ok((None, Vec::new()));
            }
            let (key, value) = (Type::from_code(codes.0)?, Type::from_code(codes.1)?);
            reader.admit(count, key.min_bytes() + value.min_bytes())?;
            let pairs: Result<_, _> = (0..count).map(|_| read(reader, key, value)).collect();
            Ok((Some((key, value)), pairs?))
        })
    }

    /// Reads a bool; every byte but 0 is true.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndsEarly`] when nothing is left.
    pub fn read_bool(&mut self) -> Result<bool, ReadError> {
        Ok(self.rest.u8()? != 0)
    }

    /// Reads a byte.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndsEarly`] when nothing is left.
    pub fn read_byte(&mut self) -> Result<i8, ReadError> {
        Ok(i8::from_be_bytes(self.rest.array()?))
    }

    /// Reads two bytes.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndsEarly`] when too little is left.
    pub fn read_i16(&mut self) -> Result<i16, ReadError> {
        Ok(i16::from_be_bytes(self.rest.array()?))
    }

    /// Reads four bytes.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndsEarly`] when too little is left.
    pub fn read_i32(&mut self) -> Result<i32, ReadError> {
        Ok(i32::from_be_bytes(self.rest.array()?))
    }

    /// Reads eight bytes.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndsEarly`] when too little is left.
    pub fn read_i64(&mut self) -> Result<i64, ReadError> {
        Ok(i64::from_be_bytes(self.rest.array()?))
    }

    /// Reads a double.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndsEarly`] when too little is left.
    pub fn read_double(&mut self) -> Result<f64, ReadError> {
        Ok(f64::from_be_bytes(self.rest.array()?))
    }

    /// Reads text.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndsEarly`], [`ReadError::Negative`] or [`ReadError::NotUtf8`].
    pub fn read_string(&mut self) -> Result<String, ReadError> {
        let length = self.read_count()?;
        Ok(self.rest.text(length)?.to_owned())
    }

    /// Reads binary, without copying it.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndsEarly`] or [`ReadError::Negative`].
    pub fn read_binary(&mut self) -> Result<Bytes, ReadError> {
        let length = self.read_count()?;
        Ok(self.whole.slice_ref(self.rest.take(length)?))
    }

    /// Reads a uuid.
    ///
    /// # Errors
    ///
    /// [`ReadError::EndsEarly`] when too little is left.
    pub fn read_uuid(&mut self) -> Result<Uuid, ReadError> {
        Ok(Uuid::from_bytes(self.rest.array()?))
    }

    /// Passes over a value of type `ty`.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when there is no such value.
    pub fn skip(&mut self, ty: Type) -> Result<(), ReadError> {
        if let Some(bytes) = ty.fixed_bytes() {
            self.rest.take(bytes)?;
            return Ok(());
        }
        match ty {
            Type::Struct => self.read_struct(|reader, field| reader.skip(field.ty)),
            Type::Map => self.nested(|reader| {
                let codes = [reader.rest.u8()?, reader.rest.u8()?];
                reader.skip_elements(&codes)
            }),
            Type::Set | Type::List => self.nested(|reader| {
                let codes = [reader.rest.u8()?];
                reader.skip_elements(&codes)
            }),
            _ => self.read_binary().map(drop),
        }
    }

    fn skip_elements(&mut self, codes: &[u8]) -> Result<(), ReadError> {
        for _ in 0..self.read_count()? {
            for code in codes {
                self.skip(Type::from_code(*code)?)?;
            }
        }
        Ok(())
    }

    fn next_field(&mut self) -> Result<Option<Field>, ReadError> {
        match self.rest.u8()? {
            STOP => Ok(None),
            code => Ok(Some(Field {
                ty: Type::from_code(code)?,
                id: self.read_i16()?,
            })),
        }
    }

    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        if self.depth == MAX_DEPTH {
            return Err(ReadError::TooDeep);
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn read_count(&mut self) -> Result<usize, ReadError> {
        let count = self.read_i32()?;
        usize::try_from(count).map_err(|_| ReadError::Negative { count })
    }

    fn expect(&self, expected: Type, code: u8) -> Result<(), ReadError> {
        match Type::from_code(code)? {
            found if found == expected => Ok(()),
            found => Err(ReadError::WrongType { expected, found }),
        }
    }

    /// Lets in `count` elements if there can be that many.
    fn admit(&mut self, count: usize, min_bytes: usize) -> Result<(), ReadError> {
        let (wanted, left) = (count.saturating_mul(min_bytes), self.rest.0.len());
        if wanted > left {
            return Err(ReadError::EndsEarly { wanted, left });
        }
        self.elements_left = self
            .elements_left
            .checked_sub(count)
            .ok_or(ReadError::TooMany)?;
        Ok(())
    }
}

/// Writes values one after the other.
///
/// A length that Thrift cannot say is remembered and reported by [`finish`](Self::finish).
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
    too_long: Option<WriteError>,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self {
            out: written::take(),
            too_long: None,
        }
    }

    /// What was written.
    ///
    /// # Errors
    ///
    /// [`WriteError`] when a length did not fit; the bytes are then useless.
    pub fn finish(self) -> Result<Bytes, WriteError> {
        match self.too_long {
            None => Ok(written::give(self.out)),
            Some(error) => Err(error),
        }
    }

    /// Begins a field; its value must follow.
    pub fn write_field(&mut self, ty: Type, id: i16) {
        self.out.put_u8(ty as u8);
        self.out.put_i16(id);
    }

    /// Ends a struct.
    pub fn write_stop(&mut self) {
        self.out.put_u8(STOP);
    }

    /// Begins a list or set; `count` elements of type `element` must follow.
    pub fn write_list(&mut self, element: Type, count: usize) {
        self.out.put_u8(element as u8);
        self.write_count(count);
    }

    /// Begins a map; `count` pairs of a key and a value must follow.
    pub fn write_map(&mut self, key: Type, value: Type, count: usize) {
        self.out.put_u8(key as u8);
        self.out.put_u8(value as u8);
        self.write_count(count);
    }

    /// Writes a bool as 0 or 1.
    pub fn write_bool(&mut self, value: bool) {
        self.out.put_u8(value.into());
    }

    /// Writes a byte.
    pub fn write_byte(&mut self, value: i8) {
        self.out.put_i8(value);
    }

    /// Writes two bytes.
    pub fn write_i16(&mut self, value: i16) {
        self.out.put_i16(value);
    }

    /// Writes four bytes.
    pub fn write_i32(&mut self, value: i32) {
        self.out.put_i32(value);
    }

    /// Writes eight bytes.
    pub fn write_i64(&mut self, value: i64) {
        self.out.put_i64(value);
    }

    /// Writes a double.
    pub fn write_double(&mut self, value: f64) {
        self.out.put_f64(value);
    }

    /// Writes a uuid.
    pub fn write_uuid(&mut self, value: &Uuid) {
        self.out.put_slice(value.as_bytes());
    }

    /// Writes text.
    pub fn write_string(&mut self, value: &str) {
        self.write_binary(value.as_bytes());
    }

    /// Writes binary.
    pub fn write_binary(&mut self, value: &[u8]) {
        self.write_count(value.len());
        self.out.put_slice(value);
    }

    fn write_count(&mut self, count: usize) {
        match i32::try_from(count) {
            Ok(count) => self.out.put_i32(count),
            Err(_) => self.too_long = Some(WriteError { count }),
        }
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

/// Why bytes are not the Thrift value that was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A value needs more bytes than are left.
    #[error("it ends early: {wanted} bytes wanted, {left} left")]
    EndsEarly {
        /// Bytes the value takes at least.
        wanted: usize,
        /// Bytes that were there.
        left: usize,
    },
    /// Bytes stand behind the struct.
    #[error("{bytes} bytes follow its end")]
    GoesOn {
        /// How many.
        bytes: usize,
    },
    /// Text that is none.
    #[error("a string is not UTF-8")]
    NotUtf8,
    /// A type code that Thrift does not have.
    #[error("type {code} does not exist")]
    UnknownType {
        /// The code.
        code: u8,
    },
    /// Elements of another type than the IDL says.
    #[error("elements are {found:?}, not {expected:?}")]
    WrongType {
        /// The type in the IDL.
        expected: Type,
        /// The type on the wire.
        found: Type,
    },
    /// A length or count below zero.
    #[error("a length of {count} is negative")]
    Negative {
        /// The length.
        count: i32,
    },
    /// Structs and containers within each other beyond [`MAX_DEPTH`].
    #[error("it nests deeper than {MAX_DEPTH}")]
    TooDeep,
    /// More elements in all containers together than [`MAX_ELEMENTS`].
    #[error("it has more than {MAX_ELEMENTS} elements")]
    TooMany,
    /// A required field is not there.
    #[error("missing required field \"{name}\" with id {id}")]
    Missing {
        /// Its name in the IDL.
        name: &'static str,
        /// Its id in the IDL.
        id: i16,
    },
}

impl From<InputError> for ReadError {
    fn from(error: InputError) -> Self {
        match error {
            InputError::EndsEarly { wanted, left } => Self::EndsEarly { wanted, left },
            InputError::NotUtf8 => Self::NotUtf8,
            InputError::GoesOn { bytes } => Self::GoesOn { bytes },
        }
    }
}

/// A string or container is longer than a Thrift length can say, which is 2 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a length of {count} does not fit four bytes")]
pub struct WriteError {
    count: usize,
}

/// Structs and containers that may stand within each other.
///
/// Source: spec/schemes/thrift.md, "structs".
pub const MAX_DEPTH: usize = 64;

/// Elements that the containers of one arg may hold together. The bound is ours: an element may
/// take a hundred times the memory of its bytes.
///
/// Source: spec/schemes/thrift.md, "structs".
pub const MAX_ELEMENTS: usize = 1 << 20;

const STOP: u8 = 0;
