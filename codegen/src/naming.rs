//! Thrift names to Rust names: letter case, keywords, and names that would clash.

use std::collections::HashSet;

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

/// The names taken in one place, such as a module or a struct.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    taken: HashSet<String>,
}

impl Scope {
    /// A place where some names are taken from the start.
    pub(crate) fn with(taken: &[&str]) -> Self {
        Self {
            taken: taken.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// Takes `name`, with as many underscores behind it as make it free.
    pub(crate) fn take(&mut self, mut name: String) -> String {
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

/// The name of a type or variant: `user_id`, `userId` and `USER_ID` become `UserId`. What looks like a
/// type in Rust already, such as `UserID`, stays.
pub(crate) fn type_name(thrift: &str) -> String {
    let is_type = thrift.starts_with(|c: char| c.is_ascii_uppercase())
        && thrift.contains(|c: char| c.is_ascii_lowercase())
        && !thrift.contains('_');
    let name = if is_type {
        thrift.to_owned()
    } else {
        thrift.to_upper_camel_case()
    };
    match name.as_str() {
        "Self" => "Self_".to_owned(),
        _ => begun_by_letter(name, "X"),
    }
}

/// The name of a field, a method or a module: `userId` becomes `user_id`.
pub(crate) fn value_name(thrift: &str) -> String {
    escaped(begun_by_letter(thrift.to_snake_case(), "x"))
}

/// The name of a constant: `maxSize` becomes `MAX_SIZE`.
pub(crate) fn const_name(thrift: &str) -> String {
    begun_by_letter(thrift.to_shouty_snake_case(), "X")
}

/// Names of underscores and digits alone have nothing left to begin with.
fn begun_by_letter(name: String, letter: &str) -> String {
    match name.chars().next() {
        Some(first) if !first.is_ascii_digit() => name,
        _ => format!("{letter}{name}"),
    }
}

/// Keywords become raw, and the few that cannot be raw get an underscore.
fn escaped(name: String) -> String {
    if ["self", "super", "crate"].contains(&name.as_str()) {
        format!("{name}_")
    } else if KEYWORDS.contains(&name.as_str()) {
        format!("r#{name}")
    } else {
        name
    }
}

/// Words that are keywords in some edition of Rust and may be raw.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(thrift: &str, as_type: &str, as_value: &str, as_const: &str) {
        assert_eq!(type_name(thrift), as_type);
        assert_eq!(value_name(thrift), as_value);
        assert_eq!(const_name(thrift), as_const);
    }

    #[test]
    fn names_take_the_letter_case_of_their_place() {
        check("userId", "UserId", "user_id", "USER_ID");
        check("HTTPError", "HTTPError", "http_error", "HTTP_ERROR");
        check("URL", "Url", "url", "URL");
        check("RED", "Red", "red", "RED");
        check("key_value", "KeyValue", "key_value", "KEY_VALUE");
    }

    #[test]
    fn keywords_become_raw_or_get_an_underscore() {
        check("type", "Type", "r#type", "TYPE");
        check("self", "Self_", "self_", "SELF");
    }

    #[test]
    fn a_name_without_letters_gets_one() {
        check("_", "X", "x", "X");
        check("_1", "X1", "x1", "X1");
    }

    #[test]
    fn a_name_that_is_taken_gets_underscores() {
        let mut scope = Scope::with(&["new"]);
        assert_eq!(scope.take("new".into()), "new_");
        assert_eq!(scope.take("get".into()), "get");
        assert_eq!(scope.take("get".into()), "get_");
        assert_eq!(scope.take("get".into()), "get__");
    }
}
