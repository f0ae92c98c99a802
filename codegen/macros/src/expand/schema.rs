//! The schema of the trait, made when somebody asks for it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::{Emitter, answer};
use crate::input::{Answer, Failure, Method, Parameter, Scheme, plain};

impl Emitter<'_> {
    /// The function that makes it.
    pub(super) fn describe(&self) -> TokenStream {
        let Self { rt, service, .. } = self;
        let name = plain(&service.name);
        let scheme = match service.options.scheme {
            Scheme::Msgpack => "msgpack",
            Scheme::Json => "json",
        };
        let docs = option(service.docs.as_deref());
        let methods = service.methods.iter().map(|method| self.schema(method));
        quote! {
            fn describe() -> #rt::Value {
                #[allow(unused_imports)]
                use #rt::{NoSchema as _, Schema as _};
                #rt::Description::new(#name, #scheme, #docs)
                    #(#methods)*
                    .finish()
            }
        }
    }

    fn schema(&self, method: &Method) -> TokenStream {
        let name = &method.wire_name;
        let docs = option(method.docs.as_deref());
        let idempotent = method.idempotent.then(|| quote!(.idempotent()));
        let ttl = method.ttl.map(|ttl| {
            let ttl = super::duration(ttl);
            quote!(.ttl(#ttl))
        });
        let request = match method.request_stream() {
            Some(item) => {
                let schema = self.schema_of(item);
                quote!(.request_stream(#schema))
            }
            None => {
                let parameters = method.parameters.iter().map(|one| self.parameter(one));
                quote!(.request() #(#parameters)*)
            }
        };
        let schema = self.schema_of(answer(method));
        let response = match &method.returned.answer {
            Answer::Value(_) => quote!(.response(#schema)),
            Answer::Stream(_) => quote!(.response_stream(#schema)),
        };
        let error = match &method.returned.failure {
            Failure::Own(error) | Failure::Any(Some(error)) => {
                let schema = self.schema_of(error);
                Some(quote!(.error(#schema)))
            }
            Failure::Never | Failure::Any(None) => None,
        };
        quote!(.method(#name, #docs) #idempotent #ttl #request #response #error)
    }

    fn parameter(&self, parameter: &Parameter) -> TokenStream {
        let Parameter {
            wire_name,
            ty,
            docs,
            ..
        } = parameter;
        let (docs, schema) = (option(docs.as_deref()), self.schema_of(ty));
        quote_spanned!(ty.span()=> .parameter::<#ty>(#wire_name, #docs, #schema))
    }

    /// A function that gives the schema of `ty`, or that of anything if it has none.
    fn schema_of(&self, ty: &Type) -> TokenStream {
        let rt = &self.rt;
        quote_spanned!(ty.span()=> |schemas| (&#rt::SchemaOf::<#ty>::NEW).schema(schemas))
    }
}

fn option(text: Option<&str>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}
