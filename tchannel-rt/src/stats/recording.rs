//! What stats are made of when they are recorded: handles of the `metrics` facade.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use metrics::Label;
pub(super) use metrics::{Counter, Gauge, Histogram};

use super::{MAX_LABEL_SETS, NO_LABEL};
use crate::clock;

pub(super) type Shared<T> = Arc<T>;

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(clock::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        clock::since(self.0)
    }
}

/// Labels that all metrics of a set have in common.
#[derive(Clone, Debug)]
pub(super) struct Labels(Vec<Label>);

impl Labels {
    pub(super) fn new(app: &str) -> Self {
        Self(vec![Label::new("app", app.to_owned())])
    }

    pub(super) fn with_each<const N: usize>(
        &self,
        keys: [&'static str; N],
        values: [&str; N],
    ) -> Self {
        let more = keys
            .into_iter()
            .zip(values)
            .map(|(key, value)| Label::new(key, value.to_owned()));
        Self(self.0.iter().cloned().chain(more).collect())
    }

    pub(super) fn counter(&self, name: &'static str) -> Counter {
        metrics::counter!(name, self.0.iter())
    }

    pub(super) fn gauge(&self, name: &'static str) -> Gauge {
        metrics::gauge!(name, self.0.iter())
    }

    pub(super) fn histogram(&self, name: &'static str) -> Histogram {
        metrics::histogram!(name, self.0.iter())
    }
}

/// Counters under one name that differ in one label, each registered when it is first used.
#[derive(Clone, Debug)]
pub(super) struct PerKind<const N: usize>([OnceLock<Counter>; N]);

impl<const N: usize> PerKind<N> {
    pub(super) fn increment(
        &self,
        kind: usize,
        name: &'static str,
        labels: &Labels,
        label: (&'static str, &'static str),
    ) {
        let register = || match label {
            NO_LABEL => labels.counter(name),
            (key, value) => labels.with_each([key], [value]).counter(name),
        };
        self.0[kind].get_or_init(register).increment(1);
    }
}

impl<const N: usize> Default for PerKind<N> {
    fn default() -> Self {
        Self([const { OnceLock::new() }; N])
    }
}

/// Handles by the names in their labels. Finding them again allocates nothing.
#[derive(Debug)]
pub(super) struct Table<T> {
    hasher: RandomState,
    entries: RwLock<HashMap<u64, Entry<T>>>,
}

#[derive(Debug)]
struct Entry<T> {
    names: [Box<str>; 3],
    handles: Arc<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            entries: RwLock::default(),
        }
    }
}

impl<T> Table<T> {
    pub(super) fn get(&self, names: [&str; 3], make: impl FnOnce([&str; 3]) -> T) -> Arc<T> {
        let names = names.map(shortened);
        self.find(names).unwrap_or_else(|| self.insert(names, make))
    }

    fn find(&self, names: [&str; 3]) -> Option<Arc<T>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let known = self.find_in(&entries, names);
        known.or_else(|| {
            if is_full(&entries) {
                self.find_in(&entries, [OTHER; 3])
            } else {
                None
            }
        })
    }

    fn insert(&self, names: [&str; 3], make: impl FnOnce([&str; 3]) -> T) -> Arc<T> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let names = if is_full(&entries) { [OTHER; 3] } else { names };
        if let Some(handles) = self.find_in(&entries, names) {
            return handles;
        }
        let entry = Entry {
            names: names.map(Box::from),
            handles: Arc::new(make(names)),
        };
        let handles = Arc::clone(&entry.handles);
        // Of names with equal hashes the later push the earlier out, and nothing is counted wrongly.
        entries.insert(self.hasher.hash_one(names), entry);
        handles
    }

    fn find_in(&self, entries: &HashMap<u64, Entry<T>>, names: [&str; 3]) -> Option<Arc<T>> {
        let entry = entries.get(&self.hasher.hash_one(names))?;
        let same = entry.names.iter().map(|name| &**name).eq(names);
        same.then(|| Arc::clone(&entry.handles))
    }
}

fn is_full<T>(entries: &HashMap<u64, Entry<T>>) -> bool {
    entries.len() >= MAX_LABEL_SETS
}

fn shortened(name: &str) -> &str {
    if name.len() <= MAX_NAME_BYTES {
        name
    } else {
        OTHER
    }
}

/// An endpoint may be named by 16 KiB; such names are not worth telling apart.
const MAX_NAME_BYTES: usize = 256;

const OTHER: &str = "other";
