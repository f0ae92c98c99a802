//! Parameters and results that can not travel.

use tchannel_macros::service;

#[service]
trait Types {
    async fn borrowed(&self, name: &str);
    async fn deep(&self, names: Vec<Option<&'static [u8]>>);
    async fn lifetime(&self, name: Cow<'a, str>);
    async fn unnamed(&self, name: impl Into<String>, other: Box<dyn Any>);
    async fn own(&self, other: Self);
    async fn pattern(&self, (a, b): (u8, u8), _: u8, mut c: u8);
    async fn attribute(&self, #[serde(default)] name: String);
    async fn result(&self) -> &str;
    async fn error(&self) -> Result<String, &'static str>;
    async fn alias(&self) -> io::Result<String>;
    async fn items(&self) -> impl Stream;
    async fn incoming(&self) -> Streaming<u8>;
    async fn mixed(&self, name: String, parts: Streaming<u8>);
    async fn many(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8, m: u8, n: u8, o: u8, p: u8, q: u8);
}

fn main() {}
