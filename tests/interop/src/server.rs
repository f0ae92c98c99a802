//! A foreign service.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;

use crate::Peer;
use crate::process::{Output, Process};

/// A running server of a peer; it ends when this is dropped.
pub struct Server {
    process: Process,
    output: Output,
    peer: Peer,
    address: SocketAddr,
}

impl Server {
    /// Starts a server of this service on a free port of the loopback interface.
    ///
    /// # Panics
    ///
    /// When it does not come up within a minute.
    pub async fn start(peer: Peer, service: &str) -> Self {
        Self::run(peer, &["server", "--service", service]).await
    }

    /// As [`start`](Self::start), and advertises the service to these routers with the peer's own
    /// Hyperbahn client. Returns once the first advertisement succeeded.
    ///
    /// # Panics
    ///
    /// When it does not come up, or no router takes its advertisement, within a minute.
    pub async fn advertise(peer: Peer, service: &str, routers: &[SocketAddr]) -> Self {
        let routers: Vec<String> = routers.iter().map(ToString::to_string).collect();
        let routers = routers.join(",");
        let args = ["server", "--service", service, "--routers", &routers];
        let mut server = Self::run(peer, &args).await;
        server.expect("ADVERTISED").await;
        server
    }

    async fn run(peer: Peer, args: &[&str]) -> Self {
        let (process, mut output) = Process::start(peer, args);
        let line = next_line(peer, &mut output).await;
        let address = line
            .strip_prefix("LISTENING ")
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("the {} peer said {line:?}", peer.name()));
        Self {
            process,
            output,
            peer,
            address,
        }
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Withdraws the service from the routers, with the peer's own Hyperbahn client.
    ///
    /// # Panics
    ///
    /// When the peer's client cannot, or has no answer within a minute.
    pub async fn unadvertise(&mut self) {
        self.process.write_line("unadvertise").await;
        self.expect("UNADVERTISED").await;
    }

    async fn expect(&mut self, wanted: &str) {
        let line = next_line(self.peer, &mut self.output).await;
        assert_eq!(line, wanted, "from the {} peer", self.peer.name());
    }
}

/// How long a program may take to say its next line; far more than any needs.
const PATIENCE: Duration = Duration::from_secs(60);

async fn next_line(peer: Peer, output: &mut Output) -> String {
    let name = peer.name();
    match timeout(PATIENCE, output.next_line()).await {
        Ok(Ok(Some(line))) => line,
        Ok(Ok(None)) => panic!("the {name} peer ended"),
        Ok(Err(error)) => panic!("the {name} peer cannot be read: {error}"),
        Err(_) => panic!("the {name} peer said nothing within {PATIENCE:?}"),
    }
}
