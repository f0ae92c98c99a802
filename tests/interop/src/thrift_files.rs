//! The test files of Thrift itself, as its Go module carries them.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::installation;

/// The folder with the test files of Thrift itself, or `None`, said aloud on stderr, when it is not installed.
///
/// # Panics
///
/// When it is not installed although the variable `INTEROP_REQUIRED` is set.
pub fn thrift_files() -> Option<PathBuf> {
    static CHECK: OnceLock<Result<(), String>> = OnceLock::new();
    let from = installation::peers().join(NAME);
    let sources = ["go.mod", "go.sum"].into_iter();
    let sources = sources.map(|source| from.join(source));
    installation::is_ready(&CHECK, NAME, sources)
        .then(|| installation::home().join(NAME).join("test"))
}

const NAME: &str = "thrift-files";
