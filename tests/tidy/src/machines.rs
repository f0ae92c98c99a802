//! No file names a folder of somebody's machine or the host of a package registry.

use crate::Complaints;
use crate::tree::SourceFile;

/// Complains about home folders and registry hosts in any file. Lock files have
/// [their own rule](crate::locks).
pub fn check(files: &[SourceFile]) -> Complaints {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| !crate::locks::is_lock(file)) {
        for (number, line) in (1..).zip(file.text.lines()) {
            if let Some(found) = HOMES.into_iter().find(|home| line.contains(&whole(*home))) {
                complaints.push(format!(
                    "{}:{number} names {}, a folder of one machine: use a path from the root of the \
                     project, or an argument",
                    file.path,
                    whole(found)
                ));
            }
            if let Some(found) = REGISTRIES
                .into_iter()
                .find(|host| line.contains(&whole(*host)))
            {
                complaints.push(format!(
                    "{}:{number} names {}, a package registry: leave the choice to the package \
                     manager's own configuration",
                    file.path,
                    whole(found)
                ));
            }
        }
    }
    complaints
}

// In two halves, so that this file does not name them either.
const HOMES: [(&str, &str); 5] = [
    ("/roo", "t/"),
    ("/hom", "e/"),
    ("/User", "s/"),
    ("/wor", "k/"),
    (":\\Use", "rs\\"),
];

const REGISTRIES: [(&str, &str); 9] = [
    ("crates", ".io"),
    ("registry.npm", "js.org"),
    ("registry.yarn", "pkg.com"),
    ("npm", "mirror.com"),
    ("py", "pi.org"),
    ("python", "hosted.org"),
    ("proxy.go", "lang.org"),
    ("sum.go", "lang.org"),
    ("goproxy", ".io"),
];

fn whole((left, right): (&str, &str)) -> String {
    [left, right].concat()
}

#[cfg(test)]
mod tests {
    use super::{HOMES, REGISTRIES, check, whole};
    use crate::tree::SourceFile;

    #[test]
    fn a_path_from_the_root_passes() {
        let file = SourceFile::new("a/README.md", "see ../spec/vectors and /tmp, or docs.rs");
        assert_eq!(check(&[file]), Vec::<String>::new());
    }

    #[test]
    fn every_home_and_every_registry_is_found() {
        for part in HOMES.into_iter().chain(REGISTRIES) {
            let text = format!("first line\nget {}thing\n", whole(part));
            let complaints = check(&[SourceFile::new("a/install.sh", &text)]);
            assert!(
                complaints.len() == 1 && complaints[0].starts_with("a/install.sh:2 "),
                "{complaints:?}"
            );
        }
    }
}
