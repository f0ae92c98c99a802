//! A trait as its author meant it, checked.
//!
//! The trait is read by hand, not by syn's grammar for items: a mistake in one method leaves the others
//! readable, so that all of them are told in one run.

mod attributes;
mod complaints;
mod items;
mod method;
mod options;
mod parameters;
mod returned;
mod ty;

use std::collections::HashMap;

use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Generics, Ident, Token, TypeParamBound, Visibility};

pub(crate) use method::Method;
pub(crate) use options::{Scheme, ServiceOptions};
pub(crate) use parameters::Parameter;
pub(crate) use returned::{Answer, Failure};
pub(crate) use ty::is_into;

use attributes::docs;
use complaints::{Complaints, complain};

/// The whole trait.
pub(crate) struct Service {
    pub(crate) options: ServiceOptions,
    /// All but `#[service]` itself.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) docs: Option<String>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) supertraits: Punctuated<TypeParamBound, Token![+]>,
    pub(crate) methods: Vec<Method>,
}

impl Service {
    /// # Errors
    ///
    /// All that is wrong with the trait, each where it stands.
    pub(crate) fn new(options: ServiceOptions, item: TokenStream) -> syn::Result<Self> {
        let head_and_body = |input: ParseStream<'_>| {
            let head: Head = input.parse()?;
            let body;
            syn::braced!(body in input);
            Ok((head, body.parse::<TokenStream>()?))
        };
        let (head, body) = head_and_body.parse2(item)?;
        let mut complaints = Complaints::default();
        complaints.extend(head.complaint());
        let methods: Vec<Method> = items::split(body)
            .into_iter()
            .filter_map(|item| complaints.keep(items::method(item)))
            .collect();
        complain_about_repeated(&methods, &mut complaints);
        complaints.into_result()?;
        Ok(Self {
            options,
            docs: docs(&head.attributes),
            attributes: head.attributes,
            visibility: head.visibility,
            name: head.name,
            supertraits: head.supertraits,
            methods,
        })
    }

    /// The name that calls are made to, unless a client says otherwise.
    pub(crate) fn default_name(&self) -> String {
        match &self.options.name {
            Some(name) => name.clone(),
            None => plain(&self.name).to_snake_case(),
        }
    }
}

/// What comes before the braces.
struct Head {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    generics: Generics,
    supertraits: Punctuated<TypeParamBound, Token![+]>,
}

impl Head {
    fn complaint(&self) -> Option<syn::Error> {
        let Self { name, generics, .. } = self;
        if !generics.params.is_empty() {
            let text = format!(
                "`{name}` is generic: callers need one interface, so name the types that it uses"
            );
            return Some(complain(&generics.params, text));
        }
        let bounds = generics.where_clause.as_ref()?;
        Some(complain(
            bounds,
            format!("`{name}` has a `where` clause: write bounds as supertraits"),
        ))
    }
}

impl Parse for Head {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        if !input.peek(Token![trait]) {
            return Err(input.error("`#[service]` goes on a trait: `trait Greeter { .. }`"));
        }
        input.parse::<Token![trait]>()?;
        let name = input.parse()?;
        let mut generics: Generics = input.parse()?;
        let mut supertraits = Punctuated::new();
        if input.parse::<Option<Token![:]>>()?.is_some() {
            while !input.peek(Token![where]) && !input.peek(syn::token::Brace) {
                supertraits.push_value(input.parse()?);
                if input.peek(Token![+]) {
                    supertraits.push_punct(input.parse()?);
                }
            }
        }
        generics.where_clause = input.parse()?;
        Ok(Self {
            attributes,
            visibility,
            name,
            generics,
            supertraits,
        })
    }
}

fn complain_about_repeated(methods: &[Method], complaints: &mut Complaints) {
    let mut seen = HashMap::new();
    for method in methods {
        let name = &method.wire_name;
        if let Some(first) = seen.insert(name, &method.name) {
            let text = format!(
                "`{first}` is {name:?} on the wire as well: give one of them another name with \
                 `#[method(name = \"..\")]`"
            );
            complaints.push(complain(&method.name, text));
        }
    }
}

/// An identifier without the `r#` of a keyword.
pub(crate) fn plain(name: &Ident) -> String {
    let text = name.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}
