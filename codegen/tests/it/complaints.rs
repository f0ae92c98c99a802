//! Every `data/errors/<name>.thrift` is complained about as the `<name>.txt` beside it says.
//!
//! With `UPDATE_SNAPSHOTS=1` in the environment they are written instead of compared.
#![expect(clippy::disallowed_methods, reason = "snapshots are files")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tchannel_codegen::{Config, Errors};

#[test]
fn each_mistake_is_shown_where_it_was_made() {
    let mut names: Vec<PathBuf> = fs::read_dir(data())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.retain(|path| path.extension().is_some_and(|ending| ending == "thrift"));
    names.sort();
    let mut differ = Vec::new();
    for path in names {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Parts that others include are sound by themselves.
        let Err(errors) = compile(&name) else {
            assert!(
                name.starts_with("sound_"),
                "{name} has nothing wrong with it"
            );
            continue;
        };
        let expected_path = path.with_extension("txt");
        let text = format!("{errors}\n");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            fs::write(&expected_path, &text).unwrap();
        }
        if fs::read_to_string(&expected_path).unwrap_or_default() != text {
            differ.push(text);
        }
    }
    assert!(
        differ.is_empty(),
        "UPDATE_SNAPSHOTS=1 writes these:\n{}",
        differ.join("\n")
    );
}

#[test]
fn all_mistakes_of_a_file_are_listed() {
    assert_eq!(compile("syntax.thrift").unwrap_err().count(), 15);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let text = compile("absent.thrift").unwrap_err().to_string();
    assert!(text.contains("can not read absent.thrift"), "{text}");
}

/// Compiles from within the folder, so that no path of this machine is in the complaints.
fn compile(name: &str) -> Result<String, Errors> {
    let mut read = |path: &Path| match fs::read_to_string(data().join(path)) {
        Ok(text) => Ok(text),
        Err(error) => Err(io::Error::new(error.kind(), "no such file")),
    };
    Config::new().generate(Path::new(name), &mut read)
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/errors")
}
