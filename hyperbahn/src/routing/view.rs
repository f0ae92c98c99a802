//! What the router knows when a call comes in.

use std::sync::Arc;

use crate::host_port::HostPort;
use crate::registry::Services;

/// Everything a routing decision may depend on, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// This router, as messages name it.
    pub router: HostPort,
    /// Who offers which service.
    pub services: Arc<Services>,
}

/// A service that the router answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnService {
    /// Advertising and discovery.
    Hyperbahn,
    /// Questions about the mesh.
    Autobahn,
    /// What every TChannel process answers about itself.
    Tchannel,
}

impl OwnService {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Autobahn, Self::Hyperbahn, Self::Tchannel];

    /// The name in call requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hyperbahn => "hyperbahn",
            Self::Autobahn => "autobahn",
            Self::Tchannel => "tchannel",
        }
    }

    /// The own service of that name, if there is one.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.name() == name)
    }
}
