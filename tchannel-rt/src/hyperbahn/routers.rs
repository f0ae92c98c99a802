//! Where the routers are: in the environment, in a file, or in code.

use std::path::PathBuf;

use crate::connection::number_of;
use crate::error::ChannelError;

/// The environment variable with the routers, as `host:port,host:port`.
pub const ROUTERS_VARIABLE: &str = "HYPERBAHN_ROUTERS";
/// The router when nobody says otherwise.
pub const DEFAULT_ROUTER: &str = "127.0.0.1:21300";

/// Where to find routers.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Routers {
    /// `HYPERBAHN_ROUTERS`, else `127.0.0.1:21300`.
    #[default]
    Environment,
    /// A JSON file with an array of host:port strings, as Hyperbahn's clients have always used.
    File(PathBuf),
    /// These.
    List(Vec<String>),
}

impl Routers {
    /// Reads the list.
    ///
    /// # Errors
    ///
    /// [`ChannelError`] when the file can not be read, or an entry is not a host:port.
    pub fn resolve(&self) -> Result<Vec<String>, ChannelError> {
        let routers = match self {
            Self::Environment => from_text(&std::env::var(ROUTERS_VARIABLE).unwrap_or_default()),
            Self::File(path) => from_file(path)?,
            Self::List(list) => list.clone(),
        };
        for router in &routers {
            check_host_port(router)?;
        }
        Ok(routers)
    }
}

impl<S: Into<String>> FromIterator<S> for Routers {
    fn from_iter<I: IntoIterator<Item = S>>(routers: I) -> Self {
        Self::List(routers.into_iter().map(Into::into).collect())
    }
}

fn from_text(text: &str) -> Vec<String> {
    let named: Vec<String> = text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect();
    if named.is_empty() {
        vec![DEFAULT_ROUTER.to_owned()]
    } else {
        named
    }
}

fn from_file(path: &PathBuf) -> Result<Vec<String>, ChannelError> {
    let failed = |reason: String| ChannelError::RouterFile {
        path: path.display().to_string(),
        reason,
    };
    let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
}

pub(crate) fn check_host_port(value: &str) -> Result<(), ChannelError> {
    let is_socket = value
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if is_socket || number_of(value).is_some() {
        Ok(())
    } else {
        Err(ChannelError::BadHostPort {
            value: value.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_text_is_cut_at_commas_and_an_empty_one_means_the_default() {
        assert_eq!(from_text("a:1, b:2,"), ["a:1", "b:2"]);
        assert_eq!(from_text(" "), [DEFAULT_ROUTER]);
    }

    #[test]
    fn an_entry_that_is_no_host_and_port_is_refused_by_name() {
        let error = Routers::from_iter(["a:1", "nowhere"])
            .resolve()
            .unwrap_err();
        assert!(error.to_string().contains("nowhere"), "{error}");
    }
}
