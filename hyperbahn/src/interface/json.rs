//! JSON as it is shown: members stay in the order in which they came.

use std::fmt;

use serde::ser::{Serialize, Serializer};
use serde_json::Value;

/// A JSON value whose objects keep the order of their members.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// Null, a bool, a number or a string; or a value whose order does not matter.
    Plain(Value),
    /// Elements.
    Array(Vec<Json>),
    /// Members, each name once.
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) const NULL: Self = Self::Plain(Value::Null);

    /// An object with one member.
    pub(super) fn member(name: impl Into<String>, value: Self) -> Self {
        Self::Object(vec![(name.into(), value)])
    }

    /// Whole numbers beyond 2^53 are strings, because many readers of JSON lose their last digits.
    pub(super) fn integer(number: i64) -> Self {
        match number.unsigned_abs() <= EXACT_MAX {
            true => number.into(),
            false => number.to_string().into(),
        }
    }

    /// A double; JSON has no number for infinities and what is no number.
    pub(super) fn double(number: f64) -> Self {
        let name = match number {
            _ if number.is_finite() => return number.into(),
            _ if number.is_nan() => "NaN",
            _ if number > 0.0 => "Infinity",
            _ => "-Infinity",
        };
        name.into()
    }

    /// A map: an object if all keys are texts or numbers, each once, else an array of pairs.
    pub(super) fn map(pairs: Vec<(Self, Self)>) -> Self {
        let mut names: Vec<String> = pairs.iter().filter_map(|(key, _)| key.as_name()).collect();
        let is_whole = names.len() == pairs.len();
        let object = names.clone();
        names.sort_unstable();
        names.dedup();
        if !is_whole || names.len() < pairs.len() {
            let pairs = pairs.into_iter();
            return Self::Array(
                pairs
                    .map(|(key, value)| Self::Array(vec![key, value]))
                    .collect(),
            );
        }
        let values = pairs.into_iter().map(|(_, value)| value);
        Self::Object(object.into_iter().zip(values).collect())
    }

    /// What it is called as the name of a member.
    fn as_name(&self) -> Option<String> {
        match self {
            Self::Plain(Value::String(text)) => Some(text.clone()),
            Self::Plain(Value::Number(number)) if !number.is_f64() => Some(number.to_string()),
            Self::Plain(Value::Bool(it)) => Some(it.to_string()),
            _ => None,
        }
    }

    /// The same without an order of members.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Array(elements) => elements.iter().map(Self::to_value).collect(),
            Self::Object(members) => {
                let members = members.iter();
                members
                    .map(|(name, it)| (name.clone(), it.to_value()))
                    .collect()
            }
        }
    }
}

impl Default for Json {
    fn default() -> Self {
        Self::NULL
    }
}

impl<T: Into<Value>> From<T> for Json {
    fn from(value: T) -> Self {
        Self::Plain(value.into())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(serializer),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, it)| (name, it)))
            }
        }
    }
}

/// On one line.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).expect("text keys and plain values"))
    }
}

/// Up to here a double has every whole number.
const EXACT_MAX: u64 = 1 << 53;
