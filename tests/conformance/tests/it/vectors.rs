//! The files of `spec/vectors`, and the hex in them.

use std::path::PathBuf;

use serde_json::Value;

/// One file of vectors.
pub(crate) struct Vectors {
    file: Value,
}

impl Vectors {
    /// Reads `spec/vectors/<name>.json`.
    pub(crate) fn load(name: &str) -> Self {
        let path = spec().join("vectors").join(name).with_extension("json");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file: Value = serde_json::from_str(&text).expect("vectors are JSON");
        assert_eq!(file["format"], "tchannel-vectors/1", "{name}");
        Self { file }
    }

    /// The entries of the list `name`.
    pub(crate) fn list(&self, name: &str) -> &[Value] {
        let list = self.file[name].as_array().expect("a list of entries");
        assert!(!list.is_empty(), "{name} is empty");
        list
    }

    /// The entries that every file has.
    pub(crate) fn all(&self) -> &[Value] {
        self.list("vectors")
    }

    /// What an item of a list of frames stands for: hex, or a name in `shared`.
    pub(crate) fn bytes(&self, item: &Value) -> Vec<u8> {
        let item = text(item);
        if item.starts_with('@') {
            hex(&self.file["shared"][item])
        } else {
            hex(&Value::from(item))
        }
    }
}

/// The folder `spec`.
pub(crate) fn spec() -> PathBuf {
    workspace().join("spec")
}

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A string that has to be there.
#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// A number that has to be there.
#[track_caller]
pub(crate) fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

/// The bytes that `value` gives in hex.
#[track_caller]
pub(crate) fn hex(value: &Value) -> Vec<u8> {
    let digits = text(value);
    assert!(digits.len().is_multiple_of(2), "odd hex {digits}");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits"))
        .collect()
}

/// `bytes` in hex.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
