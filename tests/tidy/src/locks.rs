//! Lock files pin packages of the default registries, and nothing from elsewhere.

use serde_json::Value as Json;
use toml::Table;

use crate::Complaints;
use crate::tree::SourceFile;

/// Whether this file was written by a package manager.
pub fn is_lock(file: &SourceFile) -> bool {
    matches!(file.name(), "Cargo.lock" | "package-lock.json" | "go.sum")
}

/// Complains about packages that come from a registry, a branch or a host of somebody's own.
pub fn check(files: &[SourceFile]) -> Complaints {
    files
        .iter()
        .flat_map(|file| match file.name() {
            "Cargo.lock" => cargo(file),
            "package-lock.json" => npm(file),
            _ => Vec::new(),
        })
        .collect()
}

fn cargo(file: &SourceFile) -> Complaints {
    let Ok(lock) = file.text.parse::<Table>() else {
        return vec![format!(
            "{} is not TOML: let cargo write it anew",
            file.path
        )];
    };
    let packages = lock.get("package").and_then(toml::Value::as_array);
    packages
        .into_iter()
        .flatten()
        .filter_map(|package| Some((package.get("name")?, package.get("source")?.as_str()?)))
        .filter(|(_, source)| *source != DEFAULT_REGISTRY)
        .map(|(name, source)| {
            format!(
                "{} takes {name} from {source}: depend on a release in the default registry",
                file.path
            )
        })
        .collect()
}

/// npm writes down where it happened to download from; the integrity hash is enough.
fn npm(file: &SourceFile) -> Complaints {
    let Ok(lock) = serde_json::from_str::<Json>(&file.text) else {
        return vec![format!("{} is not JSON: let npm write it anew", file.path)];
    };
    let packages = lock["packages"].as_object();
    packages
        .into_iter()
        .flatten()
        .filter(|(_, package)| package["link"] != true)
        .filter_map(|(name, package)| Some((name, package["resolved"].as_str()?)))
        .filter(|(_, resolved)| !resolved.starts_with("file:"))
        .map(|(name, resolved)| {
            format!(
                "{} takes {name} from {resolved}: write it with `npm install \
                 --omit-lockfile-registry-resolved`",
                file.path
            )
        })
        .collect()
}

const DEFAULT_REGISTRY: &str = concat!("registry+https://github.com/rust-lang/crates", ".io-index");

#[cfg(test)]
mod tests {
    use super::{DEFAULT_REGISTRY, check};
    use crate::tree::SourceFile;

    fn cargo_lock(source: &str) -> SourceFile {
        let text = format!(
            "version = 4\n[[package]]\nname = \"ours\"\n[[package]]\nname = \"bytes\"\nsource = \"{source}\"\n"
        );
        SourceFile::new("Cargo.lock", &text)
    }

    fn npm_lock(package: &str) -> SourceFile {
        let text = format!(r#"{{"packages": {{"": {{}}, "node_modules/a": {package}}}}}"#);
        SourceFile::new("peers/node/package-lock.json", &text)
    }

    #[test]
    fn the_default_registry_and_our_own_packages_pass() {
        let files = [
            cargo_lock(DEFAULT_REGISTRY),
            npm_lock(r#"{"integrity": "sha512-x"}"#),
        ];
        assert_eq!(check(&files), Vec::<String>::new());
    }

    #[test]
    fn a_branch_or_a_foreign_registry_is_refused() {
        for source in [
            "git+https://example.org/bytes#abc",
            "registry+https://example.org/index",
        ] {
            assert!(check(&[cargo_lock(source)])[0].contains(source));
        }
    }

    #[test]
    fn where_npm_downloaded_from_is_nobodys_business() {
        let file = npm_lock(r#"{"resolved": "https://example.org/a.tgz"}"#);
        assert_eq!(check(&[file]).len(), 1);
    }

    #[test]
    fn a_stub_in_the_project_is_no_download() {
        let file = npm_lock(r#"{"resolved": "file:stubs/metrics"}"#);
        assert_eq!(check(&[file]), Vec::<String>::new());
    }

    #[test]
    fn a_broken_lock_is_refused() {
        assert_eq!(check(&[SourceFile::new("Cargo.lock", "[[")]).len(), 1);
        assert_eq!(check(&[SourceFile::new("package-lock.json", "{")]).len(), 1);
    }
}
