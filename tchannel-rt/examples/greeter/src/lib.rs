//! The interface, which servers and callers share, and a server.

use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tchannel_rt::schemars::JsonSchema;
use tchannel_rt::{StreamError, Streaming};

/// Why somebody is not greeted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "tchannel_rt::schemars")]
pub enum Refusal {
    /// Without a name there is nothing to say.
    Nameless,
    /// The language is not spoken here.
    Foreign {
        /// The language.
        language: String,
    },
}

/// Greets people.
#[tchannel_rt::service]
pub trait Greeter {
    /// Says hello.
    #[method(idempotent, ttl = "500ms")]
    async fn hello(
        &self,
        /// Whom to greet.
        name: String,
        /// English unless it is said.
        language: Option<String>,
    ) -> Result<String, Refusal>;

    /// Says hello to everybody who comes.
    fn welcome(&self, names: Streaming<String>) -> impl Stream<Item = Result<String, StreamError>>;
}

/// Greets in English and in German.
#[derive(Clone, Debug)]
pub struct Polite;

impl Greeter for Polite {
    async fn hello(&self, name: String, language: Option<String>) -> Result<String, Refusal> {
        if name.is_empty() {
            return Err(Refusal::Nameless);
        }
        match language.as_deref() {
            None | Some("English") => Ok(format!("Hello, {name}!")),
            Some("German") => Ok(format!("Hallo, {name}!")),
            Some(other) => Err(Refusal::Foreign {
                language: other.to_owned(),
            }),
        }
    }

    fn welcome(&self, names: Streaming<String>) -> impl Stream<Item = Result<String, StreamError>> {
        names.map(|name| Ok(format!("Welcome, {}!", name?)))
    }
}
