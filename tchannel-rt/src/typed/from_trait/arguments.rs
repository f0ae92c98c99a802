//! The arguments of a method: a tuple at either end, a map by name between them.

use std::fmt;
use std::iter::empty;
use std::marker::PhantomData;

use serde::de::value::MapDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer, forward_to_deserialize_any};

/// Names and types of the parameters of method `N`.
pub trait Parameters<const N: usize> {
    /// A tuple of the types, in order.
    type Values;
    /// The names, as many as there are types.
    const NAMES: &'static [&'static str];
}

/// The arguments of method `N`.
///
/// A missing one is `None` where that is an `Option`, and an error otherwise; unknown ones are skipped.
///
/// Source: spec/schemes/interfaces.md, "methods by schema".
pub struct Arguments<P: Parameters<N>, const N: usize>(pub P::Values);

impl<P: Parameters<N, Values: Values>, const N: usize> Serialize for Arguments<P, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(P::NAMES.len()))?;
        self.0.write(P::NAMES, &mut map)?;
        map.end()
    }
}

impl<'de, P: Parameters<N, Values: Values>, const N: usize> Deserialize<'de> for Arguments<P, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let by_name = ByName {
            names: P::NAMES,
            values: PhantomData,
        };
        deserializer.deserialize_any(by_name).map(Self)
    }
}

impl<P: Parameters<N>, const N: usize> fmt::Debug for Arguments<P, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Arguments").field(&P::NAMES).finish()
    }
}

struct ByName<T> {
    names: &'static [&'static str],
    values: PhantomData<T>,
}

impl<'de, T: Values> Visitor<'de> for ByName<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of arguments by name")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<T, M::Error> {
        T::read(self.names, map)
    }

    /// What callers without arguments may send instead of an empty map.
    fn visit_unit<E: Error>(self) -> Result<T, E> {
        T::read(self.names, MapDeserializer::new(empty::<((), ())>()))
    }
}

/// A tuple whose values have names elsewhere.
pub trait Values: Sized {
    #[doc(hidden)]
    fn write<M: SerializeMap>(
        &self,
        names: &'static [&'static str],
        map: &mut M,
    ) -> Result<(), M::Error>;

    #[doc(hidden)]
    fn read<'de, M: MapAccess<'de>>(
        names: &'static [&'static str],
        map: M,
    ) -> Result<Self, M::Error>;
}

macro_rules! values {
    ($($slot:ident: $T:ident = $at:tt),*) => {
        #[allow(unused_variables, reason = "of the tuple without values")]
        impl<$($T: Serialize + DeserializeOwned),*> Values for ($($T,)*) {
            fn write<M: SerializeMap>(
                &self,
                names: &'static [&'static str],
                map: &mut M,
            ) -> Result<(), M::Error> {
                $(map.serialize_entry(names[$at], &self.$at)?;)*
                Ok(())
            }

            fn read<'de, M: MapAccess<'de>>(
                names: &'static [&'static str],
                mut map: M,
            ) -> Result<Self, M::Error> {
                $(let mut $slot: Option<$T> = None;)*
                while let Some(at) = map.next_key_seed(Position(names))? {
                    match at {
                        $(Some($at) => fill(&mut $slot, names[$at], &mut map)?,)*
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(($(given($slot, names[$at])?,)*))
            }
        }
    };
}

values!();
values!(a: A = 0);
values!(a: A = 0, b: B = 1);
values!(a: A = 0, b: B = 1, c: C = 2);
values!(a: A = 0, b: B = 1, c: C = 2, d: D = 3);
values!(a: A = 0, b: B = 1, c: C = 2, d: D = 3, e: E = 4);
values!(a: A = 0, b: B = 1, c: C = 2, d: D = 3, e: E = 4, f: F = 5);
values!(a: A = 0, b: B = 1, c: C = 2, d: D = 3, e: E = 4, f: F = 5, g: G = 6);
values!(a: A = 0, b: B = 1, c: C = 2, d: D = 3, e: E = 4, f: F = 5, g: G = 6, h: H = 7);
values!(a: A = 0, b: B = 1, c: C = 2, d: D = 3, e: E = 4, f: F = 5, g: G = 6, h: H = 7, i: I = 8);
values!(
    a: A = 0, b: B = 1, c: C = 2, d: D = 3, e: E = 4, f: F = 5, g: G = 6, h: H = 7, i: I = 8, j: J = 9
);
values!(
    a: A = 0, b: B = 1, c: C = 2, d: D = 3, e: E = 4, f: F = 5, g: G = 6, h: H = 7, i: I = 8, j: J = 9,
    k: K = 10
);
values!(
    a: A = 0, b: B = 1, c: C = 2, d: D = 3, e: E = 4, f: F = 5, g: G = 6, h: H = 7, i: I = 8, j: J = 9,
    k: K = 10, l: L = 11
);
values!(
    a: A = 0, b: B = 1, c: C = 2, d: D = 3, e: E = 4, f: F = 5, g: G = 6, h: H = 7, i: I = 8, j: J = 9,
    k: K = 10, l: L = 11, m: M_ = 12
);
values!(
    a: A = 0, b: B = 1, c: C = 2, d: D = 3, e: E = 4, f: F = 5, g: G = 6, h: H = 7, i: I = 8, j: J = 9,
    k: K = 10, l: L = 11, m: M_ = 12, n: N = 13
);
values!(
    a: A = 0, b: B = 1, c: C = 2, d: D = 3, e: E = 4, f: F = 5, g: G = 6, h: H = 7, i: I = 8, j: J = 9,
    k: K = 10, l: L = 11, m: M_ = 12, n: N = 13, o: O = 14
);
values!(
    a: A = 0, b: B = 1, c: C = 2, d: D = 3, e: E = 4, f: F = 5, g: G = 6, h: H = 7, i: I = 8, j: J = 9,
    k: K = 10, l: L = 11, m: M_ = 12, n: N = 13, o: O = 14, p: P = 15
);

fn fill<'de, T: DeserializeOwned, M: MapAccess<'de>>(
    slot: &mut Option<T>,
    name: &'static str,
    map: &mut M,
) -> Result<(), M::Error> {
    match slot.replace(map.next_value()?) {
        None => Ok(()),
        Some(_) => Err(M::Error::duplicate_field(name)),
    }
}

fn given<T: DeserializeOwned, E: Error>(slot: Option<T>, name: &'static str) -> Result<T, E> {
    slot.map_or_else(|| T::deserialize(Missing::new(name)), Ok)
}

/// Whether a call may leave out an argument of this type.
pub fn is_optional<T: DeserializeOwned>() -> bool {
    T::deserialize(Missing::<serde::de::value::Error>::new("")).is_ok()
}

/// Where in a list of names a key is.
struct Position(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Position {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Position {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an argument")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}

/// An argument that is not there: `None`, or an error.
struct Missing<E> {
    name: &'static str,
    error: PhantomData<E>,
}

impl<E> Missing<E> {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            error: PhantomData,
        }
    }
}

impl<'de, E: Error> Deserializer<'de> for Missing<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, E> {
        Err(E::custom(format_args!("missing argument `{}`", self.name)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::{json, msgpack};

    struct Method;

    impl Parameters<0> for Method {
        type Values = (String, Option<u8>);
        const NAMES: &'static [&'static str] = &["name", "age"];
    }

    impl Parameters<1> for Method {
        type Values = ();
        const NAMES: &'static [&'static str] = &[];
    }

    #[track_caller]
    fn check(text: &str, expected: Result<(&str, Option<u8>), &str>) {
        let read = json::decode::<Arguments<Method, 0>>(text.as_bytes());
        let read = read
            .map(|arguments| arguments.0)
            .map_err(|error| error.to_string());
        match expected {
            Ok((name, age)) => assert_eq!(read, Ok((name.to_owned(), age))),
            Err(message) => {
                let error = read.unwrap_err();
                assert!(error.starts_with(message), "{error}");
            }
        }
    }

    #[test]
    fn arguments_travel_by_name_in_every_scheme() {
        let arguments = Arguments::<Method, 0>(("Ada".to_owned(), Some(36)));
        assert_eq!(
            json::encode(&arguments).unwrap(),
            r#"{"name":"Ada","age":36}"#
        );
        let arg3 = msgpack::encode(&arguments).unwrap();
        assert_eq!(arg3, b"\x82\xa4name\xa3Ada\xa3age\x24"[..]);
        let read: Arguments<Method, 0> = msgpack::decode(&arg3).unwrap();
        assert_eq!(read.0, arguments.0);
    }

    #[test]
    fn an_optional_argument_may_be_missing_and_an_unknown_one_is_skipped() {
        check(r#"{"name":"Ada"}"#, Ok(("Ada", None)));
        check(r#"{"name":"Ada","age":null}"#, Ok(("Ada", None)));
        check(
            r#"{"title":{"of":[1]},"age":3,"name":""}"#,
            Ok(("", Some(3))),
        );
    }

    #[test]
    fn arguments_that_do_not_fit_are_named() {
        check("{}", Err("json arg3: missing argument `name`"));
        check("null", Err("json arg3: missing argument `name`"));
        check(
            r#"{"name":1}"#,
            Err("json arg3: invalid type: integer `1`, expected a string"),
        );
        check(
            r#"{"name":"","name":""}"#,
            Err("json arg3: duplicate field `name`"),
        );
        check(
            "[]",
            Err("json arg3: invalid type: sequence, expected a map of arguments by name"),
        );
    }

    #[test]
    fn no_arguments_are_an_empty_map_and_may_be_null() {
        assert_eq!(
            msgpack::encode(&Arguments::<Method, 1>(())).unwrap(),
            b"\x80"[..]
        );
        for arg3 in [&b"\x80"[..], b"\xc0", b"\x81\xa1x\x01"] {
            assert!(msgpack::decode::<Arguments<Method, 1>>(arg3).is_ok());
        }
    }

    #[test]
    fn only_what_may_be_none_is_optional() {
        assert!(is_optional::<Option<String>>());
        assert!(!is_optional::<String>());
        assert!(!is_optional::<()>());
    }
}
