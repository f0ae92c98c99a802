//! Messages are lost, everywhere or around a few members.

use super::{SECOND, Settings, Table, WARM_UP, defaults};
use crate::World;
use crate::report::percentile;

/// Each message is lost with the same chance.
pub(super) fn run(settings: &Settings) -> Table {
    let mut sums = Sums::default();
    let mut healed = Vec::new();
    for run in 0..settings.runs as u64 {
        let mut world = World::formed(settings.size, settings.seed + run, defaults);
        world.run(WARM_UP);
        world.network.loss = settings.loss;
        let before = world.traffic();
        world.run(settings.time);
        sums.add(&world, before);
        world.network.mend();
        let time = world.run_until(SECOND, 600 * SECOND, World::has_converged);
        healed.push(time.map_or(f64::INFINITY, |time| time.as_secs_f64()));
    }
    let member_seconds = (settings.size * settings.runs) as f64 * settings.time.as_secs_f64();
    let member_hours = member_seconds / 3600.0;
    let mut table = Table::new(["", "count", "a member-hour", "others, a member-hour"]);
    let mut row = |name: &str, count: u64, others: &str| {
        let each = format!("{:.4}", count as f64 / member_hours);
        table.row([name.into(), count.to_string(), each, others.into()]);
    };
    let others = "0 to 1.2 at 10 %, 263 to 296 at 25 %";
    row("lives believed faulty though alive", sums.verdicts, "");
    row("the same, by each observer", sums.events, others);
    row("suspicions heard of", sums.suspicions, "");
    let mut row = |name: &str, value: f64, digits: usize| {
        let value = format!("{value:.digits$}");
        table.row([name.into(), value, String::new(), String::new()]);
    };
    row("member-hours", member_hours, 0);
    row(
        "messages/s a member",
        sums.messages as f64 / member_seconds,
        1,
    );
    row("bytes/s a member", sums.bytes as f64 / member_seconds, 0);
    row(
        "seconds to one list, worst",
        percentile(&mut healed, 1.0),
        0,
    );
    table
}

/// What happened while messages were lost.
#[derive(Default)]
struct Sums {
    verdicts: u64,
    events: u64,
    suspicions: u64,
    messages: u64,
    bytes: u64,
}

impl Sums {
    fn add(&mut self, world: &World, before: (u64, u64)) {
        self.verdicts += world.observer.false_verdicts.len() as u64;
        self.events += world.observer.false_events;
        self.suspicions += world.observer.suspicions;
        let (messages, bytes) = world.traffic();
        self.messages += messages - before.0;
        self.bytes += bytes - before.1;
    }
}

/// One member in a hundred loses 80 % of its messages, or hears nothing for 20 s of every 40 s.
pub(super) fn run_half_broken(settings: &Settings) -> Table {
    let mut table = Table::new([
        "",
        "broken, believed faulty",
        "times",
        "others believed faulty",
        "views",
    ]);
    for one_way in [false, true] {
        let mut world = World::formed(settings.size, settings.seed, defaults);
        let broken: Vec<usize> = (0..settings.size.div_ceil(100)).collect();
        broken.iter().for_each(|member| world.afflict(*member));
        world.run(WARM_UP);
        let rounds = (settings.time.as_secs() / 40).max(1);
        let mut believed = 0;
        for _ in 0..rounds {
            for member in &broken {
                let loss = if one_way { (1.0, 0.0) } else { (0.8, 0.8) };
                world.network.make_lossy(*member, loss.0, loss.1);
            }
            world.run(20 * SECOND);
            believed = believed.max(
                broken
                    .iter()
                    .filter(|one| world.wronged().contains_key(one))
                    .count(),
            );
            if one_way {
                broken
                    .iter()
                    .for_each(|member| world.network.make_lossy(*member, 0.0, 0.0));
            }
            world.run(20 * SECOND);
        }
        let name = if one_way {
            "deaf 20 s of 40 s"
        } else {
            "80 % loss"
        };
        table.row([
            format!("{name}, {} of {}", broken.len(), settings.size),
            believed.to_string(),
            format!("{rounds} rounds"),
            world.observer.false_verdicts.len().to_string(),
            world.views().to_string(),
        ]);
    }
    table
}
