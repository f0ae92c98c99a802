//! Calls that should reach the same peer: candidates in an order of the caller's, with bounded loads.

use std::time::{Duration, Instant};

use bytestring::ByteString;

use super::chosen::Chosen;
use super::list::PeerList;
use super::load::LoadBound;

/// Where a call goes: to the best of some peers, or to the first of them in a given order.
pub(crate) struct Destination {
    peers: PeerList,
    order: Option<Box<Order>>,
}

pub(crate) struct Order {
    host_ports: Vec<ByteString>,
    bound: Option<LoadBound>,
}

impl Destination {
    pub(crate) fn any(peers: PeerList) -> Self {
        Self { peers, order: None }
    }

    /// The first of `host_ports` that is in the list, well, and within `bound` of the average load; for want of
    /// one, any of the list.
    pub(crate) fn in_order(
        peers: PeerList,
        host_ports: Vec<ByteString>,
        bound: Option<LoadBound>,
    ) -> Self {
        Self {
            peers,
            order: Some(Box::new(Order { host_ports, bound })),
        }
    }

    /// Chooses a peer for one attempt of a call whose earlier attempts went to `tried`.
    pub(crate) fn choose(
        &self,
        now: Instant,
        ttl: Duration,
        tried: &[ByteString],
    ) -> Option<Chosen> {
        self.order
            .as_ref()
            .and_then(|order| order.choose(&self.peers, now, ttl, tried))
            .or_else(|| self.peers.clone().choose(now, ttl, tried))
    }

    /// The same for the first attempt; what [`again`](Self::again) needs comes with it.
    pub(crate) fn choose_first(
        self,
        now: Instant,
        ttl: Duration,
    ) -> Option<(Chosen, Option<Box<Order>>)> {
        let Self { peers, order } = self;
        let by_order = order
            .as_ref()
            .and_then(|order| order.choose(&peers, now, ttl, &[]));
        let chosen = by_order.or_else(|| peers.choose(now, ttl, &[]))?;
        Some((chosen, order))
    }

    /// Where `first` was chosen, by the same order.
    pub(crate) fn again(first: &Chosen, order: Option<Box<Order>>) -> Option<Self> {
        let peers = first.list()?.clone();
        Some(Self { peers, order })
    }

    /// Whether a call that went to `tried` and is now at `host_port` could still go to another peer.
    pub(crate) fn has_another(&self, host_port: &str, tried: &[ByteString]) -> bool {
        self.peers.inner.has_another(host_port, tried)
    }
}

impl Order {
    fn choose(
        &self,
        peers: &PeerList,
        now: Instant,
        ttl: Duration,
        tried: &[ByteString],
    ) -> Option<Chosen> {
        let list = &peers.inner;
        let entries = list.read();
        let most = self.bound.map_or(u32::MAX, |bound| {
            let most = list.load.most(bound.times_average, entries.len());
            most.max(bound.at_least)
        });
        let untried = self
            .host_ports
            .iter()
            .filter(|host_port| !tried.contains(host_port));
        for host_port in untried {
            let Some(entry) = entries.find(host_port) else {
                continue;
            };
            let turn = entry.start_within(now, most);
            if let Some(turn) = turn {
                return Some(Chosen::from(peers.clone(), entry.clone(), turn, now, ttl));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tchannel_proto::ErrorCode;

    use super::super::tests::{host_ports, list_of};
    use super::*;

    const TTL: Duration = Duration::from_secs(1);

    #[track_caller]
    fn check(destination: &Destination, tried: &[ByteString], expected: &str) -> Chosen {
        let chosen = destination.choose(Instant::now(), TTL, tried);
        let chosen = chosen.expect("there are peers");
        assert_eq!(&**chosen.peer().host_port(), expected);
        chosen
    }

    fn in_order(peers: &PeerList, order: &[&str], bound: Option<LoadBound>) -> Destination {
        let order = order.iter().map(|host_port| (*host_port).into()).collect();
        Destination::in_order(peers.clone(), order, bound)
    }

    fn times_average(times_average: f64) -> Option<LoadBound> {
        Some(LoadBound {
            times_average,
            at_least: 0,
        })
    }

    #[test]
    fn few_calls_at_a_time_stay_together() {
        let (_channel, peers) = list_of(["a:1", "b:1", "c:1"]);
        let bound = LoadBound {
            times_average: 1.25,
            at_least: 4,
        };
        let destination = in_order(&peers, &["b:1", "a:1"], Some(bound));
        let _first_four = [(); 4].map(|()| check(&destination, &[], "b:1"));
        let _fifth = check(&destination, &[], "a:1");
    }

    #[test]
    fn the_first_of_the_order_that_is_in_the_list_and_untried_is_chosen() {
        let (_channel, peers) = list_of(["a:1", "b:1", "c:1"]);
        let destination = in_order(&peers, &["x:1", "c:1", "a:1"], None);
        for _ in 0..20 {
            drop(check(&destination, &[], "c:1"));
        }
        drop(check(&destination, &["c:1".into()], "a:1"));
        drop(check(&destination, &["a:1".into(), "c:1".into()], "b:1"));
    }

    #[test]
    fn an_ejected_peer_is_passed_over() {
        let (_channel, peers) = list_of(["a:1", "b:1"]);
        let destination = in_order(&peers, &["b:1", "a:1"], None);
        for _ in 0..5 {
            check(&destination, &[], "b:1").failed(ErrorCode::NetworkError);
        }
        drop(check(&destination, &[], "a:1"));
    }

    #[test]
    fn an_order_that_is_used_up_leaves_the_usual_choice() {
        let (_channel, peers) = list_of(["a:1", "b:1"]);
        let destination = in_order(&peers, &["a:1"], times_average(1.0));
        let _first = check(&destination, &[], "a:1");
        let _second = check(&destination, &[], "b:1");
        let (_channel, nobody) = list_of([]);
        let destination = in_order(&nobody, &["a:1"], times_average(1.0));
        assert!(destination.choose(Instant::now(), TTL, &[]).is_none());
    }

    proptest! {
        #[test]
        fn no_peer_gets_more_than_the_bound_allows(
            keys in prop::collection::vec((0usize..7, any::<bool>()), 1..200),
            bound in 1.0f64..3.0,
        ) {
            let names = host_ports(7);
            let (_channel, peers) = list_of(names.iter().map(|name| &**name));
            let mut open: Vec<Chosen> = Vec::new();
            for (key, ends) in keys {
                if ends && !open.is_empty() {
                    open.swap_remove(key % open.len()).answered_at(crate::clock::now());
                    continue;
                }
                let order: Vec<&str> = (0..7).map(|i| &*names[(key + i) % 7]).collect();
                let chosen = in_order(&peers, &order, times_average(bound)).choose(Instant::now(), TTL, &[]);
                open.push(chosen.expect("there are peers"));
                let most = (bound * open.len() as f64 / 7.0).ceil() as usize;
                let last = open[open.len() - 1].peer().host_port().clone();
                let there = open.iter().filter(|call| *call.peer().host_port() == last).count();
                prop_assert!(there <= most, "{there} of {} calls, at most {most}", open.len());
            }
            drop(open);
            prop_assert!(peers.states().iter().all(|peer| peer.in_flight == 0));
            prop_assert_eq!(peers.inner.load.most(1.0, 1), 1);
        }
    }
}
