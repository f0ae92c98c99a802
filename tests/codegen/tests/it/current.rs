//! Generated code that is committed is what the generator makes today, and short.

use std::fs;
use std::path::{Path, PathBuf};

use tchannel_codegen::Config;

#[test]
fn the_runtimes_meta_is_current() {
    let runtime = root().join("tchannel-rt");
    let mut read = |path: &Path| fs::read_to_string(path);
    let files = Config::new()
        .generate_modules(&runtime.join("idl/meta.thrift"), &mut read)
        .unwrap();
    for (name, text) in files {
        let committed =
            fs::read_to_string(runtime.join("src/typed/generated").join(&name)).unwrap();
        assert!(
            committed == text,
            "{name} is old: run `tchannel-codegen tchannel-rt/idl/meta.thrift -o tchannel-rt/src/typed/generated`"
        );
    }
}

#[test]
fn a_method_with_its_arguments_and_results_takes_fewer_than_60_lines() {
    let service = |methods: &str| {
        format!(
            "exception Failed {{ 1: string why }} service S {{ string a(1: string x) {methods} }}"
        )
    };
    let method = "/** Gets it. */ string get(1: string key) throws (1: Failed failed)";
    let with = lines(&service(&format!("\n{method}")));
    let without = lines(&service("\n"));
    assert!(with - without < 60, "{} lines", with - without);
}

/// Lines of code that become of `text`; empty ones do not count.
fn lines(text: &str) -> usize {
    let mut read = |_: &Path| Ok(text.to_owned());
    let code = Config::new()
        .generate(Path::new("x.thrift"), &mut read)
        .unwrap();
    code.lines().filter(|line| !line.is_empty()).count()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
