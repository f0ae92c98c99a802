//! Source: spec/hyperbahn/api.md, "Endpoints of a router"; spec/hyperbahn/routing.md, "answers".
//!
//! What a recorded router was asked is put to the endpoints of ours, without a socket between.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hyperbahn::control::{self, Answer, Command, Link, PeerLinks, Request};
use hyperbahn::host_port::HostPort;
use hyperbahn::registry::{Registry, RegistryConfig};
use hyperbahn::routing::{Call, ExitConfig, Mesh, Origin, Route, View, decide};
use serde_json::{Value, json};
use tchannel_proto::message::{CallReq, Message};

use crate::call::accepted;
use crate::value;
use crate::vectors::{Vectors, hex, text, to_hex};

const ROUTER: &str = "127.0.0.1:21300";
const INSTANCE: &str = "127.0.0.1:21399";

/// A router alone, asked over a connection that announced [`INSTANCE`].
struct Router {
    registry: Registry,
}

/// What comes back: code and args, or the code and text of an error frame.
type Reply = Result<(u8, Bytes, Bytes), (u8, String)>;

impl Router {
    fn new() -> Self {
        Self {
            registry: Registry::new(RegistryConfig::default()),
        }
    }

    /// One that knows `keyvalue` at [`INSTANCE`], as the recorded one did.
    fn with_keyvalue() -> Self {
        let mut router = Self::new();
        let reply = router.ask(&exchange("ad")["request"]);
        assert_eq!(reply.expect("an answer").0, 0);
        router
    }

    fn view(&mut self) -> View {
        View {
            services: self.registry.services(),
            mesh: Arc::new(Mesh::alone(me(), ExitConfig::default())),
        }
    }

    fn ask(&mut self, request: &Value) -> Reply {
        let Message::CallReq(call) = value::message(&hex(&request["hex"])) else {
            panic!("a call req")
        };
        let view = self.view();
        let header = |key| call.headers.get(key).unwrap_or_default();
        let routed = Call {
            service: &call.service,
            caller: header("cn"),
            delegate: header("rd"),
            ..Call::default()
        };
        let instances = |name: &str| view.services.instances(name);
        match decide(&routed, &view, instances, || Origin::Caller) {
            Route::Own(own) => {
                let args: Vec<Bytes> = call.chunks.iter().collect();
                let request = Request {
                    service: own,
                    endpoint: std::str::from_utf8(&args[0]).expect("text"),
                    scheme: call.headers.get("as"),
                    body: &args[2],
                    announced: INSTANCE,
                };
                reply(self.answer(&request))
            }
            Route::Refuse(refusal) => Err((refusal.code as u8, refusal.message)),
            Route::Instances(_) | Route::Exits | Route::Shard => {
                panic!("{} would be relayed", call.service)
            }
        }
    }

    fn answer(&mut self, request: &Request<'_>) -> Answer {
        let command = match control::read(request) {
            Ok(command) => command,
            Err(answer) => return answer,
        };
        let now = Instant::now();
        match command {
            Command::Ad(offers) => {
                self.registry.advertise(now, &offers).expect("few offers");
                control::advertised(1)
            }
            Command::Unad(offers) => {
                self.registry.unadvertise(now, &offers);
                control::advertised(1)
            }
            Command::RelayAd(relayed) => {
                let taken = self.registry.advertise(now, &relayed.fresh);
                taken.expect("few offers");
                control::relayed()
            }
            Command::RelayUnad(offers) => {
                self.registry.unadvertise(now, &offers);
                control::relayed()
            }
            question => self.tell(question),
        }
    }

    /// What a router tells that has nobody else to ask.
    fn tell(&mut self, question: Command) -> Answer {
        let view = self.view();
        let here = |question| control::answer(&question, &view, links).expect("a question");
        match question {
            Command::Discover(service) => here(Command::DiscoverHere(service)),
            Command::Connections(service) => {
                let said = control::read_back(&here(Command::ExitConnections(service)));
                control::connections_by_exit([(me(), said)].into())
            }
            question => here(question),
        }
    }
}

fn me() -> HostPort {
    HostPort::parse(ROUTER).expect("an address")
}

fn reply(answer: Answer) -> Reply {
    match answer {
        Answer::Ok(body) => Ok((0, body.arg2, body.arg3)),
        Answer::NotOk(body) => Ok((1, body.arg2, body.arg3)),
        Answer::Refused(refusal) => Err((refusal.code as u8, refusal.message)),
    }
}

/// An instance that the router has dialled.
fn links(instance: &HostPort) -> PeerLinks {
    PeerLinks {
        incoming: None,
        outgoing: Some(Link {
            host_port: instance.to_string(),
            process_name: "keyvalue-server[1]".into(),
            tchannel_language: Some("node".into()),
            tchannel_language_version: Some("4.9.1".into()),
            tchannel_version: Some("3.10.1".into()),
        }),
    }
}

fn exchange(name: &str) -> Value {
    let vectors = Vectors::load("hyperbahn");
    let found = vectors.list("exchanges").iter().find(|x| x["name"] == name);
    found
        .unwrap_or_else(|| panic!("no exchange {name}"))
        .clone()
}

/// Asks `router` what a recorded one was asked, and wants the same answer, byte for byte.
#[track_caller]
fn check(router: &mut Router, name: &str) {
    let exchange = exchange(name);
    let (code, arg2, arg3) = router.ask(&exchange["request"]).expect("an answer");
    let recorded = &exchange["response"]["value"];
    assert_eq!(json!(code), recorded["code"], "{name}");
    let got = ["".to_owned(), to_hex(&arg2), to_hex(&arg3)];
    assert_eq!(json!(got), recorded["chunks"], "{name}");
}

#[test]
fn an_ad_is_answered_as_recorded_and_can_be_discovered() {
    let mut router = Router::new();
    check(&mut router, "discover_no_peers");
    check(&mut router, "ad");
    check(&mut router, "discover_at_exit_node");
}

#[test]
fn an_unad_takes_back_what_the_ad_gave() {
    let mut router = Router::with_keyvalue();
    check(&mut router, "unad");
    assert!(router.registry.services().is_empty());
}

#[test]
fn what_one_router_tells_another_has_the_effect_of_the_ad() {
    let mut router = Router::new();
    check(&mut router, "relay_ad");
    check(&mut router, "discover_affine_hop");
    check(&mut router, "relay_unad");
    assert!(router.registry.services().is_empty());
}

#[test]
fn discover_answers_both_exceptions_as_recorded() {
    check(&mut Router::new(), "discover_no_peers");
    check(&mut Router::new(), "discover_empty_name");
}

#[test]
fn admin_questions_are_answered_as_recorded() {
    let names = [
        "health_v1",
        "hosts_v1",
        "hosts_v1_bad_name",
        "connections_v1",
        "exit_connections_v1",
    ];
    for name in names {
        check(&mut Router::with_keyvalue(), name);
    }
}

#[test]
fn channels_have_the_recorded_shape() {
    let recorded = exchange("channels_v1");
    let reply = Router::with_keyvalue().ask(&recorded["request"]);
    let (_, _, arg3) = reply.expect("an answer");
    let ours: Value = serde_json::from_slice(&arg3).expect("JSON");
    let theirs = hex(&recorded["response"]["value"]["chunks"][2]);
    let theirs: Value = serde_json::from_slice(&theirs).expect("JSON");
    for service in ["autobahn", "hyperbahn", "keyvalue"] {
        assert_eq!(ours[service], theirs[service], "{service}");
    }
    assert_eq!(ours["nosuch"], Value::Null, "a name that was only called");
}

#[test]
fn a_call_that_goes_nowhere_is_declined_in_the_recorded_words_and_more() {
    let recorded = exchange("call_unknown_service");
    let (code, message) = Router::new()
        .ask(&recorded["request"])
        .expect_err("declined");
    let theirs = &recorded["response"]["value"];
    assert_eq!(json!(code), theirs["code"]);
    assert!(message.starts_with(text(&theirs["message"])), "{message}");
    assert!(
        message.contains("nosuch") && message.contains(ROUTER),
        "{message}"
    );
}

#[test]
fn odd_input_to_a_router_gets_our_answer() {
    for probe in Vectors::load("hyperbahn").list("probes") {
        let name = text(&probe["name"]);
        let sent = hex(&probe["send"]);
        let reply = match routed(&sent) {
            Some(call) => vec![short(
                &call,
                &sent,
                &Router::new().ask(&json!({"hex": probe["send"]})),
            )],
            None => {
                let mut peer = accepted();
                peer.receive(&sent);
                assert_eq!(peer.state(), text(&probe["ours"]["connection"]), "{name}");
                peer.sent_short().split_off(1)
            }
        };
        assert_eq!(json!(reply), probe["ours"]["reply"], "{name}");
    }
}

/// The call in `frame`, unless the connection answers before any router is asked.
fn routed(frame: &[u8]) -> Option<CallReq> {
    match Message::decode(value::frame(frame)) {
        Ok(Message::CallReq(call)) if call.ttl.is_some() => Some(call),
        _ => None,
    }
}

fn short(call: &CallReq, frame: &[u8], reply: &Reply) -> String {
    let id = value::frame(frame).id();
    let checksum = value::checksum_name(call.checksum.checksum_type);
    match reply {
        Ok((0, ..)) => format!("call res id {id} ok {checksum}"),
        Ok((code, ..)) => format!("call res id {id} code {code} {checksum}"),
        Err((code, _)) => format!("error {code:#04x} id {id}"),
    }
}

#[test]
fn refusals_keep_the_words_that_deployed_clients_look_for() {
    for probe in Vectors::load("hyperbahn").list("probes") {
        let name = text(&probe["name"]);
        let theirs = &probe["hyperbahn"]["replies"][0]["value"];
        if theirs["type"] != "error" || routed(&hex(&probe["send"])).is_none() {
            continue;
        }
        let (_, ours) = Router::new()
            .ask(&json!({"hex": probe["send"]}))
            .expect_err(name);
        let words = text(&theirs["message"]);
        // Of a thrift body, tests look at the beginning and at the last clause.
        if name == "discover-empty-body" {
            let clause = "missing required field \"query\" with id 1 on discover_args";
            assert!(
                words.contains(clause) && ours.contains(clause),
                "{name}: {ours}"
            );
        } else {
            assert!(ours.starts_with(words), "{name}: {ours:?} for {words:?}");
        }
    }
}
