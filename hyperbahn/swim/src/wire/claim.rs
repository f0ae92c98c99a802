//! What is said about a member: an element of `changes` and of `membership`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::lenient::{Flag, Number, Text};
use crate::labels::Labels;
use crate::status::{Standing, Status};

/// A claim about a member, by somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim<'a> {
    pub(crate) address: Cow<'a, str>,
    pub(crate) standing: Standing,
    /// Empty when nobody signed it.
    pub(crate) source: Cow<'a, str>,
    pub(crate) source_incarnation: u64,
    pub(crate) labels: Option<Labels>,
}

/// Claims as they stand in a body. Those without address or incarnation, or with a status that nobody knows,
/// say nothing and are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims<'a>(pub(crate) Vec<Claim<'a>>);

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Raw<'a> {
    #[serde(borrow)]
    address: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    incarnation_number: Number,
    #[serde(borrow)]
    source: Text<'a>,
    source_incarnation_number: Number,
    tombstone: Flag,
    labels: Option<BTreeMap<String, String>>,
}

impl<'a> Raw<'a> {
    fn claim(self) -> Option<Claim<'a>> {
        let status = match Status::from_word(&self.status.0)? {
            // Older members know no tombstone, so it travels in disguise.
            Status::Faulty if self.tombstone.0 => Status::Tombstone,
            status => status,
        };
        let labels = self.labels.filter(|labels| !labels.is_empty());
        (!self.address.0.is_empty()).then_some(Claim {
            address: self.address.0,
            standing: Standing::new(self.incarnation_number.0?, status)?,
            source: self.source.0,
            source_incarnation: self.source_incarnation_number.0.unwrap_or_default(),
            labels: labels.map(Labels::from_iter),
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Claims<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lists;
        impl<'de> Visitor<'de> for Lists {
            type Value = Claims<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of changes or null")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut claims = Vec::new();
                while let Some(raw) = list.next_element::<Raw<'de>>()? {
                    claims.extend(raw.claim());
                }
                Ok(Claims(claims))
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Claims::default())
            }
        }
        deserializer.deserialize_any(Lists)
    }
}

#[cfg(test)]
mod tests {
    use super::Claims;

    fn read(json: &str) -> Vec<String> {
        let claims: Claims<'_> = serde_json::from_str(json).expect(json);
        let claims = claims.0.iter();
        claims
            .map(|claim| format!("{} {:?} by {}", claim.address, claim.standing, claim.source))
            .collect()
    }

    #[test]
    fn a_tombstone_comes_as_a_flag_or_as_a_word() {
        let flag =
            r#"[{"address":"a:1","status":"faulty","incarnationNumber":7,"tombstone":true}]"#;
        let word = r#"[{"address":"a:1","status":"tombstone","incarnationNumber":7}]"#;
        assert_eq!(read(flag), ["a:1 tombstone@7 by "]);
        assert_eq!(read(word), read(flag));
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let json = r#"[
            {"address":"a:1","status":"alive"},
            {"address":"a:1","status":"confused","incarnationNumber":7},
            {"status":"alive","incarnationNumber":7},
            {"address":"a:1","status":"alive","incarnationNumber":9007199254740992},
            {"address":"b:1","status":"alive","incarnationNumber":7,"source":"c:1","timestamp":-62135596800}
        ]"#;
        assert_eq!(read(json), ["b:1 alive@7 by c:1"]);
        assert_eq!(read("null"), Vec::<String>::new());
    }
}
