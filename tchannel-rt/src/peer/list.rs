//! The peers that serve one purpose, such as the instances of a service, and the choice among them.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::time::{Duration, Instant};

use bytestring::ByteString;

use super::chosen::Chosen;
use super::entry::{Entry, PeerState};
use super::load::Load;
use super::strategy::choose;
use crate::clock;
use crate::dispatch::Dispatch;

/// Peers that can stand in for each other; cheap to clone.
///
/// Each call goes to the better of two drawn at random: lower latency and fewer calls in flight is better.
/// A peer that keeps failing is left out for a while.
#[derive(Clone)]
pub struct PeerList {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) service: ByteString,
    dispatch: Weak<Dispatch>,
    entries: RwLock<Entries>,
    /// Held while the next entries are put together, so that nobody who reads has to wait for that.
    changing: Mutex<()>,
    pub(super) load: Load,
}

/// Sorted by host:port; replaced whole.
#[derive(Clone)]
pub(super) struct Entries(Arc<[Arc<Entry>]>);

impl PeerList {
    pub(crate) fn new(dispatch: &Arc<Dispatch>, service: &str) -> Self {
        Self::of(
            service.into(),
            Arc::downgrade(dispatch),
            Vec::new(),
            Load::of_whole(),
        )
    }

    fn of(
        service: ByteString,
        dispatch: Weak<Dispatch>,
        entries: Vec<Arc<Entry>>,
        load: Load,
    ) -> Self {
        let inner = Inner {
            service,
            dispatch,
            entries: RwLock::new(Entries(entries.into())),
            changing: Mutex::default(),
            load,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Adds a peer; `false` when it is there already, the channel is closed, or this is a
    /// [`subset`](Self::subset).
    pub fn add(&self, host_port: &str) -> bool {
        self.change(vec![host_port], Vec::new())
    }

    /// Removes a peer; `false` when it is not there, or this is a [`subset`](Self::subset). Calls in flight to
    /// it go on.
    pub fn remove(&self, host_port: &str) -> bool {
        self.change(Vec::new(), vec![host_port])
    }

    /// Adds some peers and removes others, all at once: the cost is that of adding one. A peer that is there
    /// already stays as it is, also one that is both added and removed. `false` when nothing has changed.
    pub fn update<'a>(
        &self,
        added: impl IntoIterator<Item = &'a str>,
        removed: impl IntoIterator<Item = &'a str>,
    ) -> bool {
        self.change(added.into_iter().collect(), removed.into_iter().collect())
    }

    fn change(&self, mut added: Vec<&str>, removed: Vec<&str>) -> bool {
        if self.inner.load.is_subset() {
            return false;
        }
        let changing = self.inner.changing.lock();
        let _changing = changing.unwrap_or_else(PoisonError::into_inner);
        let before = self.inner.entries();
        added.sort_unstable();
        added.dedup();
        let mut leaving: Vec<usize> = removed
            .into_iter()
            .filter(|host_port| added.binary_search(host_port).is_err())
            .filter_map(|host_port| before.position(host_port).ok())
            .collect();
        leaving.sort_unstable();
        leaving.dedup();
        let coming: Vec<(usize, Arc<Entry>)> = match self.inner.dispatch.upgrade() {
            Some(dispatch) => added
                .into_iter()
                .filter_map(|host_port| {
                    let at = before.position(host_port).err()?;
                    let peer = dispatch.peers.get(host_port);
                    Some((at, Entry::new(peer, clock::now())))
                })
                .collect(),
            None => Vec::new(),
        };
        if leaving.is_empty() && coming.is_empty() {
            return false;
        }
        let group = self.inner.load.group();
        coming.iter().for_each(|_| group.join());
        let after = before.with(&leaving, coming);
        self.inner.replace(after);
        for index in leaving {
            before[index].score().leave(group);
        }
        true
    }

    /// A list of some of these peers, of those named that are here now. It never changes, and what is learned of
    /// a peer through one list is known to the other: calls in flight, latency, ejection.
    pub fn subset<'a>(&self, host_ports: impl IntoIterator<Item = &'a str>) -> Self {
        self.subset_for(&self.inner.service, host_ports)
    }

    /// As [`subset`](Self::subset), but messages speak of another service, such as that which calls through
    /// these routers are for.
    pub fn subset_for<'a>(
        &self,
        service: &str,
        host_ports: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let entries = self.inner.entries();
        let mut positions: Vec<usize> = host_ports
            .into_iter()
            .filter_map(|host_port| entries.position(host_port).ok())
            .collect();
        positions.sort_unstable();
        positions.dedup();
        let now = clock::now();
        let chosen = positions
            .into_iter()
            .map(|index| entries[index].of_subset(now));
        Self::of(
            service.into(),
            self.inner.dispatch.clone(),
            chosen.collect(),
            self.inner.load.of_subset(),
        )
    }

    /// Dials a peer of this list in the background, so that its first call need not wait. Does nothing when
    /// it is connected.
    pub fn connect(&self, host_port: &str) {
        if let Some(entry) = self.inner.entries().find(host_port) {
            let peer = entry.peer.clone();
            tokio::spawn(async move {
                if let Err(error) = peer.connection().await {
                    tracing::debug!(%error, "could not connect ahead of the first call");
                }
            });
        }
    }

    /// Whether a peer is there.
    pub fn contains(&self, host_port: &str) -> bool {
        self.inner.entries().find(host_port).is_some()
    }

    /// How many peers there are.
    pub fn len(&self) -> usize {
        self.inner.entries().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is known of each peer, by order of their host:port.
    pub fn states(&self) -> Vec<PeerState> {
        let now = clock::now();
        self.inner
            .entries()
            .iter()
            .map(|entry| entry.state(now))
            .collect()
    }

    /// Chooses a peer for one attempt of a call whose earlier attempts went to `tried`.
    pub(crate) fn choose(
        self,
        now: Instant,
        ttl: Duration,
        tried: &[ByteString],
    ) -> Option<Chosen> {
        let entries = self.inner.read();
        let look = |index: usize| entries[index].candidate(now, tried);
        let index = choose(entries.len(), look, &mut |below| fastrand::usize(..below))?;
        let entry = entries[index].clone();
        drop(entries);
        let turn = entry.score().on_start(now);
        Some(Chosen::from(self, entry, turn, now, ttl))
    }
}

impl Inner {
    pub(super) fn entries(&self) -> Entries {
        self.read().clone()
    }

    /// The same for a short look: changes wait for it.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call that went to `tried` and is now at `host_port` could still go to another peer.
    pub(super) fn has_another(&self, host_port: &str, tried: &[ByteString]) -> bool {
        let is_other = |entry: &Arc<Entry>| {
            let other = entry.host_port();
            other != host_port && !tried.contains(other)
        };
        self.entries().iter().any(is_other)
    }

    fn replace(&self, mut entries: Entries) {
        let mut current = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *current, &mut entries);
        // Those from before go once the lock has been released.
        drop(current);
    }
}

impl Entries {
    pub(super) fn find(&self, host_port: &str) -> Option<&Arc<Entry>> {
        self.position(host_port).ok().map(|index| &self[index])
    }

    /// Where a peer is, or would be.
    fn position(&self, host_port: &str) -> Result<usize, usize> {
        self.binary_search_by(|entry| (**entry.host_port()).cmp(host_port))
    }

    /// A copy without those at `leaving`, and with `coming` before those that they are named with. Both are
    /// sorted.
    fn with(&self, leaving: &[usize], coming: Vec<(usize, Arc<Entry>)>) -> Self {
        let mut entries = Vec::with_capacity(self.len() + coming.len() - leaving.len());
        let mut leaving = leaving.iter().copied().peekable();
        let mut coming = coming.into_iter().peekable();
        for (index, entry) in self.iter().enumerate() {
            while let Some((_, new)) = coming.next_if(|(at, _)| *at == index) {
                entries.push(new);
            }
            if leaving.next_if_eq(&index).is_none() {
                entries.push(entry.clone());
            }
        }
        entries.extend(coming.map(|(_, new)| new));
        Self(entries.into())
    }
}

impl Deref for Entries {
    type Target = [Arc<Entry>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl std::fmt::Debug for PeerList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let entries = self.inner.entries();
        let peers: Vec<&ByteString> = entries.iter().map(|entry| entry.host_port()).collect();
        f.debug_tuple("PeerList").field(&peers).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use tchannel_proto::ErrorCode;

    use super::super::Destination;
    use super::super::tests::{host_ports, list_of};
    use super::*;

    const TTL: Duration = Duration::from_secs(1);

    fn names(peers: &PeerList) -> Vec<String> {
        let states = peers.states();
        states
            .iter()
            .map(|peer| peer.host_port.to_string())
            .collect()
    }

    /// Starts a call to the only peer of `peers`.
    fn start(peers: &PeerList) -> Chosen {
        assert_eq!(peers.len(), 1);
        let chosen = peers.clone().choose(Instant::now(), TTL, &[]);
        chosen.expect("there is one")
    }

    fn in_flight(peers: &PeerList, host_port: &str) -> u32 {
        let states = peers.states();
        let peer = states.iter().find(|peer| peer.host_port == host_port);
        peer.expect("it is there").in_flight
    }

    fn ejected(peers: &PeerList) -> Vec<bool> {
        peers.states().iter().map(|peer| peer.ejected).collect()
    }

    #[test]
    fn a_peer_is_added_and_removed_once() {
        let (_channel, peers) = list_of([]);
        assert!(peers.add("b:1") && peers.add("a:1") && !peers.add("b:1"));
        assert_eq!(names(&peers), ["a:1", "b:1"]);
        assert!(peers.remove("b:1") && !peers.remove("b:1"));
        assert!(peers.contains("a:1") && !peers.contains("b:1"));
    }

    #[test]
    fn a_peer_that_stays_through_an_update_keeps_what_is_known_of_it() {
        let (_channel, peers) = list_of(["a:1"]);
        let _call = start(&peers);
        assert!(!peers.update(["a:1"], ["a:1"]));
        assert!(peers.update(["b:1"], []));
        assert_eq!(in_flight(&peers, "a:1"), 1);
        assert!(peers.update([], ["a:1"]) && peers.update(["a:1"], []));
        assert_eq!(in_flight(&peers, "a:1"), 0);
    }

    #[test]
    fn a_list_and_its_subset_see_the_same_calls_in_flight() {
        let (_channel, peers) = list_of(["a:1", "b:1", "c:1"]);
        let subset = peers.subset(["b:1", "x:1", "b:1"]);
        assert_eq!(names(&subset), ["b:1"]);
        let other = subset.subset_for("svc", ["b:1"]);
        let calls = [start(&subset), start(&other)];
        assert_eq!((calls[0].service(), calls[1].service()), ("list", "svc"));
        for list in [&peers, &subset, &other] {
            assert_eq!(in_flight(list, "b:1"), 2);
        }
        drop(calls);
        assert_eq!(in_flight(&peers, "b:1"), 0);
    }

    #[test]
    fn a_peer_that_is_ejected_through_a_subset_is_ejected_from_the_list() {
        let (_channel, peers) = list_of(["a:1", "b:1", "c:1"]);
        let (b, c) = (peers.subset(["b:1"]), peers.subset(["c:1"]));
        for _ in 0..7 {
            start(&b).failed(ErrorCode::NetworkError);
        }
        assert_eq!(ejected(&peers), [false, true, false]);
        // At most half of the whole list, whatever the subset.
        for _ in 0..7 {
            start(&c).failed(ErrorCode::NetworkError);
        }
        assert_eq!(ejected(&peers), [false, true, false]);
        assert_eq!(ejected(&c), [false]);
    }

    #[test]
    fn a_peer_that_declines_is_asked_last_for_a_moment_and_never_ejected() {
        let (_channel, peers) = list_of(["a:1", "b:2"]);
        for _ in 0..100 {
            let chosen = peers.clone().choose(Instant::now(), TTL, &["b:2".into()]);
            chosen.expect("there are peers").failed(ErrorCode::Declined);
        }
        let choose_after = |time| {
            let chosen = peers.clone().choose(Instant::now() + time, TTL, &[]);
            chosen.expect("there are peers").peer().host_port().clone()
        };
        assert_eq!(ejected(&peers), [false, false]);
        // One call in flight makes it the dearer one.
        let _busy = start(&peers.subset(["b:2"]));
        assert_eq!(choose_after(Duration::ZERO), "b:2");
        assert_eq!(choose_after(Duration::from_secs(60)), "a:1");
    }

    #[test]
    fn a_peer_that_declines_one_service_is_asked_for_others() {
        let (_channel, peers) = list_of(["a:1", "b:2"]);
        let (mine, other) = (peers.subset(["a:1", "b:2"]), peers.subset(["a:1", "b:2"]));
        let chosen = in_order(&mine, "a:1").choose(Instant::now(), TTL, &[]);
        chosen.expect("there are peers").failed(ErrorCode::Declined);
        let first = |list| {
            let chosen = in_order(list, "a:1").choose(Instant::now(), TTL, &[]);
            chosen.expect("there are peers").peer().host_port().clone()
        };
        assert_eq!((first(&mine), first(&other)), ("b:2".into(), "a:1".into()));
    }

    fn in_order(peers: &PeerList, first: &str) -> Destination {
        Destination::in_order(peers.clone(), vec![first.into()], None)
    }

    #[test]
    fn a_subset_never_changes() {
        let (_channel, peers) = list_of(["a:1", "b:1"]);
        let subset = peers.subset(["a:1"]);
        assert!(!subset.add("b:1") && !subset.remove("a:1"));
        peers.remove("a:1");
        assert_eq!(names(&subset), ["a:1"]);
    }

    #[test]
    fn a_peer_that_was_removed_while_ejected_frees_its_place_once() {
        let (_channel, peers) = list_of(["a:1", "b:1"]);
        let subset = peers.subset(["a:1"]);
        for _ in 0..7 {
            start(&subset).failed(ErrorCode::NetworkError);
        }
        assert_eq!(ejected(&peers), [true, false]);
        peers.remove("a:1");
        for _ in 0..20 {
            start(&subset).failed(ErrorCode::NetworkError);
            start(&subset).answered_at(crate::clock::now());
        }
        let group = peers.inner.load.group();
        assert_eq!((group.members(), group.ejected()), (1, 0));
    }

    proptest! {
        #[test]
        fn updates_add_up_as_those_of_a_set(
            updates in prop::collection::vec(
                (prop::collection::vec(0usize..40, 0..12), prop::collection::vec(0usize..40, 0..12)),
                0..20,
            ),
        ) {
            let all = host_ports(40);
            let (_channel, peers) = list_of([]);
            let mut model = BTreeSet::new();
            for (added, removed) in updates {
                let name = |index: usize| &*all[index];
                let before = model.clone();
                removed.iter().for_each(|index| { model.remove(name(*index)); });
                model.extend(added.iter().map(|index| name(*index)));
                // One that is both removed and added is added, or stays.
                let changed = peers.update(
                    added.into_iter().map(name),
                    removed.into_iter().map(name),
                );
                prop_assert_eq!(changed, before != model);
                prop_assert_eq!(names(&peers), model.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!(peers.inner.load.group().members(), model.len());
            }
        }
    }
}
