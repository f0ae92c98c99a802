//! The same over json.

use futures::Stream;

use super::greeter::{Person, Refusal};

/// Greets in JSON.
#[allow(missing_docs)]
#[tchannel_rt::service(json, name = "greetings")]
pub trait JsonGreeter {
    async fn hello(&self, person: Person) -> Result<String, Refusal>;
    async fn count(&self) -> u64;
    fn words(&self, text: String) -> impl Stream<Item = String>;
}
