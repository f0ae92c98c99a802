//! `#[tchannel_rt::service]`: from a Rust trait to a service and its client.
//!
//! ```text
//! tokens -> input::Service -> expand -> tokens
//! ```
//!
//! `input` is the trait as its author meant it, or a list of what is wrong with it, each where it stands;
//! `expand` writes the trait, the client and the schema, and relies on `input` alone. What comes out uses only
//! `tchannel_rt::from_trait`. Users find all this in the docs of `tchannel-rt`.

mod expand;
mod input;

use proc_macro2::TokenStream;

/// Makes a service of a trait, and a client of it.
///
/// ```ignore
/// #[tchannel_rt::service]
/// pub trait Greeter {
///     /// Says hello.
///     #[method(idempotent, ttl = "200ms")]
///     async fn hello(&self, name: String) -> Result<String, Refusal>;
/// }
///
/// tchannel_rt::serve("greeter", Me.into_service()).await?;
/// let greeting = GreeterClient::new(&channel).hello("Ada").await?;
/// ```
///
/// The trait stays as it is, to be implemented with `async fn`s; their futures are `Send`, and so are servers. It gains
/// `into_service`. A client `GreeterClient` stands beside it, with the same methods, which give a `MethodCall`: awaited
/// as it is, or told more first, such as `.ttl(..)`, `.idempotent()` and `.header(..)`.
///
/// # What travels
///
/// Parameters and results are owned values with serde's `Serialize` and `Deserialize`. Arguments travel by the names of
/// their parameters: one that is missing is `None` if it is an `Option`, unknown ones are skipped, so that either end may
/// be older than the other. Types with `schemars::JsonSchema` are described by it to whoever asks for the interface,
/// together with all doc comments, those of parameters included; others are described as anything.
///
/// | a method returns | callers get |
/// | --- | --- |
/// | `T`, or nothing | `Result<T, MethodError>` |
/// | `Result<T, E>` | `Result<T, MethodError<E>>`, where `E` is `MethodError::Exception` |
/// | `Result<T, MethodError<E>>` | the same; the server may answer with any system error |
/// | `impl Stream<Item = T>`, without `async` | `Result<Streaming<T>, MethodError>` |
/// | `Result<impl Stream<Item = T>, _>` | `Result<Streaming<T>, MethodError<_>>` |
///
/// Items of a stream may be `Result<T, StreamError>`: an error ends it. A method whose only parameter is a
/// `Streaming<T>` takes a stream; its client takes any `Stream`. Such calls are tried once.
///
/// # Options
///
/// | `#[service(..)]` | |
/// | --- | --- |
/// | `json`, `msgpack` | how values are encoded; default msgpack |
/// | `name = "greetings"` | the service that `GreeterClient::new` calls; default the name of the trait in snake case |
/// | `crate = "path"` | where `tchannel_rt` is, if not under its own name |
///
/// | `#[method(..)]` | |
/// | --- | --- |
/// | `idempotent` | clients try again after failures that leave open whether it ran |
/// | `ttl = "200ms"` | how long clients wait, unless they or their calls say otherwise; also `"2s"` |
/// | `name = "hello"` | its name on the wire; default its own |
#[proc_macro_attribute]
pub fn service(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let expanded = service_of(options.into(), item.into());
    expanded
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

fn service_of(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let options = syn::parse2(options)?;
    let service = input::Service::new(options, item)?;
    Ok(expand::service(&service))
}

#[cfg(test)]
mod snapshot;
