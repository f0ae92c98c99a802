//! A language, and the programs written in it.

use std::path::PathBuf;

use tokio::process::Command;

use crate::installation;

/// A foreign implementation whose programs are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// npm `tchannel`.
    Node,
    /// PyPI `tchannel`.
    Python,
    /// `tchannel-go`.
    Go,
    /// `ringpop-go`: no service and no client, but a member of a ring.
    RingpopGo,
}

impl Peer {
    /// The Node peer, or `None`, said aloud on stderr, when it is not installed.
    ///
    /// # Panics
    ///
    /// When it is not installed although the variable `INTEROP_REQUIRED` is set. The same goes for the
    /// others.
    pub fn node() -> Option<Self> {
        installation::check(Self::Node)
    }

    /// The Python peer, or `None`, said aloud on stderr, when it is not installed.
    pub fn python() -> Option<Self> {
        installation::check(Self::Python)
    }

    /// The Go peer, or `None`, said aloud on stderr, when it is not installed.
    pub fn go() -> Option<Self> {
        installation::check(Self::Go)
    }

    /// The member of a ring that `ringpop-go` makes, or `None`, said aloud on stderr, when it is not installed.
    pub fn ringpop_go() -> Option<Self> {
        installation::check(Self::RingpopGo)
    }

    /// The peer's name, which is also its folder under `peers/` and under the installation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Go => "go",
            Self::RingpopGo => "ringpop-go",
        }
    }

    /// The command that runs the peer's program, still without a role.
    pub(crate) fn command(self) -> Command {
        let home = self.home();
        match self {
            Self::Node => {
                let mut command = Command::new("node");
                command.env("NODE_PATH", home.join("node_modules"));
                command.arg(self.source().join("peer.js"));
                command
            }
            Self::Python => {
                let mut command = Command::new(home.join("venv/bin/python"));
                command.env("PYTHONDONTWRITEBYTECODE", "1");
                command.arg(self.source().join("peer.py"));
                command
            }
            Self::Go | Self::RingpopGo => Command::new(home.join("peer")),
        }
    }

    /// Where the installation of this peer is.
    pub(crate) fn home(self) -> PathBuf {
        installation::home().join(self.name())
    }

    /// Where the program's source is.
    pub(crate) fn source(self) -> PathBuf {
        installation::peers().join(self.name())
    }
}
