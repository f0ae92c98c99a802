//! One method of the trait.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{Attribute, Generics, Ident, Token, WhereClause, token};

use super::attributes::{docs, is_for_clients};
use super::complaints::{Complaints, complain};
use super::options::MethodOptions;
use super::parameters::{self, Parameter, complain_about_parameters};
use super::plain;
use super::returned::{Answer, Returned};

/// A method, checked.
pub(crate) struct Method {
    /// All but ours, for the trait.
    pub(crate) attributes: Vec<Attribute>,
    /// Those that the client's method has too.
    pub(crate) client_attributes: Vec<Attribute>,
    pub(crate) docs: Option<String>,
    pub(crate) name: Ident,
    /// arg1.
    pub(crate) wire_name: String,
    pub(crate) is_async: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) returned: Returned,
    /// What it does unless a server says otherwise.
    pub(crate) body: Option<TokenStream>,
    pub(crate) idempotent: bool,
    pub(crate) ttl: Option<Duration>,
}

impl Method {
    /// Reads what follows the attributes.
    pub(super) fn parse(
        mut attributes: Vec<Attribute>,
        input: ParseStream<'_>,
    ) -> syn::Result<Self> {
        let mut complaints = Complaints::default();
        let options = MethodOptions::take(&mut attributes);
        let options = complaints.keep(options).unwrap_or_default();
        complaints.extend(conditional(&attributes));
        let signature = Signature::parse(input)?;
        complaints.extend(signature.complaints());
        let parameters = complaints.keep(parameters::parse(
            &signature.name,
            signature.parameters.clone(),
        ));
        let returned = complaints.keep(Returned::new(&signature.name, signature.arrow.as_ref()));
        if let (Some(parameters), Some(returned)) = (&parameters, &returned) {
            complain_about_parameters(&signature.name, parameters, &mut complaints);
            complaints.extend(signature.complaint_about_kind(returned));
            let has_stream = parameters.iter().any(|one| one.stream.is_some())
                || matches!(returned.answer, Answer::Stream(_));
            if has_stream && options.idempotent.is_some() {
                let text = format!(
                    "`{}` has a stream in it, and such a call is tried once: drop `idempotent`",
                    signature.name
                );
                complaints.push(complain(&signature.name, text));
            }
        }
        complaints.into_result()?;
        let client_attributes = attributes.iter().filter(|one| is_for_clients(one)).cloned();
        Ok(Self {
            client_attributes: client_attributes.collect(),
            docs: docs(&attributes),
            attributes,
            wire_name: options.name.unwrap_or_else(|| plain(&signature.name)),
            name: signature.name,
            is_async: signature.is_async,
            parameters: parameters.expect("there is no complaint"),
            returned: returned.expect("there is no complaint"),
            body: signature.body,
            idempotent: options.idempotent.is_some(),
            ttl: options.ttl,
        })
    }

    /// The values that come in a stream, if the request is one.
    pub(crate) fn request_stream(&self) -> Option<&syn::Type> {
        self.parameters.iter().find_map(|one| one.stream.as_ref())
    }
}

/// A method that is there only in some builds.
fn conditional(attributes: &[Attribute]) -> Option<syn::Error> {
    let cfg = attributes.iter().find(|one| one.path().is_ident("cfg"))?;
    let text = "an interface is the same in every build: put `#[cfg]` on the trait, or on what the method does";
    Some(complain(cfg, text))
}

/// A method in pieces, as it stands.
struct Signature {
    /// What may stand before `fn` but makes no sense here.
    qualifiers: TokenStream,
    is_async: bool,
    name: Ident,
    generics: Generics,
    parameters: TokenStream,
    arrow: Option<syn::Type>,
    bounds: Option<WhereClause>,
    body: Option<TokenStream>,
}

impl Signature {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut qualifiers = TokenStream::new();
        let mut is_async = false;
        while !input.peek(Token![fn]) {
            if input.peek(Token![async]) {
                input.parse::<Token![async]>()?;
                is_async = true;
            } else if input.peek(Token![unsafe])
                || input.peek(Token![const])
                || input.peek(Token![extern])
                || input.peek(syn::LitStr)
            {
                qualifiers.extend([input.parse::<proc_macro2::TokenTree>()?]);
            } else {
                return Err(input.error(
                    "a method is expected: `async fn hello(&self, name: String) -> String;`",
                ));
            }
        }
        input.parse::<Token![fn]>()?;
        let name = input.parse()?;
        let generics = input.parse()?;
        let parameters;
        syn::parenthesized!(parameters in input);
        let parameters = parameters.parse()?;
        let arrow = match input.parse::<Option<Token![->]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        let bounds = input.parse()?;
        let body = if input.peek(token::Brace) {
            Some(input.parse::<proc_macro2::Group>()?.into_token_stream())
        } else {
            input.parse::<Token![;]>()?;
            None
        };
        Ok(Self {
            qualifiers,
            is_async,
            name,
            generics,
            parameters,
            arrow,
            bounds,
            body,
        })
    }

    fn complaints(&self) -> Vec<syn::Error> {
        let Self { name, generics, .. } = self;
        let mut complaints = Vec::new();
        if !self.qualifiers.is_empty() {
            let text = format!("`{name}` is called over a connection: write `async fn {name}`");
            complaints.push(complain(&self.qualifiers, text));
        }
        if !generics.params.is_empty() {
            let text = format!("`{name}` is generic, but what travels has one type: name it");
            complaints.push(complain(&generics.params, text));
        } else if let Some(bounds) = &self.bounds {
            let text = format!("`{name}` has a `where` clause: bounds say nothing of what travels");
            complaints.push(complain(bounds, text));
        }
        if RESERVED.contains(&plain(name).as_str()) {
            let text = format!(
                "`{name}` is what the client or the service is made with: call it otherwise, and keep the name on \
                 the wire with `#[method(name = {:?})]`",
                plain(name)
            );
            complaints.push(complain(name, text));
        }
        complaints
    }

    fn complaint_about_kind(&self, returned: &Returned) -> Option<syn::Error> {
        let name = &self.name;
        let is_bare_stream = returned.is_bare_stream;
        if self.is_async && is_bare_stream {
            return None;
        }
        if self.is_async || is_bare_stream {
            return None;
        }
        let text = format!(
            "`{name}` is not `async`, but a call takes time: write `async fn {name}`, or return \
             `impl Stream<Item = ..>` for many values"
        );
        Some(complain(name, text))
    }
}

/// Names that generated code has other plans for.
const RESERVED: [&str; 4] = ["new", "named", "with", "into_service"];
