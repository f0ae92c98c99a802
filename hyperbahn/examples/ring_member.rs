//! One bare member of a Ringpop ring, with the command line that Ringpop's tools and its public test suite
//! expect of a program. It serves nothing else, and leaves the ring when it is told to end.
//!
//! ```text
//! cargo run -p hyperbahn --example ring_member -- --hosts=hosts.json --listen=127.0.0.1:3000
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use hyperbahn::host_port::HostPort;
use hyperbahn::membership::{Bootstrap, Membership, MembershipConfig};
use tchannel_rt::Channel;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A bare member of a Ringpop ring.
#[derive(Parser)]
struct Options {
    /// JSON file with the host:port of all members.
    #[arg(long)]
    hosts: PathBuf,
    /// host:port to listen on; the member's name.
    #[arg(long)]
    listen: String,
    /// Milliseconds from suspect to faulty.
    #[arg(long)]
    suspect_period: Option<u64>,
    /// Milliseconds from faulty to tombstone.
    #[arg(long)]
    faulty_period: Option<u64>,
    /// Milliseconds from tombstone to forgotten.
    #[arg(long)]
    tombstone_period: Option<u64>,
    /// Name on the ring in place of the address.
    #[arg(long)]
    identity: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let options = Options::parse();
    // Before anybody can know of it: a member that is told to end leaves.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let channel = Arc::new(Channel::new("ringpop"));
    let address = channel.listen(&options.listen).await?;
    let address = HostPort::parse(&address.to_string())?;
    let member = Membership::start(&channel, &address, config(&options));
    let join = async {
        member.look(Bootstrap::File(options.hosts.clone())).await;
        member.enter().await;
        std::future::pending().await
    };
    tokio::select! {
        () = join => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    member.leave().await;
    channel.close().await;
    Ok(())
}

fn config(options: &Options) -> MembershipConfig {
    let mut config = MembershipConfig::default();
    let set = |period: &mut Duration, ms: Option<u64>| {
        if let Some(ms) = ms {
            *period = Duration::from_millis(ms);
        }
    };
    set(&mut config.suspect_period, options.suspect_period);
    set(&mut config.faulty_period, options.faulty_period);
    set(&mut config.tombstone_period, options.tombstone_period);
    config.identity = options.identity.clone();
    config
}
