//! What a recorder sees, and that nothing is left when there is none.

#[cfg(not(feature = "metrics"))]
#[test]
fn without_a_recorder_stats_take_no_room() {
    use super::*;
    assert_eq!(size_of::<Stats>(), 0);
    assert_eq!(size_of::<OutboundStats>(), 0);
    assert_eq!(size_of::<InboundStats>(), 0);
    assert_eq!(size_of::<ConnectionStats>(), 0);
}

#[cfg(feature = "metrics")]
mod recorded {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex};

    use metrics::{HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};

    use super::super::*;

    /// Keeps every number under `name{key=value}`; of a histogram the sum.
    #[derive(Default)]
    struct Notebook {
        numbers: Mutex<BTreeMap<String, Arc<Number>>>,
    }

    #[derive(Default)]
    struct Number(AtomicU64);

    impl HistogramFn for Number {
        fn record(&self, value: f64) {
            self.0.fetch_add(value as u64, Ordering::Relaxed);
        }
    }

    impl metrics::CounterFn for Number {
        fn increment(&self, value: u64) {
            self.0.fetch_add(value, Ordering::Relaxed);
        }

        fn absolute(&self, value: u64) {
            self.0.store(value, Ordering::Relaxed);
        }
    }

    impl metrics::GaugeFn for Number {
        fn increment(&self, value: f64) {
            self.0.fetch_add(value as u64, Ordering::Relaxed);
        }

        fn decrement(&self, value: f64) {
            self.0.fetch_sub(value as u64, Ordering::Relaxed);
        }

        fn set(&self, value: f64) {
            self.0.store(value as u64, Ordering::Relaxed);
        }
    }

    impl Notebook {
        fn number(&self, key: &Key) -> Arc<Number> {
            let labels: Vec<_> = key
                .labels()
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            let name = format!("{}{{{}}}", key.name(), labels.join(" "));
            Arc::clone(
                self.numbers
                    .lock()
                    .expect("no test panics here")
                    .entry(name)
                    .or_default(),
            )
        }

        /// All numbers that are not zero, a line each.
        fn read(&self) -> Vec<String> {
            let numbers = self.numbers.lock().expect("no test panics here");
            let read =
                |(name, number): (&String, &Arc<Number>)| match number.0.load(Ordering::Relaxed) {
                    0 => None,
                    number => Some(format!("{name} {number}")),
                };
            numbers.iter().filter_map(read).collect()
        }
    }

    impl Recorder for Notebook {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
            metrics::Counter::from_arc(self.number(key))
        }

        fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
            metrics::Gauge::from_arc(self.number(key))
        }

        fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
            metrics::Histogram::from_arc(self.number(key))
        }
    }

    #[track_caller]
    fn check(record: impl FnOnce(&Stats), labels: &str, expected: &[&str]) {
        let notebook = Notebook::default();
        metrics::with_local_recorder(&notebook, || record(&Stats::new("app")));
        let expected: Vec<_> = expected
            .iter()
            .map(|line| line.replace("{..", &format!("{{{labels}")))
            .collect();
        assert_eq!(notebook.read(), expected);
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_call_that_succeeds_at_the_second_attempt_is_counted_once_and_its_attempts_twice() {
        check(
            |stats| {
                stats.outbound("me", "them", "echo").on_sent(100);
                let again = stats.outbound("me", "them", "echo");
                again.on_attempt_end(2 * MS, End::SystemError(ErrorCode::Busy));
                again.on_retry(1);
                again.on_attempt_end(3 * MS, End::Success);
                again.on_end(6 * MS, End::Success);
                again.on_response_bytes(7);
            },
            "app=app service=me target-service=them target-endpoint=echo",
            &[
                "outbound.calls.latency{..} 6",
                "outbound.calls.per-attempt.latency{..} 5",
                "outbound.calls.per-attempt.system-errors{.. type=busy} 1",
                "outbound.calls.retries{.. retry-count=1} 1",
                "outbound.calls.sent{..} 1",
                "outbound.calls.success{..} 1",
                "outbound.request.size{..} 100",
                "outbound.response.size{..} 7",
            ],
        );
    }

    #[test]
    fn a_call_that_fails_is_counted_by_how_it_failed() {
        check(
            |stats| {
                let outbound = stats.outbound("me", "them", "echo");
                outbound.on_end(MS, End::AppError);
                outbound.on_end(MS, End::OperationalError(ErrorCode::Timeout));
                outbound.on_end(MS, End::SystemError(ErrorCode::FatalProtocolError));
            },
            "app=app service=me target-service=them target-endpoint=echo",
            &[
                "outbound.calls.app-errors{..} 1",
                "outbound.calls.latency{..} 3",
                "outbound.calls.operational-errors{.. type=timeout} 1",
                "outbound.calls.system-errors{.. type=protocol-error} 1",
            ],
        );
    }

    #[test]
    fn an_inbound_call_is_counted_by_caller_service_and_endpoint() {
        check(
            |stats| {
                let inbound = stats.inbound("them", "me", "echo");
                (0..3).for_each(|_| inbound.on_received());
                inbound.on_request_bytes(10);
                inbound.on_end(4 * MS, End::Success, 20);
                inbound.on_end(MS, End::SystemError(ErrorCode::UnexpectedError), 0);
                inbound.on_cancel_requested();
                inbound.on_cancel_honored();
                inbound.on_protocol_error();
            },
            "app=app calling-service=them service=me endpoint=echo",
            &[
                "inbound.calls.latency{..} 5",
                "inbound.calls.recvd{..} 3",
                "inbound.calls.success{..} 1",
                "inbound.calls.system-errors{.. type=unexpected-error} 1",
                "inbound.cancels.honored{..} 1",
                "inbound.cancels.requested{..} 1",
                "inbound.protocol-errors{..} 1",
                "inbound.request.size{..} 10",
                "inbound.response.size{..} 20",
            ],
        );
    }

    #[test]
    fn connections_are_counted_as_they_come_and_go() {
        check(
            |stats| {
                let connections = stats.connections("127.0.0.1:1");
                connections.on_initiated();
                connections.on_accepted();
                connections.on_connect_error();
                connections.on_accept_error();
                connections.on_error(ConnectionError::PeerProtocol);
                connections.on_closed(CloseReason::Peer);
                connections.on_bytes_sent(5);
                connections.on_bytes_received(6);
            },
            "app=app host-port=127.0.0.1:1",
            &[
                "connections.accept-errors{..} 1",
                "connections.accepted{..} 1",
                "connections.active{..} 1",
                "connections.bytes-recvd{..} 6",
                "connections.bytes-sent{..} 5",
                "connections.closed{.. reason=peer-closed} 1",
                "connections.connect-errors{..} 1",
                "connections.errors{.. type=peer-protocol-error} 1",
                "connections.initiated{..} 1",
            ],
        );
    }

    #[test]
    fn names_beyond_the_bound_and_long_names_are_counted_as_other() {
        let notebook = Notebook::default();
        metrics::with_local_recorder(&notebook, || {
            let stats = Stats::new("app");
            for endpoint in 0..MAX_LABEL_SETS + 5 {
                stats
                    .inbound("them", "me", &endpoint.to_string())
                    .on_received();
            }
            stats.inbound("them", "me", "7").on_received();
        });
        let lines = notebook.read();
        let other =
            "inbound.calls.recvd{app=app calling-service=other service=other endpoint=other} 5";
        assert!(lines.iter().any(|line| line == other), "{:?}", lines.last());
        assert!(lines.iter().any(|line| line.ends_with("endpoint=7} 2")));
        assert_eq!(lines.len(), MAX_LABEL_SETS + 1);
    }

    #[test]
    fn a_long_name_is_not_told_apart() {
        check(
            |stats| stats.inbound("them", "me", &"x".repeat(257)).on_received(),
            "app=app calling-service=them service=me",
            &["inbound.calls.recvd{.. endpoint=other} 1"],
        );
    }

    #[test]
    fn retries_beyond_the_fourth_are_counted_with_it() {
        check(
            |stats| (0..9).for_each(|number| stats.outbound("me", "them", "echo").on_retry(number)),
            "app=app service=me target-service=them target-endpoint=echo",
            &[
                "outbound.calls.retries{.. retry-count=1} 2",
                "outbound.calls.retries{.. retry-count=2} 1",
                "outbound.calls.retries{.. retry-count=3} 1",
                "outbound.calls.retries{.. retry-count=4} 5",
            ],
        );
    }
}
