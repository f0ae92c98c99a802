//! What is wrong with a trait, all of it in one run.

use quote::ToTokens;
use syn::Error;

/// Several errors, in the order in which they were found.
#[derive(Default)]
pub(super) struct Complaints(Option<Error>);

impl Complaints {
    pub(super) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(super) fn extend(&mut self, errors: impl IntoIterator<Item = Error>) {
        errors.into_iter().for_each(|error| self.push(error));
    }

    /// The value, or `None` and one complaint more.
    pub(super) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(super) fn into_result(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// A complaint about `tokens`, all of which the compiler underlines.
pub(super) fn complain(tokens: impl ToTokens, text: impl std::fmt::Display) -> Error {
    Error::new_spanned(tokens, text)
}
