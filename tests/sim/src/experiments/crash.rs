//! One member after another dies: how soon does the first notice, and the last?

use std::time::Duration;

use super::{SECOND, Settings, Table, WARM_UP, defaults, seconds};
use crate::World;
use crate::report::{number, percentile};

pub(super) fn run_refusing(settings: &Settings) -> Table {
    run(settings, true)
}

pub(super) fn run_silent(settings: &Settings) -> Table {
    run(settings, false)
}

fn run(settings: &Settings, refuses: bool) -> Table {
    let (mut first, mut last, mut spread) = (Vec::new(), Vec::new(), Vec::new());
    let mut missed = 0;
    let mut wrong = 0;
    // No more than a tenth of a ring dies, so that its size stays what it is.
    let deaths = (settings.size / 10).clamp(1, settings.runs);
    let mut rng = fastrand::Rng::with_seed(settings.seed);
    for world_seed in 0..settings.runs.div_ceil(deaths) as u64 {
        let mut world = World::formed(settings.size, settings.seed + world_seed, defaults);
        world.run(WARM_UP);
        world.network.loss = settings.loss.unwrap_or(0.0);
        for _ in 0..deaths.min(settings.runs - first.len() - missed) {
            let running = world.running();
            let victim = running[rng.usize(..running.len())];
            world.run(Duration::from_millis(rng.u64(..1000)));
            world.crash(victim, refuses);
            let witnesses = running.len() - 1;
            let is_over = |world: &mut World| {
                let verdict = world.observer.verdict(victim);
                verdict.is_some_and(|verdict| verdict.observers >= witnesses)
            };
            world.run_until(SECOND / 10, 60 * SECOND, is_over);
            let verdict = world.observer.verdict(victim).expect("it crashed");
            match verdict.first {
                Some(noticed) if verdict.observers >= witnesses => {
                    first.push(seconds(noticed - verdict.crashed));
                    last.push(seconds(verdict.last - verdict.crashed));
                    spread.push(seconds(verdict.last - noticed));
                }
                _ => missed += 1,
            }
            world.run(5 * SECOND);
        }
        wrong += world.observer.false_verdicts.len();
    }
    let mut table = Table::new(["seconds", "p50", "p99", "worst", "goal", "others, p50"]);
    let others = match refuses {
        true => "Ringpop 5.3",
        false => "Ringpop 8.3, foca 10.0 to 16.8, Lifeguard 12.4",
    };
    let mut row = |name: &str, values: &mut Vec<f64>, goal: &str, others: &str| {
        let mut at = |share| number(percentile(values, share), 2);
        let [middle, most, worst] = [at(0.5), at(0.99), at(1.0)];
        table.row([&name, &middle, &most, &worst, &goal, &others]);
    };
    let goal = match refuses {
        true => "p99 0.1",
        false => "p50 0.8, p99 1.5",
    };
    row("crash to first verdict", &mut first, goal, others);
    row("crash to last verdict", &mut last, "", "");
    let goal = "p99 0.25 at 1000, 0.4 at 5000, worst 2";
    row("first to last", &mut spread, goal, "0.46 to 0.9");
    let mut row = |name: &str, count: usize, goal: &str| {
        table.row([&name, &count, &"", &"", &goal, &""]);
    };
    row("crashes", first.len(), "");
    row("not noticed by all in 60 s", missed, "0");
    row("lives believed faulty though alive", wrong, "0");
    table
}
