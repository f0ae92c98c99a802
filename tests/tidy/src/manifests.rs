//! Version, edition, MSRV, licence, lints and the version of every dependency stand in the root
//! manifest, once.

use toml::{Table, Value};

use crate::Complaints;
use crate::tree::{SourceFile, find};

/// Complains about members that say for themselves what the workspace says for all.
pub fn inherit(files: &[SourceFile]) -> Complaints {
    let mut complaints = Vec::new();
    for file in manifests(files).filter(|file| file.path != "Cargo.toml") {
        let Ok(manifest) = file.text.parse::<Table>() else {
            complaints.push(format!("{} is not TOML: mend it", file.path));
            continue;
        };
        // What stands outside the workspace cannot inherit; `stands_outside` looks after it.
        if manifest.contains_key("workspace") {
            continue;
        }
        complaints.extend(
            INHERITED
                .into_iter()
                .filter(|key| !inherits(&manifest["package"], key))
                .map(|key| format!("{}: write `{key}.workspace = true`", file.path)),
        );
        if !manifest.get("lints").is_some_and(is_inherited) {
            complaints.push(format!("{}: write `[lints] workspace = true`", file.path));
        }
        complaints.extend(own_versions(&manifest).map(|name| {
            format!(
                "{}: {name} names its own version or path: move it to [workspace.dependencies] and \
                 write `{name}.workspace = true`",
                file.path
            )
        }));
    }
    complaints
}

/// Complains about a package outside the workspace on another edition than the rest.
pub fn outside_share_the_edition(files: &[SourceFile]) -> Complaints {
    let expected = workspace_value(files, "edition");
    manifests(files)
        .filter(|file| file.path != "Cargo.toml")
        .filter_map(|file| Some((file, file.text.parse::<Table>().ok()?)))
        .filter(|(_, manifest)| manifest.contains_key("workspace"))
        .filter(|(_, manifest)| manifest["package"].get("edition").and_then(Value::as_str) != expected.as_deref())
        .map(|(file, _)| {
            format!(
                "{} stands outside the workspace and is not on its edition: write `edition = \"{}\"`",
                file.path,
                expected.as_deref().unwrap_or_default()
            )
        })
        .collect()
}

/// Complains about pages, manifests and scripts that repeat the MSRV.
pub fn msrv_stands_once(files: &[SourceFile]) -> Complaints {
    let Some(msrv) = workspace_value(files, "rust-version") else {
        return vec![
            "Cargo.toml names no MSRV: write `rust-version` under [workspace.package]".into(),
        ];
    };
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| may_name_a_toolchain(&file.path)) {
        for (number, line) in (1..).zip(file.text.lines()) {
            if names_version(line, &msrv) {
                complaints.push(format!(
                    "{}:{number} repeats the MSRV {msrv}: point to `rust-version` in Cargo.toml instead",
                    file.path
                ));
            }
        }
    }
    complaints
}

const INHERITED: [&str; 4] = ["version", "edition", "rust-version", "license"];

fn manifests(files: &[SourceFile]) -> impl Iterator<Item = &SourceFile> {
    files.iter().filter(|file| file.name() == "Cargo.toml")
}

fn workspace_value(files: &[SourceFile], key: &str) -> Option<String> {
    let root = find(files, "Cargo.toml")?.text.parse::<Table>().ok()?;
    let value = root.get("workspace")?.get("package")?.get(key)?;
    value.as_str().map(str::to_owned)
}

fn inherits(table: &Value, key: &str) -> bool {
    table.get(key).is_some_and(is_inherited)
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

fn own_versions(manifest: &Table) -> impl Iterator<Item = &String> {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .filter_map(|section| manifest.get(section)?.as_table())
        .flatten()
        .filter(|(_, dependency)| !is_inherited(dependency))
        .map(|(name, _)| name)
}

fn may_name_a_toolchain(path: &str) -> bool {
    let kinds = [".md", ".toml", ".yml", ".yaml", ".sh"];
    let is_one = path == ".ci/run" || kinds.iter().any(|kind| path.ends_with(kind));
    is_one && path != "Cargo.toml" && path != "CHANGELOG.md" && !path.starts_with("spec/")
}

/// Whether `version` stands in the line as a version of its own, not as part of a longer one.
fn names_version(line: &str, version: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    line.match_indices(version).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + version.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::{inherit, msrv_stands_once, outside_share_the_edition};
    use crate::tree::SourceFile;

    const ROOT: &str = "[workspace.package]\nedition = \"2024\"\nrust-version = \"1.95\"\n";
    const MEMBER: &str = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\n\
        [dependencies]\nbytes.workspace = true\n[lints]\nworkspace = true\n";

    #[track_caller]
    fn member(from: &str, to: &str, expected: &str) {
        assert!(MEMBER.contains(from));
        let text = MEMBER.replace(from, to);
        let complaints = inherit(&[SourceFile::new("a/Cargo.toml", &text)]);
        assert!(
            complaints.len() == 1 && complaints[0].contains(expected),
            "{complaints:?}"
        );
    }

    #[test]
    fn a_member_that_inherits_passes() {
        let files = [SourceFile::new("a/Cargo.toml", MEMBER)];
        assert_eq!(inherit(&files), Vec::<String>::new());
    }

    #[test]
    fn a_member_with_its_own_edition_is_refused() {
        member(
            "edition.workspace = true",
            "edition = \"2021\"",
            "edition.workspace",
        );
    }

    #[test]
    fn a_member_without_the_lints_is_refused() {
        member("[lints]\nworkspace = true\n", "", "[lints]");
    }

    #[test]
    fn a_member_with_its_own_version_of_a_dependency_is_refused() {
        member(
            "bytes.workspace = true",
            "bytes = \"1\"",
            "bytes names its own version",
        );
        member(
            "bytes.workspace = true",
            "bytes = { path = \"../bytes\" }",
            "bytes names its own version",
        );
    }

    #[test]
    fn a_package_outside_the_workspace_follows_its_edition() {
        let on = |edition| {
            let fuzz = format!("[workspace]\n[package]\nedition = \"{edition}\"\n");
            outside_share_the_edition(&[
                SourceFile::new("Cargo.toml", ROOT),
                SourceFile::new("tests/fuzz/Cargo.toml", &fuzz),
            ])
        };
        assert_eq!(on("2024"), Vec::<String>::new());
        assert_eq!(on("2021").len(), 1);
    }

    #[test]
    fn the_msrv_in_a_page_is_refused() {
        let files = |text| {
            [
                SourceFile::new("Cargo.toml", ROOT),
                SourceFile::new("README.md", text),
            ]
        };
        assert_eq!(
            msrv_stands_once(&files("Needs Rust 1.95 or later.")).len(),
            1
        );
        assert_eq!(msrv_stands_once(&files("Needs Rust 1.95.")).len(), 1);
        assert_eq!(msrv_stands_once(&files("0.1.95, 11.95, 1.955")).len(), 0);
    }

    #[test]
    fn an_msrv_must_exist() {
        assert_eq!(
            msrv_stands_once(&[SourceFile::new("Cargo.toml", "")]).len(),
            1
        );
    }
}
