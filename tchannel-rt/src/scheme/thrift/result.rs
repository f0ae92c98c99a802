//! The result of a method: the value it returned, or the exception it threw.

use std::convert::Infallible;

use bytes::Bytes;

use super::super::ArgScheme;
use super::{
    Field, ReadError, Reader, SchemeError, Type, Value, Writer, decode_with, encode_with, required,
};

/// What a method may return: a [`Value`], or nothing.
pub trait Returned: Sized {
    /// Begins as the result of a method that returns nothing.
    #[doc(hidden)]
    fn absent() -> Option<Self>;

    #[doc(hidden)]
    fn read_returned(
        reader: &mut Reader<'_>,
        field: Field,
        slot: &mut Option<Self>,
    ) -> Result<(), ReadError>;

    #[doc(hidden)]
    fn write_returned(&self, writer: &mut Writer);
}

impl Returned for () {
    fn absent() -> Option<Self> {
        Some(())
    }

    fn read_returned(
        reader: &mut Reader<'_>,
        field: Field,
        _slot: &mut Option<Self>,
    ) -> Result<(), ReadError> {
        reader.skip(field.ty)
    }

    fn write_returned(&self, _writer: &mut Writer) {}
}

impl<T: Value> Returned for T {
    fn absent() -> Option<Self> {
        None
    }

    fn read_returned(
        reader: &mut Reader<'_>,
        field: Field,
        slot: &mut Option<Self>,
    ) -> Result<(), ReadError> {
        reader.read_some(field, slot)
    }

    fn write_returned(&self, writer: &mut Writer) {
        writer.put(0, self);
    }
}

/// The exceptions that a method declares.
pub trait Throws: Sized {
    /// Reads the result struct; `None` when none of its exceptions is in it.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the bytes are no struct.
    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, ReadError>;

    /// Writes the result struct.
    fn write(&self, writer: &mut Writer);
}

/// A method that declares no exceptions.
impl Throws for Infallible {
    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, ReadError> {
        reader.skip(Type::Struct)?;
        Ok(None)
    }

    fn write(&self, _writer: &mut Writer) {
        match *self {}
    }
}

/// arg3 of a response. `Err` belongs to response code 1.
///
/// Source: spec/schemes/thrift.md, "results".
///
/// # Errors
///
/// [`SchemeError`] when a string or container is longer than Thrift can say.
pub fn encode_result<T: Returned, E: Throws>(result: &Result<T, E>) -> Result<Bytes, SchemeError> {
    match result {
        Ok(value) => encode_returned(value),
        Err(thrown) => encode_thrown(thrown),
    }
}

pub(crate) fn encode_returned<T: Returned>(value: &T) -> Result<Bytes, SchemeError> {
    encode_with(ArgScheme::Thrift, |writer| {
        value.write_returned(writer);
        writer.write_stop();
    })
}

pub(crate) fn encode_thrown<E: Throws>(thrown: &E) -> Result<Bytes, SchemeError> {
    encode_with(ArgScheme::Thrift, |writer| thrown.write(writer))
}

/// Reads arg3 of a response; `is_ok` is what its code says. `Ok(Err(_))` is a declared exception.
///
/// Source: spec/schemes/thrift.md, "results".
///
/// # Errors
///
/// [`Unreadable`] when it holds neither what the method returns nor what it declares to throw.
pub fn read_result<T: Returned, E: Throws>(
    is_ok: bool,
    arg3: &Bytes,
) -> Result<Result<T, E>, Unreadable> {
    if is_ok {
        Ok(Ok(decode_returned(arg3)?))
    } else {
        decode_thrown(arg3).map(Err)
    }
}

pub(crate) fn decode_returned<T: Returned>(arg3: &Bytes) -> Result<T, SchemeError> {
    decode_with(ArgScheme::Thrift, arg3, read_returned)
}

pub(crate) fn decode_thrown<E: Throws>(arg3: &Bytes) -> Result<E, Unreadable> {
    let thrown = decode_with(ArgScheme::Thrift, arg3, E::read)?;
    thrown.ok_or(Unreadable::Undeclared)
}

fn read_returned<T: Returned>(reader: &mut Reader<'_>) -> Result<T, ReadError> {
    let mut returned = T::absent();
    reader.read_struct(|reader, field| match field.id {
        0 => T::read_returned(reader, field, &mut returned),
        _ => reader.skip(field.ty),
    })?;
    required(returned, "success", 0)
}

/// Why the result of a method can not be had, though there is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The method threw what the IDL at this end does not declare.
    #[error("an exception that this end's Thrift file does not declare")]
    Undeclared,
    /// The bytes are not what the IDL at this end says.
    #[error(transparent)]
    Scheme(#[from] SchemeError),
}
