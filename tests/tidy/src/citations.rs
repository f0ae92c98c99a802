//! A `Source:` in the docs of Rust points to a heading that exists.
//!
//! ```text
//! Source: spec/protocol/call.md, "call req"; spec/protocol/deadlines.md, "ttl".
//! ```
//!
//! The path is from the root, the words in quotes are a heading of that page. Backquotes and capitals
//! do not matter.

use crate::Complaints;
use crate::tree::{SourceFile, find};

/// Complains about citations without page and section, and about those that lead nowhere.
pub fn check(files: &[SourceFile]) -> Complaints {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for paragraph in doc_paragraphs(&file.text) {
            for citation in paragraph.split("Source: ").skip(1) {
                complaints
                    .extend(follow(citation, files).map(|what| format!("{}: {what}", file.path)));
            }
        }
    }
    complaints
}

/// What is wrong with the citation that `text` begins with.
fn follow(text: &str, files: &[SourceFile]) -> Option<String> {
    let mut rest = text;
    loop {
        let Some((page, section, after)) = page_and_section(rest) else {
            return Some(format!(
                "`Source: {}` names no page and section: write `Source: spec/<page>.md, \"<heading>\"`",
                rest.chars().take(60).collect::<String>()
            ));
        };
        if let Some(what) = look_up(page, section, files) {
            return Some(what);
        }
        match after.strip_prefix("; ").or(after.strip_prefix(", and ")) {
            Some(next) if next.starts_with("spec/") => rest = next,
            _ => return None,
        }
    }
}

fn page_and_section(text: &str) -> Option<(&str, &str, &str)> {
    let (page, rest) = text.split_once(", \"")?;
    let (section, after) = rest.split_once('"')?;
    let is_page = page.starts_with("spec/") && page.ends_with(".md") && !page.contains(' ');
    is_page.then_some((page, section, after))
}

fn look_up(page: &str, section: &str, files: &[SourceFile]) -> Option<String> {
    let Some(file) = find(files, page) else {
        return Some(format!(
            "cites {page}, which does not exist: name the page that says it"
        ));
    };
    let found = headings(&file.text).any(|heading| heading == plain(section));
    (!found).then(|| {
        format!(
            "cites \"{section}\" of {page}, which has no such heading: cite one of its headings"
        )
    })
}

fn headings(text: &str) -> impl Iterator<Item = String> {
    let mut in_code = false;
    text.lines()
        .filter(move |line| {
            in_code ^= line.trim_start().starts_with("```");
            !in_code && line.starts_with('#')
        })
        .map(|line| plain(line.trim_start_matches('#')))
}

fn plain(heading: &str) -> String {
    heading.trim().replace('`', "").to_lowercase()
}

/// Runs of doc lines, each joined to one line, so that a citation may be wrapped.
fn doc_paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in text.lines() {
        let line = line.trim_start();
        let words = line.strip_prefix("///").or(line.strip_prefix("//!"));
        match words.map(str::trim).filter(|words| !words.is_empty()) {
            Some(words) => {
                let paragraph = paragraphs.last_mut().expect("starts with one");
                paragraph.push_str(words);
                paragraph.push(' ');
            }
            None => paragraphs.push(String::new()),
        }
    }
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tree::SourceFile;

    const PAGE: &str = "# Call\n\n## call req\n\n### `ttl:4`\n\n```text\n# not a heading\n```\n";

    fn complaints(doc: &str) -> Vec<String> {
        check(&[
            SourceFile::new("src/ttl.rs", doc),
            SourceFile::new("spec/protocol/call.md", PAGE),
        ])
    }

    #[track_caller]
    fn refused(doc: &str, with: &str) {
        let complaints = complaints(doc);
        assert!(
            complaints.len() == 1 && complaints[0].contains(with),
            "{complaints:?}"
        );
    }

    #[test]
    fn a_heading_that_exists_passes_even_when_the_line_is_wrapped() {
        let doc = "/// Time left. Source: spec/protocol/call.md,\n/// \"ttl:4\".\nstruct Ttl;\n";
        assert_eq!(complaints(doc), Vec::<String>::new());
    }

    #[test]
    fn each_of_several_citations_is_followed() {
        refused(
            "//! Source: spec/protocol/call.md, \"call req\"; spec/protocol/call.md, \"flags\".",
            "\"flags\"",
        );
    }

    #[test]
    fn a_page_that_does_not_exist_is_refused() {
        refused(
            "//! Source: spec/protocol/cell.md, \"ttl:4\".",
            "does not exist",
        );
    }

    #[test]
    fn a_heading_that_does_not_exist_is_refused() {
        refused(
            "//! Source: spec/protocol/call.md, \"tll:4\".",
            "no such heading",
        );
    }

    #[test]
    fn a_comment_in_an_example_of_the_page_is_no_heading() {
        refused(
            "//! Source: spec/protocol/call.md, \"not a heading\".",
            "no such heading",
        );
    }

    #[test]
    fn a_citation_without_a_section_is_refused() {
        refused(
            "//! Source: spec/protocol/call.md.",
            "names no page and section",
        );
    }
}
