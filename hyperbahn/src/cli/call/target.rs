//! `service::method`: what is called.

use std::fmt;
use std::str::FromStr;

/// A method of a service. The service is the text before the first `::`, the method the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The TChannel service name.
    pub service: String,
    /// arg1.
    pub method: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("::") {
            Some((service, method)) if !service.is_empty() => Ok(Self {
                service: service.to_owned(),
                method: method.to_owned(),
            }),
            _ => Err("write service::method, such as demo::echo".to_owned()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.service, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, service: &str, method: &str) {
        let expected = Target {
            service: service.into(),
            method: method.into(),
        };
        assert_eq!(text.parse(), Ok(expected));
    }

    #[test]
    fn the_first_pair_of_colons_ends_the_service() {
        check("demo::echo", "demo", "echo");
        check("keyvalue::KeyValue::get", "keyvalue", "KeyValue::get");
        check("ringpop::/protocol/ping", "ringpop", "/protocol/ping");
        check("web::", "web", "");
    }

    #[test]
    fn a_name_without_service_is_refused() {
        for text in ["demo", "demo:echo", "::echo", ""] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
