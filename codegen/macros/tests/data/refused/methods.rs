//! Methods that can not be called from elsewhere. All are told in one run.

use tchannel_macros::service;

#[service]
trait Methods {
    fn blocking(&self) -> String;
    fn by_hand(&self) -> impl Future<Output = String>;
    fn of_result(&self) -> Result<impl Stream<Item = u8>, Refusal>;
    async fn exclusive(&mut self);
    async fn consuming(self);
    async fn shared(self: Arc<Self>);
    async fn nobody(name: String);
    async fn generic<T>(&self, value: T);
    async fn bounded(&self) where Self: Sized;
    async unsafe fn dangerous(&self);
    async fn new(&self);
    async fn into_service(&self);
    #[cfg(unix)]
    async fn sometimes(&self);
    async fn hello(&self, name: String);
    #[method(name = "hello")]
    async fn greet(&self, name: String);
}

fn main() {}
