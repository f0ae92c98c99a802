//! Every `data/<name>.thrift` becomes the `<name>.rs` beside it.
//!
//! With `UPDATE_SNAPSHOTS=1` in the environment they are written instead of compared.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "snapshots are files, and rustfmt is a program"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tchannel_codegen::Config;

#[test]
fn a_service_becomes_a_trait_and_a_client() {
    check("keyvalue", &Config::new());
}

#[test]
fn every_construct_of_thrift_has_its_rust() {
    check("torture", &Config::new());
}

#[test]
fn methods_may_take_and_give_streams() {
    check("streams", &Config::new());
}

#[test]
fn serde_is_derived_on_request() {
    check("serde", &Config::new().serde(true));
}

#[test]
fn the_output_is_laid_out_as_rustfmt_would() {
    let mut files: Vec<PathBuf> = fs::read_dir(data(""))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
    assert!(files.len() >= 4, "{files:?}");
    check_layout(files);
}

#[track_caller]
fn check_layout(files: Vec<PathBuf>) {
    let rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--check"])
        .args(files)
        .output()
        .expect("rustfmt comes with the toolchain");
    assert!(
        rustfmt.status.success(),
        "{}",
        String::from_utf8_lossy(&rustfmt.stdout)
    );
}

#[test]
fn names_of_any_length_are_laid_out_as_rustfmt_would() {
    let mut text = "exception Failed {} struct Event {} service S {\n".to_owned();
    for length in 2..46 {
        let name = "m".repeat(length);
        text += &format!(
            "Event {name}a(1: string key) (streaming = \"response\")
             Event {name}b(1: string key) throws (1: Failed f) (streaming = \"response\")
             Event {name}c() (streaming = \"response\")
             i64 {name}d(1: Event events) throws (1: Failed f) (streaming = \"request\")
             Event {name}e(1: list<Event> v) (streaming = \"both\")
             void {name}f() i64 {name}g(1: i32 a)
             map<string, list<Event>> {name}h(1: i32 a, 2: string b) throws (1: Failed f)\n"
        );
    }
    text += "}";
    let mut read = |_: &Path| Ok(text.clone());
    let files = Config::new().generate_modules(Path::new("x.thrift"), &mut read);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("names_of_any_length.rs");
    fs::write(&path, &files.unwrap()[0].1).unwrap();
    check_layout(vec![path]);
}

#[test]
fn one_text_and_a_folder_hold_the_same_items() {
    let path = data("torture.thrift");
    let mut read = |path: &Path| fs::read_to_string(path);
    let text = Config::new().generate(&path, &mut read).unwrap();
    let folder = Config::new().generate_modules(&path, &mut read).unwrap();
    let words = |text: &str| {
        text.split_whitespace()
            .collect::<Vec<_>>()
            .concat()
            .replace(",>", ">")
            .replace(",)", ")")
    };
    let together = words(&text);
    for (name, module) in folder.iter().filter(|(name, _)| name != "mod.rs") {
        let items = module.split_once("\n\n").unwrap().1;
        let structs = items.matches("impl rt::Struct for").count();
        assert!(text.contains(&format!("pub mod {} {{", name.trim_end_matches(".rs"))));
        assert!(structs > 0 && text.matches("impl rt::Struct for").count() >= structs);
        for item in items.split("\n\n").filter(|item| item.starts_with("impl ")) {
            assert!(together.contains(&words(item)), "{item}");
        }
    }
}

#[test]
fn the_output_is_the_same_from_run_to_run() {
    let mut read = |path: &Path| fs::read_to_string(path);
    let mut run = || {
        Config::new()
            .generate(&data("torture.thrift"), &mut read)
            .unwrap()
    };
    assert_eq!(run(), run());
}

#[track_caller]
fn check(name: &str, config: &Config) {
    let mut read = |path: &Path| fs::read_to_string(path);
    let files = config
        .generate_modules(&data(&format!("{name}.thrift")), &mut read)
        .unwrap();
    for (name, text) in files.iter().filter(|(name, _)| name != "mod.rs") {
        let path = data(name);
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            fs::write(&path, text).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        let line = expected
            .lines()
            .zip(text.lines())
            .position(|(old, new)| old != new);
        assert!(
            expected == *text,
            "{} differs in line {}; UPDATE_SNAPSHOTS=1 writes it anew",
            path.display(),
            line.map_or(0, |line| line + 1)
        );
    }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}
