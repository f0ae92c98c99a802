//! thrift: application headers in arg2, one struct in arg3.
//!
//! arg1 is `ThriftService::method`. A request's struct holds the arguments by field id; a response's
//! holds the return value under 0 or, with code 1, the declared exception under its own id.
//!
//! ```
//! use tchannel_rt::scheme::thrift::{self, ReadError, Reader, Struct, Type, Writer};
//!
//! struct Get {
//!     key: String,
//! }
//!
//! impl Struct for Get {
//!     fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
//!         let mut key = None;
//!         reader.read_struct(|reader, field| {
//!             match (field.id, field.ty) {
//!                 (1, Type::String) => key = Some(reader.read_string()?),
//!                 (_, unknown) => reader.skip(unknown)?,
//!             }
//!             Ok(())
//!         })?;
//!         Ok(Self { key: key.ok_or(ReadError::Missing { name: "key", id: 1 })? })
//!     }
//!
//!     fn write(&self, writer: &mut Writer) {
//!         writer.write_field(Type::String, 1);
//!         writer.write_string(&self.key);
//!         writer.write_stop();
//!     }
//! }
//!
//! # fn main() -> Result<(), tchannel_rt::scheme::SchemeError> {
//! let arg3 = thrift::encode(&Get { key: "abc".into() })?;
//! assert_eq!(&arg3[..], b"\x0b\x00\x01\x00\x00\x00\x03abc\x00");
//! assert_eq!(thrift::decode::<Get>(&arg3)?.key, "abc");
//! # Ok(())
//! # }
//! ```

mod application_headers;
mod binary;
mod containers;
mod fields;
mod result;
mod value;

use bytes::Bytes;

use super::{Arg, ArgScheme, SchemeError};

pub use application_headers::{decode_headers, encode_headers};
pub use binary::{
    Field, KeyAndValue, MAX_DEPTH, MAX_ELEMENTS, ReadError, Reader, Type, WriteError, Writer,
};
pub use containers::{VecMap, VecSet};
pub use fields::required;
pub use result::{Returned, Throws, Unreadable, encode_result, read_result};
pub(crate) use result::{decode_returned, decode_thrown, encode_returned, encode_thrown};
pub use value::Value;

/// A Thrift struct, union or exception, or the arguments or result of a method.
///
/// Source: spec/schemes/thrift.md, "structs".
pub trait Struct: Sized {
    /// Reads the fields and the stop byte; fields it does not know are skipped.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the bytes are no such struct or a required field is missing.
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError>;

    /// Writes the fields and the stop byte.
    fn write(&self, writer: &mut Writer);
}

/// arg3 for `value`.
///
/// # Errors
///
/// [`SchemeError`] when a string or container is longer than Thrift can say.
pub fn encode<T: Struct>(value: &T) -> Result<Bytes, SchemeError> {
    encode_with(ArgScheme::Thrift, |writer| value.write(writer))
}

pub(super) fn encode_with(
    scheme: ArgScheme,
    write: impl FnOnce(&mut Writer),
) -> Result<Bytes, SchemeError> {
    let mut writer = Writer::new();
    write(&mut writer);
    writer
        .finish()
        .map_err(|error| SchemeError::new(scheme, Arg::Body, error))
}

/// Reads arg3, which is exactly one struct.
///
/// # Errors
///
/// [`SchemeError`] when it is not, with the reason that [`Struct::read`] gave.
pub fn decode<T: Struct>(arg3: &Bytes) -> Result<T, SchemeError> {
    decode_with(ArgScheme::Thrift, arg3, T::read)
}

pub(super) fn decode_with<T>(
    scheme: ArgScheme,
    arg3: &Bytes,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, ReadError>,
) -> Result<T, SchemeError> {
    let read = || {
        let mut reader = Reader::new(arg3);
        let value = read(&mut reader)?;
        reader.finish()?;
        Ok(value)
    };
    read().map_err(|error: ReadError| SchemeError::new(scheme, Arg::Body, error))
}

#[cfg(test)]
mod tests;
