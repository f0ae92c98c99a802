//! `hosts_v1`, and the check of a service name that three endpoints share.
//!
//! A name that does not pass is an answer with code 1 and a typed JSON object.
//! Source: spec/hyperbahn/api.md, "hosts_v1".

use serde::Serialize;
use serde_json::Value;

use super::answer::Answer;
use super::json;
use super::read::Request;
use crate::host_port::{HostPort, abbreviate};
use crate::routing::View;

/// The service asked about.
pub(super) fn read(request: &Request<'_>) -> Result<String, Answer> {
    let group = match request.endpoint {
        "hosts_v1" => &HOSTS,
        "connections_v1" => &CONNECTIONS,
        _ => &EXIT_CONNECTIONS,
    };
    let body: Value = json::read(request, r#"{"serviceName":"keyvalue"}"#)?;
    let Value::Object(body) = body else {
        let needs = "requires a body that is an object";
        return Err(group.error("body-missing", needs, None));
    };
    let Some(name) = body.get("serviceName").and_then(Value::as_str) else {
        let needs = "requires serviceName to be a string";
        return Err(group.error("service-name-required", needs, None));
    };
    if !is_plain(name) {
        let shown = abbreviate(name);
        let needs = format!("requires valid service name [a-zA-Z0-9-_]+, got {shown}");
        return Err(group.error("service-name-invalid", &needs, Some(&shown)));
    }
    Ok(name.to_owned())
}

/// The exit nodes of a service, in the order of the ring.
pub(super) fn answer(service: &str, view: &View) -> Answer {
    let exits = view.mesh.exits(service);
    json::ok(&exits.iter().map(HostPort::as_str).collect::<Vec<_>>())
}

fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.bytes().all(plain)
}

/// The endpoint's name in error types and messages.
struct Group {
    kebab: &'static str,
    camel: &'static str,
}

const HOSTS: Group = Group {
    kebab: "service-hosts",
    camel: "ServiceHosts",
};
const CONNECTIONS: Group = Group {
    kebab: "service-hosts-connections",
    camel: "ServiceHostsConnections",
};
const EXIT_CONNECTIONS: Group = Group {
    kebab: "exit-connections",
    camel: "ExitConnections",
};

impl Group {
    fn error(&self, kind: &str, needs: &str, service_name: Option<&str>) -> Answer {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct TypedError<'a> {
            r#type: String,
            message: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            service_name: Option<&'a str>,
            name: String,
        }
        json::not_ok(&TypedError {
            r#type: format!("autobahn.{}.{kind}", self.kebab),
            message: format!("Autobahn: {} endpoint {needs}", self.kebab),
            service_name,
            name: format!("Autobahn{}{}Error", self.camel, camel(kind)),
        })
    }
}

/// `body-missing` to `BodyMissing`.
fn camel(kebab: &str) -> String {
    let words = kebab.split('-').filter_map(|word| {
        let (first, rest) = word.split_at_checked(1)?;
        Some(first.to_ascii_uppercase() + rest)
    });
    words.collect()
}
