//! No text makes the compiler panic, be it noise or Thrift that somebody has broken.

use std::io;
use std::path::Path;

use proptest::prelude::*;
use tchannel_codegen::Config;

const TORTURE: &str = include_str!("../data/torture.thrift");
const SHARED: &str = include_str!("../data/common/shared.thrift");

/// Compiles `text` beside a file that it may include; what matters is that it ends.
fn compile(text: &str) {
    let mut read = |path: &Path| match path.to_str() {
        Some("x.thrift") => Ok(text.to_owned()),
        Some("common/shared.thrift") => Ok(SHARED.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    if let Err(errors) = Config::new().generate(Path::new("x.thrift"), &mut read) {
        assert!(errors.count() > 0);
        assert!(!errors.to_string().is_empty());
    }
}

/// Some words of Thrift in any order.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "struct",
        "union",
        "enum",
        "service",
        "exception",
        "const",
        "typedef",
        "extends",
        "throws",
        "include",
        "namespace",
        "oneway",
        "void",
        "required",
        "optional",
        "list",
        "map",
        "set",
        "i32",
        "string",
        "A",
        "B",
        "a",
        "b",
        "A.b",
        "shared.Priority",
        "{",
        "}",
        "(",
        ")",
        "<",
        ">",
        "[",
        "]",
        ",",
        ";",
        ":",
        "=",
        "1",
        "2",
        "-3",
        "1.5",
        "\"common/shared.thrift\"",
        "'",
        "/*",
        "*/",
        "//",
        "/**",
        "\n",
        "&",
        "@",
        "é",
        "true",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn noise_is_complained_about(bytes: Vec<u8>) {
        compile(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_text_is_compiled_or_complained_about(text in ".{0,200}") {
        compile(&text);
    }

    #[test]
    fn words_in_any_order_are_compiled_or_complained_about(text in words()) {
        compile(&text);
    }

    #[test]
    fn a_file_with_a_piece_cut_out_is_compiled_or_complained_about(from in 0..TORTURE.len(), length in 0..80usize) {
        let from = TORTURE.floor_char_boundary(from);
        let to = TORTURE.floor_char_boundary((from + length).min(TORTURE.len())).max(from);
        compile(&[&TORTURE[..from], &TORTURE[to..]].concat());
    }

    #[test]
    fn a_file_with_words_put_in_is_compiled_or_complained_about(at in 0..TORTURE.len(), text in words()) {
        let at = TORTURE.floor_char_boundary(at);
        compile(&[&TORTURE[..at], &text, &TORTURE[at..]].concat());
    }
}

#[test]
fn nesting_without_end_is_complained_about() {
    compile(&format!(
        "struct A {{ 1: {}i32{} x }}",
        "list<".repeat(100_000),
        ">".repeat(100_000)
    ));
    compile(&format!("const list<i32> A = {}", "[".repeat(100_000)));
    compile(&"struct A {".repeat(10_000));
    compile(&"/*".repeat(100_000));
}

#[test]
fn constants_that_double_each_time_are_complained_about() {
    let lists = "list<".repeat(40) + "i32" + &">".repeat(40);
    let consts = (1..40).map(|i| format!("const {lists} C{i} = [C{0}, C{0}]\n", i - 1));
    compile(&format!(
        "const {lists} C0 = []\n{}",
        consts.collect::<String>()
    ));
}
