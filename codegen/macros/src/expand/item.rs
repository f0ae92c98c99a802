//! The trait: as it was written, with futures that are `Send`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type, TypeParamBound, parse_quote};

use super::Emitter;
use crate::input::{Method, Parameter, Service};

impl Emitter<'_> {
    pub(super) fn item(&self) -> TokenStream {
        let Service {
            attributes,
            visibility,
            name,
            supertraits,
            methods,
            ..
        } = self.service;
        let rt = &self.rt;
        let supertraits = supertraits.iter();
        let methods = methods.iter().map(signature);
        let body = self.registrations();
        let allow = super::allow();
        // Lints that complain about the trait point to it, as if it had not been written anew.
        let head = quote_spanned!(name.span()=> trait #name);
        quote! {
            #(#attributes)*
            #visibility #head: #(#supertraits +)* ::core::marker::Send + ::core::marker::Sync + 'static {
                #(#methods)*

                /// Makes the service that `Service::serve` of a channel takes.
                #allow
                fn into_service(self) -> #rt::TypedService
                where
                    Self: ::core::marker::Sized,
                {
                    #body
                }
            }
        }
    }
}

fn signature(method: &Method) -> TokenStream {
    let Method {
        attributes,
        name,
        is_async,
        parameters,
        returned,
        body,
        ..
    } = method;
    let parameters = parameters
        .iter()
        .map(|Parameter { name, ty, .. }| quote!(#name: #ty));
    let ty = sendable(&returned.ty);
    let (output, body) = if *is_async {
        let span = returned.ty.span();
        (
            quote_spanned!(span=> impl ::core::future::Future<Output = #ty> + ::core::marker::Send),
            body.as_ref().map(|body| quote!({ async move #body })),
        )
    } else {
        (quote!(#ty), body.clone())
    };
    let body = body.unwrap_or_else(|| quote!(;));
    let head = quote_spanned!(name.span()=> fn #name);
    quote! {
        #(#attributes)*
        #head(&self, #(#parameters),*) -> #output #body
    }
}

/// The type with `+ Send` on the streams in it, wherever their author left it out.
fn sendable(ty: &Type) -> Type {
    let mut ty = ty.clone();
    add_send(&mut ty);
    ty
}

fn add_send(ty: &mut Type) {
    match ty {
        Type::ImplTrait(stream) if !stream.bounds.iter().any(is_send) => {
            stream.bounds.push(parse_quote!(::core::marker::Send));
        }
        Type::Path(path) => {
            let Some(segment) = path.path.segments.last_mut() else {
                return;
            };
            if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments
                && let Some(GenericArgument::Type(first)) = arguments.args.first_mut()
            {
                add_send(first);
            }
        }
        _ => {}
    }
}

fn is_send(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else {
        return false;
    };
    bound
        .path
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "Send")
}
