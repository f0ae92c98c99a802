//! Fields of structs, one call each. A field of another type than the IDL says is passed over.

use super::{Field, ReadError, Reader, Value, Writer};

impl Reader<'_> {
    /// Reads a struct into a `T` that begins as its default: `read_field` is given every field and must
    /// read or [`skip`](Self::skip) its value.
    ///
    /// # Errors
    ///
    /// What `read_field` returns, or a [`ReadError`] of this struct's own.
    pub fn read_fields<T: Default>(
        &mut self,
        mut read_field: impl FnMut(&mut Self, Field, &mut T) -> Result<(), ReadError>,
    ) -> Result<T, ReadError> {
        let mut it = T::default();
        self.read_struct(|reader, field| read_field(reader, field, &mut it))?;
        Ok(it)
    }

    /// Reads the value of `field` into `slot`.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when there is no such value.
    pub fn read_into<T: Value>(&mut self, field: Field, slot: &mut T) -> Result<(), ReadError> {
        self.read_with(field, |value| *slot = value)
    }

    /// Reads the value of `field` into `slot`, which has one then.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when there is no such value.
    pub fn read_some<T: Value>(
        &mut self,
        field: Field,
        slot: &mut Option<T>,
    ) -> Result<(), ReadError> {
        self.read_with(field, |value| *slot = Some(value))
    }

    /// Reads the value of `field` and hands it on.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when there is no such value.
    pub fn read_with<T: Value>(
        &mut self,
        field: Field,
        then: impl FnOnce(T),
    ) -> Result<(), ReadError> {
        if field.ty != T::TYPE {
            return self.skip(field.ty);
        }
        then(T::read_value(self)?);
        Ok(())
    }
}

impl Writer {
    /// Writes a whole field.
    pub fn put<T: Value>(&mut self, id: i16, value: &T) {
        self.write_field(T::TYPE, id);
        value.write_value(self);
    }

    /// Writes a whole field if there is a value.
    pub fn put_some<T: Value>(&mut self, id: i16, value: &Option<T>) {
        if let Some(value) = value {
            self.put(id, value);
        }
    }
}

/// The value of a required field.
///
/// # Errors
///
/// [`ReadError::Missing`] when it was not there.
pub fn required<T>(value: Option<T>, name: &'static str, id: i16) -> Result<T, ReadError> {
    value.ok_or(ReadError::Missing { name, id })
}
