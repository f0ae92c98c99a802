//! The test files of Thrift itself are compiled, or refused for a reason we stand by.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tchannel_codegen::{Config, Errors};
use test_interop::thrift_files;

/// Files that are refused even without `oneway`, and how the complaint begins.
const REFUSED: [(&str, &str); 5] = [
    // Broken on purpose.
    (
        "BrokenConstants.thrift",
        "error: 9876543210987654321 is too large",
    ),
    // Ids that follow from the order of the fields.
    ("DebugProtoTest.thrift", "error: a field has no id"),
    ("Identifiers.thrift", "error: a field has no id"),
    ("v0.16/DebugProtoTest.thrift", "error: a field has no id"),
    // The enum that stands before the member is not the one that has it.
    ("EnumTest.thrift", "error: MyEnum1 has no member `ME2_2`"),
];

/// More would mean that the folder is not the one we think it is.
const FILES_MIN: usize = 60;

#[test]
fn every_file_is_compiled_or_refused_for_a_reason() {
    let Some(folder) = thrift_files() else { return };
    let mut refused = BTreeSet::new();
    let names = names(&folder);
    assert!(names.len() >= FILES_MIN, "{} files", names.len());
    for name in names {
        let Err(errors) = generate(&folder.join(&name), without_oneway) else {
            continue;
        };
        let text = errors.to_string();
        let known = REFUSED.iter().find(|(known, _)| *known == name);
        let reason = known.map_or("no error", |(_, reason)| reason);
        assert!(text.starts_with(reason), "{name}:\n{text}");
        refused.insert(name);
    }
    assert_eq!(refused, REFUSED.map(|(name, _)| name.to_owned()).into());
}

#[test]
fn oneway_methods_are_refused_with_the_reason() {
    let Some(folder) = thrift_files() else { return };
    let errors = generate(&folder.join("ThriftTest.thrift"), |text| text).unwrap_err();
    assert_eq!(errors.count(), 1);
    let text = errors.to_string();
    let title = "error: `testOneway` is oneway, which TChannel can not carry";
    assert!(text.starts_with(title), "{text}");
}

#[test]
fn what_becomes_of_the_files_compiles_without_a_warning() {
    let Some(folder) = thrift_files() else { return };
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("thrift-files");
    fs::create_dir_all(package.join("src")).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let runtime = root.join("tchannel-rt");
    fs::write(package.join("Cargo.toml"), manifest(&runtime)).unwrap();
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    let mut modules = "#![deny(warnings)]\n".to_owned();
    let sound = |name: &&String| REFUSED.iter().all(|(refused, _)| refused != name);
    for (number, name) in names(&folder).iter().filter(sound).enumerate() {
        let code = generate(&folder.join(name), without_oneway).unwrap();
        fs::write(package.join(format!("src/file_{number}.rs")), code).unwrap();
        let include = format!("include!(\"file_{number}.rs\");");
        writeln!(
            modules,
            "/** {name} */ pub mod file_{number} {{ {include} }}"
        )
        .unwrap();
    }
    fs::write(package.join("src/lib.rs"), modules).unwrap();
    let check = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--quiet", "--target-dir"])
        .arg(package.join("target"))
        .current_dir(&package)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success(), "{said}");
}

fn manifest(runtime: &Path) -> String {
    format!(
        "[package]\nname = \"thrift-files\"\nedition = \"2024\"\n\
         [dependencies]\ntchannel-rt = {{ path = {runtime:?} }}\n[workspace]\n"
    )
}

fn generate(path: &Path, change: fn(String) -> String) -> Result<String, Errors> {
    let mut read = |path: &Path| -> io::Result<String> {
        // Some comments have letters that are not UTF-8.
        let bytes = fs::read(path)?;
        Ok(change(String::from_utf8_lossy(&bytes).into_owned()))
    };
    Config::new().generate(path, &mut read)
}

/// Every call has an answer in TChannel; all else about such methods is as usual.
fn without_oneway(text: String) -> String {
    text.replace("oneway void ", "void ")
}

/// Paths of all files below `folder`, relative to it, in order.
fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "thrift") {
                let name = path.strip_prefix(folder).unwrap();
                names.push(name.to_str().unwrap().to_owned());
            }
        }
    }
    names.sort();
    names
}
