//! A foreign client.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::sync::{Mutex as AsyncMutex, oneshot};
use tokio::time::timeout;

use crate::process::{Output, Process};
use crate::{Answer, Call, Peer, Way};

/// A running client of a peer; it ends when this is dropped.
pub struct Client {
    peer: Peer,
    process: AsyncMutex<Process>,
    waiting: Waiting,
}

#[derive(Clone, Default)]
struct Waiting(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    next_id: u64,
    by_id: HashMap<u64, oneshot::Sender<Answer>>,
}

impl Client {
    /// Starts a client.
    pub fn start(peer: Peer) -> Self {
        let (process, output) = Process::start(peer, &["client"]);
        let waiting = Waiting::default();
        tokio::spawn(waiting.clone().deliver(output));
        Self {
            peer,
            process: AsyncMutex::new(process),
            waiting,
        }
    }

    /// Has the client make this call, or these calls, and tell what came of it.
    ///
    /// # Panics
    ///
    /// When the client does not tell in a minute after the call's own deadline.
    pub async fn call(&self, way: Way, call: &Call) -> Answer {
        let bound = call.ttl() + GRACE;
        self.obey(call.to_command(way), bound).await
    }

    /// Has the peer's own Hyperbahn client ask a router for the instances of a service.
    ///
    /// # Panics
    ///
    /// When the client does not tell within a minute.
    pub async fn discover(&self, router: SocketAddr, service: &str) -> Answer {
        let command = json!({
            "do": "discover",
            "router": router,
            "service": service,
            "caller": "interop",
            "timeout_ms": 5000,
        });
        self.obey(command, GRACE).await
    }

    async fn obey(&self, mut command: Json, bound: Duration) -> Answer {
        let (id, answer) = self.waiting.register();
        command["id"] = id.into();
        self.process
            .lock()
            .await
            .write_line(&command.to_string())
            .await;
        match timeout(bound, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => panic!("the {} client ended during {command}", self.peer.name()),
            Err(_) => panic!("the {} client is silent about {command}", self.peer.name()),
        }
    }
}

/// What a client may take beyond the deadline of the call it makes: starting up, and moving megabytes.
const GRACE: Duration = Duration::from_secs(60);

impl Waiting {
    fn register(&self) -> (u64, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.next_id += 1;
        let id = table.next_id;
        table.by_id.insert(id, sender);
        (id, receiver)
    }

    /// Hands each answer to who asked; lets go of all who wait when the program ends.
    async fn deliver(self, mut output: Output) {
        while let Ok(Some(line)) = output.next_line().await {
            let (id, answer) = Answer::parse(&line);
            let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(asker) = table.by_id.remove(&id) {
                // The asker is gone when its test has failed already.
                let _ = asker.send(answer);
            }
        }
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.by_id.clear();
    }
}
