//! Rings with every fault at once, one seed after the other; then calm.

use fastrand::Rng;

use super::{SECOND, Settings, Table, WARM_UP, defaults};
use crate::World;
use crate::faults::{FAULTS, trouble};
use crate::report::{number, percentile};
use crate::seed::Blame;

pub(super) fn run(settings: &Settings) -> Table {
    let mut happened = [0; FAULTS.len()];
    let (mut times, mut torn) = (Vec::new(), Vec::new());
    for seed in (settings.seed..).take(settings.runs) {
        let blame = Blame::new(format!("--size {} --runs 1 --seed {seed}", settings.size));
        let mut rng = Rng::with_seed(seed);
        let size = rng.usize(settings.size.div_ceil(2)..=settings.size);
        let mut world = World::formed(size.max(2), seed, defaults);
        world.run(WARM_UP);
        let counts = trouble(&mut world, &mut rng);
        happened = std::array::from_fn(|fault| happened[fault] + counts[fault]);
        let whole = world.run_until(SECOND, 900 * SECOND, World::has_converged);
        match whole.filter(|_| world.wronged().is_empty()) {
            Some(time) => times.push(time.as_secs_f64()),
            None => torn.push(seed.to_string()),
        }
        blame.acquit();
    }
    let mut at = |share| number(percentile(&mut times, share), 0);
    let (middle, worst) = (at(0.5), at(1.0));
    let mut table = Table::new(["", "", "goal"]);
    table.row([&"runs", &settings.runs, &""]);
    table.row([&"still torn after a quarter of an hour", &torn.len(), &"0"]);
    table.row([&"their seeds", &torn.join(" "), &""]);
    table.row([&"seconds to one list after 30 of calm, p50", &middle, &""]);
    table.row([&"worst", &worst, &""]);
    for ((name, _), count) in FAULTS.iter().zip(happened) {
        table.row([name, &count, &""]);
    }
    table
}
