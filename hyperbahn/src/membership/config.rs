//! What a member is told: the name of its ring, what it says of itself, and its times.

use std::time::Duration;

use hyperbahn_swim::{Config, IDENTITY, Labels};

use crate::host_port::HostPort;

/// How a member behaves. The defaults are those of deployed rings.
///
/// Source: spec/ringpop/membership.md, "times and sizes".
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MembershipConfig {
    /// Name of the ring; members of a ring of another name are refused. Default `ringpop`.
    pub app: String,
    /// The name under which it owns keys, so that they stay with it at another address. Default `None`: its
    /// address.
    pub identity: Option<String>,
    /// What it says of itself besides. Default none; at most 16, keys of 64 bytes, values of 256.
    pub labels: Labels,
    /// Shortest wait between two pings. Default 200 ms.
    pub period: Duration,
    /// Time in which a member must answer. Default 1.5 s.
    pub ping_timeout: Duration,
    /// Time that a suspect has to refute, if nobody confirms the suspicion. Default 5 s; confirmed, down to 2 s.
    pub suspect_period: Duration,
    /// Time from faulty to tombstone. Default 24 h.
    pub faulty_period: Duration,
    /// Time from tombstone to forgotten. Default 60 s.
    pub tombstone_period: Duration,
    /// Longest time to look for others where nobody answers. Default 120 s.
    pub join_limit: Duration,
    /// Time between two chances to look for the lost. Default 30 s.
    pub heal_period: Duration,
    /// Share of the ring that a leaver tells directly, before news goes round: 0 to 1. Default 0.4; never
    /// more than some tens of members.
    pub farewell_share: f64,
}

impl Default for MembershipConfig {
    fn default() -> Self {
        let swim = Config::new("");
        Self {
            app: swim.app,
            identity: None,
            labels: swim.labels,
            period: swim.period,
            ping_timeout: swim.ping_timeout,
            suspect_period: swim.suspect_period,
            faulty_period: swim.faulty_period,
            tombstone_period: swim.tombstone_period,
            join_limit: swim.join.give_up_after,
            heal_period: swim.heal.period,
            farewell_share: swim.evict_share,
        }
    }
}

impl MembershipConfig {
    /// The same for the node that others reach at `address`.
    pub(super) fn swim(self, address: &HostPort) -> Config {
        let mut swim = Config::new(address.as_str());
        swim.app = self.app;
        swim.labels = self.labels;
        if let Some(identity) = self.identity {
            swim.labels.insert(IDENTITY, identity);
        }
        swim.period = self.period;
        swim.ping_timeout = self.ping_timeout;
        swim.suspect_period = self.suspect_period;
        swim.faulty_period = self.faulty_period;
        swim.tombstone_period = self.tombstone_period;
        swim.join.give_up_after = self.join_limit;
        swim.heal.period = self.heal_period;
        swim.evict_share = self.farewell_share;
        swim
    }
}
