//! Many calls over many peers on virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// Numbers from a seed, so that a failing run repeats.
pub(super) fn draw_from(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((u128::from(state) * below as u128) >> 64) as usize
    }
}

/// A list with these peers, and the channel that keeps it able to take more.
pub(super) fn list_of<'a>(
    host_ports: impl IntoIterator<Item = &'a str>,
) -> (crate::Channel, PeerList) {
    let channel = crate::Channel::new("test");
    let peers = channel.new_peer_list("list");
    peers.update(host_ports, []);
    (channel, peers)
}

pub(super) fn host_ports(count: usize) -> Vec<String> {
    (0..count).map(|host| format!("10.0.0.{host}:1")).collect()
}

/// Peers that answer as they are told, and a caller that always has `concurrency` calls in flight.
struct Simulation<D> {
    now: Instant,
    peers: Vec<Peer>,
    group: Group,
    draw: D,
    calls: BinaryHeap<Reverse<(Instant, usize)>>,
    turns: Vec<Option<(usize, Instant, Turn)>>,
}

struct Peer {
    score: Score,
    latency: Duration,
    failing: bool,
    calls: usize,
}

impl<D: FnMut(usize) -> usize> Simulation<D> {
    fn new(latencies_ms: &[u64], draw: D) -> Self {
        let now = Instant::now();
        let group = Group::new();
        let peers = latencies_ms.iter().map(|latency_ms| {
            group.join();
            let latency = Duration::from_millis(*latency_ms);
            Peer {
                score: Score::new(now),
                latency,
                failing: false,
                calls: 0,
            }
        });
        let peers = peers.collect();
        Self {
            now,
            peers,
            group,
            draw,
            calls: BinaryHeap::new(),
            turns: Vec::new(),
        }
    }

    /// Makes `calls` calls, each as soon as one of `concurrency` places is free.
    fn run(&mut self, concurrency: usize, calls: usize) {
        for _ in 0..calls {
            if self.calls.len() == concurrency {
                self.end_one();
            }
            self.start_one();
        }
    }

    /// Lets all calls end, and then some time pass.
    fn rest(&mut self, time: Duration) {
        while !self.calls.is_empty() {
            self.end_one();
        }
        self.now += time;
    }

    fn start_one(&mut self) {
        let (peers, now) = (&self.peers, self.now);
        let look = |peer: usize| peers[peer].score.candidate(now, Tried::No, false);
        let chosen = choose(peers.len(), look, &mut self.draw).expect("there are peers");
        let peer = &mut self.peers[chosen];
        peer.calls += 1;
        let turn = peer.score.on_start(now);
        self.calls
            .push(Reverse((now + peer.latency, self.turns.len())));
        self.turns.push(Some((chosen, now, turn)));
    }

    fn end_one(&mut self) {
        let Some(Reverse((end, call))) = self.calls.pop() else {
            return;
        };
        self.now = end;
        let (chosen, start, turn) = self.turns[call].take().expect("a call ends once");
        let peer = &mut self.peers[chosen];
        let outcome = match peer.failing {
            true => Outcome::Failed {
                ttl: Duration::from_secs(1),
            },
            false => Outcome::Answered {
                latency: end - start,
            },
        };
        peer.score.on_end(end, turn, outcome, &self.group);
    }

    fn shares(&self) -> Vec<usize> {
        self.peers.iter().map(|peer| peer.calls).collect()
    }

    fn forget_shares(&mut self) {
        self.peers.iter_mut().for_each(|peer| peer.calls = 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn equal_peers_share_the_load(peers in 2..20usize, concurrency in 1..100usize, seed: u64) {
        let mut simulation = Simulation::new(&vec![5; peers], draw_from(seed));
        simulation.run(concurrency, 1000 * peers);
        for share in simulation.shares() {
            prop_assert!((600..1500).contains(&share), "{:?}", simulation.shares());
        }
    }

    #[test]
    fn a_peer_ten_times_slower_gets_a_small_share(
        peers in 3..20usize, concurrency in 1..50usize, seed: u64,
    ) {
        let mut latencies = vec![5; peers];
        latencies[0] = 50;
        let mut simulation = Simulation::new(&latencies, draw_from(seed));
        simulation.run(concurrency, 1000 * peers);
        prop_assert!(simulation.shares()[0] < 300, "{:?}", simulation.shares());
    }

    #[test]
    fn a_failing_peer_gets_next_to_nothing_and_comes_back(
        peers in 2..20usize, concurrency in 1..50usize, seed: u64,
    ) {
        let mut simulation = Simulation::new(&vec![5; peers], draw_from(seed));
        simulation.peers[0].failing = true;
        simulation.run(concurrency, 1000 * peers);
        prop_assert!(simulation.shares()[0] < 30 + concurrency, "{:?}", simulation.shares());
        simulation.peers[0].failing = false;
        simulation.rest(Duration::from_secs(120));
        simulation.run(concurrency, 1000 * peers);
        simulation.forget_shares();
        simulation.run(concurrency, 1000 * peers);
        prop_assert!(simulation.shares()[0] > 200, "{:?}", simulation.shares());
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Call { outcome: Outcome },
    Pass(Duration),
}

fn any_step() -> impl Strategy<Value = Step> {
    let ttl = Duration::from_secs(1);
    let latency = Duration::from_millis(3);
    prop_oneof![
        6 => Just(Step::Call { outcome: Outcome::Failed { ttl } }),
        2 => Just(Step::Call { outcome: Outcome::Answered { latency } }),
        1 => Just(Step::Call { outcome: Outcome::Busy { ttl } }),
        1 => Just(Step::Call { outcome: Outcome::Neither }),
        1 => (0..3000u64).prop_map(|millis| Step::Pass(Duration::from_millis(millis))),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_half_are_never_ejected_and_an_ejected_peer_is_called_by_probe_only(
        peers in 1..9usize, steps in prop::collection::vec(any_step(), 0..400), seed: u64,
    ) {
        let mut simulation = Simulation::new(&vec![0; peers], draw_from(seed));
        for step in steps {
            let now = simulation.now;
            match step {
                Step::Pass(time) => simulation.now += time,
                Step::Call { outcome } => {
                    let look = |peer: usize| simulation.peers[peer].score.candidate(now, Tried::No, false);
                    let chosen = choose(peers, look, &mut simulation.draw).expect("there are peers");
                    let score = &mut simulation.peers[chosen].score;
                    prop_assert_ne!(score.standing(now), Standing::Ejected);
                    let probe = score.standing(now) == Standing::ProbeDue;
                    let turn = score.on_start(now);
                    prop_assert_eq!(probe, score.standing(now) == Standing::Ejected);
                    score.on_end(now, turn, outcome, &simulation.group);
                }
            }
            let healthy =
                simulation.peers.iter().filter(|peer| peer.score.standing(now) == Standing::Healthy);
            prop_assert!(healthy.count() * 2 >= peers);
        }
    }
}
