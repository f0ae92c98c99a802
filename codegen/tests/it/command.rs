//! The command: what it writes, and how it complains.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a command is a program that writes files"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tchannel-codegen"));
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    command.current_dir(data).args(args).output().unwrap()
}

#[test]
fn a_folder_of_modules_is_written() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("modules");
    let output = run(&["torture.thrift", "-o", folder.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty());
    let head = fs::read_to_string(folder.join("mod.rs")).unwrap();
    assert!(
        head.contains("pub mod torture;") && head.contains("pub mod shared;"),
        "{head}"
    );
    for name in ["torture.rs", "shared.rs"] {
        let expected = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data")
            .join(name);
        assert_eq!(
            fs::read_to_string(folder.join(name)).unwrap(),
            fs::read_to_string(expected).unwrap()
        );
    }
}

#[test]
fn included_files_are_looked_for_where_it_is_told() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("included");
    let out = folder.to_str().unwrap();
    let file = "../../../tests/codegen/idl/elsewhere.thrift";
    assert!(!run(&[file, "-o", out]).status.success());
    assert!(run(&[file, "-o", out, "-I", "common"]).status.success());
}

#[test]
fn complaints_go_to_stderr_and_nothing_is_written() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nothing");
    let output = run(&["errors/cut.thrift", "-o", folder.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains(" --> errors/cut.thrift:1:11"), "{text}");
    assert!(!folder.exists());
}

#[test]
fn what_is_missing_is_asked_for() {
    let text = |args: &[&str]| String::from_utf8(run(args).stderr).unwrap();
    assert!(text(&[]).starts_with("expected one Thrift file, found 0"));
    assert!(text(&["a.thrift"]).starts_with("expected `-o FOLDER`"));
    assert!(text(&["--fast"]).contains("--fast"));
}

#[test]
fn help_has_examples() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("tchannel-codegen idl/keyvalue.thrift -o src/gen/"),
        "{text}"
    );
}
