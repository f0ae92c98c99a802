//! What `peers/install.sh` made, and what to do when it has not.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use crate::Peer;

/// The folder that everything is installed under: `INTEROP_HOME`, else `target/interop`.
pub(crate) fn home() -> PathBuf {
    std::env::var_os("INTEROP_HOME").map_or_else(
        || package().join("../../target/interop"),
        |home| package().join("../..").join(home),
    )
}

/// The folder of the peer programs.
pub(crate) fn peers() -> PathBuf {
    package().join("peers")
}

/// The peer when it is ready; says aloud, once, when it is not.
pub(crate) fn check(peer: Peer) -> Option<Peer> {
    static CHECKS: [OnceLock<Result<(), String>>; 4] = [const { OnceLock::new() }; 4];
    let sources = made_from(peer).into_iter();
    let sources = sources.map(|source| peer.source().join(source));
    let is_ready = is_ready(&CHECKS[peer as usize], peer.name(), sources);
    is_ready.then_some(peer)
}

/// Whether what is called `name`, made from `sources`, is installed; says aloud, once, when it is not.
pub(crate) fn is_ready(
    check: &OnceLock<Result<(), String>>,
    name: &str,
    sources: impl Iterator<Item = PathBuf>,
) -> bool {
    let check = check.get_or_init(|| {
        let ready = ready(&home().join(name), sources);
        if let Err(why) = &ready {
            say_aloud(name, why);
        }
        ready
    });
    if let (Err(why), true) = (check, required()) {
        panic!("{name} is required but {why}");
    }
    check.is_ok()
}

fn required() -> bool {
    std::env::var_os("INTEROP_REQUIRED").is_some_and(|value| !value.is_empty() && value != "0")
}

fn ready(home: &Path, mut sources: impl Iterator<Item = PathBuf>) -> Result<(), String> {
    let stamp = home.join("stamp");
    let Some(installed) = modified(&stamp) else {
        return Err(format!("{} does not exist", stamp.display()));
    };
    let changed = sources.find(|source| {
        let source = modified(source);
        source.is_none_or(|changed| changed > installed)
    });
    match changed {
        Some(source) => {
            let name = source.file_name().unwrap_or_default().display();
            Err(format!("{name} is newer than what was made from it"))
        }
        None => Ok(()),
    }
}

/// The files whose change asks for a new installation; scripts are run where they are.
fn made_from(peer: Peer) -> Vec<&'static str> {
    match peer {
        Peer::Node => vec!["package.json", "package-lock.json"],
        Peer::Python => vec!["requirements.txt"],
        Peer::Go => vec![
            "main.go",
            "wire.go",
            "thrift.go",
            "torture.go",
            "server.go",
            "client.go",
            "go.mod",
            "go.sum",
        ],
        Peer::RingpopGo => vec!["main.go", "go.mod", "go.sum"],
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

// Straight to the stream: what a passing test prints through the macros is not shown.
fn say_aloud(name: &str, why: &str) {
    let text = format!(
        "\n!!! interop tests with {name} DO NOT RUN: {why}\n!!! run tests/interop/peers/install.sh\n\n"
    );
    // A closed stderr leaves nobody to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
