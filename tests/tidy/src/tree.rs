//! The files of the project, and what cargo knows of its packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// One file of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// From the root of the project, with forward slashes.
    pub path: String,
    /// Its text; bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl SourceFile {
    /// A file with this path and text.
    pub fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Whether this is Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// The file at `path`, if the project has one.
pub fn find<'a>(files: &'a [SourceFile], path: &str) -> Option<&'a SourceFile> {
    files.iter().find(|file| file.path == path)
}

/// Where the project stands on this machine.
pub fn root() -> PathBuf {
    let tidy = Path::new(env!("CARGO_MANIFEST_DIR"));
    tidy.ancestors()
        .nth(2)
        .expect("tests/tidy stands two folders below the root")
        .to_path_buf()
}

/// Every file of the project: what git tracks, or, in an unpacked archive, what lies there.
///
/// # Panics
///
/// When the project cannot be read.
pub fn files() -> Vec<SourceFile> {
    let root = root();
    let mut paths = tracked(&root).unwrap_or_else(|| lying_in(&root));
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| read(&root, path))
        .collect()
}

/// What `cargo metadata` says of the workspace and of everything it depends on here.
///
/// # Panics
///
/// When cargo fails.
pub fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--filter-platform"])
        .arg(host())
        .current_dir(root())
        .output()
        .expect("cargo runs, it built this test");
    assert!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

/// The platform this runs on: packages of other platforms need not be there.
fn host() -> String {
    let output = Command::new(env!("CARGO"))
        .arg("-vV")
        .output()
        .expect("cargo runs, it built this test");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("cargo -vV names its host")
        .to_owned()
}

fn tracked(root: &Path) -> Option<Vec<String>> {
    if !root.join(".git").exists() {
        return None;
    }
    // A checkout owned by another user is still the project.
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .current_dir(root)
        .output()
        .ok()?;
    let listing = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| {
        listing
            .split_terminator('\0')
            .map(str::to_owned)
            .collect::<Vec<_>>()
    })
}

fn lying_in(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the project can be read") {
            let path = entry.expect("the project can be read").path();
            let built = path
                .file_name()
                .is_some_and(|name| BUILT.iter().any(|built| name == *built));
            match path.is_dir() {
                true if built => {}
                true => folders.push(path),
                false => found.push(relative(root, &path)),
            }
        }
    }
    found
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .expect("found below the root")
        .to_string_lossy()
        .replace('\\', "/")
}

/// `None` for a file that git tracks and somebody has just removed.
fn read(root: &Path, path: String) -> Option<SourceFile> {
    let bytes = fs::read(root.join(&path)).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Some(SourceFile { path, text })
}

/// Folders that hold what was built or fetched, not what was written.
const BUILT: [&str; 4] = [".git", "target", "node_modules", "__pycache__"];
