//! What can be seen of a node.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Node, Phase};
use crate::admin::Surroundings;
use crate::checksum::Flavour;
use crate::event::Member;
use crate::status::Status;

impl Node {
    /// Where others reach this node.
    pub fn address(&self) -> &str {
        &self.me
    }

    /// Everybody it knows, itself included, by address.
    pub fn members(&self) -> impl Iterator<Item = Member> {
        self.members.iter().map(|entry| self.members.member(entry))
    }

    /// One of them.
    pub fn member(&self, address: &str) -> Option<Member> {
        self.members
            .get(address)
            .map(|entry| self.members.member(entry))
    }

    /// How many have this status.
    pub fn count(&self, status: Status) -> usize {
        self.members.count(status)
    }

    /// Of the membership. Equal numbers mean equal lists.
    ///
    /// Source: spec/ringpop/checksum.md, "text".
    pub fn checksum(&mut self) -> u32 {
        self.members.checksum()
    }

    /// How the checksum is written: as configured, or as the ring that was joined does.
    pub fn flavour(&self) -> Flavour {
        self.members.flavour()
    }

    /// How much trouble this node has of its own: 0 for none, up to
    /// [`max_local_health`](crate::Config::max_local_health).
    pub fn local_health(&self) -> u32 {
        self.health.score()
    }

    /// Whether changes wait to be told to others.
    pub fn has_news(&self) -> bool {
        !self.dissemination.is_empty()
    }

    /// Whether it is finding out who is in the ring.
    pub fn is_looking(&self) -> bool {
        matches!(self.phase, Phase::Joining(_))
    }

    /// Whether it has left for good.
    pub fn is_gone(&self) -> bool {
        matches!(self.phase, Phase::Gone)
    }

    /// Whether it has joined and not left for good.
    pub fn is_member(&self) -> bool {
        matches!(self.phase, Phase::Ready | Phase::Leaving)
    }

    /// The body of [`STATS`](crate::STATS).
    ///
    /// Source: spec/ringpop/membership.md, "stats".
    pub fn stats(&mut self, now: Instant, around: &Surroundings) -> Bytes {
        let (sent, received) = (self.sent.rate(now), self.received.rate(now));
        let uptime = now.saturating_duration_since(self.created);
        let mut ring = json!({"checksum": around.ring_checksum, "servers": around.servers});
        if let Some(checksum) = around.replica_checksum {
            ring["checksums"] = json!({"replica": checksum});
        }
        let stats = json!({
            "hooks": null,
            "membership": {
                "checksum": self.checksum(),
                "members": self.members().map(|member| stats_of(&member)).collect::<Vec<_>>(),
            },
            "process": {
                "memory": {
                    "rss": around.memory_bytes,
                    "heapTotal": around.memory_bytes,
                    "heapUsed": around.memory_bytes,
                },
                "pid": around.pid,
            },
            "protocol": {
                "timing": self.timing(),
                "protocolRate": self.pace.wait(self.config.period).as_nanos() as u64,
                "clientRate": sent,
                "serverRate": received,
                "totalRate": sent + received,
            },
            "ring": ring,
            "version": around.version,
            "timestamp": self.wall_ms + uptime.as_millis() as u64,
            "uptime": uptime.as_millis() as u64,
            "tchannelVersion": around.tchannel_version,
        });
        Bytes::from(stats.to_string())
    }

    /// How long the latest periods took, in nanoseconds.
    fn timing(&self) -> Value {
        let (latest, count) = self.pace.latest();
        let mut latest = latest.to_vec();
        latest.sort_unstable();
        let at = |share: f64| {
            let place = (latest.len().saturating_sub(1) as f64 * share) as usize;
            latest.get(place).map_or(0, |took| took.as_nanos() as u64)
        };
        let sum: Duration = latest.iter().sum();
        json!({
            "type": "histogram",
            "count": count,
            "min": at(0.0),
            "max": at(1.0),
            "mean": sum.as_nanos() as u64 / latest.len().max(1) as u64,
            "median": at(0.5),
            "p95": at(0.95),
            "p99": at(0.99),
        })
    }
}

fn stats_of(member: &Member) -> Value {
    let mut stats = Map::new();
    stats.insert("address".into(), json!(&*member.address));
    stats.insert("status".into(), json!(member.status.as_str()));
    stats.insert("incarnationNumber".into(), json!(member.incarnation));
    if let Some(labels) = &member.labels {
        let labels: Map<String, Value> = labels
            .iter()
            .map(|(key, value)| (key.to_owned(), json!(value)))
            .collect();
        stats.insert("labels".into(), Value::Object(labels));
    }
    Value::Object(stats)
}
