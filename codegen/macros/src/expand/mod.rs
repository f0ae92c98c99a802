//! [`Service`] to tokens: the trait, and the client beside it.
//!
//! Nothing is added to the user's names but the client. It also stands for the trait where the runtime wants a
//! type: the names of the parameters of method `N` are those of `Parameters<N>` for the client.

mod arguments;
mod client;
mod item;
mod schema;
mod server;

use std::time::Duration;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use crate::input::{Answer, Failure, Method, Scheme, Service};

/// All that becomes of the trait.
pub(crate) fn service(service: &Service) -> TokenStream {
    let emitter = Emitter::new(service);
    let item = emitter.item();
    let client = emitter.client();
    let arguments = emitter.arguments();
    quote! {
        #item
        #client
        #arguments
    }
}

struct Emitter<'a> {
    service: &'a Service,
    /// The path of the module that generated code stands on.
    rt: TokenStream,
    client: Ident,
}

impl<'a> Emitter<'a> {
    fn new(service: &'a Service) -> Self {
        let rt = match &service.options.runtime {
            Some(path) => quote!(#path::from_trait),
            None => quote!(::tchannel_rt::from_trait),
        };
        let name = &service.name;
        Self {
            service,
            rt,
            client: format_ident!("{name}Client", span = name.span()),
        }
    }

    /// The methods and their numbers.
    fn methods(&self) -> impl Iterator<Item = (Literal, &'a Method)> {
        let numbers = (0..).map(Literal::usize_unsuffixed);
        numbers.zip(&self.service.methods)
    }

    /// How the values of a method travel. Types that can not are complained about at its name.
    fn format(&self, method: &Method) -> TokenStream {
        let span = method.name.span();
        let rt = at(span, &self.rt);
        let throws = matches!(
            method.returned.failure,
            Failure::Own(_) | Failure::Any(Some(_))
        );
        let constructor = match (self.service.options.scheme, throws) {
            (Scheme::Msgpack, false) => "msgpack",
            (Scheme::Msgpack, true) => "msgpack_throwing",
            (Scheme::Json, false) => "json",
            (Scheme::Json, true) => "json_throwing",
        };
        let constructor = Ident::new(constructor, span);
        quote_spanned!(span=> #rt::Format::#constructor())
    }
}

/// How the runtime calls methods of this kind, at either end.
fn kind(method: &Method) -> Ident {
    let gives_stream = matches!(method.returned.answer, Answer::Stream(_));
    let kind = match (method.request_stream().is_some(), gives_stream) {
        (false, false) => "unary",
        (true, false) => "request_stream",
        (false, true) => "response_stream",
        (true, true) => "both_streams",
    };
    Ident::new(kind, method.name.span())
}

/// The same tokens, as if they stood there.
fn at(span: Span, tokens: &TokenStream) -> TokenStream {
    let tokens = tokens.clone().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    tokens.collect()
}

/// The type of what a method answers with, or of each of them.
fn answer(method: &Method) -> &syn::Type {
    let (Answer::Value(ty) | Answer::Stream(ty)) = &method.returned.answer;
    ty
}

fn duration(time: Duration) -> TokenStream {
    let time_ms = u64::try_from(time.as_millis()).expect("options are less than 50 days");
    let time_ms = Literal::u64_unsuffixed(time_ms);
    quote!(::core::time::Duration::from_millis(#time_ms))
}

/// Of what the user is not told: not every client is used, and style is ours.
fn allow() -> TokenStream {
    quote!(#[allow(dead_code, deprecated, clippy::all, clippy::pedantic)])
}
