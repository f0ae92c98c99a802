//! From Thrift IDL to Rust: a struct for each struct, a trait and a typed client for each service.
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), tchannel_codegen::Errors> {
//!     tchannel_codegen::compile("idl/keyvalue.thrift")
//! }
//! ```
//!
//! ```ignore
//! // src/main.rs
//! tchannel_rt::include_thrift!("keyvalue"); // gives the module `keyvalue`
//! ```
//!
//! In reading order: `diagnostic` draws complaints, `lexer` and `parser` make an `ast` of each file,
//! `load` follows includes, `resolve` makes a `model` of all of them, `emit` writes Rust. Only `files`
//! touches the disk. The code that is written uses the public API of `tchannel-rt`; this crate does not.
//!
//! [`idl`] is for tools that want to know what Thrift files say and need no Rust for it.

mod ast;
mod diagnostic;
mod emit;
mod files;
pub mod idl;
mod lexer;
mod load;
mod model;
mod naming;
mod parser;
mod resolve;

use std::io;
use std::path::{Path, PathBuf};

use diagnostic::Sources;
use model::Model;

pub use diagnostic::Errors;

/// Compiles a Thrift file, and what it includes, from a build script. See [`Config::compile`].
///
/// # Errors
///
/// [`Errors`], drawn for people, when a file is not sound or can not be read or written.
pub fn compile(path: impl AsRef<Path>) -> Result<(), Errors> {
    Config::new().compile(path)
}

/// What to compile how.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is compiled until `compile` is called"]
pub struct Config {
    options: Options,
    include_dirs: Vec<PathBuf>,
    out_dir: Option<PathBuf>,
}

/// What generated code is like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    serde: bool,
}

impl Config {
    /// The defaults: no serde, includes beside the file that names them, output where cargo wants it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether types get serde's `Serialize` and `Deserialize`, for JSON and the like. Default no.
    ///
    /// Fields that are missing take their Thrift defaults.
    pub fn serde(mut self, serde: bool) -> Self {
        self.options.serde = serde;
        self
    }

    /// Another folder to look for included files in, after the one of the file that names them.
    pub fn include_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.include_dirs.push(folder.into());
        self
    }

    /// Where [`compile`](Self::compile) writes. Default: the environment's `OUT_DIR`.
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(folder.into());
        self
    }

    /// The code for `path` and what it includes as one text, each file read with `read`.
    ///
    /// # Errors
    ///
    /// [`Errors`] when the Thrift files are not sound.
    pub fn generate(
        &self,
        path: &Path,
        read: &mut dyn FnMut(&Path) -> io::Result<String>,
    ) -> Result<String, Errors> {
        Ok(emit::one_text(&self.model(path, read)?, &self.options))
    }

    /// The code as files of a folder: their names and texts, `mod.rs` among them.
    ///
    /// # Errors
    ///
    /// [`Errors`] when the Thrift files are not sound.
    pub fn generate_modules(
        &self,
        path: &Path,
        read: &mut dyn FnMut(&Path) -> io::Result<String>,
    ) -> Result<Vec<(String, String)>, Errors> {
        Ok(emit::folder(&self.model(path, read)?, &self.options))
    }

    fn model(&self, path: &Path, read: load::Read<'_>) -> Result<Model, Errors> {
        self.model_within(usize::MAX, path, read)
    }

    /// The model of files that define no more than `definitions_max` things.
    fn model_within(
        &self,
        definitions_max: usize,
        path: &Path,
        read: load::Read<'_>,
    ) -> Result<Model, Errors> {
        let mut sources = Sources::default();
        let mut errors = Vec::new();
        let files = load::load(path, &self.include_dirs, read, &mut sources, &mut errors);
        let definitions: usize = files.iter().map(load::Loaded::definitions).sum();
        if definitions > definitions_max {
            let title = format!("{definitions} definitions are more than {definitions_max}");
            return Err(Errors::plain(title));
        }
        let model = if errors.is_empty() {
            resolve::resolve(&files, &sources, &mut errors)
        } else {
            None
        };
        model.ok_or_else(|| Errors::render(&errors, &sources))
    }
}
