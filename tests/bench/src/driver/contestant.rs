//! Who takes part, and how to start each.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Settings;

/// Something that echoes, with a server and a client.
#[derive(Clone, Debug)]
pub struct Contestant {
    /// What tables call it.
    pub name: &'static str,
    /// The program and what comes before its flags.
    pub program: Vec<String>,
    /// Flags that its client gets beyond the load.
    pub client_flags: Vec<String>,
    /// The largest payload and the most calls in flight that it can take.
    pub limits: (usize, usize),
}

impl Contestant {
    /// The command of its server.
    pub fn server(&self) -> Vec<String> {
        let flags = ["server", "--port", "0", "--threads", "1"].map(str::to_owned);
        [&self.program[..], &flags].concat()
    }

    /// Whether it can carry this load.
    pub fn can(&self, payload: usize, inflight: usize) -> bool {
        payload <= self.limits.0 && payload * inflight <= self.limits.1
    }
}

/// All whose programs are there, and the names of those whose are not, with the reason.
pub fn all(settings: &Settings) -> (Vec<Contestant>, Vec<String>) {
    let mut absent = Vec::new();
    let ours = |name, scheme: &str| Contestant {
        name,
        program: vec![settings.program("bench-peer")],
        client_flags: ["--scheme", scheme].map(str::to_owned).to_vec(),
        limits: NO_LIMITS,
    };
    let one = |name, program: &[String]| Contestant {
        name,
        program: program.to_vec(),
        client_flags: Vec::new(),
        limits: NO_LIMITS,
    };
    let floor = settings.program("bench-floor");
    let mut found = vec![
        ours(OURS, "raw"),
        ours(TYPED[0], "thrift"),
        ours(TYPED[1], "msgpack"),
        one("floor, threads", &[floor.clone(), "std".to_owned()]),
        one(FLOOR, &[floor, "tokio".to_owned()]),
    ];
    for name in ["tarpc", "tonic", "volo"] {
        let program = settings.program(&format!("peer-{name}"));
        match Path::new(&program).exists() {
            true => found.push(one(name, &[program])),
            false => absent.push(format!("{name}: tests/bench/peers is not built")),
        }
    }
    match go_peer(settings) {
        Ok(program) => found.push(one("tchannel-go", &[program])),
        Err(why) => absent.push(format!("tchannel-go: {why}")),
    }
    match node_peer() {
        Ok(program) => found.push(Contestant {
            // It refuses more than a hundred frames waiting to be written.
            limits: (1 << 20, 4 << 20),
            ..one("tchannel-node", &program)
        }),
        Err(why) => absent.push(format!("tchannel-node: {why}")),
    }
    (found, absent)
}

/// Our runtime, raw.
pub const OURS: &str = "ours";
/// The same with a typed service.
pub const TYPED: [&str; 2] = ["ours, Thrift", "ours, MessagePack"];
/// What nobody can beat by much.
pub const FLOOR: &str = "floor";

const NO_LIMITS: (usize, usize) = (usize::MAX, usize::MAX);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// Builds the Go peer where Go is.
fn go_peer(settings: &Settings) -> Result<String, String> {
    let program = settings.program("peer-go");
    let built = Command::new("go")
        .args(["build", "-buildvcs=false", "-o", &program, "."])
        .env("GOFLAGS", "-mod=readonly")
        .current_dir(folder().join("go"))
        .output()
        .map_err(|_| "no go on the path".to_owned())?;
    match built.status.success() {
        true => Ok(program),
        false => Err(String::from_utf8_lossy(&built.stderr).into_owned()),
    }
}

/// The Node peer with the packages that the interop tests have installed.
fn node_peer() -> Result<Vec<String>, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = std::env::var_os("INTEROP_HOME")
        .map_or_else(|| here.join("../../target/interop"), PathBuf::from);
    let modules = home.join("node/node_modules");
    if !modules.join("tchannel").exists() {
        return Err("tests/interop/peers/install.sh has not installed it".to_owned());
    }
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    Ok(vec![
        "env".to_owned(),
        format!("NODE_PATH={}", text(modules)),
        "node".to_owned(),
        text(folder().join("node/echo.js")),
    ])
}
