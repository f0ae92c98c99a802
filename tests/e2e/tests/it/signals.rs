//! A service process that is told to stop while a call is in flight.

use std::time::Duration;

use tchannel_rt::retry::Retry;
use tchannel_rt::{CallError, Channel, Reply};
use test_e2e::Process;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::mesh::PROCESS;

/// Longest wait for something that must come; only a failing test takes so long.
const LONG: Duration = Duration::from_secs(20);

/// A service process that serves one call, which ends when the test lets it.
struct Busy {
    process: Process,
    client: Channel,
    call: JoinHandle<Result<String, CallError>>,
    gate: mpsc::Sender<()>,
}

impl Busy {
    async fn start() -> Self {
        let process = Process::start(PROCESS, &["service", "svc", "127.0.0.1:0", ""]).await;
        let client = Channel::new("test");
        let (begun, mut begins) = mpsc::channel(1);
        let (gate, opened) = mpsc::channel(1);
        let opened = std::sync::Arc::new(tokio::sync::Mutex::new(opened));
        client.service("gate").raw("wait", move |_| {
            let (begun, opened) = (begun.clone(), opened.clone());
            async move {
                begun.send(()).await?;
                opened.lock().await.recv().await;
                Ok(Reply::ok("", "opened"))
            }
        });
        let address = client.listen("127.0.0.1:0").await.unwrap().to_string();
        let (caller, at) = (client.clone(), process.address().to_owned());
        let call = tokio::spawn(async move {
            let call = caller.call("svc::ask").peer(&at).ttl(LONG);
            let answer = call.send("", address).await?;
            Ok(String::from_utf8_lossy(&answer.arg3).into_owned())
        });
        begins.recv().await.unwrap();
        Self {
            process,
            client,
            call,
            gate,
        }
    }

    /// Waits until the process takes no more calls.
    async fn drains(&self) {
        let once = || Retry {
            max_attempts: 1,
            ..Retry::default()
        };
        let call = || {
            self.client
                .call("svc::who")
                .peer(self.process.address())
                .retry(once())
        };
        while call().send("", "").await.is_ok() {}
    }
}

#[tokio::test]
async fn sigterm_lets_the_call_in_flight_finish() {
    let busy = Busy::start().await;
    busy.process.terminate().await;
    busy.drains().await;
    assert!(!busy.call.is_finished());
    busy.gate.send(()).await.unwrap();
    assert_eq!(busy.call.await.unwrap().unwrap(), "opened");
    assert_eq!(
        busy.process.last_line().await,
        "Terminated, 0 calls cut off"
    );
}

#[tokio::test]
async fn a_second_signal_cuts_it_off_at_once() {
    let busy = Busy::start().await;
    busy.process.interrupt().await;
    busy.drains().await;
    busy.process.terminate().await;
    assert!(busy.call.await.unwrap().is_err());
    // What it asked on behalf of the call counts too.
    assert_eq!(
        busy.process.last_line().await,
        "Interrupted, 2 calls cut off"
    );
}
