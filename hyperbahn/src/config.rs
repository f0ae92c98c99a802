//! What a node is told, and the file that may tell it.
//!
//! ```toml
//! listen = "10.0.0.5:21300"
//! bootstrap = ["10.0.0.6:21300", "10.0.0.7:21300"]
//! drain = "30s"
//! connections_max = 20000
//!
//! [registry]
//! expiry = "400s"
//!
//! [exits]
//! k = 10
//! services = { keyvalue = 3 }
//! ```
//!
//! Each key stands once, with its unit and default: in [`NodeConfig`], and for its tables in
//! [`RegistryConfig`], [`ExitConfig`], [`AffinityConfig`] and [`MembershipConfig`]. A key that nobody knows
//! is an error, so that a misspelt one is not taken for its default.

use std::collections::HashMap;

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::{Table, Value};

use crate::duration;
use crate::host_port::HostPort;
use crate::membership::{Bootstrap, MembershipConfig};
use crate::registry::RegistryConfig;
use crate::routing::{AffinityConfig, ExitConfig};

/// Where a router listens unless told otherwise, and where clients look for one.
pub const DEFAULT_ROUTER: &str = "127.0.0.1:21300";

/// Everything a node is told.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeConfig {
    /// `listen`: where the router listens, as `host:port`. Default `127.0.0.1:21300`; port 0 lets
    /// the system choose one.
    pub listen: String,
    /// `announce`: the address that peers are told, for a router behind a wildcard address or a
    /// port mapping. Default: the address it is bound to.
    pub announce: Option<HostPort>,
    /// `bootstrap`: routers that may be there already, so that this one finds the mesh: a list of `host:port`,
    /// names allowed, or the name of a JSON file that holds one. Default: none; the router is a mesh of one
    /// until others come.
    pub bootstrap: Bootstrap,
    /// `drain`: how long calls in flight may take to finish when the node stops. Default 30 s;
    /// `0s` cuts them off.
    pub drain: Duration,
    /// `connections_max`: connections of either direction that are open at once, those to instances and to other
    /// routers included; more are closed on arrival, and not dialled. Default 10,000, some 130 MB when idle. The
    /// process needs as many open files: `ulimit -n`.
    pub connections_max: usize,
    /// The table `registry`.
    pub registry: RegistryConfig,
    /// The table `exits`: keys `k`, for all services, and `services`, a table of k by service name. The same
    /// at all routers.
    pub exits: ExitConfig,
    /// The table `affinity`. The same at all routers.
    pub affinity: AffinityConfig,
    /// The table `membership`: keys `app`, `period`, `ping_timeout`, `suspect_period`, `faulty_period` and
    /// `join_limit`. The join limit of a router is 5 s by default, since a router must start without others;
    /// it looks for lost ones every 5 s.
    pub membership: MembershipConfig,
}

impl Default for NodeConfig {
    fn default() -> Self {
        let membership = MembershipConfig {
            join_limit: Duration::from_secs(5),
            // Calls go where the ring says: whoever does not know of a leaver yet calls in vain.
            farewell_share: 1.0,
            ..MembershipConfig::default()
        };
        Self {
            listen: DEFAULT_ROUTER.to_owned(),
            announce: None,
            bootstrap: Bootstrap::default(),
            drain: Duration::from_secs(30),
            connections_max: 10_000,
            registry: RegistryConfig::default(),
            exits: ExitConfig::default(),
            affinity: AffinityConfig::default(),
            membership,
        }
    }
}

impl NodeConfig {
    /// Takes an address to listen on, with port 0 for any.
    ///
    /// # Errors
    ///
    /// What is allowed, when `text` is not that.
    pub fn parse_listen(text: &str) -> Result<String, String> {
        host_port_to_bind(&Value::String(text.to_owned()))
            .map_err(|allowed| format!("give {allowed}"))
    }

    /// Takes what `--bootstrap` may be: `host:port` with commas between, or a file.
    ///
    /// # Errors
    ///
    /// What is allowed, when `text` is not that.
    pub fn parse_bootstrap(text: &str) -> Result<Bootstrap, String> {
        bootstrap(&Value::String(text.to_owned())).map_err(|allowed| format!("give {allowed}"))
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it cannot be read, is not TOML, or holds something that is not allowed.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::from_toml(&text)
    }

    /// Takes the text of a file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it is not TOML or holds something that is not allowed.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let default = Self::default();
        let mut root = Keys::root(text.parse()?);
        let config = Self {
            listen: root
                .take("listen", host_port_to_bind)?
                .unwrap_or(default.listen),
            announce: root.take("announce", host_port)?,
            bootstrap: root.take("bootstrap", bootstrap)?.unwrap_or_default(),
            drain: root.take("drain", duration_of)?.unwrap_or(default.drain),
            connections_max: root
                .take("connections_max", count)?
                .unwrap_or(default.connections_max),
            registry: registry(root.table("registry", "registry.")?)?,
            exits: exits(root.table("exits", "exits.")?)?,
            affinity: affinity(root.table("affinity", "affinity.")?)?,
            membership: membership(root.table("membership", "membership.")?, default.membership)?,
        };
        root.end()?;
        Ok(config)
    }
}

fn registry(mut keys: Keys) -> Result<RegistryConfig, ConfigError> {
    let default = RegistryConfig::default();
    let config = RegistryConfig {
        expiry: keys.take("expiry", expiry)?.unwrap_or(default.expiry),
        max_services: keys
            .take("max_services", count)?
            .unwrap_or(default.max_services),
        max_instances_per_service: keys
            .take("max_instances_per_service", count)?
            .unwrap_or(default.max_instances_per_service),
        max_registrations: keys
            .take("max_registrations", count)?
            .unwrap_or(default.max_registrations),
        max_names_per_ad: keys
            .take("max_names_per_ad", count)?
            .unwrap_or(default.max_names_per_ad),
    };
    keys.end()?;
    Ok(config)
}

fn exits(mut keys: Keys) -> Result<ExitConfig, ConfigError> {
    let default = ExitConfig::default();
    let config = ExitConfig {
        default_k: keys.take("k", count)?.unwrap_or(default.default_k),
        k: keys.take("services", counts)?.unwrap_or(default.k),
    };
    keys.end()?;
    Ok(config)
}

fn affinity(mut keys: Keys) -> Result<AffinityConfig, ConfigError> {
    let default = AffinityConfig::default();
    let config = AffinityConfig {
        from_instances: keys
            .take("from_instances", count)?
            .unwrap_or(default.from_instances),
        routers_per_instance: keys
            .take("routers_per_instance", count)?
            .unwrap_or(default.routers_per_instance),
        instances_per_router: keys
            .take("instances_per_router", count)?
            .unwrap_or(default.instances_per_router),
    };
    keys.end()?;
    Ok(config)
}

fn membership(
    mut keys: Keys,
    mut config: MembershipConfig,
) -> Result<MembershipConfig, ConfigError> {
    if let Some(app) = keys.take("app", text)? {
        config.app = app;
    }
    let periods: [(&'static str, &mut Duration); 5] = [
        ("period", &mut config.period),
        ("ping_timeout", &mut config.ping_timeout),
        ("suspect_period", &mut config.suspect_period),
        ("faulty_period", &mut config.faulty_period),
        ("join_limit", &mut config.join_limit),
    ];
    for (key, period) in periods {
        if let Some(given) = keys.take(key, duration_of)? {
            *period = given;
        }
    }
    keys.end()?;
    Ok(config)
}

/// Reads a value, or says what is allowed.
type Read<T> = fn(&Value) -> Result<T, &'static str>;

fn host_port_to_bind(value: &Value) -> Result<String, &'static str> {
    let parts = value.as_str().and_then(|text| text.rsplit_once(':'));
    match parts {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Ok(format!("{host}:{port}"))
        }
        _ => Err("\"host:port\", with port 0 for any"),
    }
}

fn bootstrap(value: &Value) -> Result<Bootstrap, &'static str> {
    const ALLOWED: &str = "a list of host:port, such as 10.0.0.5:21300,10.0.0.6:21300, names allowed, \
                           or the name of a JSON file that holds one";
    let is_host = |entry: &str| entry.contains(':') || entry.starts_with('_');
    let entries: Vec<_> = match value {
        Value::String(text) if text.is_empty() => return Err(ALLOWED),
        Value::String(text) if !text.contains(',') && !is_host(text) => {
            return Ok(Bootstrap::File(text.into()));
        }
        Value::String(text) => text
            .split(',')
            .map(|entry| entry.trim().to_owned())
            .collect(),
        Value::Array(values) => {
            let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or(ALLOWED)?
        }
        _ => return Err(ALLOWED),
    };
    match entries.iter().all(|entry| is_host(entry)) {
        true => Ok(Bootstrap::List(entries)),
        false => Err(ALLOWED),
    }
}

fn text(value: &Value) -> Result<String, &'static str> {
    value.as_str().map(str::to_owned).ok_or("a text")
}

fn counts(value: &Value) -> Result<HashMap<String, usize>, &'static str> {
    const ALLOWED: &str = "a table of service names, each with a whole number above zero";
    let table = value.as_table().ok_or(ALLOWED)?;
    let counts = table
        .iter()
        .map(|(name, value)| Ok((name.clone(), count(value).map_err(|_| ALLOWED)?)));
    counts.collect()
}

fn host_port(value: &Value) -> Result<HostPort, &'static str> {
    let text = value.as_str().unwrap_or_default();
    HostPort::parse(text).map_err(|_| "\"host:port\" that peers can dial")
}

fn duration_of(value: &Value) -> Result<Duration, &'static str> {
    value
        .as_str()
        .and_then(duration::parse)
        .ok_or(duration::SHAPE)
}

fn expiry(value: &Value) -> Result<Option<Duration>, &'static str> {
    const ALLOWED: &str = "\"never\", or a duration above zero such as \"400s\"";
    match value.as_str() {
        Some("never") => Ok(None),
        Some(text) => match duration::parse(text) {
            Some(expiry) if !expiry.is_zero() => Ok(Some(expiry)),
            _ => Err(ALLOWED),
        },
        None => Err(ALLOWED),
    }
}

fn count(value: &Value) -> Result<usize, &'static str> {
    let count = value
        .as_integer()
        .and_then(|number| usize::try_from(number).ok());
    count
        .filter(|count| *count > 0)
        .ok_or("a whole number above zero")
}

/// The keys of one table, taken out one by one.
struct Keys {
    prefix: &'static str,
    table: Table,
    known: Vec<&'static str>,
}

impl Keys {
    fn root(table: Table) -> Self {
        Self {
            prefix: "",
            table,
            known: Vec::new(),
        }
    }

    fn take<T>(&mut self, key: &'static str, read: Read<T>) -> Result<Option<T>, ConfigError> {
        self.known.push(key);
        let Some(value) = self.table.remove(key) else {
            return Ok(None);
        };
        read(&value)
            .map(Some)
            .map_err(|allowed| ConfigError::Value {
                key: format!("{}{key}", self.prefix),
                value: value.to_string(),
                allowed,
            })
    }

    fn table(&mut self, key: &'static str, prefix: &'static str) -> Result<Self, ConfigError> {
        let table = self.take(key, |value| {
            value.as_table().cloned().ok_or("a table of keys")
        })?;
        Ok(Self {
            prefix,
            table: table.unwrap_or_default(),
            known: Vec::new(),
        })
    }

    fn end(self) -> Result<(), ConfigError> {
        match self.table.keys().next() {
            None => Ok(()),
            Some(key) => Err(ConfigError::Unknown {
                key: format!("{}{key}", self.prefix),
                known: self.known.join(", "),
            }),
        }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is not TOML.
    #[error(transparent)]
    Syntax(#[from] toml::de::Error),
    /// A key nobody knows.
    #[error("unknown key {key}: known here are {known}")]
    Unknown {
        /// The key, with its table.
        key: String,
        /// The keys of that table.
        known: String,
    },
    /// A key with a value that is not allowed.
    #[error("{key} = {value} is not allowed: give {allowed}")]
    Value {
        /// The key, with its table.
        key: String,
        /// What was given.
        value: String,
        /// What may be given.
        allowed: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuses(text: &str, expected: &str) {
        let message = NodeConfig::from_toml(text).unwrap_err().to_string();
        assert_eq!(message, expected);
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(NodeConfig::from_toml("").unwrap(), NodeConfig::default());
    }

    #[test]
    fn every_key_reaches_its_field() {
        let text = r#"
            listen = "0.0.0.0:0"
            announce = "10.0.0.5:21300"
            bootstrap = ["10.0.0.6:21300"]
            drain = "5s"
            connections_max = 10
            [registry]
            expiry = "2m"
            max_services = 1
            max_instances_per_service = 2
            max_registrations = 3
            max_names_per_ad = 4
            [exits]
            k = 5
            services = { keyvalue = 6 }
            [affinity]
            from_instances = 7
            routers_per_instance = 8
            instances_per_router = 9
            [membership]
            app = "autobahn"
            period = "1s"
            ping_timeout = "2s"
            suspect_period = "3s"
            faulty_period = "4s"
            join_limit = "6s"
        "#;
        let membership = MembershipConfig {
            app: "autobahn".into(),
            period: Duration::from_secs(1),
            ping_timeout: Duration::from_secs(2),
            suspect_period: Duration::from_secs(3),
            faulty_period: Duration::from_secs(4),
            join_limit: Duration::from_secs(6),
            ..NodeConfig::default().membership
        };
        let expected = NodeConfig {
            listen: "0.0.0.0:0".into(),
            announce: Some(HostPort::parse("10.0.0.5:21300").unwrap()),
            bootstrap: Bootstrap::List(vec!["10.0.0.6:21300".into()]),
            drain: Duration::from_secs(5),
            connections_max: 10,
            registry: RegistryConfig {
                expiry: Some(Duration::from_secs(120)),
                max_services: 1,
                max_instances_per_service: 2,
                max_registrations: 3,
                max_names_per_ad: 4,
            },
            exits: ExitConfig {
                default_k: 5,
                k: HashMap::from([("keyvalue".into(), 6)]),
            },
            affinity: AffinityConfig {
                from_instances: 7,
                routers_per_instance: 8,
                instances_per_router: 9,
            },
            membership,
        };
        assert_eq!(NodeConfig::from_toml(text).unwrap(), expected);
    }

    #[test]
    fn expiry_can_be_turned_off_by_name() {
        let config = NodeConfig::from_toml("registry.expiry = \"never\"").unwrap();
        assert_eq!(config.registry.expiry, None);
    }

    #[test]
    fn an_unknown_key_is_named_beside_the_known_ones() {
        refuses(
            "lissten = 1",
            "unknown key lissten: known here are listen, announce, bootstrap, drain, \
             connections_max, registry, exits, affinity, membership",
        );
        refuses(
            "registry.expire = 1",
            "unknown key registry.expire: known here are expiry, max_services, \
             max_instances_per_service, max_registrations, max_names_per_ad",
        );
    }

    #[test]
    fn a_bad_value_is_named_with_its_key_and_what_is_allowed() {
        refuses(
            "listen = 21300",
            "listen = 21300 is not allowed: give \"host:port\", with port 0 for any",
        );
        refuses(
            "announce = \"0.0.0.0:21300\"",
            "announce = \"0.0.0.0:21300\" is not allowed: give \"host:port\" that peers can dial",
        );
        refuses(
            "drain = 30",
            "drain = 30 is not allowed: give a whole number with a unit: ms, s, m or h, \
             such as 500ms or 30s",
        );
        refuses(
            "connections_max = 0",
            "connections_max = 0 is not allowed: give a whole number above zero",
        );
        refuses(
            "registry.expiry = \"0s\"",
            "registry.expiry = \"0s\" is not allowed: give \"never\", or a duration above zero \
             such as \"400s\"",
        );
        refuses(
            "registry.max_services = 0",
            "registry.max_services = 0 is not allowed: give a whole number above zero",
        );
        refuses(
            "registry = 1",
            "registry = 1 is not allowed: give a table of keys",
        );
    }

    #[test]
    fn a_bootstrap_is_a_list_or_a_file() {
        let list = |entries: &[&str]| Bootstrap::from_iter(entries.iter().copied());
        let parse = NodeConfig::parse_bootstrap;
        assert_eq!(parse("a:1, b:2"), Ok(list(&["a:1", "b:2"])));
        assert_eq!(parse("a:1"), Ok(list(&["a:1"])));
        assert_eq!(
            parse("hosts.json"),
            Ok(Bootstrap::File("hosts.json".into()))
        );
        assert!(parse("").is_err());
        assert!(
            parse("a:1,b")
                .unwrap_err()
                .starts_with("give a list of host:port")
        );
    }

    #[test]
    fn what_is_not_toml_is_shown_where_it_stands() {
        let message = NodeConfig::from_toml("listen = ").unwrap_err().to_string();
        assert!(message.contains("line 1, column"), "{message}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let missing = Path::new("no/such/hyperbahn.toml");
        let message = NodeConfig::from_file(missing).unwrap_err().to_string();
        assert!(
            message.starts_with("cannot read no/such/hyperbahn.toml: "),
            "{message}"
        );
    }
}
