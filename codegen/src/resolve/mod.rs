//! [`Document`](crate::ast::Document)s to [`Model`]: names are looked up, constants checked, and what
//! Rust needs to know of the types' shape is found out.
//!
//! In stages, so that later ones need not doubt what they build on.

mod names;
mod services;
mod shape;
mod streaming;
mod structs;
mod typedefs;
mod values;

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Sources};
use crate::load::Loaded;
use crate::model::{File, Model};
use crate::naming::{Scope, value_name};
use names::Names;

/// The model of these files, unless there was something to complain about.
pub(crate) fn resolve<'a>(
    files: &'a [Loaded],
    sources: &Sources,
    errors: &'a mut Vec<Diagnostic>,
) -> Option<Model> {
    let mut resolver = Resolver {
        files,
        names: Names::default(),
        model: skeleton(files, sources),
        scopes: vec![Scope::with(&RESERVED); files.len()],
        is_endless: false,
        values: 0,
        errors,
    };
    type Stage<'a> = fn(&mut Resolver<'a>);
    let stages: [&[Stage<'a>]; 4] = [
        &[Resolver::collect_names, Resolver::typedefs],
        &[Resolver::structs, Resolver::services],
        &[Resolver::values],
        &[Resolver::shape],
    ];
    for (number, stage) in stages.into_iter().enumerate() {
        stage.iter().for_each(|step| step(&mut resolver));
        // Names that were not found keep no others from being looked up, but types without end do.
        let is_over = resolver.is_endless || number > 0;
        if is_over && !resolver.errors.is_empty() {
            return None;
        }
    }
    Some(resolver.model)
}

struct Resolver<'a> {
    files: &'a [Loaded],
    names: Names,
    model: Model,
    /// The names of types in each file's module.
    scopes: Vec<Scope>,
    /// Whether typedefs go round in circles.
    is_endless: bool,
    /// Parts of constants that were looked at.
    values: usize,
    errors: &'a mut Vec<Diagnostic>,
}

impl Resolver<'_> {
    fn complain(&mut self, error: Diagnostic) {
        self.errors.push(error);
    }
}

fn skeleton(files: &[Loaded], sources: &Sources) -> Model {
    let mut modules = Scope::default();
    let root = common_folder(files);
    let files = files.iter().enumerate().map(|(index, file)| File {
        module: modules.take(module_name(file)),
        path: slashed(file.path.strip_prefix(&root).unwrap_or(&file.path)),
        text: sources.get(file.source).text.clone(),
        reaches: reaches(index, files),
        typedefs: Vec::new(),
        consts: Vec::new(),
        enums: Vec::new(),
        structs: Vec::new(),
        services: Vec::new(),
    });
    Model {
        files: files.collect(),
    }
}

fn module_name(file: &Loaded) -> String {
    let stem = file.path.file_stem().unwrap_or_default().to_string_lossy();
    match &file.document.namespace {
        Some(namespace) => value_name(&namespace.text.replace('.', "_")),
        None => value_name(&stem.replace(|c: char| !c.is_ascii_alphanumeric(), "_")),
    }
}

fn common_folder(files: &[Loaded]) -> PathBuf {
    let mut folders = files
        .iter()
        .map(|file| file.path.parent().unwrap_or(Path::new("")));
    let mut common = folders.next().map(Path::to_owned).unwrap_or_default();
    for folder in folders {
        while !folder.starts_with(&common) && common.pop() {}
    }
    common
}

fn slashed(path: &Path) -> String {
    let parts = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

fn reaches(index: usize, files: &[Loaded]) -> Vec<usize> {
    let mut reached = vec![index];
    let mut at = 0;
    while let Some(file) = reached.get(at) {
        for (_, other) in &files[*file].includes {
            if !reached.contains(other) {
                reached.push(*other);
            }
        }
        at += 1;
    }
    reached
}

/// Names that generated code uses without a path.
const RESERVED: [&str; 9] = [
    "Box", "Default", "From", "Into", "Option", "Result", "Send", "String", "Vec",
];
