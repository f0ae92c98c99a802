//! What a recorder of the facade `metrics` sees of calls and connections.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{
    CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use tchannel_rt::retry::Retry;
use tchannel_rt::{Channel, HandlerError, Reply};

use crate::support::{LONG, echo, listen, once, soon, until};
use crate::wire::{Wire, listener};

/// Keeps counters and gauges by name and the labels that tell them apart; of a histogram how often it was fed.
#[derive(Clone, Default)]
struct Notebook(Arc<Mutex<BTreeMap<String, Arc<Number>>>>);

#[derive(Default)]
struct Number(AtomicU64);

impl CounterFn for Number {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

impl GaugeFn for Number {
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

impl HistogramFn for Number {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Notebook {
    fn number(&self, key: &Key) -> Arc<Number> {
        let labels: Vec<_> = key
            .labels()
            .filter(|label| !matches!(label.key(), "host-port"))
            .map(|label| label.value().to_owned())
            .collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        let mut numbers = self.0.lock().expect("no test panics here");
        Arc::clone(numbers.entry(name).or_default())
    }

    /// Everything that is not zero and begins with one of `prefixes`.
    fn read(&self, prefixes: &[&str]) -> Vec<String> {
        let numbers = self.0.lock().expect("no test panics here");
        numbers
            .iter()
            .filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix)))
            .map(|(name, number)| (name, number.0.load(Ordering::Relaxed)))
            .filter(|(_, number)| *number > 0)
            .map(|(name, number)| format!("{name}: {number}"))
            .collect()
    }
}

impl Recorder for Notebook {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
        metrics::Counter::from_arc(self.number(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.number(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.number(key))
    }
}

/// Runs `test` with a recorder of its own, on one thread.
fn recorded<F: Future<Output = ()>>(test: impl FnOnce(Notebook) -> F) {
    let notebook = Notebook::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    metrics::with_local_recorder(&notebook.clone(), || runtime.block_on(test(notebook)));
}

#[test]
fn calls_are_counted_at_either_end_by_how_they_end() {
    recorded(|notebook| async move {
        let server = Channel::new("svc");
        server
            .service("svc")
            .raw(
                "ok",
                |request| async move { Ok(Reply::ok("", request.arg3)) },
            )
            .raw("no", |_| async { Ok(Reply::application_error("", "")) })
            .raw("busy", |_| async { Err(HandlerError::busy("no room")) });
        let addr = listen(&server).await;
        let client = Channel::new("test");
        for method in ["ok", "no", "busy"] {
            let target = format!("svc::{method}");
            let call = client.call(&target).peer(&addr).retry(Retry {
                max_attempts: 2,
                ..Retry::default()
            });
            let _ = call.send("", "1234").await;
        }
        assert_eq!(
            notebook.read(&["inbound", "outbound"]),
            [
                "inbound.calls.app-errors svc test svc no: 1",
                "inbound.calls.latency svc test svc busy: 2",
                "inbound.calls.latency svc test svc no: 1",
                "inbound.calls.latency svc test svc ok: 1",
                "inbound.calls.recvd svc test svc busy: 2",
                "inbound.calls.recvd svc test svc no: 1",
                "inbound.calls.recvd svc test svc ok: 1",
                "inbound.calls.success svc test svc ok: 1",
                "inbound.calls.system-errors svc test svc busy busy: 2",
                "inbound.request.size svc test svc busy: 8",
                "inbound.request.size svc test svc no: 4",
                "inbound.request.size svc test svc ok: 4",
                "inbound.response.size svc test svc ok: 4",
                "outbound.calls.app-errors test test svc no: 1",
                "outbound.calls.latency test test svc busy: 1",
                "outbound.calls.latency test test svc no: 1",
                "outbound.calls.latency test test svc ok: 1",
                "outbound.calls.per-attempt.app-errors test test svc no: 1",
                "outbound.calls.per-attempt.latency test test svc busy: 2",
                "outbound.calls.per-attempt.latency test test svc no: 1",
                "outbound.calls.per-attempt.latency test test svc ok: 1",
                "outbound.calls.per-attempt.system-errors test test svc busy busy: 2",
                "outbound.calls.retries test test svc busy 1: 1",
                "outbound.calls.sent test test svc busy: 1",
                "outbound.calls.sent test test svc no: 1",
                "outbound.calls.sent test test svc ok: 1",
                "outbound.calls.success test test svc ok: 1",
                "outbound.calls.system-errors test test svc busy busy: 1",
                "outbound.request.size test test svc busy: 4",
                "outbound.request.size test test svc no: 4",
                "outbound.request.size test test svc ok: 4",
                "outbound.response.size test test svc ok: 4",
            ]
        );
    });
}

#[test]
fn a_cancelled_call_and_one_past_its_deadline_are_counted_as_such() {
    recorded(|notebook| async move {
        let (server, mut served) = echo(Default::default());
        let addr = listen(&server).await;
        let client = Channel::new("test");
        let dropped = client.call("echo::never").peer(&addr).ttl(LONG);
        tokio::select! {
            handler = served.next() => drop(handler),
            outcome = dropped.send("", "") => panic!("an answer out of nowhere: {outcome:?}"),
        }
        let late = once(client.call("echo::never").peer(&addr));
        let late = late.ttl(Duration::from_millis(20)).send("", "");
        late.await.unwrap_err();
        let cancels = || notebook.read(&["inbound.cancels", "inbound.calls.system"]);
        until(|| cancels().len() == 4).await;
        assert_eq!(
            cancels(),
            [
                "inbound.calls.system-errors echo test echo never cancelled: 1",
                "inbound.calls.system-errors echo test echo never timeout: 1",
                "inbound.cancels.honored echo test echo never: 1",
                "inbound.cancels.requested echo test echo never: 1",
            ]
        );

        // Of a peer that watches no deadline itself nothing can come before this end's own failure.
        let (listener, mute) = listener().await;
        let unanswered = once(client.call("mute::never").peer(&mute));
        let unanswered = unanswered.ttl(Duration::from_millis(20)).send("", "");
        let (outcome, _wire) = tokio::join!(unanswered, Wire::accept(&listener));
        outcome.unwrap_err();
        let mut failures = notebook.read(&["outbound.calls.operational", "outbound.calls.system"]);
        failures.retain(|failure| failure.contains("mute"));
        assert_eq!(
            failures,
            ["outbound.calls.operational-errors test test mute never timeout: 1"]
        );
    });
}

#[test]
fn a_stream_is_counted_when_it_ends_with_all_its_bytes() {
    recorded(|notebook| async move {
        let server = Channel::new("svc");
        server.service("svc").stream("echo", |request| async move {
            let mut args = request.args;
            let mut answer = request.respond.ok()?;
            while let Some(chunk) = args.next_chunk().await? {
                answer.send(chunk).await?;
            }
            answer.finish().await?;
            Ok(())
        });
        let addr = listen(&server).await;
        let client = Channel::new("test");
        let call = client.call("svc::echo").peer(&addr).ttl(LONG);
        let (mut request, pending) = call.stream().await.unwrap();
        let mut args = soon(pending.response()).await.unwrap().args;
        for _ in 0..10 {
            request.send("12345").await.unwrap();
            soon(args.next_chunk()).await.unwrap().unwrap();
        }
        assert!(notebook.read(&["outbound.calls.success"]).is_empty());
        request.finish().await.unwrap();
        assert!(soon(args.next_chunk()).await.unwrap().is_none());
        drop(args);
        assert_eq!(
            notebook.read(&[
                "inbound.calls.success",
                "inbound.re",
                "outbound.calls.s",
                "outbound.re"
            ]),
            [
                "inbound.calls.success svc test svc echo: 1",
                "inbound.request.size svc test svc echo: 50",
                "inbound.response.size svc test svc echo: 50",
                "outbound.calls.sent test test svc echo: 1",
                "outbound.calls.success test test svc echo: 1",
                "outbound.request.size test test svc echo: 50",
                "outbound.response.size test test svc echo: 50",
            ]
        );
    });
}

#[test]
fn connections_are_counted_from_their_handshake_to_their_end() {
    recorded(|notebook| async move {
        let (server, _) = echo(Default::default());
        let addr = listen(&server).await;
        let client = Channel::new("test");
        let call = client.call("echo::echo").peer(&addr).send("", "");
        call.await.unwrap();
        let active = || notebook.read(&["connections.a", "connections.initiated"]);
        assert_eq!(
            active(),
            [
                "connections.accepted echo: 1",
                "connections.active echo: 1",
                "connections.active test: 1",
                "connections.initiated test: 1",
            ]
        );
        let bytes = notebook.read(&["connections.bytes"]);
        assert_eq!(bytes.len(), 4, "{bytes:?}");

        client.close().await;
        until(|| server.connections() == (0, 0)).await;
        assert!(notebook.read(&["connections.active"]).is_empty());
        assert_eq!(
            notebook.read(&["connections.closed"]),
            [
                "connections.closed echo peer-closed: 1",
                "connections.closed test app-initiated: 1",
            ]
        );

        let (gone, dead) = listener().await;
        drop(gone);
        let call = once(server.call("svc::method").peer(&dead)).send("", "");
        call.await.unwrap_err();
        assert_eq!(
            notebook.read(&["connections.connect-errors", "connections.accept-errors"]),
            ["connections.connect-errors echo: 1"]
        );
    });
}
