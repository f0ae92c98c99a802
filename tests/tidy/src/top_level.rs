//! The top level holds the products, the spec, the tests, and a few files about them.

use std::collections::BTreeSet;

use crate::Complaints;
use crate::tree::SourceFile;

/// Complains about names at the top level that are not among [`FOLDERS`] and [`FILES`].
pub fn check(files: &[SourceFile]) -> Complaints {
    let strangers: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| match file.path.split_once('/') {
            Some((folder, _)) => (!FOLDERS.contains(&folder)).then_some(folder),
            None => (!FILES.contains(&file.path.as_str())).then_some(file.path.as_str()),
        })
        .collect();
    strangers
        .into_iter()
        .map(|name| {
            format!(
                "{name} does not belong to the top level: move it into the product it serves, or \
                 extend the list in tests/tidy/src/top_level.rs with a reason in the commit"
            )
        })
        .collect()
}

/// Folders that may stand at the top.
pub const FOLDERS: [&str; 9] = [
    ".cargo",
    ".ci",
    ".github",
    "codegen",
    "hyperbahn",
    "spec",
    "tchannel-proto",
    "tchannel-rt",
    "tests",
];

/// Files that may stand at the top.
pub const FILES: [&str; 13] = [
    ".gitattributes",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "rustfmt.toml",
];

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tree::SourceFile;

    #[test]
    fn the_given_names_pass() {
        let files = [
            SourceFile::new("Cargo.toml", ""),
            SourceFile::new("spec/protocol/call.md", ""),
        ];
        assert_eq!(check(&files), Vec::<String>::new());
    }

    #[test]
    fn a_new_folder_is_named_once() {
        let files = [
            SourceFile::new("utils/a.rs", ""),
            SourceFile::new("utils/b.rs", ""),
        ];
        assert_eq!(check(&files).len(), 1);
    }

    #[test]
    fn a_stray_file_is_refused() {
        assert_eq!(check(&[SourceFile::new("notes.txt", "")]).len(), 1);
    }
}
