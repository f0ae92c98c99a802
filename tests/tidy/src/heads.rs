//! A Rust file opens by saying what it is.

use crate::Complaints;
use crate::tree::SourceFile;

/// Complains about Rust files whose first line is not `//!` and a few words.
pub fn check(files: &[SourceFile]) -> Complaints {
    files
        .iter()
        .filter(|file| file.is_rust() && !opens_with_words(&file.text))
        .map(|file| {
            format!(
                "{} does not open by saying what it is: begin its first line with `//!` and a sentence",
                file.path
            )
        })
        .collect()
}

fn opens_with_words(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first
        .strip_prefix("//!")
        .is_some_and(|words| words.contains(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tree::SourceFile;

    #[test]
    fn a_file_that_says_what_it_is_passes() {
        let file = SourceFile::new("src/ttl.rs", "//! Time left.\n\nuse std::time::Duration;\n");
        assert_eq!(check(&[file]), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_starts_with_code_or_with_nothing_to_say_is_refused() {
        for text in ["use std::time::Duration;\n", "//!\n", "// Time left.\n", ""] {
            assert_eq!(check(&[SourceFile::new("src/ttl.rs", text)]).len(), 1);
        }
    }

    #[test]
    fn only_rust_is_asked() {
        assert_eq!(
            check(&[SourceFile::new("peers/server.go", "package main\n")]),
            Vec::<String>::new()
        );
    }
}
