//! Types as far as their names tell: aliases are not seen through.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Ident, PathArguments, PathSegment, Type, TypeParamBound};

use super::complaints::complain;

/// Where a type stands.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Parameter(&'a Ident),
    Result,
}

/// Complains about types whose values can not travel.
pub(super) fn check(place: Place<'_>, ty: &Type) -> syn::Result<()> {
    let (whose, where_from) = match place {
        Place::Parameter(name) => (format!("`{name}`"), "comes from the wire"),
        Place::Result => ("the result".to_owned(), "goes over the wire"),
    };
    let Some(found) = find(ty.to_token_stream()) else {
        return Ok(());
    };
    let text = match found {
        Found::Reference => format!(
            "{whose} is borrowed, but it {where_from}: own it, such as `String` for `&str` and `Vec<T>` for `&[T]`"
        ),
        Found::Unnamed => {
            format!("{whose} has no type of its own, but both ends need the same: name it")
        }
        Found::Own => "`Self` is another type at each server: name the type".to_owned(),
    };
    Err(complain(ty, text))
}

enum Found {
    Reference,
    Unnamed,
    Own,
}

fn find(tokens: TokenStream) -> Option<Found> {
    let mut after_quote = false;
    for token in tokens {
        let found = match &token {
            TokenTree::Punct(punct) if punct.as_char() == '&' => Some(Found::Reference),
            TokenTree::Ident(name) if after_quote => (name != "static").then_some(Found::Reference),
            TokenTree::Ident(name) if name == "impl" || name == "_" => Some(Found::Unnamed),
            TokenTree::Ident(name) if name == "dyn" => Some(Found::Unnamed),
            TokenTree::Ident(name) if name == "Self" => Some(Found::Own),
            TokenTree::Group(group) => find(group.stream()),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        after_quote = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
    }
    None
}

/// The type arguments of `ty` if the last name in its path is `name`.
pub(super) fn generic<'a>(ty: &'a Type, name: &str) -> Option<Vec<&'a Type>> {
    last(ty)
        .filter(|segment| segment.ident == name)
        .map(arguments)
}

/// `T` of `Streaming<T>`.
pub(super) fn streaming(ty: &Type) -> Option<&Type> {
    generic(ty, "Streaming")?.first().copied()
}

/// The type of the values if `ty` is `impl Stream`, without the `Result` that each may be in.
pub(super) fn streamed(ty: &Type) -> syn::Result<Option<&Type>> {
    if streaming(ty).is_some() {
        let text = "this is how values come in: return `impl Stream<Item = ..> + Send`";
        return Err(complain(ty, text));
    }
    let Some(stream) = bound(ty, "Stream") else {
        return Ok(None);
    };
    let item = match &stream.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(item),
        _ => None,
    };
    let item =
        item.ok_or_else(|| complain(ty, "say what it is a stream of: `impl Stream<Item = ..>`"))?;
    Ok(Some(match generic(item, "Result").as_deref() {
        Some([value, ..]) => value,
        _ => item,
    }))
}

pub(super) fn is_impl(ty: &Type, name: &str) -> bool {
    bound(ty, name).is_some()
}

/// Whether the client takes anything that becomes one.
pub(crate) fn is_into(ty: &Type) -> bool {
    ["String", "Bytes"].iter().any(|name| {
        last(ty).is_some_and(|segment| segment.ident == name && segment.arguments.is_none())
    })
}

fn last(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        Type::Group(group) => last(&group.elem),
        Type::Paren(paren) => last(&paren.elem),
        _ => None,
    }
}

fn arguments(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// `name` among the bounds of an `impl` type.
fn bound<'a>(ty: &'a Type, name: &str) -> Option<&'a PathSegment> {
    let Type::ImplTrait(ty) = ty else {
        return None;
    };
    let segments = ty.bounds.iter().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last(),
        _ => None,
    });
    segments.into_iter().find(|segment| segment.ident == name)
}

fn item(argument: &GenericArgument) -> Option<&Type> {
    match argument {
        GenericArgument::AssocType(item) if item.ident == "Item" => Some(&item.ty),
        _ => None,
    }
}
