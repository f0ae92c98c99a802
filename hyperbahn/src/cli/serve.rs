//! `hyperbahn serve`: one router, until it is told to stop.

use std::path::PathBuf;

use clap::Args;
use hyperbahn::config::{ConfigError, NodeConfig};
use hyperbahn::host_port::HostPort;
use hyperbahn::membership::Bootstrap;
use hyperbahn::node::Node;

use super::exit::Exit;
use super::{logs, output, signals};

const EXAMPLES: &str = "\
Examples:
  hyperbahn serve
  hyperbahn serve --listen 10.0.0.5:21300 --bootstrap 10.0.0.6:21300,10.0.0.7:21300
  hyperbahn serve --listen 10.0.0.5:21300 --bootstrap routers.internal:21300
  hyperbahn serve --listen 10.0.0.5:21300 --bootstrap _hyperbahn._tcp.example.net
  hyperbahn serve --listen 10.0.0.5:21300 --bootstrap /etc/hyperbahn/hosts.json
  hyperbahn serve --listen 0.0.0.0:21300 --announce 10.0.0.5:21300
  hyperbahn serve --config /etc/hyperbahn.toml
  RUST_LOG=hyperbahn=debug hyperbahn serve --listen 127.0.0.1:0

SIGTERM and SIGINT stop the router: it hands over what it holds, tells the others, and ends once calls
in flight have finished. A second signal stops it at once.";

/// Where the router listens, and what else it is told.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Address to listen on and to tell peers; port 0 lets the system choose
    /// [default: 127.0.0.1:21300, or what the file says]
    #[arg(long, value_name = "H:P", value_parser = NodeConfig::parse_listen)]
    pub(crate) listen: Option<String>,

    /// Address to tell peers instead, behind a wildcard address or a port mapping
    /// [default: where it listens, or what the file says]
    #[arg(long, value_name = "H:P", value_parser = HostPort::parse)]
    pub(crate) announce: Option<HostPort>,

    /// Other routers: host:port with commas between, names allowed, SRV names too, or a JSON file with a
    /// list of them
    /// [default: none, a mesh of one until others come, or what the file says]
    #[arg(long, value_name = "HOSTS", value_parser = NodeConfig::parse_bootstrap)]
    pub(crate) bootstrap: Option<Bootstrap>,

    /// TOML file with everything else
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl ServeArgs {
    fn config(self) -> Result<NodeConfig, ConfigError> {
        let mut config = match &self.config {
            Some(path) => NodeConfig::from_file(path)?,
            None => NodeConfig::default(),
        };
        config.listen = self.listen.unwrap_or(config.listen);
        config.announce = self.announce.or(config.announce);
        config.bootstrap = self.bootstrap.unwrap_or(config.bootstrap);
        Ok(config)
    }
}

/// Runs a router.
pub(crate) async fn run(args: ServeArgs) -> Exit {
    logs::to_stderr("info");
    let config = match args.config() {
        Ok(config) => config,
        Err(error) => return output::refuse(error),
    };
    let node = match Node::start(config).await {
        Ok(node) => node,
        Err(error) => return output::fail(error),
    };
    output::line(format_args!("router listens on {}", node.address()));
    until_stopped(node.stop()).await
}

/// Waits for a signal, then for `stop`, unless another signal comes first.
pub(super) async fn until_stopped(stop: impl Future<Output = usize>) -> Exit {
    if let Err(error) = signals::stop().await {
        return output::fail(format_args!("cannot watch for signals: {error}"));
    }
    output::note("stopping: calls in flight may finish; a second signal ends them");
    let cut_off = tokio::select! {
        cut_off = stop => cut_off,
        _ = signals::stop() => return Exit::Success,
    };
    if cut_off > 0 {
        output::note(format_args!(
            "stopped; {cut_off} calls did not finish in time"
        ));
    }
    Exit::Success
}
