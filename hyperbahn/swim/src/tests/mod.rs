//! Nodes and a clock. `Solo` is one node whose peers are played by the test; `Cluster` is a few nodes and
//! wires that can be cut.

mod gossip;
mod heal;
mod join;
mod look;
mod operators;
mod precedence;
mod probe;
mod recorded;
mod suspicion;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    Answer, AnswerId, Config, Endpoint, Event, Node, Outcome, Request, RequestId, Response, Status,
};

pub(super) const MS: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// The wall clock when everything begins.
pub(super) const WALL_MS: u64 = 1_000_000;

#[expect(
    clippy::disallowed_methods,
    reason = "any instant serves as the origin"
)]
fn origin() -> Instant {
    Instant::now()
}

/// One node at `me:1`, in a ring with others that answer as the test says.
pub(super) struct Solo {
    pub(super) node: Node,
    pub(super) now: Instant,
    pub(super) events: Vec<Event>,
    /// What was requested so far: of whom, arg1, arg3.
    pub(super) sent: Vec<Sent>,
    /// Those that do not answer, and how.
    pub(super) silent: BTreeMap<String, Outcome<'static>>,
    others: Vec<String>,
    /// What helpers say of a target; true if absent.
    pub(super) reached: BTreeMap<String, bool>,
}

#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) to: String,
    pub(super) path: &'static str,
    pub(super) body: Value,
}

impl Solo {
    /// In a ring with these, each alive at incarnation 1337.
    pub(super) fn with(others: &[&str]) -> Self {
        Self::configured(others, |_| {})
    }

    pub(super) fn configured(others: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        let mut solo = Self::outside(change);
        solo.join(others);
        solo.node.handle_timeout(solo.now);
        solo.run(Duration::ZERO);
        assert!(solo.node.is_member(), "{:?}", solo.events);
        solo.events.clear();
        solo
    }

    pub(super) fn outside(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new("me:1");
        change(&mut config);
        let start = origin();
        Self {
            node: Node::new(config, start, WALL_MS, 1),
            now: start,
            events: Vec::new(),
            sent: Vec::new(),
            silent: BTreeMap::new(),
            others: Vec::new(),
            reached: BTreeMap::new(),
        }
    }

    pub(super) fn join(&mut self, others: &[&str]) {
        self.others = others.iter().map(|&other| other.to_owned()).collect();
        self.node.join(self.now, others);
        self.drain();
    }

    pub(super) fn look(&mut self, others: &[&str]) {
        self.others = others.iter().map(|&other| other.to_owned()).collect();
        self.node.look(self.now, others);
        self.drain();
    }

    /// Lets time pass. Peers answer at once.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        self.drain();
        while let Some(at) = self.node.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.node.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
        self.drain();
    }

    /// Sends a ping from a peer and returns the answer.
    pub(super) fn ping(&mut self, source: &str, changes: Value) -> Value {
        let checksum = self.node.checksum();
        self.ping_saying(source, changes, checksum)
    }

    pub(super) fn ping_saying(&mut self, source: &str, changes: Value, checksum: u32) -> Value {
        let body = json!({
            "checksum": checksum, "changes": changes,
            "source": source, "sourceIncarnationNumber": 1337,
        });
        self.ask(Endpoint::Ping, body)
    }

    /// Makes a request of the node that is answered at once and well.
    #[track_caller]
    pub(super) fn ask(&mut self, endpoint: Endpoint, body: Value) -> Value {
        match self.request(endpoint, body) {
            Answer::Now(response) if response.ok => json_of(&response),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn request(&mut self, endpoint: Endpoint, body: Value) -> Answer {
        let body = body.to_string();
        let answer = self
            .node
            .handle_request(self.now, endpoint, body.as_bytes());
        self.collect();
        answer
    }

    /// `status@incarnation`, or `unknown`.
    pub(super) fn knows(&self, address: &str) -> String {
        self.node
            .member(address)
            .map_or("unknown".to_owned(), |member| {
                format!("{}@{}", member.status, member.incarnation)
            })
    }

    /// Requests of one kind, in order.
    pub(super) fn sent_to(&self, path: &str) -> Vec<&Sent> {
        self.sent.iter().filter(|sent| sent.path == path).collect()
    }

    fn drain(&mut self) {
        while let Some(request) = self.node.poll_request() {
            let (body, outcome) = self.answer(&request);
            let outcome = match &body {
                Some(body) => Outcome::Answered(body.as_bytes()),
                None => outcome,
            };
            if outcome != Outcome::Lost {
                self.node.handle_response(self.now, request.id, outcome);
            }
        }
        self.collect();
    }

    fn answer(&mut self, request: &Request) -> (Option<String>, Outcome<'static>) {
        let sent = Sent {
            to: request.to.to_string(),
            path: request.path,
            body: serde_json::from_slice(&request.body).expect("our bodies are JSON"),
        };
        let target = sent.body["target"].as_str().unwrap_or_default().to_owned();
        self.sent.push(sent);
        if let Some(outcome) = self.silent.get(&*request.to) {
            return (None, *outcome);
        }
        let body = match request.path {
            "/protocol/join" => json!({
                "app": "ringpop", "coordinator": &*request.to, "membershipChecksum": null,
                "membership": self.others.iter().map(|other| change(other, "alive", 1337)).collect::<Vec<_>>(),
            }),
            "/protocol/ping" => json!({"changes": []}),
            _ => json!({
                "changes": [], "target": &target,
                "pingStatus": self.reached.get(&target).copied().unwrap_or(true),
            }),
        };
        (Some(body.to_string()), Outcome::Lost)
    }

    fn collect(&mut self) {
        self.events
            .extend(std::iter::from_fn(|| self.node.poll_event()));
    }
}

pub(super) fn change(address: &str, status: &str, incarnation: u64) -> Value {
    json!({
        "address": address, "status": status, "incarnationNumber": incarnation,
        "source": "a:1", "sourceIncarnationNumber": 1337,
    })
}

pub(super) fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).expect("our bodies are JSON")
}

/// Nodes `n:0`, `n:1`, and so on, with a millisecond between any two.
pub(super) struct Cluster {
    pub(super) nodes: Vec<Node>,
    pub(super) now: Instant,
    pub(super) events: Vec<Vec<Event>>,
    /// From and to: what is lost.
    pub(super) cut: BTreeSet<(usize, usize)>,
    mail: VecDeque<(Instant, Mail)>,
    later: BTreeMap<(usize, AnswerId), (usize, RequestId)>,
}

enum Mail {
    Request(usize, Request),
    Response(usize, RequestId, Response),
}

impl Cluster {
    /// A ring of this size, joined and settled.
    pub(super) fn settled(size: usize) -> Self {
        let mut cluster = Self::starting(size, |_| {});
        cluster.run(10 * SECOND);
        cluster.assert_agreed(size);
        cluster
    }

    pub(super) fn starting(size: usize, change: impl Fn(&mut Config)) -> Self {
        Self::beginning(size, change, |node, start, hosts| node.join(start, hosts))
    }

    pub(super) fn looking(size: usize) -> Self {
        Self::beginning(size, |_| {}, |node, start, hosts| node.look(start, hosts))
    }

    fn beginning(
        size: usize,
        change: impl Fn(&mut Config),
        begin: impl Fn(&mut Node, Instant, &[String]),
    ) -> Self {
        let start = origin();
        let hosts: Vec<String> = (0..size).map(address).collect();
        let node = |at: usize| {
            let mut config = Config::new(&hosts[at]);
            change(&mut config);
            let mut node = Node::new(config, start, WALL_MS, at as u64);
            begin(&mut node, start, &hosts);
            node
        };
        Self {
            nodes: (0..size).map(node).collect(),
            now: start,
            events: vec![Vec::new(); size],
            cut: BTreeSet::new(),
            mail: VecDeque::new(),
            later: BTreeMap::new(),
        }
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        self.drain();
        loop {
            let timer = self.nodes.iter().filter_map(Node::poll_timeout).min();
            let mail = self.mail.front().map(|(at, _)| *at);
            let Some(next) = timer.into_iter().chain(mail).min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(next);
            while self.mail.front().is_some_and(|(at, _)| *at <= self.now) {
                let (_, mail) = self.mail.pop_front().expect("seen above");
                self.deliver(mail);
            }
            for node in &mut self.nodes {
                node.handle_timeout(self.now);
            }
            self.drain();
        }
        self.now = end;
    }

    /// Cuts both ways between every one of `left` and every one of `right`.
    pub(super) fn split(&mut self, left: &[usize], right: &[usize]) {
        for (&a, &b) in left.iter().flat_map(|a| right.iter().map(move |b| (a, b))) {
            self.cut.extend([(a, b), (b, a)]);
        }
    }

    /// Cuts a node off from everybody.
    pub(super) fn isolate(&mut self, at: usize) {
        let others: Vec<usize> = (0..self.nodes.len()).filter(|other| *other != at).collect();
        self.split(&[at], &others);
    }

    #[track_caller]
    pub(super) fn assert_agreed(&mut self, alive: usize) {
        let sums: BTreeSet<u32> = self.nodes.iter_mut().map(Node::checksum).collect();
        assert_eq!(sums.len(), 1, "{:#?}", self.views());
        for node in &self.nodes {
            assert_eq!(node.count(Status::Alive), alive, "{:#?}", self.views());
        }
    }

    pub(super) fn views(&self) -> Vec<String> {
        let view = |node: &Node| {
            let members = node.members();
            let members = members.map(|member| format!("{} {}", member.address, member.status));
            members.collect::<Vec<_>>().join(", ")
        };
        self.nodes.iter().map(view).collect()
    }

    /// How often this happened to the members that a node tells of.
    pub(super) fn told(&self, at: usize, status: Status) -> usize {
        let changes = self.events[at].iter().filter_map(|event| match event {
            Event::Changed(changes) => Some(changes),
            _ => None,
        });
        let after = changes.flatten().filter_map(|change| change.after.as_ref());
        after.filter(|member| member.status == status).count()
    }

    fn deliver(&mut self, mail: Mail) {
        match mail {
            Mail::Request(from, request) => {
                let to = index(&request.to);
                let endpoint = Endpoint::from_path(request.path).expect("an endpoint of ours");
                match self.nodes[to].handle_request(self.now, endpoint, &request.body) {
                    Answer::Now(response) => self.post_response(to, from, request.id, response),
                    Answer::Later(id) => {
                        self.later.insert((to, id), (from, request.id));
                    }
                }
            }
            Mail::Response(to, id, response) => {
                let outcome = match response.ok {
                    true => Outcome::Answered(&response.body),
                    false => Outcome::Rejected,
                };
                self.nodes[to].handle_response(self.now, id, outcome);
            }
        }
    }

    fn drain(&mut self) {
        for at in 0..self.nodes.len() {
            while let Some(request) = self.nodes[at].poll_request() {
                if !self.cut.contains(&(at, index(&request.to))) {
                    self.mail
                        .push_back((self.now + MS, Mail::Request(at, request)));
                }
            }
            while let Some((id, response)) = self.nodes[at].poll_response() {
                if let Some((to, request)) = self.later.remove(&(at, id)) {
                    self.post_response(at, to, request, response);
                }
            }
            let events: Vec<Event> = std::iter::from_fn(|| self.nodes[at].poll_event()).collect();
            if events.contains(&Event::HostsWanted) {
                let hosts: Vec<String> = (0..self.nodes.len()).map(address).collect();
                self.nodes[at].handle_hosts(self.now, &hosts);
            }
            self.events[at].extend(events);
        }
    }

    fn post_response(&mut self, from: usize, to: usize, id: RequestId, response: Response) {
        if !self.cut.contains(&(from, to)) {
            self.mail
                .push_back((self.now + MS, Mail::Response(to, id, response)));
        }
    }
}

pub(super) fn address(at: usize) -> String {
    format!("n:{at}")
}

fn index(address: &str) -> usize {
    let number = address
        .rsplit(':')
        .next()
        .and_then(|number| number.parse().ok());
    number.expect("an address of the cluster")
}
