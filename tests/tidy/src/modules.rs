//! A folder of modules is headed by its `mod.rs`, and every file belongs to a crate.

use crate::Complaints;
use crate::tree::{SourceFile, find};

/// Complains about `thing.rs` beside a folder `thing`.
pub fn are_headed_by_mod_rs(files: &[SourceFile]) -> Complaints {
    files
        .iter()
        .filter_map(|file| Some((file, file.path.strip_suffix(".rs")?)))
        .filter(|(_, stem)| {
            let folder = format!("{stem}/");
            files
                .iter()
                .any(|other| other.is_rust() && other.path.starts_with(&folder))
        })
        .map(|(file, stem)| {
            format!(
                "{} stands beside its folder: rename it to {stem}/mod.rs",
                file.path
            )
        })
        .collect()
}

/// Complains about Rust files that no crate compiles.
pub fn are_imported(files: &[SourceFile]) -> Complaints {
    files
        .iter()
        .filter(|file| file.is_rust() && !is_crate_root(&file.path) && !is_imported(file, files))
        .map(|file| {
            format!(
                "{} is compiled by no crate: name it in a `mod` of the module above, or remove it",
                file.path
            )
        })
        .collect()
}

/// What cargo compiles by itself.
fn is_crate_root(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = folder.rsplit('/').next().unwrap_or_default();
    matches!(name, "lib.rs" | "main.rs" | "build.rs")
        || ["bin", "examples", "benches", "tests", "fuzz_targets"].contains(&folder)
            && name != "mod.rs"
}

fn is_imported(file: &SourceFile, files: &[SourceFile]) -> bool {
    let Some((folder, name)) = file.path.rsplit_once('/') else {
        return false;
    };
    let (folder, module) = match name.strip_suffix(".rs") {
        Some("mod") => folder.rsplit_once('/').unwrap_or(("", folder)),
        Some(module) => (folder, module),
        None => return false,
    };
    let declaration = format!("mod {module};");
    let included = format!("/{name}\"");
    ["mod.rs", "lib.rs", "main.rs"]
        .iter()
        .filter_map(|parent| find(files, &format!("{folder}/{parent}")))
        .any(|parent| parent.text.contains(&declaration))
        || files
            .iter()
            .any(|other| other.is_rust() && other.text.contains(&included))
}

#[cfg(test)]
mod tests {
    use super::{are_headed_by_mod_rs, are_imported};
    use crate::tree::SourceFile;

    #[test]
    fn a_folder_with_mod_rs_passes() {
        let files = [
            SourceFile::new("src/lib.rs", "mod message;"),
            SourceFile::new("src/message/mod.rs", "pub mod call;"),
            SourceFile::new("src/message/call.rs", ""),
        ];
        assert_eq!(are_headed_by_mod_rs(&files), Vec::<String>::new());
        assert_eq!(are_imported(&files), Vec::<String>::new());
    }

    #[test]
    fn a_module_beside_its_folder_is_refused() {
        let files = [
            SourceFile::new("src/message.rs", "mod call;"),
            SourceFile::new("src/message/call.rs", ""),
        ];
        assert_eq!(
            are_headed_by_mod_rs(&files),
            ["src/message.rs stands beside its folder: rename it to src/message/mod.rs"]
        );
    }

    #[test]
    fn a_forgotten_file_is_found() {
        let files = [
            SourceFile::new("src/lib.rs", "mod call;"),
            SourceFile::new("src/call.rs", ""),
            SourceFile::new("src/draft.rs", ""),
            SourceFile::new("src/old/mod.rs", ""),
        ];
        assert_eq!(are_imported(&files).len(), 2);
    }

    #[test]
    fn a_file_named_by_its_path_is_compiled() {
        let files = [
            SourceFile::new("fuzz/src/lib.rs", "#[path = \"../../it/operations.rs\"]"),
            SourceFile::new("it/operations.rs", ""),
        ];
        assert_eq!(are_imported(&files), Vec::<String>::new());
    }

    #[test]
    fn cargo_finds_tests_examples_and_benches_by_itself() {
        let files = [
            SourceFile::new("proto/examples/by_hand.rs", ""),
            SourceFile::new("proto/tests/it/main.rs", ""),
        ];
        assert_eq!(are_imported(&files), Vec::<String>::new());
    }
}
