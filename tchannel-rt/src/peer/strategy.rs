//! Which peer takes the next attempt: the cheaper of two drawn at random.
//!
//! Two are enough to avoid the slow and the busy, and too few for all callers to rush to the same
//! peer. Most choices look at two peers, some at a few more; only when hardly any are both well and
//! untried are all of them looked at.

use std::cmp::Ordering;

use super::ejection::Standing;

/// What is known of a peer at the moment of choice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Whether it may be called.
    pub standing: Standing,
    /// Whether this call has been there.
    pub tried: Tried,
    /// Whether it has declined a call a moment ago, is closing, or could not be reached.
    pub paused: bool,
    /// What one more call is expected to cost; only compared.
    pub cost: f64,
}

/// Where the earlier attempts of a call went, as seen from one peer. Less is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tried {
    /// Elsewhere, or there were none.
    #[default]
    No,
    /// To another peer on the same host.
    Host,
    /// To this peer.
    Peer,
}

impl Tried {
    /// Compares `host_port` with those of earlier attempts. Hosts end at the last colon.
    #[must_use]
    pub fn among<'a>(host_port: &str, earlier: impl IntoIterator<Item = &'a str>) -> Self {
        let compare = |other: &str| match other {
            same if same == host_port => Self::Peer,
            other if host(other) == host(host_port) => Self::Host,
            _ => Self::No,
        };
        earlier.into_iter().map(compare).max().unwrap_or_default()
    }
}

/// Chooses among peers `0..count`, which `look` describes; `draw(n)` is a random number below `n`.
///
/// - An ejected peer is left out unless all are ejected.
/// - Among the others one that was not tried comes first, and among those one on a host that was not
///   tried, and then one that is not [paused](Candidate::paused).
/// - Of two that are left, drawn at random, one that is due for a probe comes first, then the cheaper.
///
/// `None` only if `count` is zero. Allocates nothing.
pub fn choose(
    count: usize,
    mut look: impl FnMut(usize) -> Candidate,
    draw: &mut impl FnMut(usize) -> usize,
) -> Option<usize> {
    if count == 1 {
        return Some(0);
    }
    if count > 2
        && let Some(pair) = draw_two_of_the_best(count, &mut look, draw)
    {
        return Some(better(pair, draw));
    }
    choose_among_all(count, look, draw)
}

/// Draws until there are two of the best tier, but not for ever.
fn draw_two_of_the_best(
    count: usize,
    look: &mut impl FnMut(usize) -> Candidate,
    draw: &mut impl FnMut(usize) -> usize,
) -> Option<[(usize, Candidate); 2]> {
    let mut first: Option<(usize, Candidate)> = None;
    for _ in 0..DRAWS.min(count) {
        let peer = match first {
            None => draw(count),
            Some((first, _)) => (first + 1 + draw(count - 1)) % count,
        };
        let candidate = look(peer);
        if candidate.tier() != Tier::BEST {
            continue;
        }
        match first {
            None => first = Some((peer, candidate)),
            Some(first) => return Some([first, (peer, candidate)]),
        }
    }
    None
}

/// With half of many peers ejected, all are looked at for one choice in thirty.
const DRAWS: usize = 8;

/// Draws two from the best tier there is.
fn choose_among_all(
    count: usize,
    mut look: impl FnMut(usize) -> Candidate,
    draw: &mut impl FnMut(usize) -> usize,
) -> Option<usize> {
    let mut best = Tier::WORST;
    let mut seen = 0;
    let mut drawn = [None, None];
    for peer in 0..count {
        let candidate = look(peer);
        let tier = candidate.tier();
        if tier > best {
            continue;
        }
        if tier < best {
            (best, seen, drawn) = (tier, 0, [None, None]);
        }
        // Each pair of this tier is equally likely to be the one that is left at the end.
        let place = if seen < 2 { seen } else { draw(seen + 1) };
        if let Some(slot) = drawn.get_mut(place) {
            *slot = Some((peer, candidate));
        }
        seen += 1;
    }
    match drawn {
        [Some(first), Some(second)] => Some(better([first, second], draw)),
        [only, _] => only.map(|(peer, _)| peer),
    }
}

fn better(pair: [(usize, Candidate); 2], draw: &mut impl FnMut(usize) -> usize) -> usize {
    let [(first, a), (second, b)] = pair;
    let probe_first = |candidate: Candidate| candidate.standing != Standing::ProbeDue;
    let order = probe_first(a).cmp(&probe_first(b)).then(by_cost(a, b));
    let first_wins = match order {
        Ordering::Less => true,
        Ordering::Greater => false,
        Ordering::Equal => draw(2) == 0,
    };
    if first_wins { first } else { second }
}

/// Costs that hardly differ are equal. Those of peers nobody has called differ by when they were added: callers
/// that start with the same list would all begin with the same peer.
fn by_cost(a: Candidate, b: Candidate) -> Ordering {
    if (a.cost - b.cost).abs() <= HARDLY * a.cost.max(b.cost) {
        Ordering::Equal
    } else {
        a.cost.total_cmp(&b.cost)
    }
}

const HARDLY: f64 = 0.01;

/// What comes before cost. Less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tier {
    ejected: bool,
    tried: Tried,
    paused: bool,
}

impl Tier {
    const BEST: Self = Self {
        ejected: false,
        tried: Tried::No,
        paused: false,
    };
    const WORST: Self = Self {
        ejected: true,
        tried: Tried::Peer,
        paused: true,
    };
}

impl Candidate {
    fn tier(&self) -> Tier {
        Tier {
            ejected: self.standing == Standing::Ejected,
            tried: self.tried,
            paused: self.paused,
        }
    }
}

fn host(host_port: &str) -> &str {
    host_port
        .rsplit_once(':')
        .map_or(host_port, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::tests::draw_from;
    use super::*;
    use proptest::prelude::*;

    /// One peer per word: `r`eady, `p`robe due or `e`jected; `h`ost or `t`his peer tried; its cost; `d`eclined of late.
    fn peers(words: &str) -> Vec<Candidate> {
        let peer = |word: &str| Candidate {
            standing: match &word[..1] {
                "r" => Standing::Healthy,
                "p" => Standing::ProbeDue,
                _ => Standing::Ejected,
            },
            tried: match &word[1..2] {
                "h" => Tried::Host,
                "t" => Tried::Peer,
                _ => Tried::No,
            },
            paused: word.ends_with('d'),
            cost: word[2..].trim_end_matches('d').parse().expect("a cost"),
        };
        words.split_whitespace().map(peer).collect()
    }

    /// How often each peer is chosen in a thousand choices.
    fn shares(peers: &[Candidate]) -> HashMap<usize, usize> {
        let mut draw = draw_from(7);
        let mut shares = HashMap::new();
        for _ in 0..1000 {
            let chosen =
                choose(peers.len(), |peer| peers[peer], &mut draw).expect("there are peers");
            *shares.entry(chosen).or_default() += 1;
        }
        shares
    }

    #[track_caller]
    fn check_chosen(words: &str, expected: &[usize]) {
        let mut chosen: Vec<_> = shares(&peers(words)).into_keys().collect();
        chosen.sort_unstable();
        assert_eq!(chosen, expected, "{words}");
    }

    #[test]
    fn without_peers_there_is_no_choice() {
        assert_eq!(
            choose(0, |_| unreachable!("there are no peers"), &mut draw_from(1)),
            None
        );
    }

    #[test]
    fn the_only_peer_is_chosen_whatever_is_known_of_it() {
        for word in ["r-1", "p-1", "et1"] {
            check_chosen(word, &[0]);
        }
    }

    #[test]
    fn of_two_the_cheaper_is_chosen() {
        check_chosen("r-2 r-1", &[1]);
    }

    #[test]
    fn of_many_all_but_the_dearest_are_chosen() {
        check_chosen("r-1 r-9 r-2 r-3", &[0, 2, 3]);
    }

    #[test]
    fn equals_share_alike() {
        for words in ["r-1 r-1", "r-1 r-1.001", "r-1 r-1 r-1 r-1 et1 rt1"] {
            let shares = shares(&peers(words));
            let even = 1000 / shares.len();
            assert!(
                shares.values().all(|share| share.abs_diff(even) < 100),
                "{shares:?}"
            );
        }
    }

    #[test]
    fn an_ejected_peer_is_left_out_even_if_every_other_was_tried() {
        check_chosen("e-1 r-9 r-8 r-7", &[2, 3]);
        check_chosen("e-1 rt9", &[1]);
    }

    #[test]
    fn when_all_are_ejected_one_is_chosen_nevertheless() {
        check_chosen("e-1 e-2 et0", &[0]);
    }

    #[test]
    fn a_peer_on_an_untried_host_comes_before_an_untried_peer_before_a_tried_one() {
        check_chosen("rt1 rh2 r-9", &[2]);
        check_chosen("rt1 rh2", &[1]);
        check_chosen("rt1 rt2", &[0]);
    }

    #[test]
    fn a_peer_that_has_just_declined_comes_after_the_others_that_were_not_tried() {
        check_chosen("r-1d r-9 r-8 r-1d", &[2]);
        check_chosen("r-1d e-1 r-9", &[2]);
        check_chosen("r-2d rt1", &[0]);
        check_chosen("r-2d r-1d", &[1]);
    }

    #[test]
    fn a_probe_that_is_due_is_made_when_its_peer_is_drawn() {
        check_chosen("r-1 p-9", &[1]);
        check_chosen("p-1 p-9", &[0]);
    }

    #[test]
    fn where_attempts_went_is_told_by_peer_and_by_host() {
        let tried = |earlier: &[&str]| Tried::among("10.0.0.1:80", earlier.iter().copied());
        assert_eq!(tried(&[]), Tried::No);
        assert_eq!(tried(&["10.0.0.2:80", "10.0.0.11:80"]), Tried::No);
        assert_eq!(tried(&["10.0.0.2:80", "10.0.0.1:81"]), Tried::Host);
        assert_eq!(tried(&["10.0.0.1:80", "10.0.0.1:81"]), Tried::Peer);
        assert_eq!(Tried::among("[::1]:80", ["[::1]:81"]), Tried::Host);
    }

    #[test]
    fn a_choice_among_many_hardly_ever_looks_at_all_even_when_half_are_ejected() {
        let peers = peers(&"r-1 e-1 ".repeat(5000));
        let (mut draw, mut looks) = (draw_from(3), 0);
        for _ in 0..1000 {
            let look = |peer: usize| {
                looks += 1;
                peers[peer]
            };
            choose(peers.len(), look, &mut draw);
        }
        // A look at all is ten thousand of these.
        assert!(looks < 100 * 10_000, "{looks}");
    }

    fn any_candidate() -> impl Strategy<Value = Candidate> {
        let standing = prop::sample::select(vec![
            Standing::Healthy,
            Standing::ProbeDue,
            Standing::Ejected,
        ]);
        let tried = prop::sample::select(vec![Tried::No, Tried::Host, Tried::Peer]);
        (standing, tried, any::<bool>(), 0.0..9.0).prop_map(|(standing, tried, paused, cost)| {
            Candidate {
                standing,
                tried,
                paused,
                cost,
            }
        })
    }

    proptest! {
        #[test]
        fn the_choice_is_always_from_the_best_tier(
            peers in prop::collection::vec(any_candidate(), 1..20), seed: u64,
        ) {
            let chosen = choose(peers.len(), |peer| peers[peer], &mut draw_from(seed));
            let chosen = peers[chosen.expect("there are peers")];
            let best = peers.iter().map(Candidate::tier).min().expect("there are peers");
            prop_assert_eq!(chosen.tier(), best);
        }

        #[test]
        fn the_dearest_is_never_chosen_over_a_cheaper_one_of_its_tier(
            mut peers in prop::collection::vec(any_candidate(), 2..20), seed: u64,
        ) {
            for peer in &mut peers {
                (peer.tried, peer.standing, peer.paused) = (Tried::No, Standing::Healthy, false);
            }
            peers[0].cost = 10.0;
            prop_assert_ne!(choose(peers.len(), |peer| peers[peer], &mut draw_from(seed)), Some(0));
        }
    }
}
