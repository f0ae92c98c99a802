//! A file and all it includes, parsed. Reading is the caller's, so that this stays pure.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::ast::Document;
use crate::diagnostic::{Diagnostic, SourceId, Sources};
use crate::parser;

/// A parsed file.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) source: SourceId,
    /// Without `.` and `..` where possible; each file has one.
    pub(crate) path: PathBuf,
    pub(crate) document: Document,
    /// What names of other files are prefixed with, and which file that is.
    pub(crate) includes: Vec<(String, usize)>,
}

impl Loaded {
    /// How many things it defines.
    pub(crate) fn definitions(&self) -> usize {
        self.document.definitions.len()
    }
}

/// Gives the text of a file.
pub(crate) type Read<'a> = &'a mut dyn FnMut(&Path) -> io::Result<String>;

/// Loads `root` and what it includes; `root` comes first.
pub(crate) fn load(
    root: &Path,
    include_dirs: &[PathBuf],
    read: Read<'_>,
    sources: &mut Sources,
    errors: &mut Vec<Diagnostic>,
) -> Vec<Loaded> {
    let mut loader = Loader {
        include_dirs,
        read,
        sources,
        errors,
        files: Vec::new(),
        open: Vec::new(),
    };
    match (loader.read)(root) {
        Ok(text) => {
            loader.file(root, text);
        }
        Err(error) => {
            let title = format!("can not read {}: {error}", root.display());
            loader.errors.push(Diagnostic::without_place(title));
        }
    }
    loader.files
}

struct Loader<'a> {
    include_dirs: &'a [PathBuf],
    read: Read<'a>,
    sources: &'a mut Sources,
    errors: &'a mut Vec<Diagnostic>,
    files: Vec<Loaded>,
    /// The files whose includes are being loaded, each included by the one before.
    open: Vec<usize>,
}

impl Loader<'_> {
    fn file(&mut self, path: &Path, text: String) -> usize {
        let source = self.sources.add(path.display().to_string(), text);
        let document = parser::parse(source, &self.sources.get(source).text, self.errors);
        let index = self.files.len();
        self.files.push(Loaded {
            source,
            path: plain(path),
            document,
            includes: Vec::new(),
        });
        self.open.push(index);
        self.includes(index);
        self.open.pop();
        index
    }

    fn includes(&mut self, index: usize) {
        for include in self.files[index].document.includes.clone() {
            let Some(prefix) = prefix(&include.text) else {
                let title = format!("{:?} is no file name", include.text);
                self.errors.push(Diagnostic::new(
                    include.span,
                    title,
                    "expected a name such as \"shared.thrift\"",
                ));
                continue;
            };
            if self.files[index]
                .includes
                .iter()
                .any(|(other, _)| *other == prefix)
            {
                let title = format!("two includes go by the name `{prefix}`");
                let label = "expected a file with another name than the include above";
                self.errors
                    .push(Diagnostic::new(include.span, title, label));
                continue;
            }
            match self.include(index, Path::new(&include.text)) {
                Ok(other) => self.files[index].includes.push((prefix, other)),
                Err(problem) => {
                    let label = "expected a file that does not lead back here";
                    let label = if problem.is_cycle {
                        label
                    } else {
                        "expected a file that can be read"
                    };
                    self.errors
                        .push(Diagnostic::new(include.span, problem.title, label));
                }
            }
        }
    }

    /// The file that `from` includes by `path`, loaded if it was not.
    fn include(&mut self, from: usize, path: &Path) -> Result<usize, IncludeProblem> {
        let folder = self.files[from]
            .path
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default();
        let folders = [&folder].into_iter().chain(self.include_dirs);
        let candidates: Vec<PathBuf> = folders.map(|folder| plain(&folder.join(path))).collect();
        for candidate in &candidates {
            if let Some(index) = self.files.iter().position(|file| file.path == *candidate) {
                return self.unless_open(index);
            }
            match (self.read)(candidate) {
                Ok(text) => return Ok(self.file(candidate, text)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let title = format!("can not read {}: {error}", candidate.display());
                    return Err(IncludeProblem {
                        title,
                        is_cycle: false,
                    });
                }
            }
        }
        let tried: Vec<String> = candidates
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let title = format!(
            "there is no {}: looked for {}",
            path.display(),
            tried.join(", ")
        );
        Err(IncludeProblem {
            title,
            is_cycle: false,
        })
    }

    fn unless_open(&self, index: usize) -> Result<usize, IncludeProblem> {
        let Some(at) = self.open.iter().position(|open| *open == index) else {
            return Ok(index);
        };
        let names = self.open[at..].iter().chain([&index]).map(|index| {
            let path = &self.files[*index].path;
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        });
        let title = format!(
            "files include each other: {}",
            names.collect::<Vec<_>>().join(" -> ")
        );
        Err(IncludeProblem {
            title,
            is_cycle: true,
        })
    }
}

struct IncludeProblem {
    title: String,
    is_cycle: bool,
}

/// `path` without `.`, and without the folders that a `..` leaves again.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(plain.components().next_back(), Some(Component::Normal(_))) =>
            {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// The name by which an included file is known: its own, without the ending.
fn prefix(path: &str) -> Option<String> {
    let name = Path::new(path).file_name()?.to_str()?;
    Some(name.strip_suffix(".thrift").unwrap_or(name).to_owned())
}
