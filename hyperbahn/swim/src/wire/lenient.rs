//! Fields that may be there, null or missing.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// A text; empty if absent or null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

/// A whole number that a double can hold; `None` if absent, null, negative, too large or not whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) Option<u64>);

/// A truth value; false if absent or null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or null")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl Visitor<'_> for Numbers {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or null")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(Some(number)))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(u64::try_from(number).ok()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
                let is_whole = number.fract() == 0.0 && (0.0..9e15).contains(&number);
                Ok(Number(is_whole.then_some(number as u64)))
            }

            fn visit_unit<E: Error>(self) -> Result<Number, E> {
                Ok(Number(None))
            }
        }
        deserializer.deserialize_any(Numbers)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<bool>::deserialize(deserializer).map(|flag| Flag(flag.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Number, Text};

    #[test]
    fn a_number_may_come_as_a_double_or_not_at_all() {
        for (json, expected) in [
            ("7", Some(7)),
            ("1.4e12", Some(1_400_000_000_000)),
            ("0", Some(0)),
            ("null", None),
            ("-62135596800", None),
            ("7.5", None),
            ("1e300", None),
        ] {
            let number: Number = serde_json::from_str(json).expect(json);
            assert_eq!(number.0, expected, "{json}");
        }
    }

    #[test]
    fn a_text_is_borrowed_unless_it_was_escaped() {
        let borrowed: Text<'_> = serde_json::from_str(r#""a:1""#).expect("a string");
        assert!(matches!(borrowed.0, std::borrow::Cow::Borrowed("a:1")));
        let owned: Text<'_> = serde_json::from_str(r#""a\u003a1""#).expect("a string");
        assert_eq!(owned.0, "a:1");
        let none: Text<'_> = serde_json::from_str("null").expect("null");
        assert_eq!(none.0, "");
    }
}
