//! The only place that reads and writes files, and asks cargo where they go.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script is all about files and what cargo puts in the environment"
)]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::idl::Idl;
use crate::{Config, Errors};

impl Config {
    /// Compiles `path` and what it includes to one file in the output folder, `<stem>.rs`, and tells
    /// cargo to run the build script again when any of them changes.
    ///
    /// The file is for `include!`; it holds a module for each Thrift file, named after it.
    ///
    /// # Errors
    ///
    /// [`Errors`] when the Thrift files are not sound, or a file can not be read or written. Nothing has
    /// been written then.
    pub fn compile(&self, path: impl AsRef<Path>) -> Result<(), Errors> {
        let path = path.as_ref();
        let mut stdout = io::stdout().lock();
        let mut read = |path: &Path| {
            let text = fs::read_to_string(path)?;
            // A path that is not there would have cargo run the script every time.
            writeln!(stdout, "cargo:rerun-if-changed={}", path.display())?;
            Ok(text)
        };
        let text = self.generate(path, &mut read)?;
        let folder = match &self.out_dir {
            Some(folder) => folder.clone(),
            None => std::env::var_os("OUT_DIR").map(PathBuf::from).ok_or_else(|| {
                Errors::plain("OUT_DIR is not set: call this from a build script, or name a folder with `out_dir`")
            })?,
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        write(&folder, &format!("{name}.rs"), &text)
    }

    /// Compiles `path` and what it includes to a folder of modules, a file for each and `mod.rs`.
    ///
    /// # Errors
    ///
    /// As [`compile`](Self::compile).
    pub fn write_modules(
        &self,
        path: impl AsRef<Path>,
        folder: impl AsRef<Path>,
    ) -> Result<(), Errors> {
        let mut read = |path: &Path| fs::read_to_string(path);
        for (name, text) in self.generate_modules(path.as_ref(), &mut read)? {
            write(folder.as_ref(), &name, &text)?;
        }
        Ok(())
    }
}

impl Idl {
    /// What the Thrift file at `path` and those it includes say.
    ///
    /// # Errors
    ///
    /// [`Errors`], drawn for people, when a file is not sound or can not be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Errors> {
        Self::read(path.as_ref(), &Config::new(), &mut |path| {
            fs::read_to_string(path)
        })
    }
}

/// Leaves a file alone that holds the text already, so that nothing is built again for it.
fn write(folder: &Path, name: &str, text: &str) -> Result<(), Errors> {
    let path = folder.join(name);
    if fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let problem =
        |error: io::Error| Errors::plain(format!("can not write {}: {error}", path.display()));
    fs::create_dir_all(folder).map_err(problem)?;
    fs::write(&path, text).map_err(problem)
}
