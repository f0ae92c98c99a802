//! Everything at once, drawn by the seed; then calm.

use std::cell::Cell;

use fastrand::Rng;
use test_sim::faults::{FAULTS, trouble};
use test_sim::seed;

use crate::{SECOND, converge, ring};

#[test]
fn whatever_happened_the_ring_is_one_again_once_it_is_calm() {
    let happened = FAULTS.map(|_| Cell::new(0));
    seed::each(120, |seed| {
        let mut rng = Rng::with_seed(seed);
        let size = rng.usize(3..17);
        let mut world = ring(size, seed);
        for (sum, count) in happened.iter().zip(trouble(&mut world, &mut rng)) {
            sum.update(|sum| sum + count);
        }
        converge(&mut world, 900 * SECOND);
    });
    for ((name, _), count) in FAULTS.iter().zip(happened) {
        assert!(count.get() > 0 || seed::is_chosen(), "no seed drew: {name}");
    }
}
