//! The service that most tests call.

use std::collections::BTreeMap;

use futures::Stream;
use serde::{Deserialize, Serialize};
use tchannel_rt::schemars::JsonSchema;
use tchannel_rt::{MethodError, StreamError, Streaming};

/// Somebody to greet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "tchannel_rt::schemars")]
pub struct Person {
    /// As on the door.
    pub name: String,
    /// If any.
    #[serde(default)]
    pub title: Option<String>,
}

/// Why nobody was greeted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "tchannel_rt::schemars")]
pub enum Refusal {
    /// There is nobody of this name.
    Unknown {
        /// The name.
        name: String,
    },
    /// It is late.
    Asleep,
}

/// It has no schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opaque(pub u32);

/// Greets people.
///
/// In whatever language.
#[tchannel_rt::service]
pub trait Greeter {
    /// Says hello.
    #[method(idempotent, ttl = "600s")]
    async fn hello(
        &self,
        /// To whom.
        name: String,
    ) -> Result<String, Refusal>;

    /// Meets somebody.
    async fn meet(
        &self,
        person: Person,
        times: Option<u32>,
    ) -> Result<Person, MethodError<Refusal>>;

    /// How many were greeted so far.
    async fn count(&self) -> u64;

    /// Forgets everybody.
    async fn forget(&self);

    /// Fails in a way of the caller's choice.
    #[method(name = "fail.for-sure")]
    async fn fail(&self, how: String) -> Result<(), MethodError>;

    /// Takes and gives what has no schema.
    async fn opaque(&self, it: Opaque, names: BTreeMap<String, Vec<Person>>) -> Opaque;

    /// What is said, one word at a time.
    fn words(&self, text: String) -> impl Stream<Item = String>;

    /// The letters of a word.
    async fn letters(
        &self,
        word: String,
    ) -> Result<impl Stream<Item = Result<char, StreamError>>, Refusal>;

    /// Counts people.
    #[method(ttl = "3s")]
    async fn gather(&self, people: Streaming<Person>) -> Result<u32, MethodError<Refusal>>;

    /// Says each word again.
    fn echo(
        &self,
        words: Streaming<String>,
    ) -> impl Stream<Item = Result<String, StreamError>> + Send;
}
