//! `tchannel_codegen::compile` from the shell.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};
use tchannel_codegen::Config;

fn main() -> ExitCode {
    let (out, is_sound) = match run(Parser::from_env()) {
        Ok(text) => (text, true),
        Err(problem) => (format!("{problem}\n"), false),
    };
    // Nobody is left to tell when these pipes are closed.
    let _ = if is_sound {
        std::io::stdout().write_all(out.as_bytes())
    } else {
        std::io::stderr().write_all(out.as_bytes())
    };
    ExitCode::from(u8::from(!is_sound))
}

fn run(mut args: Parser) -> Result<String, Box<dyn std::error::Error>> {
    let mut config = Config::new();
    let mut files: Vec<PathBuf> = Vec::new();
    let mut folder = None;
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(HELP.to_owned()),
            Arg::Short('V') | Arg::Long("version") => {
                return Ok(
                    concat!("tchannel-codegen ", env!("CARGO_PKG_VERSION"), "\n").to_owned(),
                );
            }
            Arg::Short('o') | Arg::Long("out") => folder = Some(PathBuf::from(args.value()?)),
            Arg::Short('I') | Arg::Long("include") => config = config.include_dir(args.value()?),
            Arg::Long("serde") => config = config.serde(true),
            Arg::Value(file) => files.push(file.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let [file] = &files[..] else {
        let count = files.len();
        return Err(format!(
            "expected one Thrift file, found {count}; `tchannel-codegen --help` shows how"
        )
        .into());
    };
    let folder = folder.ok_or("expected `-o FOLDER`, where the Rust files go")?;
    config.write_modules(file, folder)?;
    Ok(String::new())
}

const HELP: &str = "\
Compiles a Thrift file, and all it includes, to Rust modules for tchannel-rt.

Usage: tchannel-codegen FILE -o FOLDER [OPTIONS]

  -o, --out FOLDER      where the modules go: one for each Thrift file, and mod.rs
  -I, --include FOLDER  another place to look for included files; may be repeated
      --serde           derive serde's Serialize and Deserialize
  -h, --help            show this
  -V, --version         show the version

Examples:
  tchannel-codegen idl/keyvalue.thrift -o src/gen/
      then `mod gen;` in src/lib.rs gives gen::keyvalue
  tchannel-codegen idl/all.thrift -o src/gen/ -I vendor/idl --serde
      where all.thrift includes others: they share their types

The same from a build script: tchannel_codegen::compile(\"idl/keyvalue.thrift\").
";
