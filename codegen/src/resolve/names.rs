//! Which name means what in which file.

use std::collections::HashMap;

use super::Resolver;
use crate::ast::{Definition, Name};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::Ref;

/// Every name of every file.
#[derive(Debug, Default)]
pub(super) struct Names {
    files: Vec<HashMap<String, Named>>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub(super) item: Item,
    pub(super) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Const(Ref),
    Typedef(Ref),
    Enum(Ref),
    Struct(Ref),
    Service(Ref),
}

impl Item {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Const(_) => "a constant",
            Self::Typedef(_) => "a typedef",
            Self::Enum(_) => "an enum",
            Self::Struct(_) => "a struct or exception",
            Self::Service(_) => "a service",
        }
    }
}

impl Resolver<'_> {
    /// Numbers the definitions of each kind and complains about names that come twice.
    pub(super) fn collect_names(&mut self) {
        for (file, loaded) in self.files.iter().enumerate() {
            let mut names: HashMap<String, Named> = HashMap::new();
            let mut counts = [0; 5];
            for definition in &loaded.document.definitions {
                let item = number(definition, file, &mut counts);
                let Name { text, span } = definition.name();
                let named = Named { item, span: *span };
                if let Some(first) = names.insert(text.clone(), named) {
                    let title = format!("the name `{text}` is taken");
                    let error = Diagnostic::new(*span, title, "expected a name of its own");
                    self.errors
                        .push(error.context(first.span, "this has it already"));
                }
            }
            self.names.files.push(names);
        }
    }

    /// What `name` stands for in `file`: one of its own, or `prefix.name` of one it includes.
    pub(super) fn look_up(&self, file: usize, name: &str) -> Option<Named> {
        if let Some(own) = self.names.files[file].get(name) {
            return Some(*own);
        }
        let (prefix, rest) = name.rsplit_once('.')?;
        let includes = &self.files[file].includes;
        let (_, other) = includes.iter().find(|(known, _)| known == prefix)?;
        self.names.files[*other].get(rest).copied()
    }

    /// A name the author may have meant.
    pub(super) fn similar(
        &self,
        file: usize,
        name: &str,
        fits: impl Fn(Item) -> bool,
    ) -> Option<String> {
        let own = self.names.files[file]
            .iter()
            .map(|(name, named)| (name.clone(), named.item));
        let included = self.files[file]
            .includes
            .iter()
            .flat_map(|(prefix, other)| {
                let names = self.names.files[*other].iter();
                names.map(move |(name, named)| (format!("{prefix}.{name}"), named.item))
            });
        let bare = |full: &str| full.rsplit('.').next().unwrap_or_default().to_lowercase();
        let mut candidates: Vec<(usize, String)> = own
            .chain(included)
            .filter(|(_, item)| fits(*item))
            .map(|(other, _)| (distance(&bare(&other), &bare(name)), other))
            .filter(|(distance, _)| *distance <= 2 && *distance < name.len())
            .collect();
        candidates.sort();
        candidates.into_iter().next().map(|(_, name)| name)
    }
}

fn number(definition: &Definition, file: usize, counts: &mut [usize; 5]) -> Item {
    let (kind, item): (usize, fn(Ref) -> Item) = match definition {
        Definition::Const(_) => (0, Item::Const),
        Definition::Typedef(_) => (1, Item::Typedef),
        Definition::Enum(_) => (2, Item::Enum),
        Definition::Struct(_) => (3, Item::Struct),
        Definition::Service(_) => (4, Item::Service),
    };
    let index = counts[kind];
    counts[kind] += 1;
    item(Ref { file, index })
}

/// How many letters have to change to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = corner + usize::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}
