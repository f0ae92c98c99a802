//! How an implementation of the trait becomes a service.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{Emitter, kind};
use crate::input::{Answer, Failure, Method, plain};

impl Emitter<'_> {
    /// The body of `into_service`.
    pub(super) fn registrations(&self) -> TokenStream {
        let rt = &self.rt;
        let name = plain(&self.service.name);
        let describe = self.describe();
        let methods = self
            .methods()
            .map(|(number, method)| self.registration(&number, method));
        quote! {
            #describe
            let schema = #rt::TraitSchema { name: #name, describe };
            #rt::TypedService::new(#name, schema, self)
                #(#methods)*
                .finish()
        }
    }

    fn registration(&self, number: &Literal, method: &Method) -> TokenStream {
        let Self { rt, client, .. } = self;
        let name = &method.name;
        let span = name.span();
        // Not names that a parameter can have, whatever it is called.
        let it = Ident::new("it", Span::mixed_site().located_at(span));
        let out = Ident::new("out", Span::mixed_site().located_at(span));
        let names = || method.parameters.iter().map(|one| &one.name);
        let (own, given) = (names(), names());
        let arguments = match method.request_stream() {
            Some(_) => quote!(#(#own)*),
            None => quote!(#rt::Arguments((#(#own,)*)): #rt::Arguments<#client, #number>),
        };
        let mut call = quote_spanned!(span=> #it.#name(#(#given),*));
        if method.is_async {
            call = quote_spanned!(span=> #call.await);
        }
        let outcome = match &method.returned.failure {
            Failure::Never => quote_spanned!(span=> ::core::result::Result::Ok(#call)),
            Failure::Own(_) => quote_spanned!(span=> #call.map_err(#rt::MethodError::Exception)),
            Failure::Any(_) => call,
        };
        let (arguments, outcome) = match &method.returned.answer {
            Answer::Value(_) => (arguments, outcome),
            Answer::Stream(item) => (
                quote!(#arguments, #out: #rt::StreamAnswer<#item, _>),
                quote_spanned!(span=> #out.send(#outcome).await),
            ),
        };
        let (kind, format, wire_name) = (kind(method), self.format(method), &method.wire_name);
        quote! {
            .#kind(#wire_name, #format, |#it, #arguments| async move { #outcome })
        }
    }
}
