//! What is not done is in no file: it is an issue, or it is done.

use crate::Complaints;
use crate::tree::SourceFile;

/// Complains about the marks people leave in a file for later.
pub fn check(files: &[SourceFile]) -> Complaints {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| !crate::locks::is_lock(file)) {
        for (number, line) in (1..).zip(file.text.lines()) {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let mut words = line.split(|c| !is_word(c));
            if let Some(mark) = words.find(|word| MARKS.iter().any(|mark| mark.concat() == *word)) {
                complaints.push(format!(
                    "{}:{number} is marked {mark}: do it, or say what holds today and why",
                    file.path
                ));
            }
        }
    }
    complaints
}

// In two halves, so that this file is not marked itself.
const MARKS: [[&str; 2]; 3] = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]];

#[cfg(test)]
mod tests {
    use super::{MARKS, check};
    use crate::tree::SourceFile;

    #[test]
    fn every_mark_is_found() {
        for mark in MARKS {
            let text = format!("//! A file.\n// {}: more\n", mark.concat());
            let complaints = check(&[SourceFile::new("src/a.rs", &text)]);
            assert_eq!(complaints.len(), 1, "{complaints:?}");
        }
    }

    #[test]
    fn a_longer_word_is_no_mark() {
        let text = format!(
            "//! {}S_MAX of a {}RE\n",
            MARKS[0].concat(),
            MARKS[1].concat()
        );
        assert_eq!(
            check(&[SourceFile::new("src/a.rs", &text)]),
            Vec::<String>::new()
        );
    }
}
