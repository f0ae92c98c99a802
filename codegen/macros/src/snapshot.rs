//! What becomes of a trait, laid out to be read: `tests/data/greeter.rs`.
//!
//! With `UPDATE_SNAPSHOTS=1` in the environment it is written instead of compared.

use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;

const TRAIT: &str = r#"
/// Greets people.
pub trait Greeter {
    /// Says hello.
    #[method(idempotent, ttl = "200ms")]
    async fn hello(&self, name: String, title: Option<String>) -> Result<String, Refusal>;
    async fn count(&self) -> u64;
    fn words(&self, text: String) -> impl Stream<Item = String>;
    async fn gather(&self, people: Streaming<Person>) -> Result<u32, MethodError>;
}
"#;

fn expanded(item: &str) -> String {
    let item: TokenStream = item.parse().expect("the trait is Rust");
    let tokens = super::service_of(TokenStream::new(), item).expect("the trait is a service");
    let file = syn::parse2(tokens).expect("the expansion is Rust");
    prettyplease::unparse(&file)
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test compares files, the macro does not"
)]
fn a_trait_becomes_what_was_agreed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/greeter.rs");
    let head = "//! What becomes of the trait in `src/snapshot.rs`, laid out to be read.\n\n";
    let text = head.to_owned() + &expanded(TRAIT);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &text).expect("the snapshot can be written");
    }
    let expected = fs::read_to_string(&path).expect("there is a snapshot");
    assert!(
        text == expected,
        "UPDATE_SNAPSHOTS=1 writes this instead:\n{text}"
    );
}

#[test]
fn a_method_takes_fewer_than_60_lines() {
    let with = |methods: &str| expanded(&format!("trait S {{ async fn a(&self); {methods} }}"));
    let lines = |text: &str| text.lines().filter(|line| !line.is_empty()).count();
    let method = "/** Gets it. */ async fn get(&self, key: String) -> Result<String, Failed>;";
    let more = lines(&with(method)) - lines(&with(""));
    assert!(more < 60, "{more} lines");
}
