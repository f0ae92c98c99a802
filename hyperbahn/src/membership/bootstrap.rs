//! Where the others are said to be: a list or a file, of addresses or names.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinSet;

use super::srv;

/// Who should be in the mesh. An entry is `address:port`; or `name:port`, which stands for every address of
/// the name; or `_service._protocol.name`, which stands for what its SRV records name. This member may be
/// among them.
///
/// Nothing is remembered: files and names are read anew whenever somebody is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bootstrap {
    /// These.
    List(Vec<String>),
    /// Those in a JSON file with an array of entries, as Ringpop has it.
    File(PathBuf),
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl<S: Into<String>> FromIterator<S> for Bootstrap {
    fn from_iter<I: IntoIterator<Item = S>>(entries: I) -> Self {
        Self::List(entries.into_iter().map(Into::into).collect())
    }
}

/// What a bootstrap stands for at the moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hosts {
    /// `address:port` each.
    pub(super) hosts: Vec<String>,
    pub(super) problems: Vec<String>,
}

impl Bootstrap {
    /// Reads files and resolves names, in no more than [`LOOKUP_LIMIT`]. What cannot be is a problem, and the
    /// rest is still of use. `me` is the address of this member.
    pub(super) async fn resolve(&self, me: &str) -> Hosts {
        let (entries, problem) = match self {
            Self::List(entries) => (entries.clone(), None),
            Self::File(path) => match read(path).await {
                Ok(entries) => (entries, None),
                Err(problem) => (Vec::new(), Some(problem)),
            },
        };
        let mut problems: Vec<String> = problem.into_iter().collect();
        let mut hosts = BTreeSet::new();
        let mut lookups = JoinSet::new();
        for entry in entries {
            match entry == me || entry.parse::<SocketAddr>().is_ok() {
                true => {
                    hosts.insert(entry);
                }
                false => {
                    lookups.spawn(look_up(entry, me.parse().ok()));
                }
            }
        }
        for found in lookups.join_all().await {
            match found {
                Ok(found) => hosts.extend(found),
                Err(problem) => problems.push(problem),
            }
        }
        Hosts {
            hosts: hosts.into_iter().collect(),
            problems,
        }
    }
}

async fn read(path: &Path) -> Result<Vec<String>, String> {
    let failed = |reason: String| {
        let path = path.display();
        format!("can not read hosts from {path}: {reason}; expected a JSON array of host:port")
    };
    let text = tokio::fs::read(path).await;
    let text = text.map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
}

async fn look_up(entry: String, me: Option<SocketAddr>) -> Result<Vec<String>, String> {
    let addresses = async {
        if !srv::is_name(&entry) {
            return addresses(&entry).await;
        }
        let mut all = Vec::new();
        let mut problem = None;
        for host in srv::look_up(&entry).await? {
            match addresses(&host).await {
                Ok(found) => all.extend(found),
                Err(error) => problem = Some(error),
            }
        }
        // If some can be reached, the name is of use.
        match problem.filter(|_| all.is_empty()) {
            Some(problem) => Err(problem),
            None => Ok(all),
        }
    };
    let found = match tokio::time::timeout(LOOKUP_LIMIT, addresses).await {
        Ok(found) => found,
        Err(_) => Err(format!("no answer within {} s", LOOKUP_LIMIT.as_secs())),
    };
    match found {
        Ok(addresses) => Ok(reachable(addresses, me)),
        Err(problem) => Err(format!("can not resolve {entry:?}: {problem}")),
    }
}

async fn addresses(host: &str) -> Result<Vec<SocketAddr>, String> {
    let found = tokio::net::lookup_host(host).await;
    let found = found.map_err(|error| error.to_string())?;
    Ok(found.collect())
}

/// A member that speaks IPv4 is looked for there by others, and so is known by that address; likewise IPv6.
fn reachable(addresses: Vec<SocketAddr>, me: Option<SocketAddr>) -> Vec<String> {
    let is_like_me = |address: &&SocketAddr| me.is_some_and(|me| me.is_ipv4() == address.is_ipv4());
    let alike: Vec<String> = addresses
        .iter()
        .filter(is_like_me)
        .map(ToString::to_string)
        .collect();
    match alike.is_empty() {
        true => addresses.iter().map(ToString::to_string).collect(),
        false => alike,
    }
}

/// Time for resolving all names.
const LOOKUP_LIMIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::{Bootstrap, Hosts, reachable};

    const ME: &str = "127.0.0.1:1";

    #[tokio::test]
    async fn addresses_stay_as_they_are_and_names_become_addresses() {
        let bootstrap = Bootstrap::from_iter(["127.0.0.1:2", ME, "localhost:3", "localhost:2"]);
        let found = bootstrap.resolve(ME).await;
        assert_eq!(found.hosts, [ME, "127.0.0.1:2", "127.0.0.1:3"]);
        assert!(found.problems.is_empty());
    }

    #[tokio::test]
    async fn the_own_name_is_not_resolved() {
        let bootstrap = Bootstrap::from_iter(["me.invalid:1"]);
        let found = bootstrap.resolve("me.invalid:1").await;
        assert_eq!(found.hosts, ["me.invalid:1"]);
    }

    #[tokio::test]
    async fn what_can_not_be_resolved_is_named_and_the_rest_counts() {
        let found = Bootstrap::from_iter(["127.0.0.1:2", "nowhere", "name.invalid:4"])
            .resolve(ME)
            .await;
        assert_eq!(found.hosts, ["127.0.0.1:2"]);
        let mut problems = found.problems;
        problems.sort();
        assert!(problems[0].starts_with("can not resolve \"name.invalid:4\": "));
        assert!(problems[1].starts_with("can not resolve \"nowhere\": "));
        assert_eq!(problems.len(), 2);
    }

    #[tokio::test]
    async fn a_file_is_read_anew_each_time() {
        let path = std::env::temp_dir().join(format!("hosts-{}.json", std::process::id()));
        let bootstrap = Bootstrap::File(path.clone());
        for text in [r#"["127.0.0.1:2"]"#, r#"["127.0.0.1:2","127.0.0.1:3"]"#] {
            std::fs::write(&path, text).unwrap();
            let expected: Vec<String> = serde_json::from_str(text).unwrap();
            assert_eq!(bootstrap.resolve(ME).await.hosts, expected);
        }
        std::fs::write(&path, "{}").unwrap();
        let Hosts { hosts, problems } = bootstrap.resolve(ME).await;
        std::fs::remove_file(&path).unwrap();
        assert!(hosts.is_empty());
        let missing = bootstrap.resolve(ME).await.problems;
        for problem in [&problems[0], &missing[0]] {
            let expected = format!("can not read hosts from {}: ", path.display());
            assert!(problem.starts_with(&expected), "{problem}");
        }
    }

    #[test]
    fn addresses_of_our_own_kind_are_taken_where_there_are_any() {
        let both = ["127.0.0.1:1", "[::1]:1"].map(|address| address.parse().unwrap());
        for (me, expected) in [
            ("10.0.0.1:1", &["127.0.0.1:1"][..]),
            ("[::2]:1", &["[::1]:1"]),
            ("router-1:1", &["127.0.0.1:1", "[::1]:1"]),
        ] {
            assert_eq!(reachable(both.to_vec(), me.parse().ok()), expected, "{me}");
        }
        assert_eq!(reachable(both[1..].to_vec(), ME.parse().ok()), ["[::1]:1"]);
    }
}
