//! Membership: who else is in the mesh. Swim over a channel, as Ringpop speaks it.
//!
//! ```text
//!   peers ──▶ endpoints ──▶ driver, which owns a hyperbahn_swim::Node ──▶ transport ──▶ peers
//!                             │ puts a newer snapshot in force    ▲
//!                             ▼                                   │ who should be there
//!                 Membership::current, ::watch                bootstrap
//! ```
//!
//! A member comes in two steps. It [looks](Membership::look): it knows the others and they do not know it.
//! Then it [enters](Membership::enter). What must be ready before the first call arrives is made ready in
//! between.
//!
//! Source: spec/ringpop/membership.md, "looking first".

mod bootstrap;
mod config;
mod driver;
mod endpoints;
mod process;
mod snapshot;
mod srv;
mod transport;

use std::convert::Infallible;
use std::sync::Arc;

use tchannel_rt::Channel;
use tokio::sync::{mpsc, oneshot, watch};

pub use bootstrap::Bootstrap;
pub use config::MembershipConfig;
pub use hyperbahn_ring::{Ring, Server};
pub use hyperbahn_swim::{Labels, Member, Status};
pub use snapshot::Snapshot;

use crate::host_port::HostPort;
use driver::{Command, Driver};

/// The name under which members call each other.
///
/// Source: spec/ringpop/membership.md, "endpoints".
pub const SERVICE: &str = "ringpop";

/// Commands and requests that wait for the driver; whoever has another one waits itself.
const WAITING: usize = 1024;

/// A member of a mesh, or of none yet. Cheap to clone.
///
/// It ends with the last clone, or with its channel. Then requests of members are declined; to be missed by
/// nobody, [`leave`](Self::leave) first.
///
/// ```
/// # use std::sync::Arc;
/// # use hyperbahn::host_port::HostPort;
/// # use hyperbahn::membership::{Bootstrap, Membership, MembershipConfig};
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = Arc::new(tchannel_rt::Channel::new("mesh"));
/// let address = HostPort::parse(&channel.listen("127.0.0.1:0").await?.to_string())?;
/// let member = Membership::start(&channel, &address, MembershipConfig::default());
/// member.look(Bootstrap::from_iter([address.as_str()])).await;
/// member.enter().await;
/// let now = member.current();
/// let owner = now.ring.lookup("a key").map(|owner| owner.address());
/// assert_eq!(owner, Some(address.as_str()));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Membership {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    address: HostPort,
    // The endpoints hold the others: when they are gone, so is the channel.
    commands: mpsc::WeakSender<Command>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    // Tells the driver by being dropped.
    _handle: oneshot::Sender<Infallible>,
}

/// What came of a look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LookReport {
    /// Hosts that were to be asked, this member not counted.
    pub hosts: usize,
    /// How many of them let us see their members. It is enough if some do.
    pub answered: usize,
    /// Names and files of the bootstrap that could not be read, each with the reason.
    pub problems: Vec<String>,
}

impl Membership {
    /// Serves the endpoints of [`SERVICE`] on `channel` from now on and starts the driver. `address` is where
    /// others reach the channel. Nobody is looked for yet.
    ///
    /// Must be called within a tokio runtime. A channel has one membership: another replaces the first.
    pub fn start(channel: &Arc<Channel>, address: &HostPort, config: MembershipConfig) -> Self {
        let (sender, commands) = mpsc::channel(WAITING);
        let (handle, abandoned) = oneshot::channel();
        let weak = sender.downgrade();
        endpoints::register(channel, &sender);
        let (driver, snapshots) =
            Driver::new(Arc::downgrade(channel), config.swim(address), commands);
        tokio::spawn(driver.run(abandoned));
        Self {
            inner: Arc::new(Inner {
                address: address.clone(),
                commands: weak,
                snapshots,
                _handle: handle,
            }),
        }
    }

    /// Where others reach this member.
    pub fn address(&self) -> &HostPort {
        &self.inner.address
    }

    /// What is known now.
    pub fn current(&self) -> Arc<Snapshot> {
        self.inner.snapshots.borrow().clone()
    }

    /// What is known, with a newer value whenever members or ring have changed, once for all that changed
    /// together. Ends with the membership.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.inner.snapshots.clone()
    }

    /// Learns who is in the mesh, without becoming known to anybody: then [`current`](Self::current) shows the
    /// others and their ring. The same hosts are asked again later, whenever members seem to be missing.
    ///
    /// Takes as long as [`MembershipConfig::join_limit`] where nobody answers, but no time to speak of where
    /// nobody listens. Finding nobody is no failure: the ring is then empty, and this member the first to
    /// [enter](Self::enter) it. May be repeated until then; afterwards only the hosts are taken.
    ///
    /// Source: spec/ringpop/membership.md, "looking first".
    pub async fn look(&self, bootstrap: Bootstrap) -> LookReport {
        let (done, report) = oneshot::channel();
        self.send(Command::Look(bootstrap, done)).await;
        report.await.unwrap_or_default()
    }

    /// Becomes a member, of the ring that was looked at or of one of its own. When this returns, the
    /// [ring](Snapshot::ring) holds it, and others learn of it with its next pings.
    ///
    /// Source: spec/ringpop/membership.md, "looking first".
    pub async fn enter(&self) {
        let (done, entered) = oneshot::channel();
        self.send(Command::Enter(done)).await;
        let _ = entered.await;
    }

    /// Leaves for good: takes itself out of the ring and tells a share of it directly. When this returns,
    /// those know, or have had the time of a ping to answer. Others learn it from them.
    ///
    /// Source: spec/ringpop/membership.md, "self-eviction".
    pub async fn leave(&self) {
        let (done, left) = oneshot::channel();
        self.send(Command::Leave(done)).await;
        let _ = left.await;
    }

    /// Without a driver the command is dropped, and with it the sender of its answer.
    async fn send(&self, command: Command) {
        if let Some(commands) = self.inner.commands.upgrade() {
            let _ = commands.send(command).await;
        }
    }
}
