//! Application headers, the same for json, msgpack and thrift.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// Application headers: names and values in the order they were written, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    pairs: Vec<(String, String)>,
}

impl Headers {
    /// No headers.
    #[must_use]
    pub const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    /// The value under `name`, compared byte by byte.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value)
    }

    /// Puts `value` under `name`; a value already there is replaced where it stands.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.pairs.iter_mut().find(|(own, _)| *own == name) {
            Some((_, own)) => *own = value,
            None => self.pairs.push((name, value)),
        }
    }

    /// All names and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

/// Of a name that comes more than once, the last value counts.
impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut pairs: Vec<(String, String)> = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        if pairs.len() > 1 {
            keep_last_of_each_name(&mut pairs);
        }
        Self { pairs }
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MapOfStrings)
    }
}

struct MapOfStrings;

impl<'de> Visitor<'de> for MapOfStrings {
    type Value = Headers;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map of strings to strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut pairs = Vec::<(String, String)>::new();
        while let Some(pair) = map.next_entry()? {
            if pairs.len() == MAX_HEADERS {
                return Err(A::Error::custom(format_args!(
                    "more than {MAX_HEADERS} headers"
                )));
            }
            pairs.push(pair);
        }
        Ok(pairs.into_iter().collect())
    }
}

/// Linear in the number of pairs, because the peer chooses that number.
fn keep_last_of_each_name(pairs: &mut Vec<(String, String)>) {
    let mut seen = HashSet::with_capacity(pairs.len());
    let counts: Vec<bool> = pairs
        .iter()
        .rev()
        .map(|(name, _)| seen.insert(name.as_str()))
        .collect();
    let mut counts = counts.into_iter().rev();
    pairs.retain(|_| counts.next().expect("there is one answer for each pair"));
}

/// Most application headers that are read from one call; what thrift's count can say at most.
pub const MAX_HEADERS: usize = u16::MAX as usize;

#[cfg(test)]
pub(super) fn arbitrary_headers() -> impl proptest::strategy::Strategy<Value = Headers> {
    use proptest::prelude::*;
    prop::collection::vec((".{0,8}", ".{0,20}"), 0..6).prop_map(|pairs| pairs.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(headers: &Headers) -> Vec<(&str, &str)> {
        headers.iter().collect()
    }

    #[test]
    fn headers_keep_the_order_in_which_they_came() {
        let headers: Headers = [("b", "1"), ("a", "2")].into_iter().collect();
        assert_eq!(pairs(&headers), [("b", "1"), ("a", "2")]);
        assert_eq!(headers.get("a"), Some("2"));
        assert_eq!(headers.get("A"), None);
    }

    #[test]
    fn inserting_a_name_again_replaces_its_value_in_place() {
        let mut headers: Headers = [("a", "1"), ("b", "2")].into_iter().collect();
        headers.insert("a", "3");
        assert_eq!(pairs(&headers), [("a", "3"), ("b", "2")]);
    }

    #[test]
    fn of_a_name_that_comes_twice_the_last_value_counts() {
        let headers: Headers = [("a", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
        assert_eq!(pairs(&headers), [("b", "2"), ("a", "3")]);
    }
}
