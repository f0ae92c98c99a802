//! A test that does not run says why.

use crate::Complaints;
use crate::tree::SourceFile;

/// Complains about tests switched off without a reason.
pub fn check(files: &[SourceFile]) -> Complaints {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for (number, line) in (1..).zip(file.text.lines()) {
            if is_switched_off_in_silence(line.trim()) {
                complaints.push(format!(
                    "{}:{number} switches a test off without a reason: write \
                     `#[ignore = \"what it needs\"]`, or assert what holds today",
                    file.path
                ));
            }
        }
    }
    complaints
}

fn is_switched_off_in_silence(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("#[ignore") else {
        return false;
    };
    !rest.contains('"') || rest.contains("\"\"")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tree::SourceFile;

    #[track_caller]
    fn complaints(attribute: &str) -> usize {
        let text = format!("//! Tests.\n\n#[test]\n    {attribute}\nfn a() {{}}\n");
        check(&[SourceFile::new("tests/it/calls.rs", &text)]).len()
    }

    #[test]
    fn a_reason_is_enough() {
        assert_eq!(complaints("#[ignore = \"needs a Go peer\"]"), 0);
    }

    #[test]
    fn silence_is_refused() {
        assert_eq!(complaints("#[ignore]"), 1);
        assert_eq!(complaints("#[ignore = \"\"]"), 1);
    }
}
