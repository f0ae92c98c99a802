//! Messages are lost, everywhere or around a few members.

use std::time::Duration;

use super::{SECOND, Settings, Table, WARM_UP, defaults};
use crate::World;

/// Each message is lost with the same chance.
pub(super) fn run(settings: &Settings) -> Table {
    let mut world = World::formed(settings.size, settings.seed, defaults);
    world.run(WARM_UP);
    world.network.loss = settings.loss;
    let (messages, bytes) = world.traffic();
    world.run(settings.time);
    let (messages, bytes) = (world.traffic().0 - messages, world.traffic().1 - bytes);
    let member_seconds = settings.size as f64 * settings.time.as_secs_f64();
    let member_hours = member_seconds / 3600.0;
    let an_hour = |count: u64| format!("{:.4}", count as f64 / member_hours);
    let mut table = Table::new(["", "count", "a member-hour", "others, a member-hour"]);
    let verdicts = world.observer.false_verdicts.len();
    let others = "0 to 1.2 at 10 %, 263 to 296 at 25 %";
    table.row([
        "lives believed faulty though alive".into(),
        verdicts.to_string(),
        an_hour(verdicts as u64),
        String::new(),
    ]);
    let events = world.observer.false_events;
    table.row([
        "the same, by each observer".into(),
        events.to_string(),
        an_hour(events),
        others.into(),
    ]);
    let suspicions = world.observer.suspicions;
    table.row([
        "suspicions heard of".into(),
        suspicions.to_string(),
        an_hour(suspicions),
        String::new(),
    ]);
    let hours = format!("{member_hours:.0}");
    table.row(["member-hours".into(), hours, String::new(), String::new()]);
    let rate = |count: u64| format!("{:.1}", count as f64 / member_seconds);
    table.row([
        "messages/s a member".into(),
        rate(messages),
        String::new(),
        String::new(),
    ]);
    table.row([
        "bytes/s a member".into(),
        rate(bytes),
        String::new(),
        String::new(),
    ]);
    world.network.mend();
    let healed = world.run_until(SECOND, 600 * SECOND, World::has_converged);
    table.row([
        "seconds to one list".into(),
        show(healed),
        String::new(),
        String::new(),
    ]);
    table
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

fn show(time: Option<Duration>) -> String {
    time.map_or("never".to_owned(), |time| time.as_secs().to_string())
}
