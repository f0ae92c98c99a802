//! What becomes of the trait in `src/snapshot.rs`, laid out to be read.

/// Greets people.
pub trait Greeter: ::core::marker::Send + ::core::marker::Sync + 'static {
    /// Says hello.
    fn hello(
        &self,
        name: String,
        title: Option<String>,
    ) -> impl ::core::future::Future<
        Output = Result<String, Refusal>,
    > + ::core::marker::Send;
    fn count(&self) -> impl ::core::future::Future<Output = u64> + ::core::marker::Send;
    fn words(&self, text: String) -> impl Stream<Item = String> + ::core::marker::Send;
    fn gather(
        &self,
        people: Streaming<Person>,
    ) -> impl ::core::future::Future<
        Output = Result<u32, MethodError>,
    > + ::core::marker::Send;
    /// Makes the service that `Service::serve` of a channel takes.
    #[allow(dead_code, deprecated, clippy::all, clippy::pedantic)]
    fn into_service(self) -> ::tchannel_rt::from_trait::TypedService
    where
        Self: ::core::marker::Sized,
    {
        fn describe() -> ::tchannel_rt::from_trait::Value {
            #[allow(unused_imports)]
            use ::tchannel_rt::from_trait::{NoSchema as _, Schema as _};
            ::tchannel_rt::from_trait::Description::new(
                    "Greeter",
                    "msgpack",
                    ::core::option::Option::Some("Greets people."),
                )
                .method("hello", ::core::option::Option::Some("Says hello."))
                .idempotent()
                .ttl(::core::time::Duration::from_millis(200))
                .request()
                .parameter::<
                    String,
                >(
                    "name",
                    ::core::option::Option::None,
                    |schemas| {
                        (&::tchannel_rt::from_trait::SchemaOf::<String>::NEW)
                            .schema(schemas)
                    },
                )
                .parameter::<
                    Option<String>,
                >(
                    "title",
                    ::core::option::Option::None,
                    |schemas| {
                        (&::tchannel_rt::from_trait::SchemaOf::<Option<String>>::NEW)
                            .schema(schemas)
                    },
                )
                .response(|schemas| {
                    (&::tchannel_rt::from_trait::SchemaOf::<String>::NEW).schema(schemas)
                })
                .error(|schemas| {
                    (&::tchannel_rt::from_trait::SchemaOf::<Refusal>::NEW)
                        .schema(schemas)
                })
                .method("count", ::core::option::Option::None)
                .request()
                .response(|schemas| {
                    (&::tchannel_rt::from_trait::SchemaOf::<u64>::NEW).schema(schemas)
                })
                .method("words", ::core::option::Option::None)
                .request()
                .parameter::<
                    String,
                >(
                    "text",
                    ::core::option::Option::None,
                    |schemas| {
                        (&::tchannel_rt::from_trait::SchemaOf::<String>::NEW)
                            .schema(schemas)
                    },
                )
                .response_stream(|schemas| {
                    (&::tchannel_rt::from_trait::SchemaOf::<String>::NEW).schema(schemas)
                })
                .method("gather", ::core::option::Option::None)
                .request_stream(|schemas| {
                    (&::tchannel_rt::from_trait::SchemaOf::<Person>::NEW).schema(schemas)
                })
                .response(|schemas| {
                    (&::tchannel_rt::from_trait::SchemaOf::<u32>::NEW).schema(schemas)
                })
                .finish()
        }
        let schema = ::tchannel_rt::from_trait::TraitSchema {
            name: "Greeter",
            describe,
        };
        ::tchannel_rt::from_trait::TypedService::new("Greeter", schema, self)
            .unary(
                "hello",
                ::tchannel_rt::from_trait::Format::msgpack_throwing(),
                |
                    it,
                    ::tchannel_rt::from_trait::Arguments(
                        (name, title),
                    ): ::tchannel_rt::from_trait::Arguments<GreeterClient, 0>|
                async move {
                    it.hello(name, title)
                        .await
                        .map_err(::tchannel_rt::from_trait::MethodError::Exception)
                },
            )
            .unary(
                "count",
                ::tchannel_rt::from_trait::Format::msgpack(),
                |
                    it,
                    ::tchannel_rt::from_trait::Arguments(
                        (),
                    ): ::tchannel_rt::from_trait::Arguments<GreeterClient, 1>|
                async move { ::core::result::Result::Ok(it.count().await) },
            )
            .response_stream(
                "words",
                ::tchannel_rt::from_trait::Format::msgpack(),
                |
                    it,
                    ::tchannel_rt::from_trait::Arguments(
                        (text,),
                    ): ::tchannel_rt::from_trait::Arguments<GreeterClient, 2>,
                    out: ::tchannel_rt::from_trait::StreamAnswer<String, _>|
                async move { out.send(::core::result::Result::Ok(it.words(text))).await },
            )
            .request_stream(
                "gather",
                ::tchannel_rt::from_trait::Format::msgpack(),
                |it, people| async move { it.gather(people).await },
            )
            .finish()
    }
}
/// Calls the methods of [`Greeter`].
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
#[allow(dead_code, deprecated, clippy::all, clippy::pedantic)]
pub struct GreeterClient(::tchannel_rt::from_trait::Client);
#[allow(dead_code, deprecated, clippy::all, clippy::pedantic)]
impl GreeterClient {
    /// Calls the instances of `greeter` that `channel` knows or its routers find.
    pub fn new(channel: &::tchannel_rt::from_trait::Channel) -> Self {
        Self::named(channel, "greeter")
    }
    /// Calls a service of another name.
    pub fn named(
        channel: &::tchannel_rt::from_trait::Channel,
        service: impl ::core::convert::Into<::std::string::String>,
    ) -> Self {
        Self::with(::tchannel_rt::from_trait::Client::new(channel, service))
    }
    /// Calls as `client` says.
    pub fn with(client: ::tchannel_rt::from_trait::Client) -> Self {
        Self(client)
    }
    /// Says hello.
    pub fn hello(
        &self,
        name: impl ::core::convert::Into<String>,
        title: Option<String>,
    ) -> ::tchannel_rt::from_trait::MethodCall<'_, String, Refusal> {
        self.0
            .unary(
                "hello",
                ::tchannel_rt::from_trait::Format::msgpack_throwing(),
                &::tchannel_rt::from_trait::Arguments::<
                    Self,
                    0,
                >((::core::convert::Into::into(name), title)),
            )
            .or_ttl(::core::time::Duration::from_millis(200))
            .idempotent()
    }
    /// Calls `count`.
    pub fn count(&self) -> ::tchannel_rt::from_trait::MethodCall<'_, u64> {
        self.0
            .unary(
                "count",
                ::tchannel_rt::from_trait::Format::msgpack(),
                &::tchannel_rt::from_trait::Arguments::<Self, 1>(()),
            )
    }
    /// Calls `words`.
    pub fn words(
        &self,
        text: impl ::core::convert::Into<String>,
    ) -> ::tchannel_rt::from_trait::StreamCall<
        '_,
        ::tchannel_rt::from_trait::Streaming<String>,
    > {
        self.0
            .response_stream(
                "words",
                ::tchannel_rt::from_trait::Format::msgpack(),
                &::tchannel_rt::from_trait::Arguments::<
                    Self,
                    2,
                >((::core::convert::Into::into(text),)),
            )
    }
    /// Calls `gather`.
    pub fn gather(
        &self,
        people: impl ::tchannel_rt::from_trait::Stream<
            Item: ::tchannel_rt::from_trait::StreamItem<Person>,
        > + ::core::marker::Send + 'static,
    ) -> ::tchannel_rt::from_trait::StreamCall<'_, u32> {
        self.0
            .request_stream(
                "gather",
                ::tchannel_rt::from_trait::Format::msgpack(),
                people,
            )
    }
}
#[doc(hidden)]
impl ::tchannel_rt::from_trait::Parameters<0> for GreeterClient {
    type Values = (String, Option<String>);
    const NAMES: &'static [&'static str] = &["name", "title"];
}
#[doc(hidden)]
impl ::tchannel_rt::from_trait::Parameters<1> for GreeterClient {
    type Values = ();
    const NAMES: &'static [&'static str] = &[];
}
#[doc(hidden)]
impl ::tchannel_rt::from_trait::Parameters<2> for GreeterClient {
    type Values = (String,);
    const NAMES: &'static [&'static str] = &["text"];
}
const _: () = {
    use ::tchannel_rt::from_trait::NoResult as _;
    ::core::assert!(
        ! ::tchannel_rt::from_trait::IsResult:: < u64 > ::YES,
        "`count` returns a `Result` under another name: write `Result<_, _>`, so that its error is one on the wire"
    );
};
