//! What a method returns.

use syn::{Ident, Type};

use super::complaints::complain;
use super::ty::{self, Place};

/// The return type, taken apart.
pub(crate) struct Returned {
    /// As it stands; nothing is `()`.
    pub(crate) ty: Type,
    pub(crate) answer: Answer,
    pub(crate) failure: Failure,
    /// Whether the type is the stream itself, not a `Result` of one.
    pub(crate) is_bare_stream: bool,
}

/// What a caller gets when all is well.
pub(crate) enum Answer {
    Value(Type),
    /// Many of these.
    Stream(Type),
}

/// How a method can fail by itself.
pub(crate) enum Failure {
    /// Not at all.
    Never,
    /// `Result<_, E>`: by this error.
    Own(Type),
    /// `Result<_, MethodError<E>>`: by this error, or any other that a server may answer.
    Any(Option<Type>),
}

impl Returned {
    pub(super) fn new(method: &Ident, ty: Option<&Type>) -> syn::Result<Self> {
        let Some(ty) = ty else {
            return Ok(Self {
                ty: syn::parse_quote!(()),
                answer: Answer::Value(syn::parse_quote!(())),
                failure: Failure::Never,
                is_bare_stream: false,
            });
        };
        let (value, failure) = match ty::generic(ty, "Result") {
            None => (ty, Failure::Never),
            Some(types) => match types[..] {
                [value, error] => (value, Failure::new(error)),
                _ => {
                    let text =
                        "write both types of the `Result`: the error is part of the interface";
                    return Err(complain(ty, text));
                }
            },
        };
        if ty::is_impl(value, "Future") {
            let text = format!("write `async fn {method}`: it becomes a future that is `Send`");
            return Err(complain(value, text));
        }
        let answer = match ty::streamed(value)? {
            Some(item) => Answer::Stream(item.clone()),
            None => Answer::Value(value.clone()),
        };
        let (Answer::Value(travels) | Answer::Stream(travels)) = &answer;
        ty::check(Place::Result, travels)?;
        if let Failure::Own(error) | Failure::Any(Some(error)) = &failure {
            ty::check(Place::Result, error)?;
        }
        Ok(Self {
            is_bare_stream: matches!((&answer, &failure), (Answer::Stream(_), Failure::Never)),
            ty: ty.clone(),
            answer,
            failure,
        })
    }
}

impl Failure {
    fn new(error: &Type) -> Self {
        match ty::generic(error, "MethodError") {
            None => Self::Own(error.clone()),
            Some(types) => Self::Any(types.first().copied().filter(|one| !is_never(one)).cloned()),
        }
    }
}

fn is_never(ty: &Type) -> bool {
    ty::generic(ty, "Infallible").is_some()
}
