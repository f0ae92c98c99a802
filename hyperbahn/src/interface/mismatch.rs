//! Why a value is not what an interface says, and where in the value that is.

use std::fmt::{self, Write};

use serde_json::Value;

/// A value, or a part of it, is not what the interface says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct Mismatch {
    /// Where: `request.items[2].key`, beginning at an argument, `arguments` or `result`.
    pub path: String,
    /// What was expected, and what was found.
    pub message: String,
}

/// Where a reader or writer is. A step that fails is not taken back, so that the path says where.
#[derive(Debug)]
pub(super) struct Path {
    text: String,
    root: &'static str,
    depth: usize,
}

impl Path {
    /// Begins at a value that goes by the name `root`, unless it is within one of its members.
    pub(super) fn new(root: &'static str) -> Self {
        Self {
            text: String::new(),
            root,
            depth: 0,
        }
    }

    /// Goes to a member. What is returned leads [`back`](Self::back).
    pub(super) fn member(&mut self, name: &str) -> usize {
        let here = self.text.len();
        if here > 0 {
            self.text.push('.');
        }
        self.text.push_str(name);
        here
    }

    /// Goes to an element.
    pub(super) fn index(&mut self, index: usize) -> usize {
        self.bracket(index)
    }

    /// Goes to the value of a key.
    pub(super) fn key(&mut self, key: &str) -> usize {
        self.bracket(Value::from(key))
    }

    fn bracket(&mut self, step: impl fmt::Display) -> usize {
        let here = self.text.len();
        if here == 0 {
            self.text.push_str(self.root);
        }
        write!(self.text, "[{step}]").expect("a string takes all");
        here
    }

    /// Where it is, to lead [`back`](Self::back).
    pub(super) fn mark(&self) -> usize {
        self.text.len()
    }

    /// Returns to where it was before a step.
    pub(super) fn back(&mut self, here: usize) {
        self.text.truncate(here);
    }

    /// Whether it has not gone anywhere yet.
    pub(super) fn is_root(&self) -> bool {
        self.text.is_empty()
    }

    /// Something is wrong here.
    pub(super) fn mismatch(&self, message: impl Into<String>) -> Mismatch {
        let path = match self.text.as_str() {
            "" => self.root,
            path => path,
        };
        Mismatch {
            path: path.to_owned(),
            message: message.into(),
        }
    }

    /// Another value than `expected`.
    pub(super) fn expected(&self, expected: impl fmt::Display, found: &Value) -> Mismatch {
        self.mismatch(format!("expected {expected}, found {}", excerpt(found)))
    }

    /// Goes into a struct or container, unless it would be deeper than `max`.
    pub(super) fn deeper(&mut self, max: usize) -> Result<(), Mismatch> {
        if self.depth == max {
            return Err(self.mismatch(format!("it nests deeper than {max}, which nobody reads")));
        }
        self.depth += 1;
        Ok(())
    }

    /// Comes out of a struct or container.
    pub(super) fn shallower(&mut self) {
        self.depth -= 1;
    }
}

/// The beginning of a value, for a message.
fn excerpt(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{} ..", &text[..end]),
        None => text,
    }
}

const EXCERPT_CHARS: usize = 60;
