//! Writes seeds for the fuzz targets: every recorded frame and every hostile input of `spec/vectors`.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let vectors = here.join("../../spec/vectors");
    for (file, field) in FILES {
        let document: Value = serde_json::from_str(&fs::read_to_string(vectors.join(file))?)?;
        let entries = document["vectors"].as_array().ok_or("no vectors")?;
        for (number, entry) in entries.iter().enumerate() {
            let bytes = bytes_of(&entry[field], &document["shared"]);
            let name = format!("{}-{number:03}", file.trim_end_matches(".json"));
            write(here, "frame_decode", &name, &bytes)?;
            for first in [DIRECTLY, THROUGH_A_ROUTER] {
                let operations = as_operations(first, &bytes);
                write(
                    here,
                    "connection_ops",
                    &format!("{name}-{first}"),
                    &operations,
                )?;
            }
        }
    }
    Ok(())
}

/// Where bytes stand: a field that is hex, or a list of hex and of names of shared hex.
const FILES: [(&str, &str); 4] = [
    ("frames.json", "hex"),
    ("fragments.json", "frames"),
    ("hostile.json", "send"),
    ("misbehaving-servers.json", "server"),
];

fn bytes_of(value: &Value, shared: &Value) -> Vec<u8> {
    match value {
        Value::Array(items) => items
            .iter()
            .flat_map(|item| bytes_of(item, shared))
            .collect(),
        Value::String(name) if name.starts_with('@') => bytes_of(&shared[name], shared),
        Value::String(hex) => decode(hex),
        _ => Vec::new(),
    }
}

/// What is not hex is left out; a seed need not be perfect.
fn decode(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|c| Some(c.to_digit(16)? as u8))
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

const DIRECTLY: u8 = 254;
const THROUGH_A_ROUTER: u8 = 255;

/// Operations that shake hands, put `bytes` on the wire to the accepting end, and let them arrive.
fn as_operations(first: u8, bytes: &[u8]) -> Vec<u8> {
    let mut operations = vec![first];
    for piece in bytes.chunks(1_000) {
        operations.extend([240, 1, (piece.len() >> 8) as u8, piece.len() as u8]);
        operations.extend_from_slice(piece);
        operations.push(128);
    }
    operations
}

fn write(here: &Path, target: &str, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = here.join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)?;
    Ok(())
}
