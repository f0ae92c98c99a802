//! Calls with the same shard key reach the same instance, through whichever router they come.
//!
//! The key picks one exit, and that exit picks the instance: so one router alone sees the load that a key
//! brings and can spread it when it is too much. Source: spec/hyperbahn/routing.md, "shard keys".

use hyperbahn_ring::{Ring, Server, fingerprint32};

use crate::host_port::HostPort;

/// Instances that a key may fall to, in order, before it is any instance's.
const TURNS: usize = 8;

/// The exits of a service in the order in which calls with `shard_key` try them. Every router that sees
/// the same exits gets the same order.
pub fn turn_to<'e>(
    shard_key: &str,
    exits: &'e [HostPort],
) -> impl Iterator<Item = &'e HostPort> + use<'e> {
    let first = fingerprint32(shard_key.as_bytes()) as usize;
    beginning_at(first % exits.len().max(1), exits)
}

/// All of `exits`, from number `first` on.
pub fn beginning_at(first: usize, exits: &[HostPort]) -> impl Iterator<Item = &HostPort> {
    let (before, after) = exits.split_at(first);
    after.iter().chain(before)
}

/// The ring of a service's instances.
pub fn ring_of(instances: &[HostPort]) -> Ring {
    let servers = instances
        .iter()
        .map(|instance| Server::new(instance.as_str()));
    Ring::from_servers(servers)
}

/// The instances on `ring` in the order in which calls with `shard_key` try them.
pub fn instances_for<'r>(ring: &'r Ring, shard_key: &str) -> impl Iterator<Item = &'r str> {
    ring.walk(shard_key).take(TURNS).map(Server::address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: usize) -> HostPort {
        HostPort::parse(&format!("10.0.0.{n}:4040")).unwrap()
    }

    #[test]
    fn keys_spread_over_all_exits_and_each_has_an_order_of_its_own() {
        let exits: Vec<_> = (1..=5).map(at).collect();
        let mut firsts = [0; 6];
        for n in 0..1000 {
            let key = format!("user-{n}");
            let order: Vec<_> = turn_to(&key, &exits).collect();
            let first = exits.iter().position(|exit| exit == order[0]).unwrap();
            firsts[first] += 1;
            assert_eq!(order.len(), 5);
        }
        assert!(firsts[..5].iter().all(|count| *count > 150), "{firsts:?}");
        assert_eq!(turn_to("a", &[]).count(), 0);
    }

    #[test]
    fn an_instance_that_goes_moves_only_its_own_keys() {
        let before: Vec<_> = (1..=10).map(at).collect();
        let (ring, without) = (ring_of(&before), ring_of(&before[1..]));
        for n in 0..1000 {
            let key = format!("user-{n}");
            let owner = instances_for(&ring, &key).next().unwrap();
            if owner != before[0].as_str() {
                assert_eq!(instances_for(&without, &key).next(), Some(owner));
            }
        }
    }
}
