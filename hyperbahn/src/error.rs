//! What can stop a node.

use crate::config::ConfigError;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// What it was told makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It cannot listen.
    #[error(transparent)]
    Listen(#[from] tchannel_rt::ChannelError),
    /// It listens on all addresses and knows none of them.
    #[error(
        "{bound} stands for every address of this machine and peers need one: set announce, by \
         --announce or in the config file, or listen on a single address"
    )]
    Unreachable {
        /// What it is bound to.
        bound: String,
    },
}
