//! The parameters of a method.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, Token, Type};

use super::attributes::{docs, is_docs};
use super::complaints::{Complaints, complain};
use super::plain;
use super::ty::{self, Place};

/// A parameter, by whose name its value travels.
pub(crate) struct Parameter {
    pub(crate) docs: Option<String>,
    pub(crate) name: Ident,
    pub(crate) wire_name: String,
    pub(crate) ty: Type,
    /// The type of its values, if it is a stream.
    pub(crate) stream: Option<Type>,
}

/// Reads what stands between the parentheses.
pub(super) fn parse(method: &Ident, tokens: TokenStream) -> syn::Result<Vec<Parameter>> {
    let parse = |input: ParseStream<'_>| {
        let mut complaints = Complaints::default();
        complaints.extend(receiver(method, input)?);
        let mut parameters = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            parameters.extend(complaints.keep(parameter(input)?));
        }
        complaints.into_result()?;
        Ok(parameters)
    };
    parse.parse2(tokens)
}

/// Reads `&self`, and complains about anything else in its place.
fn receiver(method: &Ident, input: ParseStream<'_>) -> syn::Result<Option<syn::Error>> {
    let complaint = {
        let ahead = input.fork();
        let receiver = up_to_comma(&ahead);
        let words: Vec<String> = receiver
            .clone()
            .into_iter()
            .map(|token| token.to_string())
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["&", "self"] => None,
            ["&", .., "mut", "self"] | ["mut", "self"] | ["&", "mut", "self", ..] => {
                let text = format!(
                    "calls of `{method}` are served side by side: take `&self`, and lock what changes"
                );
                Some(complain(&receiver, text))
            }
            _ if words.contains(&"self") => {
                let text = format!("`{method}` is called many times on one server: take `&self`");
                Some(complain(&receiver, text))
            }
            _ => {
                let text = format!(
                    "`{method}` has no `&self`: it is a server that answers, so write `{method}(&self, ..)`"
                );
                return Err(complain(method, text));
            }
        }
    };
    up_to_comma(input);
    Ok(complaint)
}

/// One parameter. The inner error is one after which the next can be read.
fn parameter(input: ParseStream<'_>) -> syn::Result<syn::Result<Parameter>> {
    let attributes = input.call(Attribute::parse_outer)?;
    if let Some(other) = attributes.iter().find(|one| !is_docs(one)) {
        let text =
            "a parameter has no attributes but docs: wrap what it takes in a struct that has them";
        let complaint = complain(other, text);
        up_to_comma(input);
        return Ok(Err(complaint));
    }
    let ahead = input.fork();
    let (Ok(name), Ok(_)) = (ahead.parse::<Ident>(), ahead.parse::<Token![:]>()) else {
        return Ok(Err(no_name(input)));
    };
    input.advance_to(&ahead);
    let ty: Type = input.parse()?;
    let stream = ty::streaming(&ty).cloned();
    let place = Place::Parameter(&name);
    Ok(
        ty::check(place, stream.as_ref().unwrap_or(&ty)).map(|()| Parameter {
            docs: docs(&attributes),
            wire_name: plain(&name),
            name,
            ty,
            stream,
        }),
    )
}

/// A pattern, or `_`: nothing that a value could travel under.
fn no_name(input: ParseStream<'_>) -> syn::Error {
    let mut pattern = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![:]) && !input.peek(Token![,]) {
        pattern.extend(input.parse::<proc_macro2::TokenTree>());
    }
    up_to_comma(input);
    let text = "values travel under the names of parameters: write `name: Type`, and take it apart in the server";
    complain(pattern, text)
}

/// What stands before the next parameter.
fn up_to_comma(input: ParseStream<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    let mut depth = 0usize;
    while !input.is_empty() && (depth > 0 || !input.peek(Token![,])) {
        if input.peek(Token![<]) {
            depth += 1;
        } else if input.peek(Token![>]) {
            depth = depth.saturating_sub(1);
        }
        tokens.extend(input.parse::<proc_macro2::TokenTree>());
    }
    tokens
}

/// Complains about what each of them may be, but not together.
pub(super) fn complain_about_parameters(
    method: &Ident,
    parameters: &[Parameter],
    complaints: &mut Complaints,
) {
    let count = parameters.len();
    if count > MOST {
        let text = format!(
            "`{method}` has {count} parameters, and {MOST} is the most: put some of them into a struct"
        );
        complaints.push(complain(method, text));
    }
    let stream = parameters.iter().find(|one| one.stream.is_some());
    if let Some(stream) = stream
        && count > 1
    {
        let text = format!(
            "a stream takes all of the request, so `{}` is the only parameter: put what else there is into its \
             values, or into a header",
            stream.name
        );
        complaints.push(complain(stream.ty.to_token_stream(), text));
    }
}

/// Parameters of one method: what the runtime has code for.
const MOST: usize = 16;
