//! A crate's `clippy.toml` repeats the bans of the root, which it replaces; and floor 1 has one.

use std::collections::BTreeSet;

use serde_json::Value;
use toml::Table;

use crate::Complaints;
use crate::tree::{SourceFile, find};

/// Complains about a `clippy.toml` that lets through what the root bans.
pub fn are_repeated(files: &[SourceFile]) -> Complaints {
    let Some(root) = find(files, "clippy.toml").map(|file| banned(&file.text)) else {
        return vec![
            "there is no clippy.toml at the root: write the bans for all crates there".into(),
        ];
    };
    let mut complaints = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.path.ends_with("/clippy.toml"))
    {
        let own = banned(&file.text);
        complaints.extend(root.difference(&own).map(|path| {
            format!(
                "{} lets {path} through: it replaces the root's clippy.toml, so repeat the ban with \
                 its reason",
                file.path
            )
        }));
    }
    complaints
}

/// Complains about a floor-1 package that may read a clock.
pub fn floor_1_reads_no_clock(metadata: &Value, files: &[SourceFile]) -> Complaints {
    let clocks = ["std::time::Instant::now", "std::time::SystemTime::now"];
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut complaints = Vec::new();
    for package in packages.filter(|package| {
        package["metadata"]["tchannel"]["floor"]
            .as_u64()
            .is_some_and(|floor| floor <= 1)
    }) {
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        let path = manifest
            .trim_start_matches(root)
            .replace('\\', "/")
            .replace("Cargo.toml", "clippy.toml");
        let path = path.trim_start_matches('/');
        let own = find(files, path)
            .map(|file| banned(&file.text))
            .unwrap_or_default();
        complaints.extend(
            clocks
                .iter()
                .filter(|clock| !own.contains(**clock))
                .map(|clock| {
                    format!("{path} lets {clock} through: floor 1 reads no clock, ban it")
                }),
        );
    }
    complaints
}

fn banned(text: &str) -> BTreeSet<String> {
    let table = text.parse::<Table>().unwrap_or_default();
    [
        "disallowed-methods",
        "disallowed-types",
        "disallowed-macros",
    ]
    .iter()
    .filter_map(|kind| table.get(*kind)?.as_array())
    .flatten()
    .filter_map(|ban| ban.get("path").unwrap_or(ban).as_str())
    .map(str::to_owned)
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{are_repeated, floor_1_reads_no_clock};
    use crate::tree::SourceFile;

    const ROOT: &str =
        "disallowed-methods = [{ path = \"std::thread::sleep\", reason = \"it blocks\" }]";

    #[test]
    fn a_crate_that_repeats_the_bans_passes() {
        let files = [
            SourceFile::new("clippy.toml", ROOT),
            SourceFile::new("proto/clippy.toml", ROOT),
        ];
        assert_eq!(are_repeated(&files), Vec::<String>::new());
    }

    #[test]
    fn a_crate_that_forgets_a_ban_is_refused() {
        let files = [
            SourceFile::new("clippy.toml", ROOT),
            SourceFile::new("proto/clippy.toml", "disallowed-methods = []"),
        ];
        assert!(are_repeated(&files)[0].contains("std::thread::sleep"));
    }

    #[test]
    fn the_root_must_have_bans() {
        assert_eq!(are_repeated(&[]).len(), 1);
    }

    #[test]
    fn floor_1_must_ban_the_clocks() {
        let metadata = json!({"packages": [{
            "name": "proto",
            "manifest_path": "somewhere/proto/Cargo.toml",
            "metadata": {"tchannel": {"floor": 1}},
        }], "workspace_root": "somewhere"});
        let with = |text| [SourceFile::new("proto/clippy.toml", text)];
        let bans =
            "disallowed-methods = [\"std::time::Instant::now\", \"std::time::SystemTime::now\"]";
        assert_eq!(
            floor_1_reads_no_clock(&metadata, &with(bans)),
            Vec::<String>::new()
        );
        assert_eq!(floor_1_reads_no_clock(&metadata, &with(ROOT)).len(), 2);
        assert_eq!(floor_1_reads_no_clock(&metadata, &[]).len(), 2);
    }
}
