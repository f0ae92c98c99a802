//! Attributes that say nothing, or too much.

use tchannel_macros::service;

#[service]
trait Methods {
    #[method(retry)]
    async fn unknown(&self);
    #[method(ttl = "200")]
    async fn unit(&self);
    #[method(ttl = "0s")]
    async fn nothing(&self);
    #[method(ttl = 200)]
    async fn number(&self);
    #[method(idempotent, idempotent)]
    async fn twice(&self);
    #[method(name = "")]
    async fn empty(&self);
    #[method(name = "Meta::health")]
    async fn taken(&self);
    #[method(idempotent)]
    fn stream(&self) -> impl Stream<Item = u8>;
}

#[service(xml)]
trait Unknown {}

#[service(json, msgpack)]
trait Both {}

#[service(name)]
trait Nameless {}

fn main() {}
