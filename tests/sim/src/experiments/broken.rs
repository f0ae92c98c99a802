//! One member in a hundred is half broken: it loses four messages in five, or is deaf half of the time.

use super::{SECOND, Settings, Table, WARM_UP, defaults};
use crate::World;

pub(super) fn run(settings: &Settings) -> Table {
    let mut table = Table::new([
        "broken",
        "given up at once, at most",
        "goal",
        "others given up",
        "goal",
        "views 2 s after a change, at most",
    ]);
    for kind in [Kind::Lossy, Kind::Deaf] {
        let count = settings.size.div_ceil(100);
        let seen = watch(settings, kind, count);
        table.row([
            &format!("{} of {}, {}", count, settings.size, kind.name()),
            &seen.given_up,
            &count,
            &seen.others,
            &"0",
            &seen.views,
        ]);
    }
    table
}

#[derive(Clone, Copy)]
enum Kind {
    Lossy,
    Deaf,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Lossy => "80 % lost, both ways",
            Self::Deaf => "deaf 20 s of 40 s",
        }
    }
}

struct Seen {
    given_up: usize,
    others: usize,
    views: usize,
}

fn watch(settings: &Settings, kind: Kind, count: usize) -> Seen {
    let mut world = World::formed(settings.size, settings.seed, defaults);
    (0..count).for_each(|member| world.afflict(member));
    world.run(WARM_UP);
    let mut seen = Seen {
        given_up: 0,
        others: 0,
        views: 1,
    };
    let set = |world: &mut World, to, from| {
        (0..count).for_each(|member| world.network.make_lossy(member, to, from));
    };
    for _ in 0..(settings.time.as_secs() / 40).max(1) {
        match kind {
            Kind::Lossy => set(&mut world, 0.8, 0.8),
            Kind::Deaf => set(&mut world, 1.0, 0.0),
        }
        world.run(20 * SECOND);
        let wronged = world.wronged();
        let broken = (0..count).filter(|member| wronged.contains_key(member));
        seen.given_up = seen.given_up.max(broken.count());
        if matches!(kind, Kind::Deaf) {
            set(&mut world, 0.0, 0.0);
        }
        world.run(20 * SECOND);
        seen.views = seen.views.max(world.views());
    }
    seen.others = world.observer.false_verdicts.len();
    seen
}
