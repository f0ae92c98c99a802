//! The task that owns the swim node: it brings what happens to the node, and does what the node wants.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use bytes::Bytes;
use hyperbahn_swim::{
    Answer, AnswerId, Change, Config, Endpoint, Event, Node, Response, lookup_key, lookup_response,
};
use tchannel_rt::Channel;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::bootstrap::Hosts;
use super::transport::{Ended, ask};
use super::{Bootstrap, LookReport, Snapshot, process};
use crate::clock::{now, sleep_until};

/// What the driver is to do.
pub(super) enum Command {
    Serve {
        asked: Asked,
        body: Bytes,
        answer: oneshot::Sender<Response>,
    },
    Look(Bootstrap, oneshot::Sender<LookReport>),
    Enter(oneshot::Sender<()>),
    Leave(oneshot::Sender<()>),
}

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// The node answers.
    Member(Endpoint),
    /// We do, from the ring.
    Lookup,
    Stats,
}

/// Work that goes on beside the driver.
enum Done {
    Asked(Ended),
    Resolved(Hosts),
}

pub(super) struct Driver {
    node: Node,
    channel: Weak<Channel>,
    commands: mpsc::Receiver<Command>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    work: JoinSet<Done>,
    answers: HashMap<AnswerId, oneshot::Sender<Response>>,
    bootstrap: Bootstrap,
    resolving: Option<AbortHandle>,
    /// What was wrong with the bootstrap when it was last read.
    problems: Vec<String>,
    /// Whether the hosts that are being resolved are to be looked at, and not only to be known.
    is_to_look: bool,
    is_to_enter: bool,
    report: LookReport,
    looks: Vec<oneshot::Sender<LookReport>>,
    entries: Vec<oneshot::Sender<()>>,
    exits: Vec<oneshot::Sender<()>>,
}

impl Driver {
    pub(super) fn new(
        channel: Weak<Channel>,
        config: Config,
        commands: mpsc::Receiver<Command>,
    ) -> (Self, watch::Receiver<Arc<Snapshot>>) {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let wall_ms = wall.unwrap_or_default().as_millis() as u64;
        let node = Node::new(config, now(), wall_ms, fastrand::u64(..));
        let (snapshots, receiver) = watch::channel(Arc::new(Snapshot::first(&node)));
        let driver = Self {
            node,
            channel,
            commands,
            snapshots,
            work: JoinSet::new(),
            answers: HashMap::new(),
            bootstrap: Bootstrap::default(),
            resolving: None,
            problems: Vec::new(),
            is_to_look: false,
            is_to_enter: false,
            report: LookReport::default(),
            looks: Vec::new(),
            entries: Vec::new(),
            exits: Vec::new(),
        };
        (driver, receiver)
    }

    /// Works until the channel is gone, or until `abandoned` says that no handle is left.
    pub(super) async fn run(mut self, mut abandoned: oneshot::Receiver<Infallible>) {
        loop {
            self.settle();
            let due = self.node.poll_timeout();
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.handle_command(command),
                    None => return,
                },
                Some(done) = self.work.join_next() => {
                    // One that was aborted has nothing to say.
                    if let Ok(done) = done {
                        self.handle_done(done);
                    }
                }
                () = sleep_until(due) => self.node.handle_timeout(now()),
                _ = &mut abandoned => return,
            }
        }
    }

    fn handle_command(&mut self, command: Command) {
        match command {
            Command::Serve {
                asked,
                body,
                answer,
            } => self.serve(asked, &body, answer),
            Command::Look(bootstrap, done) => {
                self.bootstrap = bootstrap;
                self.looks.push(done);
                self.is_to_look = true;
                self.resolve();
            }
            Command::Enter(done) => {
                self.entries.push(done);
                self.is_to_enter = true;
                self.enter();
            }
            Command::Leave(done) => {
                self.exits.push(done);
                self.node.evict(now());
            }
        }
    }

    fn handle_done(&mut self, done: Done) {
        match done {
            Done::Asked(ended) => self.node.handle_response(now(), ended.id, ended.outcome()),
            Done::Resolved(hosts) => self.handle_hosts(hosts),
        }
    }

    fn handle_hosts(&mut self, Hosts { hosts, problems }: Hosts) {
        self.resolving = None;
        // They are looked for again and again; what is wrong needs to be said once.
        for problem in problems.iter().filter(|now| !self.problems.contains(now)) {
            tracing::warn!(problem, "the hosts of the mesh are not all known");
        }
        self.problems = problems.clone();
        if std::mem::take(&mut self.is_to_look) {
            let me = self.node.address();
            self.report = LookReport {
                hosts: hosts.iter().filter(|host| *host != me).count(),
                answered: 0,
                problems,
            };
            self.node.look(now(), &hosts);
            self.enter();
        }
        self.node.handle_hosts(now(), &hosts);
    }

    /// Enters if it is time to.
    fn enter(&mut self) {
        if self.is_to_enter && !self.is_to_look {
            self.node.enter(now());
        }
    }

    fn serve(&mut self, asked: Asked, body: &[u8], answer: oneshot::Sender<Response>) {
        let response = match asked {
            Asked::Lookup => self.look_up(body),
            Asked::Stats => self.stats(),
            Asked::Member(endpoint) => match self.node.handle_request(now(), endpoint, body) {
                Answer::Now(response) => response,
                Answer::Later(id) => {
                    self.answers.insert(id, answer);
                    return;
                }
            },
        };
        // Who asked may be gone.
        let _ = answer.send(response);
    }

    fn look_up(&self, body: &[u8]) -> Response {
        let key = match lookup_key(body) {
            Ok(key) => key,
            Err(refused) => return refused,
        };
        let snapshot = self.snapshots.borrow();
        let owner = snapshot.ring.lookup(&key);
        lookup_response(owner.map_or(self.node.address(), |owner| owner.address()))
    }

    fn stats(&mut self) -> Response {
        let around = process::surroundings(&self.snapshots.borrow().ring);
        Response {
            ok: true,
            body: self.node.stats(now(), &around),
        }
    }

    /// Does what the node wants, once it has been told something. The newest snapshot is in force before
    /// anybody hears of what it is about.
    fn settle(&mut self) {
        self.take_events();
        while let Some((id, response)) = self.node.poll_response() {
            if let Some(answer) = self.answers.remove(&id) {
                let _ = answer.send(response);
            }
        }
        while let Some(request) = self.node.poll_request() {
            // Without a channel the commands end too.
            if let Some(channel) = self.channel.upgrade() {
                self.work
                    .spawn(async move { Done::Asked(ask(channel, request).await) });
            }
        }
    }

    fn take_events(&mut self) {
        let mut changed = Vec::new();
        while let Some(event) = self.node.poll_event() {
            match event {
                Event::Changed(changes) => changed.extend(changes.into_iter().map(note)),
                Event::Ready { .. } | Event::Evicted => changed.push(self.node.address().into()),
                Event::Looked { joined } => self.report.answered = joined,
                Event::HostsWanted => self.resolve(),
                Event::Refuted {
                    claimed,
                    source,
                    incarnation,
                } => {
                    tracing::info!(%claimed, %source, incarnation, "contradicted a claim about us");
                }
                Event::ForeignChecksum { member, checksum } => {
                    tracing::error!(%member, checksum, "its ring hashes in a way that we cannot and can not be joined");
                }
            }
        }
        if !changed.is_empty() {
            let next = self.snapshots.borrow().next(&self.node, &changed);
            self.snapshots.send_replace(Arc::new(next));
        }
        self.tell_those_who_wait();
    }

    fn tell_those_who_wait(&mut self) {
        if !self.is_to_look && !self.node.is_looking() {
            for done in self.looks.drain(..) {
                let _ = done.send(self.report.clone());
            }
        }
        let is_member = self.node.is_member();
        if is_member || self.node.is_gone() {
            self.entries.drain(..).for_each(tell);
        }
        if !is_member {
            self.exits.drain(..).for_each(tell);
        }
    }

    /// Finds out anew who should be there.
    fn resolve(&mut self) {
        if let Some(before) = self.resolving.take() {
            before.abort();
        }
        let bootstrap = self.bootstrap.clone();
        let me = self.node.address().to_owned();
        let task = async move { Done::Resolved(bootstrap.resolve(&me).await) };
        self.resolving = Some(self.work.spawn(task));
    }
}

fn tell(done: oneshot::Sender<()>) {
    let _ = done.send(());
}

/// Writes a change to the log. Returns whom it is about.
fn note(change: Change) -> Arc<str> {
    let Change {
        before,
        after,
        source,
    } = change;
    let status = |member: &Option<hyperbahn_swim::Member>| {
        member
            .as_ref()
            .map_or("unknown", |member| member.status.as_str())
    };
    let (from, to) = (status(&before), status(&after));
    let member = after.or(before).map(|member| member.address);
    let member = member.unwrap_or_else(|| "".into());
    match from == to {
        true => tracing::debug!(%member, status = to, %source, "a member goes on"),
        false => tracing::info!(%member, from, to, %source, "a member changed"),
    }
    member
}
