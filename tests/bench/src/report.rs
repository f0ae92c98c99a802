//! What a client has measured, as one line of JSON.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::options::Load;

/// One run of a client. Its keys are read by other programs: they do not change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Calls that were answered with what they brought.
    pub calls: u64,
    /// Calls that were not.
    pub errors: u64,
    /// What the first of those said.
    pub first_error: Option<String>,
    /// How long was counted, in seconds.
    pub elapsed_s: f64,
    /// Calls a second.
    pub cps: f64,
    /// Payload each way, in 10^6 bytes a second.
    pub mbps: f64,
    /// Bytes of a request.
    pub payload: usize,
    /// Calls in flight in all.
    pub inflight: usize,
    /// Connections.
    pub conns: usize,
    /// Time from call to answer, in microseconds.
    pub us: Latency,
}

/// Percentiles, in microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Half of the calls took no longer.
    pub p50: f64,
    /// 90 % of the calls.
    pub p90: f64,
    /// 99 % of the calls.
    pub p99: f64,
    /// 99.9 % of the calls.
    pub p999: f64,
    /// The slowest one.
    pub max: f64,
    /// All of them over their number.
    pub mean: f64,
}

/// Counts what ends within the window.
#[derive(Debug)]
pub struct Tally {
    /// In nanoseconds.
    latencies: Histogram<u64>,
    errors: u64,
    first_error: Option<String>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            latencies: Histogram::new_with_max(LONGEST.as_nanos() as u64, 3)
                .expect("a range that a histogram of three digits holds"),
            errors: 0,
            first_error: None,
        }
    }
}

impl Tally {
    /// `count` calls were answered, this long after they were made.
    pub fn answered(&mut self, latency: Duration, count: u64) {
        let nanos = latency.min(LONGEST).as_nanos() as u64;
        self.latencies.saturating_record_n(nanos, count);
    }

    /// A call failed.
    pub fn failed(&mut self, why: String) {
        self.errors += 1;
        self.first_error.get_or_insert(why);
    }

    /// Takes in what another part of the same run has counted.
    pub fn add(&mut self, other: Self) {
        self.latencies
            .add(&other.latencies)
            .expect("all have the same range");
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    /// What came of `load` in `elapsed`.
    pub fn report(self, load: &Load, elapsed: Duration) -> Report {
        let calls = self.latencies.len();
        let elapsed_s = elapsed.as_secs_f64();
        let us = |nanos: u64| nanos as f64 / 1e3;
        let at = |quantile| us(self.latencies.value_at_quantile(quantile));
        let cps = calls as f64 / elapsed_s;
        Report {
            calls,
            errors: self.errors,
            first_error: self.first_error,
            elapsed_s,
            cps,
            mbps: cps * load.payload as f64 / 1e6,
            payload: load.payload,
            inflight: load.inflight,
            conns: load.conns,
            us: Latency {
                p50: at(0.5),
                p90: at(0.9),
                p99: at(0.99),
                p999: at(0.999),
                max: us(self.latencies.max()),
                mean: self.latencies.mean() / 1e3,
            },
        }
    }
}

/// What takes longer counts as this long.
const LONGEST: Duration = Duration::from_secs(100);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Tally;
    use crate::options::Load;

    #[test]
    fn percentiles_rates_and_the_first_error_come_out() {
        let mut tally = Tally::default();
        tally.answered(Duration::from_micros(10), 98);
        tally.answered(Duration::from_micros(1000), 2);
        let mut other = Tally::default();
        other.failed("first".to_owned());
        other.failed("second".to_owned());
        tally.add(other);
        let load = Load {
            payload: 500_000,
            ..Load::default()
        };
        let report = tally.report(&load, Duration::from_secs(2));
        assert_eq!((report.calls, report.errors), (100, 2));
        assert_eq!(report.first_error.as_deref(), Some("first"));
        assert_eq!((report.cps, report.mbps), (50.0, 25.0));
        assert!((report.us.p50 - 10.0).abs() < 0.1 && (report.us.p99 - 1000.0).abs() < 1.0);
    }
}
