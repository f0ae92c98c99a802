//! The share of a service's instances that one exit node keeps connected.
//!
//! If every exit node were connected to every instance, a service of a thousand instances would cost ten
//! thousand connections. So each exit takes a slice of the sorted instances, in proportion to its place
//! among the sorted exits; slices overlap, so that each instance still has several exits. One instance more
//! or less moves few connections. Source: spec/hyperbahn/routing.md, "partial affinity".

/// How few connections are enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AffinityConfig {
    /// Number of instances from which a service's exits share them out; with fewer, each exit is connected
    /// to all. Default 100.
    pub from_instances: usize,
    /// Exits that each instance keeps, if there are as many. Default 5.
    pub routers_per_instance: usize,
    /// Instances that each exit keeps, if there are as many. Default 5.
    pub instances_per_router: usize,
}

impl Default for AffinityConfig {
    fn default() -> Self {
        Self {
            from_instances: 100,
            routers_per_instance: 5,
            instances_per_router: 5,
        }
    }
}

/// A run of sorted instances that wraps past the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The first of them.
    pub start: usize,
    /// How many there are.
    pub count: usize,
}

impl AffinityConfig {
    /// Whether `instances` are so many that exits share them out.
    pub fn applies_to(&self, instances: usize) -> bool {
        instances >= self.from_instances
    }

    /// The slice of `instances` that belongs to the exit in place `index` of `routers`.
    pub fn slice(&self, index: usize, routers: usize, instances: usize) -> Slice {
        let all = Slice {
            start: 0,
            count: instances,
        };
        if routers == 0 || index >= routers {
            return all;
        }
        // ceil and floor of products with instances / routers, in whole numbers.
        let share = (self.routers_per_instance * instances).div_ceil(routers);
        let length = instances.min(self.instances_per_router.max(share));
        if length >= instances {
            return all;
        }
        let start = index * instances / routers;
        let stop = ((index * instances).div_ceil(routers) + length) % instances;
        let count = match stop > start {
            true => stop - start,
            false => stop + instances - start,
        };
        Slice { start, count }
    }
}

impl Slice {
    /// The positions in it, of `instances`.
    pub fn positions(self, instances: usize) -> impl Iterator<Item = usize> {
        (0..self.count).map(move |step| (self.start + step) % instances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(routers_per_instance: usize, instances_per_router: usize) -> AffinityConfig {
        AffinityConfig {
            from_instances: 0,
            routers_per_instance,
            instances_per_router,
        }
    }

    /// How many exits each instance has, and how many instances each exit.
    fn spread(
        config: AffinityConfig,
        routers: usize,
        instances: usize,
    ) -> (Vec<usize>, Vec<usize>) {
        let mut by_instance = vec![0; instances];
        let by_router = (0..routers).map(|index| {
            let slice = config.slice(index, routers, instances);
            for position in slice.positions(instances) {
                by_instance[position] += 1;
            }
            slice.count
        });
        let by_router = by_router.collect();
        (by_instance, by_router)
    }

    #[test]
    fn slices_are_those_of_deployed_routers() {
        let text = include_str!("../../../spec/vectors/affinity.json");
        let file: serde_json::Value = serde_json::from_str(text).unwrap();
        let number = |value: &serde_json::Value| value.as_u64().unwrap() as usize;
        let mut checked = 0;
        for vector in file["vectors"].as_array().unwrap() {
            let config = config(
                number(&vector["routers_per_instance"]),
                number(&vector["instances_per_router"]),
            );
            let (routers, instances) = (number(&vector["routers"]), number(&vector["instances"]));
            for row in vector["slices"].as_array().unwrap() {
                let slice = config.slice(number(&row[0]), routers, instances);
                let expected = (number(&row[1]), number(&row[2]));
                assert_eq!((slice.start, slice.count), expected, "{vector} {row}");
                checked += 1;
            }
        }
        assert!(checked > 100, "{checked}");
    }

    #[test]
    fn everybody_has_as_many_as_promised() {
        for routers in 1..=20 {
            for instances in 0..=20 {
                for least in [1, 2, 5, 10] {
                    let (by_instance, by_router) = spread(config(least, least), routers, instances);
                    let case = format!("{routers} routers, {instances} instances, {least}");
                    assert!(
                        by_instance.iter().all(|n| *n >= least.min(routers)),
                        "{case}"
                    );
                    assert!(
                        by_router.iter().all(|n| *n >= least.min(instances)),
                        "{case}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_thousand_instances_cost_half_the_connections_of_all_to_all() {
        let (by_instance, by_router) = spread(AffinityConfig::default(), 10, 1000);
        assert_eq!(by_router.iter().sum::<usize>(), 5000);
        assert!(by_instance.iter().all(|exits| *exits == 5));
    }

    #[test]
    fn one_instance_more_moves_few_connections() {
        let config = AffinityConfig::default();
        let kept = |instances: usize| -> Vec<usize> {
            config
                .slice(4, 10, instances)
                .positions(instances)
                .collect()
        };
        let (before, after) = (kept(1000), kept(1001));
        let moved = after
            .iter()
            .filter(|position| !before.contains(position))
            .count();
        assert!(moved <= 2, "{moved}");
    }
}
