//! What a member says about itself besides its address: a few short texts, gossiped with its status.

use std::collections::BTreeMap;

use tchannel_farmhash::fingerprint32;

/// Texts by key. The key `__identity` names the member on the ring in place of its address.
///
/// Source: spec/ringpop/membership.md, "labels".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// No labels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a label.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.insert(key.into(), value.into());
    }

    /// Takes a label away. Returns whether there was one.
    pub fn remove(&mut self, key: &str) -> bool {
        self.0.remove(key).is_some()
    }

    /// The value of a label.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All labels, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name on the ring, if it is not the address.
    ///
    /// Source: spec/ringpop/membership.md, "labels".
    pub fn identity(&self) -> Option<&str> {
        self.get(IDENTITY)
    }

    /// One number for all labels, whatever their order; 0 for none. The higher one wins a tie.
    ///
    /// Source: spec/ringpop/checksum.md, "labels".
    pub fn checksum(&self) -> i32 {
        let sums = self.iter().map(|(key, value)| fingerprint(key, value));
        sums.fold(0, |sum, label| sum ^ label).cast_signed()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(labels: I) -> Self {
        let labels = labels
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()));
        Self(labels.collect())
    }
}

/// The label that names a member on the ring.
///
/// Source: spec/ringpop/membership.md, "labels".
pub const IDENTITY: &str = "__identity";

/// Of the key and the value, each behind its length as four bytes.
fn fingerprint(key: &str, value: &str) -> u32 {
    let mut bytes = Vec::with_capacity(8 + key.len() + value.len());
    for text in [key, value] {
        bytes.extend((text.len() as u32).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    fingerprint32(&bytes)
}

#[cfg(test)]
mod tests {
    use super::Labels;

    #[test]
    fn the_order_of_labels_does_not_matter() {
        let one = Labels::from_iter([("hello", "world"), ("foo", "baz")]);
        let other = Labels::from_iter([("foo", "baz"), ("hello", "world")]);
        assert_eq!(one.checksum(), other.checksum());
        assert_eq!(one.checksum(), -1_625_122_257);
    }

    #[test]
    fn no_labels_sum_up_to_nothing() {
        assert_eq!(Labels::new().checksum(), 0);
    }

    #[test]
    fn the_identity_is_a_label() {
        let labels = Labels::from_iter([("__identity", "alpha")]);
        assert_eq!(labels.identity(), Some("alpha"));
        assert_eq!(Labels::new().identity(), None);
    }
}
