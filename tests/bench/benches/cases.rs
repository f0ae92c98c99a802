//! The time of each case whose instructions are counted, for people.
//!
//! ```text
//! cargo bench -p test-bench [-- PART]
//! ```

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use test_bench::cost::CASES;

fn cases(criterion: &mut Criterion) {
    for case in &CASES {
        criterion.bench_function(case.name, |bencher| bencher.iter_custom(case.run));
    }
}

fn few_samples() -> Criterion {
    // A case sets up anew for each sample, some for longer than they work.
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2))
}

criterion_group!(name = benches; config = few_samples(); targets = cases);
criterion_main!(benches);
