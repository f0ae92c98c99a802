//! The items of a trait, each by itself.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Token, token};

use super::complaints::complain;
use super::method::Method;

/// Cuts the body of a trait after each `;` and `}`.
pub(super) fn split(body: TokenStream) -> Vec<TokenStream> {
    let mut items = Vec::new();
    let mut item = TokenStream::new();
    for token in body {
        let is_end = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        item.extend([token]);
        if is_end {
            items.push(std::mem::take(&mut item));
        }
    }
    if !item.is_empty() {
        items.push(item);
    }
    items
}

/// A method; services have nothing else.
pub(super) fn method(item: TokenStream) -> syn::Result<Method> {
    let parse = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        if input.peek(Token![type]) {
            let text = "a service has no associated types: its callers know one interface, so name the type where \
                        it is used";
            return Err(complain(input.parse::<TokenStream>()?, text));
        }
        let is_constant =
            input.peek(Token![const]) && !(input.peek2(Token![fn]) || input.peek2(Token![async]));
        if is_constant || input.peek2(Token![!]) || input.peek(token::Brace) {
            let text = "a service has methods only: move this out of the trait";
            return Err(complain(input.parse::<TokenStream>()?, text));
        }
        Method::parse(attributes, input)
    };
    parse.parse2(item)
}
