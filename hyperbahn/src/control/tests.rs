//! Requests as deployed clients send them, and the answers recorded from a deployed router.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::*;
use crate::host_port::HostPort;
use crate::registry::{Handed, Offer, Registry, RegistryConfig};
use crate::routing::{ExitConfig, Mesh, OwnService, View};

const ROUTER: &str = "127.0.0.1:21300";
const INSTANCE: &str = "127.0.0.1:21399";
const DISCOVER: &str = "Hyperbahn::discover";

/// A request over a connection that announced [`INSTANCE`].
struct Ask<'a> {
    service: OwnService,
    endpoint: &'a str,
    scheme: Option<&'a str>,
    body: Bytes,
    announced: &'a str,
}

impl<'a> Ask<'a> {
    fn json(service: OwnService, endpoint: &'a str, body: &'static str) -> Self {
        Self {
            service,
            endpoint,
            scheme: Some("json"),
            body: Bytes::from_static(body.as_bytes()),
            announced: INSTANCE,
        }
    }

    fn thrift(service: OwnService, endpoint: &'a str, body: &'static [u8]) -> Self {
        Self {
            service,
            endpoint,
            scheme: Some("thrift"),
            body: Bytes::from_static(body),
            announced: INSTANCE,
        }
    }

    fn ad(body: &'static str) -> Self {
        Self::json(OwnService::Hyperbahn, "ad", body)
    }

    fn read(&self) -> Result<Command, Answer> {
        read(&Request {
            service: self.service,
            endpoint: self.endpoint,
            scheme: self.scheme,
            body: &self.body,
            announced: self.announced,
        })
    }

    /// What a router answers that knows `keyvalue` at [`INSTANCE`], connected outwards.
    fn answer(&self) -> Answer {
        match self.read() {
            Err(answer) => answer,
            Ok(command) => answer_alone(command, &view()),
        }
    }

    #[track_caller]
    fn wants(&self, expected: &Command) {
        assert_eq!(self.read().as_ref(), Ok(expected));
    }

    #[track_caller]
    fn gets(&self, code: u8, body: &[u8]) {
        let (got, args) = match self.answer() {
            Answer::Ok(args) => (0, args),
            Answer::NotOk(args) => (1, args),
            Answer::Refused(refusal) => panic!("refused: {refusal}"),
        };
        assert_eq!(got, code);
        assert_eq!(
            args.arg3.escape_ascii().to_string(),
            body.escape_ascii().to_string()
        );
        let headers: &[u8] = match args.scheme {
            "json" => b"null",
            _ => b"\0\0",
        };
        assert_eq!(
            (args.scheme, &args.arg2[..]),
            (self.scheme.unwrap(), headers)
        );
    }

    #[track_caller]
    fn is_refused(&self, expected: &str) {
        match self.answer() {
            Answer::Refused(refusal) => assert_eq!(refusal.to_string(), expected),
            answered => panic!("answered: {answered:?}"),
        }
    }
}

/// What a router by itself answers, that is its own exit for everything.
fn answer_alone(command: Command, view: &View) -> Answer {
    let here = |question| answer(&question, view, links).expect("a question about this router");
    match command {
        Command::Discover(service) => here(Command::DiscoverHere(service)),
        Command::Connections(service) => {
            let said = read_back(&here(Command::ExitConnections(service)));
            connections_by_exit(BTreeMap::from([(view.router().clone(), said)]))
        }
        Command::Services => {
            let said = read_back(&here(Command::ExitServices));
            services_by_exit(BTreeMap::from([(view.router().clone(), said)]))
        }
        question => here(question),
    }
}

fn view() -> View {
    view_of(&[offer("keyvalue", INSTANCE)])
}

fn view_of(offers: &[Offer]) -> View {
    let mut registry = Registry::new(RegistryConfig::default());
    registry.advertise(Instant::now(), offers).unwrap();
    let me = HostPort::parse(ROUTER).unwrap();
    View {
        services: registry.services(),
        mesh: Arc::new(Mesh::alone(me, ExitConfig::default())),
    }
}

fn links(instance: &HostPort) -> PeerLinks {
    let link = Link {
        host_port: instance.to_string(),
        process_name: "keyvalue-server[1]".into(),
        tchannel_language: Some("node".into()),
        tchannel_language_version: Some("4.9.1".into()),
        tchannel_version: Some("3.10.1".into()),
    };
    PeerLinks {
        incoming: None,
        outgoing: Some(link),
    }
}

fn offer(name: &str, instance: &str) -> Offer {
    Offer {
        name: name.into(),
        instance: HostPort::parse(instance).unwrap(),
    }
}

#[test]
fn an_ad_offers_its_names_at_the_announced_address() {
    let body = r#"{"services":[{"cost":0,"serviceName":"keyvalue"}]}"#;
    let expected = Command::Ad(vec![offer("keyvalue", INSTANCE)]);
    Ask::ad(body).wants(&expected);
}

#[test]
fn an_ad_cannot_choose_its_address_and_unknown_fields_are_ignored() {
    let body = r#"{"v":2,"services":[{"serviceName":"a","hostPort":"6.6.6.6:1","zone":{}}]}"#;
    Ask::ad(body).wants(&Command::Ad(vec![offer("a", INSTANCE)]));
}

#[test]
fn an_empty_name_in_an_ad_is_left_out() {
    let body = r#"{"services":[{"serviceName":""},{"serviceName":"a"}]}"#;
    Ask::ad(body).wants(&Command::Ad(vec![offer("a", INSTANCE)]));
    Ask::ad(r#"{"services":[]}"#).wants(&Command::Ad(vec![]));
}

#[test]
fn an_unad_is_read_as_an_ad_is() {
    let body = r#"{"services":[{"cost":0,"serviceName":"keyvalue"}]}"#;
    let unad = Ask::json(OwnService::Hyperbahn, "unad", body);
    unad.wants(&Command::Unad(vec![offer("keyvalue", INSTANCE)]));
}

#[test]
fn a_relayed_ad_names_the_address_of_each_service() {
    const BODY: &str = r#"{"services":[{"cost":0,"serviceName":"keyvalue","hostPort":"127.0.0.1:21398"},
        {"serviceName":"b","hostPort":"10.0.0.1:1"}]}"#;
    let offers = vec![
        offer("keyvalue", "127.0.0.1:21398"),
        offer("b", "10.0.0.1:1"),
    ];
    let ask = |endpoint| Ask::json(OwnService::Hyperbahn, endpoint, BODY);
    ask("relay-ad").wants(&Command::RelayAd(Relayed {
        fresh: offers.clone(),
        handed: Vec::new(),
    }));
    ask("relay-unad").wants(&Command::RelayUnad(offers));
}

#[test]
fn a_relayed_ad_with_an_age_is_handed_over() {
    let handed = [Handed {
        offer: offer("keyvalue", "127.0.0.1:21398"),
        age: Duration::from_millis(1500),
    }];
    let body = serde_json::to_vec(&hand_over_body(&handed)).unwrap();
    let ask = Ask {
        body: body.into(),
        ..Ask::json(OwnService::Hyperbahn, "relay-ad", "")
    };
    ask.wants(&Command::RelayAd(Relayed {
        fresh: Vec::new(),
        handed: handed.to_vec(),
    }));
}

#[test]
fn what_is_relayed_is_written_as_it_is_read() {
    let offers = vec![offer("keyvalue", "127.0.0.1:21398")];
    let body = serde_json::to_vec(&relay_body(&offers)).unwrap();
    // As recorded from a deployed router.
    let recorded =
        br#"{"services":[{"cost":0,"serviceName":"keyvalue","hostPort":"127.0.0.1:21398"}]}"#;
    assert_eq!(body, recorded);
}

#[test]
fn a_newcomer_names_itself() {
    let body = r#"{"hostPort":"10.0.0.5:21300"}"#;
    let newcomer = HostPort::parse("10.0.0.5:21300").unwrap();
    let written = serde_json::to_string(&take_over_body(&newcomer)).unwrap();
    assert_eq!(written, body);
    Ask::json(OwnService::Hyperbahn, "take-over", body).wants(&Command::TakeOver(newcomer));
    Ask::json(
        OwnService::Hyperbahn,
        "take-over",
        r#"{"hostPort":"0.0.0.0:0"}"#,
    )
    .is_refused(
        "bad-request: take-over: hostPort: 0.0.0.0:0 cannot be dialled: \
         announce the address and port that this process listens on",
    );
}

#[test]
fn services_are_listed_with_their_exits_and_with_those_that_did_not_answer() {
    Ask::json(OwnService::Autobahn, "services_v1", "null").gets(
        0,
        br#"{"services":{"keyvalue":{"instances":1,"exits":{"127.0.0.1:21300":1}}},"unreachable":{}}"#,
    );
    let at = |port| HostPort::parse(&format!("10.0.0.1:{port}")).unwrap();
    let count = |count| Ok(BTreeMap::from([("keyvalue".to_owned(), count)]));
    let said = BTreeMap::from([
        (at(1), count(2)),
        (at(2), count(3)),
        (at(3), Err("gone".to_owned())),
    ]);
    let Answer::Ok(body) = services_by_exit(said) else {
        panic!("no answer");
    };
    assert_eq!(
        std::str::from_utf8(&body.arg3).unwrap(),
        r#"{"services":{"keyvalue":{"instances":3,"exits":{"10.0.0.1:1":2,"10.0.0.1:2":3}}},"unreachable":{"10.0.0.1:3":"gone"}}"#,
    );
}

#[test]
fn a_relayed_ad_without_a_usable_address_is_a_bad_request() {
    let relay = |body| Ask::json(OwnService::Hyperbahn, "relay-ad", body);
    relay(r#"{"services":[{"serviceName":"a","hostPort":"0.0.0.0:0"}]}"#).is_refused(
        "bad-request: relay-ad: hostPort: 0.0.0.0:0 cannot be dialled: \
         announce the address and port that this process listens on",
    );
    relay(r#"{"services":[{"serviceName":"a"}]}"#).is_refused(
        "bad-request: the body of relay-ad must look like \
         {\"services\":[{\"serviceName\":\"keyvalue\",\"hostPort\":\"10.0.0.1:4040\"}]}: \
         missing field `hostPort` at line 1 column 32",
    );
}

#[test]
fn an_ad_from_a_process_that_does_not_listen_is_told_what_to_do() {
    for announced in ["0.0.0.0:0", "10.0.0.1:0"] {
        let mut ask = Ask::ad(r#"{"services":[{"serviceName":"a"}]}"#);
        ask.announced = announced;
        ask.is_refused(&format!(
            "bad-request: ad: this connection announced host_port {announced}, which nobody can \
             call back: listen first, then advertise over a channel that announces where it listens"
        ));
    }
}

#[test]
fn an_ad_without_services_is_a_bad_request() {
    const SHAPE: &str = "bad-request: the body of ad must look like \
                         {\"services\":[{\"serviceName\":\"keyvalue\"}]}: ";
    for (body, problem) in [
        (
            "null",
            "invalid type: null, expected struct Ad at line 1 column 4",
        ),
        (
            "",
            "invalid type: null, expected struct Ad at line 1 column 4",
        ),
        ("{}", "missing field `services` at line 1 column 2"),
        (
            r#"{"services":7}"#,
            "invalid type: integer `7`, expected a sequence at line 1 column 13",
        ),
        (
            r#"{"services":[{"serviceName":1}]}"#,
            "invalid type: integer `1`, expected a string at line 1 column 29",
        ),
    ] {
        Ask::ad(body).is_refused(&format!("{SHAPE}{problem}"));
    }
}

#[test]
fn a_body_that_is_not_json_is_refused_in_the_words_clients_know() {
    Ask::ad("{oops").is_refused(
        "bad-request: tchannel-json-handler.parse-error.body-failed: \
         Could not parse body (arg3) argument.\n\
         Expected JSON encoded arg3 for endpoint ad.\nGot {oops instead of JSON.",
    );
}

#[test]
fn a_missing_or_wrong_scheme_is_refused_in_the_words_clients_know() {
    let mut ask = Ask::ad(r#"{"services":[]}"#);
    ask.scheme = None;
    ask.is_refused("bad-request: Expected incoming call request to have \"as\" header set.");
    ask.scheme = Some("raw");
    ask.is_refused("bad-request: Expected call request as header to be json");
    let mut discover = Ask::thrift(OwnService::Hyperbahn, DISCOVER, b"\0");
    discover.scheme = Some("json");
    discover.is_refused("bad-request: Expected call request as header to be thrift");
}

#[test]
fn a_body_beyond_the_bound_is_not_read() {
    let mut ask = Ask::ad("");
    ask.body = vec![b' '; MAX_BODY_BYTES + 1].into();
    ask.is_refused("bad-request: the body of ad has 1048577 bytes: the most is 1048576");
}

#[test]
fn an_endpoint_that_does_not_exist_is_refused_in_the_words_clients_know() {
    Ask::json(OwnService::Hyperbahn, "zap", "null")
        .is_refused("bad-request: no such endpoint service=\"hyperbahn\" endpoint=\"zap\"");
    Ask::json(OwnService::Autobahn, "ad", "null")
        .is_refused("bad-request: no such endpoint service=\"autobahn\" endpoint=\"ad\"");
}

#[test]
fn ads_are_answered_as_recorded() {
    let body = |answer| match answer {
        Answer::Ok(body) => body,
        other => panic!("{other:?}"),
    };
    let answered = body(advertised(1));
    assert_eq!(answered.scheme, "json");
    assert_eq!(&answered.arg2[..], b"null");
    assert_eq!(&answered.arg3[..], br#"{"connectionCount":1}"#);
    assert_eq!(&body(relayed()).arg3[..], b"{}");
}

#[test]
fn discover_lists_addresses_as_recorded() {
    for endpoint in [DISCOVER, "Hyperbahn::discoverAffine"] {
        let request = b"\x0c\0\x01\x0b\0\x01\0\0\0\x08keyvalue\0\0";
        let recorded = b"\x0c\0\0\x0f\0\x01\x0c\0\0\0\x01\x0c\0\x01\x08\0\x01\x7f\0\0\x01\0\
                         \x08\0\x02\0\0\x53\x97\0\0\0";
        Ask::thrift(OwnService::Hyperbahn, endpoint, request).gets(0, recorded);
    }
}

#[test]
fn discover_says_that_nobody_offers_a_service_as_recorded() {
    Ask::thrift(
        OwnService::Hyperbahn,
        DISCOVER,
        b"\x0c\0\x01\x0b\0\x01\0\0\0\x06nosuch\0\0",
    )
    .gets(
        1,
        b"\x0c\0\x01\x0b\0\x01\0\0\0\x1cno peer available for nosuch\x0b\0\x02\0\0\0\x06nosuch\0\0",
    );
}

#[test]
fn discover_refuses_the_empty_name_as_recorded() {
    Ask::thrift(
        OwnService::Hyperbahn,
        DISCOVER,
        b"\x0c\0\x01\x0b\0\x01\0\0\0\0\0\0",
    )
    .gets(
        1,
        b"\x0c\0\x02\x0b\0\x01\0\0\0\x16invalid service name: \x0b\0\x02\0\0\0\0\0\0",
    );
}

#[test]
fn discover_leaves_out_addresses_that_do_not_fit_its_answer() {
    let view = view_of(&[offer("a", "[::1]:1"), offer("a", "host:1")]);
    let answered = answer_alone(Command::Discover("a".into()), &view);
    assert!(matches!(answered, Answer::NotOk(_)), "{answered:?}");
}

#[test]
fn discover_names_the_field_that_is_missing_as_recorded() {
    const PREFIX: &str = "bad-request: tchannel-thrift-handler.parse-error.body-failed: \
                          Could not parse body (arg3) argument.\n\
                          Expected Thrift encoded arg3 for endpoint Hyperbahn::discover.\n";
    Ask::thrift(OwnService::Hyperbahn, DISCOVER, b"\0").is_refused(&format!(
        "{PREFIX}Got \0 instead of Thrift.\n\
         Parsing error was: missing required field \"query\" with id 1 on discover_args.\n"
    ));
    Ask::thrift(OwnService::Hyperbahn, DISCOVER, b"\x0c\0\x01\0\0").is_refused(&format!(
        "{PREFIX}Got \x0c\0\x01\0\0 instead of Thrift.\n\
         Parsing error was: missing required field \"serviceName\" with id 1 on DiscoveryQuery.\n"
    ));
}

#[test]
fn health_is_answered_as_recorded() {
    Ask::json(OwnService::Autobahn, "health_v1", "").gets(0, br#""hello from autobahn\n""#);
    Ask::thrift(OwnService::Hyperbahn, "Meta::health", b"\0").gets(
        0,
        b"\x0c\0\0\x02\0\x01\x01\x0b\0\x02\0\0\0\x15hello from hyperbahn\n\0\0",
    );
}

#[test]
fn a_health_question_of_any_form_is_answered() {
    for body in [
        &b"\0"[..],
        b"\x0c\0\x01\0\0",
        b"\x0c\0\x01\x08\0\x01\0\0\0\x01\0\0",
    ] {
        Ask::thrift(OwnService::Tchannel, "Meta::health", body).gets(
            0,
            b"\x0c\0\0\x02\0\x01\x01\x0b\0\x02\0\0\0\x14hello from tchannel\n\0\0",
        );
    }
}

#[test]
fn the_version_names_language_and_crate() {
    let Answer::Ok(body) = Ask::thrift(OwnService::Tchannel, "Meta::versionInfo", b"\0").answer()
    else {
        panic!("not answered");
    };
    assert!(
        body.arg3
            .starts_with(b"\x0c\0\0\x0b\0\x01\0\0\0\x04rust\x0b\0\x02")
    );
    assert!(
        body.arg3
            .ends_with(concat!(env!("CARGO_PKG_VERSION"), "\0\0").as_bytes())
    );
}

#[test]
fn the_only_host_of_any_service_is_this_router() {
    for body in [
        r#"{"serviceName":"keyvalue"}"#,
        r#"{"serviceName":"never-seen"}"#,
    ] {
        Ask::json(OwnService::Autobahn, "hosts_v1", body).gets(0, br#"["127.0.0.1:21300"]"#);
    }
}

#[test]
fn a_bad_name_is_a_typed_error_as_recorded() {
    Ask::json(OwnService::Autobahn, "hosts_v1", r#"{"serviceName":"bad name"}"#).gets(
        1,
        br#"{"type":"autobahn.service-hosts.service-name-invalid","message":"Autobahn: service-hosts endpoint requires valid service name [a-zA-Z0-9-_]+, got bad name","serviceName":"bad name","name":"AutobahnServiceHostsServiceNameInvalidError"}"#,
    );
}

#[test]
fn a_missing_body_or_name_is_a_typed_error_of_its_endpoint() {
    for (endpoint, body, kind, name) in [
        (
            "hosts_v1",
            "null",
            "autobahn.service-hosts.body-missing",
            "AutobahnServiceHostsBodyMissingError",
        ),
        (
            "hosts_v1",
            r#"{"serviceName":7}"#,
            "autobahn.service-hosts.service-name-required",
            "AutobahnServiceHostsServiceNameRequiredError",
        ),
        (
            "connections_v1",
            "[]",
            "autobahn.service-hosts-connections.body-missing",
            "AutobahnServiceHostsConnectionsBodyMissingError",
        ),
        (
            "connections_v1",
            r#"{"serviceName":"a~b"}"#,
            "autobahn.service-hosts-connections.service-name-invalid",
            "AutobahnServiceHostsConnectionsServiceNameInvalidError",
        ),
        (
            "exit_connections_v1",
            "null",
            "autobahn.exit-connections.body-missing",
            "AutobahnExitConnectionsBodyMissingError",
        ),
    ] {
        let Answer::NotOk(body) = Ask::json(OwnService::Autobahn, endpoint, body).answer() else {
            panic!("{endpoint}: not a typed error");
        };
        let error: serde_json::Value = serde_json::from_slice(&body.arg3).unwrap();
        assert_eq!(
            (&error["type"], &error["name"]),
            (&kind.into(), &name.into())
        );
    }
}

#[test]
fn connections_are_listed_as_recorded() {
    const INSTANCES: &str = r#"{"127.0.0.1:21399":{"connected":{"in":false,"out":true},"identified":{"in":false,"out":true},"initHeaders":{"in":null,"out":{"hostPort":"127.0.0.1:21399","processName":"keyvalue-server[1]","tchannelLanguage":"node","tchannelLanguageVersion":"4.9.1","tchannelVersion":"3.10.1"}},"serviceNames":["keyvalue"]}}"#;
    let ask = |endpoint| {
        Ask::json(
            OwnService::Autobahn,
            endpoint,
            r#"{"serviceName":"keyvalue"}"#,
        )
    };
    ask("exit_connections_v1").gets(0, INSTANCES.as_bytes());
    let by_exit = format!(r#"{{"127.0.0.1:21300":{{"instances":{INSTANCES}}}}}"#);
    ask("connections_v1").gets(0, by_exit.as_bytes());
}

#[test]
fn a_service_without_instances_has_no_connections() {
    let body = r#"{"serviceName":"never-seen"}"#;
    Ask::json(OwnService::Autobahn, "connections_v1", body)
        .gets(0, br#"{"127.0.0.1:21300":{"instances":{}}}"#);
}

#[test]
fn channels_are_own_services_and_those_with_an_instance() {
    Ask::json(OwnService::Autobahn, "channels_v1", "null").gets(
        0,
        br#"{"autobahn":{"serviceName":"autobahn","handlerType":"tchannel.endpoint-handler"},"hyperbahn":{"serviceName":"hyperbahn","handlerType":"hyperbahn.advertisement-handler"},"keyvalue":{"serviceName":"keyvalue","handlerType":"tchannel.relay-handler"},"ringpop":{"serviceName":"ringpop","handlerType":"tchannel.endpoint-handler"},"tchannel":{"serviceName":"tchannel","handlerType":"tchannel.endpoint-handler"}}"#,
    );
}
