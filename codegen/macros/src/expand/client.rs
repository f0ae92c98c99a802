//! The client: a method for each of the trait's.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{Emitter, answer, kind};
use crate::input::{Answer, Failure, Method, Parameter, is_into};

impl Emitter<'_> {
    pub(super) fn client(&self) -> TokenStream {
        let Self {
            rt,
            client,
            service,
        } = self;
        let visibility = &service.visibility;
        let default_name = service.default_name();
        let docs = format!(" Calls the methods of [`{}`].", service.name);
        let docs_of_new = format!(
            " Calls the instances of `{default_name}` that `channel` knows or its routers find."
        );
        let methods = self
            .methods()
            .map(|(number, method)| self.client_method(&number, method));
        let allow = super::allow();
        quote! {
            #[doc = #docs]
            #[derive(::core::clone::Clone, ::core::fmt::Debug)]
            #allow
            #visibility struct #client(#rt::Client);

            #allow
            impl #client {
                #[doc = #docs_of_new]
                #visibility fn new(channel: &#rt::Channel) -> Self {
                    Self::named(channel, #default_name)
                }

                /// Calls a service of another name.
                #visibility fn named(
                    channel: &#rt::Channel,
                    service: impl ::core::convert::Into<::std::string::String>,
                ) -> Self {
                    Self::with(#rt::Client::new(channel, service))
                }

                /// Calls as `client` says.
                #visibility fn with(client: #rt::Client) -> Self {
                    Self(client)
                }

                #(#methods)*
            }
        }
    }

    fn client_method(&self, number: &Literal, method: &Method) -> TokenStream {
        let rt = &self.rt;
        let Method {
            client_attributes,
            name,
            parameters,
            ..
        } = method;
        let visibility = &self.service.visibility;
        let docs = method.docs.is_none().then(|| {
            let text = format!(" Calls `{}`.", method.wire_name);
            quote!(#[doc = #text])
        });
        let types = parameters.iter().map(|one| self.client_parameter(one));
        let (wire_name, format) = (&method.wire_name, self.format(method));
        let request = match method.request_stream() {
            Some(_) => {
                let name = &parameters[0].name;
                quote!(#name)
            }
            None => {
                let values = parameters.iter().map(value);
                quote!(&#rt::Arguments::<Self, #number>((#(#values,)*)))
            }
        };
        let ttl = method.ttl.map(|ttl| {
            let ttl = super::duration(ttl);
            quote!(.or_ttl(#ttl))
        });
        let idempotent = method.idempotent.then(|| quote!(.idempotent()));
        let (kind, call) = (kind(method), self.call(method));
        quote! {
            #docs
            #(#client_attributes)*
            #visibility fn #name(&self, #(#types),*) -> #call {
                self.0.#kind(#wire_name, #format, #request) #ttl #idempotent
            }
        }
    }

    /// The type of a call about to be made.
    fn call(&self, method: &Method) -> TokenStream {
        let rt = &self.rt;
        let response = answer(method);
        let error = match &method.returned.failure {
            Failure::Own(error) | Failure::Any(Some(error)) => Some(quote!(, #error)),
            Failure::Never | Failure::Any(None) => None,
        };
        match (&method.returned.answer, method.request_stream()) {
            (Answer::Stream(_), _) => {
                quote!(#rt::StreamCall<'_, #rt::Streaming<#response> #error>)
            }
            (Answer::Value(_), Some(_)) => quote!(#rt::StreamCall<'_, #response #error>),
            (Answer::Value(_), None) => quote!(#rt::MethodCall<'_, #response #error>),
        }
    }

    fn client_parameter(
        &self,
        Parameter {
            name, ty, stream, ..
        }: &Parameter,
    ) -> TokenStream {
        let rt = &self.rt;
        match stream {
            Some(item) => quote! {
                #name: impl #rt::Stream<Item: #rt::StreamItem<#item>> + ::core::marker::Send + 'static
            },
            None if is_into(ty) => quote!(#name: impl ::core::convert::Into<#ty>),
            None => quote!(#name: #ty),
        }
    }
}

fn value(Parameter { name, ty, .. }: &Parameter) -> TokenStream {
    if is_into(ty) {
        quote!(::core::convert::Into::into(#name))
    } else {
        quote!(#name)
    }
}
