//! What the router knows when a call comes in.

use std::sync::Arc;

use super::mesh::Mesh;
use crate::host_port::HostPort;
use crate::registry::Services;

/// Everything a routing decision may depend on, at one moment.
#[derive(Clone, Debug)]
pub struct View {
    /// Who offers which service, as far as it is known here.
    pub services: Arc<Services>,
    /// The routers.
    pub mesh: Arc<Mesh>,
}

impl View {
    /// This router, as messages name it.
    pub fn router(&self) -> &HostPort {
        self.mesh.me()
    }
}

/// A service that the router answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnService {
    /// Advertising and discovery.
    Hyperbahn,
    /// Questions about the mesh.
    Autobahn,
    /// What routers tell each other about who is there.
    Ringpop,
    /// What every TChannel process answers about itself.
    Tchannel,
}

impl OwnService {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Autobahn,
        Self::Hyperbahn,
        Self::Ringpop,
        Self::Tchannel,
    ];

    /// The name in call requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hyperbahn => "hyperbahn",
            Self::Autobahn => "autobahn",
            Self::Ringpop => "ringpop",
            Self::Tchannel => "tchannel",
        }
    }

    /// The own service of that name, if there is one.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.name() == name)
    }
}
