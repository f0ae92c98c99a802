//! Periods, sizes and limits: what each does, its default, and what it costs.

use std::sync::Arc;
use std::time::Duration;

use crate::checksum::Flavour;
use crate::labels::Labels;

/// How a node behaves. The defaults are those of deployed peers where the wire shows them.
///
/// Source: spec/ringpop/membership.md, "times and sizes".
#[derive(Clone, Debug)]
pub struct Config {
    /// Where others reach this node, `host:port`. It is the member's name on the wire.
    pub address: Arc<str>,
    /// Name of the ring; requests from a ring of another name are refused. Default `ringpop`.
    pub app: String,
    /// What this node says about itself. Default none.
    pub labels: Labels,
    /// Shortest wait between two probes. Default 200 ms. Half of it finds a crash sooner and doubles what a
    /// quiet ring sends.
    pub period: Duration,
    /// Time in which a member must answer one of three pings, sent a third of it apart. Default 1.5 s.
    /// Grows while this node has trouble of its own.
    pub ping_timeout: Duration,
    /// Time that a helper gets to ping for us. Default 5 s.
    pub ping_req_timeout: Duration,
    /// How many helpers are asked about a silent member. Default 3; 0 suspects without asking.
    pub ping_req_size: usize,
    /// Time that a suspect has to refute before it is faulty, if nobody confirms the suspicion. Default 5 s.
    pub suspect_period: Duration,
    /// The same once `confirmations` others could not reach it either. Default 2 s; never more than
    /// `suspect_period`.
    pub suspect_period_min: Duration,
    /// How many independent confirmations bring the period down to its minimum. Default 3; 0 always waits for
    /// `suspect_period`.
    pub confirmations: usize,
    /// Time from faulty to tombstone. Default 24 h: a partition that lasts less heals by itself.
    pub faulty_period: Duration,
    /// Time from leave to tombstone. Default 24 h; `None` remembers those who left for ever, as peers do.
    pub leave_period: Option<Duration>,
    /// Time from tombstone to forgotten. Default 60 s; must outlast a change going round.
    pub tombstone_period: Duration,
    /// How far trouble of its own can stretch the patience of this node: factor 1 to this plus 1. Default 8;
    /// 0 blames the others at once.
    pub max_local_health: u32,
    /// How often a change is passed on, times the digits of the ring's size. Default 15; below 4 some members
    /// miss changes and need a full sync.
    pub piggyback_factor: u32,
    /// How many members are asked for their membership at once when their checksum differs. Default 5.
    pub max_reverse_full_syncs: usize,
    /// Time that a member has to answer such a question. Default 1 s.
    pub full_sync_timeout: Duration,
    /// How to enter the ring.
    pub join: JoinConfig,
    /// How to find lost halves of the ring.
    pub heal: HealConfig,
    /// Share of the ring that is told directly when this node takes itself out. Default 0.4.
    pub evict_share: f64,
    /// How the membership checksum is written until the first join tells. Default [`Flavour::Go`].
    pub checksum: Flavour,
    /// What peers may fill memory with.
    pub limits: Limits,
    /// Makes the text of an address shareable. Default `Arc::from`; a process with many nodes hands in one
    /// that returns the same allocation for the same text.
    pub intern: fn(&str) -> Arc<str>,
}

/// How a node enters the ring.
///
/// Source: spec/ringpop/membership.md, "joining".
#[derive(Clone, Debug)]
pub struct JoinConfig {
    /// How many members must let us in, if there are so many. Default 3.
    pub size: usize,
    /// How many more than needed are asked at once, as a factor. Default 2.
    pub parallelism: usize,
    /// Time that each has to answer. Default 1 s.
    pub timeout: Duration,
    /// Shortest and longest wait between two attempts. Default 100 ms to 60 s.
    pub back_off: (Duration, Duration),
    /// Rounds of nothing but refused connections after which the node starts a ring of its own. Default 3.
    pub refused_rounds: u32,
    /// Time after which it does so in any case. Default 120 s. The healer goes on looking for the others.
    pub give_up_after: Duration,
}

/// How a node looks for members it has lost.
///
/// Source: spec/ringpop/membership.md, "partition healing".
#[derive(Clone, Debug)]
pub struct HealConfig {
    /// Time between two chances to look; the first comes after one to two of it. Default 30 s; a ring that must
    /// be whole again within seconds takes 5 s, at the price of asking for the hosts as often.
    pub period: Duration,
    /// How many members of the ring look in each period, on average. Default 3.
    pub attempts: f64,
    /// Time that a lost member has to answer. Default 1 s.
    pub timeout: Duration,
    /// Members that may fail to answer before the attempt ends. Default 10.
    pub max_failures: u32,
}

/// What a peer can make a node hold. Anything beyond is ignored or refused.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Members. Default 100 000.
    pub members: usize,
    /// Bytes of a body. Default 32 MiB.
    pub body_bytes: usize,
    /// Bytes of an address. Default 255.
    pub address_bytes: usize,
    /// Labels of one member. Default 16.
    pub labels: usize,
    /// Bytes of the key of a label. Default 64.
    pub label_key_bytes: usize,
    /// Bytes of the value of a label. Default 256.
    pub label_value_bytes: usize,
    /// Pings on behalf of others at once, and operators that wait for the end of a healing. Default 100.
    pub helps: usize,
}

impl Config {
    /// The defaults for a node that others reach at `address`.
    pub fn new(address: &str) -> Self {
        Self {
            address: Arc::from(address),
            app: "ringpop".to_owned(),
            labels: Labels::new(),
            period: Duration::from_millis(200),
            ping_timeout: Duration::from_millis(1500),
            ping_req_timeout: Duration::from_secs(5),
            ping_req_size: 3,
            suspect_period: Duration::from_secs(5),
            suspect_period_min: Duration::from_secs(2),
            confirmations: 3,
            faulty_period: DAY,
            leave_period: Some(DAY),
            tombstone_period: Duration::from_secs(60),
            max_local_health: 8,
            piggyback_factor: 15,
            max_reverse_full_syncs: 5,
            full_sync_timeout: Duration::from_secs(1),
            join: JoinConfig::default(),
            heal: HealConfig::default(),
            evict_share: 0.4,
            checksum: Flavour::Go,
            limits: Limits::default(),
            intern: |text| Arc::from(text),
        }
    }
}

impl Default for JoinConfig {
    fn default() -> Self {
        Self {
            size: 3,
            parallelism: 2,
            timeout: Duration::from_secs(1),
            back_off: (Duration::from_millis(100), Duration::from_secs(60)),
            refused_rounds: 3,
            give_up_after: Duration::from_secs(120),
        }
    }
}

impl Default for HealConfig {
    fn default() -> Self {
        Self {
            period: Duration::from_secs(30),
            attempts: 3.0,
            timeout: Duration::from_secs(1),
            max_failures: 10,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            members: 100_000,
            body_bytes: 32 << 20,
            address_bytes: 255,
            labels: 16,
            label_key_bytes: 64,
            label_value_bytes: 256,
            helps: 100,
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
