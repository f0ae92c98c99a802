//! The demo service `greeter`: typed methods of a Rust trait.

use serde::{Deserialize, Serialize};
use tchannel_rt::schemars::{self, JsonSchema};

/// Says hello: a demonstration.
#[tchannel_rt::service]
pub(super) trait Greeter {
    /// A greeting for `name`.
    #[method(idempotent)]
    async fn hello(&self, name: String) -> Result<String, Refusal>;
}

/// Why there is no greeting.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) enum Refusal {
    /// Nobody was named.
    NoName,
}

/// Greets everybody.
#[derive(Debug)]
pub(super) struct Polite;

impl Greeter for Polite {
    async fn hello(&self, name: String) -> Result<String, Refusal> {
        match name.trim() {
            "" => Err(Refusal::NoName),
            name => Ok(format!("Hello, {name}!")),
        }
    }
}
