//! The names under which arguments travel.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::Emitter;
use crate::input::{Answer, Failure, Method};

impl Emitter<'_> {
    pub(super) fn arguments(&self) -> TokenStream {
        let named = self
            .methods()
            .filter(|(_, it)| it.request_stream().is_none());
        let parameters = named.map(|(number, method)| self.parameters(&number, method));
        let checks = self
            .service
            .methods
            .iter()
            .map(|method| self.is_no_result(method));
        quote!(#(#parameters)* #(#checks)*)
    }

    fn parameters(&self, number: &Literal, method: &Method) -> TokenStream {
        let Self { rt, client, .. } = self;
        let names = method.parameters.iter().map(|one| &one.wire_name);
        let types = method.parameters.iter().map(|one| &one.ty);
        quote! {
            #[doc(hidden)]
            impl #rt::Parameters<#number> for #client {
                type Values = (#(#types,)*);
                const NAMES: &'static [&'static str] = &[#(#names),*];
            }
        }
    }

    /// A `Result` under another name would travel as a value.
    fn is_no_result(&self, method: &Method) -> Option<TokenStream> {
        let (Failure::Never, Answer::Value(ty)) =
            (&method.returned.failure, &method.returned.answer)
        else {
            return None;
        };
        let rt = &self.rt;
        let text = format!(
            "`{}` returns a `Result` under another name: write `Result<_, _>`, so that its error is one on the wire",
            method.name
        );
        Some(quote_spanned! {ty.span()=>
            const _: () = {
                use #rt::NoResult as _;
                ::core::assert!(!#rt::IsResult::<#ty>::YES, #text);
            };
        })
    }
}
