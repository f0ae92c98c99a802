//! What users write rarely, and must compile all the same.

use std::fmt::Debug;

use futures::Stream;

/// Private, and all of it unused.
#[tchannel_rt::service]
trait Unused {
    async fn nothing(&self) -> Result<(), String>;
}

/// Names that generated code could have had other plans for, bounds, and a method that is there already.
#[tchannel_rt::service]
pub(crate) trait Odd: Debug + Clone {
    async fn r#type(&self, it: u8, r#match: u8, out: u8, args: u8, schemas: u8, client: u8) -> u8;
    async fn call(&self, channel: String, service: String);
    async fn describe(&self, rt: bool) -> bool;
    async fn it(&self) -> ::std::vec::Vec<::core::option::Option<[u8; 4]>>;
    /// Written in full.
    async fn qualified(
        &self,
        text: ::std::string::String,
    ) -> ::core::result::Result<u8, ::std::string::String>;
    async fn tuple(&self, pair: (u8, String), unit: ()) -> (u8, String);

    #[deprecated]
    async fn old(&self, a: u8, b: u8) -> u8 {
        self.qualified(format!("{a} {b}")).await.unwrap_or_default()
    }

    fn numbers(&self, up_to: u8) -> impl Stream<Item = u8> {
        futures::stream::iter(0..up_to)
    }

    #[allow(clippy::too_many_arguments, clippy::many_single_char_names)]
    async fn many(
        &self,
        a: u8,
        b: u8,
        c: u8,
        d: u8,
        e: u8,
        f: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
        o: u8,
        p: u8,
    ) -> u8;
}

/// Nothing to call.
#[tchannel_rt::service]
pub trait Empty {}

/// Within a function, with types of its own.
#[must_use]
pub fn local() -> usize {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Local(u8);

    #[tchannel_rt::service]
    trait Inner {
        async fn local(&self, it: Local) -> Local;
    }

    struct It;

    impl Inner for It {
        async fn local(&self, it: Local) -> Local {
            it
        }
    }

    format!("{:?}", It.into_service()).len()
}
