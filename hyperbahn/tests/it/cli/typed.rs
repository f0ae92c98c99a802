//! Calls by names and values, with the interface that the service publishes.

use bytes::Bytes;
use serde_json::{Value, json};
use tchannel_rt::{Channel, HandlerError, Incoming, Reply};

use super::{Running, hyperbahn, run, stderr, stdout, welcome};

/// What `args` come to at a service: status, standard output, standard error.
async fn at(peer: &str, args: &[&str]) -> (i32, String, String) {
    let output = run(&[args, &["--peer", peer]].concat()).await;
    let status = output.status.code().unwrap();
    (
        status,
        stdout(&output).to_owned(),
        stderr(&output).to_owned(),
    )
}

#[track_caller]
fn ends(outcome: &(i32, String, String), status: i32, out: &str, err: &str) {
    let (found, stdout, stderr) = outcome;
    assert_eq!((*found, stdout.as_str()), (status, out), "{stderr}");
    assert!(stderr.contains(err), "{stderr}");
}

/// A service of schema and Thrift methods, by handlers that take what comes apart themselves.
async fn typed() -> (Channel, String) {
    let schema = json!({
        "kind": "schema", "name": "Greeter", "scheme": "msgpack", "docs": "Says hello.",
        "methods": [{
            "name": "hello", "docs": "A greeting.", "idempotent": true,
            "request": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            "response": {"type": "string"},
            "error": {"type": "object", "properties": {"reason": {"type": "string"}}},
        }],
    });
    let files = json!({"kind": "thrift", "entry_point": "a.thrift", "idls": {"a.thrift": THRIFT}});
    let interfaces = json!({"interfaces": [schema, files]});
    let channel = Channel::new("typed");
    let service = channel.service("typed");
    service.json("Meta::interfaces", move |_: Incoming<Value>| {
        let interfaces = interfaces.clone();
        async move { Ok::<_, HandlerError>(interfaces) }
    });
    service.raw("hello", |request| async move {
        assert_eq!(request.arg_scheme(), "msgpack");
        match &request.arg3[..] {
            b"\x81\xa4name\xa3Ada" => {
                Ok(Reply::ok(b"\x80".as_slice(), b"\xaahello Ada!".as_slice()))
            }
            _ => Ok(Reply::application_error(
                b"\x80".as_slice(),
                b"\x81\xa6reason\xa2no".as_slice(),
            )),
        }
    });
    service.raw("A::double", |request| async move {
        assert_eq!(request.arg_scheme(), "thrift");
        // The argument under 1 is the result under 0, or else the exception under 1.
        match request.arg3[6] {
            21 => Ok(Reply::ok(request.arg2, b"\x08\0\0\0\0\0\x2a\0".as_slice())),
            _ => Ok(Reply::application_error(
                request.arg2,
                b"\x0c\0\x01\x08\0\x01\0\0\0\x15\0\0".as_slice(),
            )),
        }
    });
    let peer = channel.listen("127.0.0.1:0").await.unwrap().to_string();
    (channel, peer)
}

const THRIFT: &str = "\
exception Refused { 1: required i32 wanted }
service A {
  i32 double(1: i32 number) throws (1: Refused refused)
}
";

#[tokio::test]
async fn a_method_is_called_with_nothing_but_its_name() {
    let (_channel, peer) = typed().await;
    let outcome = at(&peer, &["call", "typed::hello", r#"{"name":"Ada"}"#]).await;
    ends(&outcome, 0, "\"hello Ada!\"\n", "ok (");
    let outcome = at(&peer, &["call", "typed::hello", r#"{"name":"Bob"}"#]).await;
    ends(
        &outcome,
        126,
        "{\"reason\":\"no\"}\n",
        "application-error (",
    );
    for name in ["typed::double", "typed::A::double"] {
        let outcome = at(&peer, &["call", name, r#"{"number":21}"#]).await;
        ends(&outcome, 0, "42\n", "ok (");
    }
    let args = [
        "call",
        "typed::double",
        r#"{"number":1}"#,
        "--header",
        "k=v",
        "--json",
    ];
    let (status, document, _) = at(&peer, &args).await;
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(
        (status, &document["code"]),
        (126, &json!("application-error"))
    );
    assert_eq!(document["body"], json!({"Refused": {"wanted": 21}}));
    assert_eq!(document["headers"], json!({"k": "v"}));
}

#[tokio::test]
async fn a_mistake_is_told_before_anything_is_sent() {
    let (_channel, peer) = typed().await;
    let outcome = at(&peer, &["call", "typed::hello", r#"{"nam":"Ada"}"#]).await;
    ends(
        &outcome,
        64,
        "",
        "nam: there is no such argument; did you mean \"name\"?",
    );
    assert!(
        outcome.2.contains(&format!(
            "see: hyperbahn describe --peer {peer} typed hello"
        )),
        "{}",
        outcome.2
    );
    let outcome = at(&peer, &["call", "typed::double", r#"{"number":"x"}"#]).await;
    ends(&outcome, 64, "", "number: expected i32, found \"x\"");
    let outcome = at(&peer, &["call", "typed::double"]).await;
    ends(&outcome, 64, "", "number: it is missing; expected i32");
    let outcome = at(&peer, &["call", "typed::helo"]).await;
    ends(
        &outcome,
        64,
        "",
        "typed: there is no method \"helo\"; try hello",
    );
    let outcome = at(&peer, &["call", "typed::hello", "{oops"]).await;
    ends(
        &outcome,
        64,
        "",
        "BODY is no JSON object of the arguments by name: key must be a string",
    );
}

#[tokio::test]
async fn a_scheme_that_is_named_is_used_as_it_is() {
    let (_channel, peer) = typed().await;
    let by_id = [
        "call",
        "typed::A::double",
        r#"{"1":{"i32":21}}"#,
        "--as",
        "thrift",
    ];
    ends(
        &at(&peer, &by_id).await,
        0,
        "{\"0\":{\"i32\":42}}\n",
        "ok (",
    );
    let by_name = [
        "call",
        "typed::double",
        r#"{"number":21}"#,
        "--as",
        "thrift",
    ];
    ends(&at(&peer, &by_name).await, 0, "42\n", "ok (");
    let packed = [
        "call",
        "typed::hello",
        r#"{"name":"Ada"}"#,
        "--as",
        "msgpack",
    ];
    ends(&at(&peer, &packed).await, 0, "\"hello Ada!\"\n", "ok (");
    let unpublished = ["call", "typed::nosuch", "{}", "--as", "json"];
    ends(&at(&peer, &unpublished).await, 6, "", "bad-request");
}

#[tokio::test]
async fn describe_explains_a_service_and_its_examples_work() {
    let (_channel, peer) = typed().await;
    let (status, text, _) = at(&peer, &["describe", "typed"]).await;
    assert_eq!(status, 0);
    for line in [
        "Greeter: trait over msgpack",
        "  hello(name: string) -> string",
        "A: Thrift service of a.thrift",
        "    fails with Refused",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let commands = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("$ hyperbahn "));
    let commands: Vec<&str> = commands.collect();
    assert_eq!(commands.len(), 2, "{text}");
    for command in commands {
        let line = format!("'{}' {command}", env!("CARGO_BIN_EXE_hyperbahn"));
        let output = tokio::process::Command::new("sh")
            .args(["-c", &line])
            .output();
        let output = output.await.unwrap();
        // What the sample holds is not what the service is content with.
        assert_eq!(
            output.status.code(),
            Some(126),
            "{line}: {}",
            stderr(&output)
        );
    }
    let (_, document, _) = at(&peer, &["describe", "typed::double", "--json"]).await;
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(
        document["interfaces"][0]["methods"][0]["example"],
        json!({"number": 1})
    );
    let outcome = at(&peer, &["describe", "typed", "dubble"]).await;
    ends(
        &outcome,
        64,
        "",
        "typed: there is no method \"dubble\"; try A::double",
    );
}

/// A service as other libraries make them: one question is known, if any.
async fn foreign(idl: Option<&'static [u8]>) -> (Channel, String) {
    let channel = Channel::new("foreign");
    let service = channel.service("foreign");
    if let Some(idl) = idl {
        service.raw("Meta::thriftIDL", move |request| async move {
            assert_eq!(
                (&request.arg2[..], &request.arg3[..]),
                (&b"\0\0"[..], &b"\0"[..])
            );
            Ok(Reply::ok(b"\0\0".as_slice(), idl))
        });
    }
    service.raw("A::double", |request| async move {
        Ok(Reply::ok(request.arg2, b"\x08\0\0\0\0\0\x2a\0".as_slice()))
    });
    service.raw("echo", |request| async move {
        Ok(Reply::ok(request.arg2, request.arg3))
    });
    let peer = channel.listen("127.0.0.1:0").await.unwrap().to_string();
    (channel, peer)
}

#[tokio::test]
async fn a_service_that_knows_only_the_older_question_is_understood() {
    let idl = b"\x0c\0\0\x0d\0\x01\x0b\x0b\0\0\0\x01\0\0\0\x08a.thrift\0\0\0\x29service A { i32 double(1: i32 number) }  \
        \x0b\0\x02\0\0\0\x08a.thrift\0\0";
    let (_channel, peer) = foreign(Some(idl)).await;
    let outcome = at(&peer, &["call", "foreign::double", r#"{"number":1}"#]).await;
    ends(&outcome, 0, "42\n", "ok (");
    let (status, text, _) = at(&peer, &["describe", "foreign"]).await;
    assert_eq!(status, 0);
    assert!(text.contains("A::double(number: i32) -> i32"), "{text}");
}

#[tokio::test]
async fn a_service_that_publishes_nothing_takes_json_or_a_thrift_file() {
    let (_channel, peer) = foreign(None).await;
    let outcome = at(&peer, &["call", "foreign::echo", r#"{"number":1}"#]).await;
    ends(&outcome, 0, "{\"number\":1}\n", "ok (");
    let outcome = at(&peer, &["call", "foreign::nosuch"]).await;
    ends(&outcome, 6, "", "it publishes no interface");

    let outcome = at(&peer, &["describe", "foreign"]).await;
    ends(&outcome, 6, "", "foreign publishes no interface");
    for tried in [
        "Meta::interfaces is answered with bad-request",
        "Meta::thriftIDL is answered with",
        "--thrift FILE",
    ] {
        assert!(outcome.2.contains(tried), "{}", outcome.2);
    }
    let outcome = at(
        &peer,
        &[
            "call",
            "foreign::double",
            r#"{"number":1}"#,
            "--as",
            "thrift",
        ],
    )
    .await;
    ends(
        &outcome,
        64,
        "",
        "give --thrift FILE, or fields by id and type",
    );

    let file = std::env::temp_dir().join(format!("hyperbahn-{}.thrift", std::process::id()));
    std::fs::write(&file, THRIFT).unwrap();
    let path = file.to_str().unwrap();
    let called = at(
        &peer,
        &[
            "call",
            "foreign::double",
            r#"{"number":1}"#,
            "--thrift",
            path,
        ],
    )
    .await;
    let described = at(&peer, &["describe", "foreign", "--thrift", path]).await;
    std::fs::write(&file, "service A {").unwrap();
    let unsound = at(&peer, &["describe", "foreign", "--thrift", path]).await;
    std::fs::remove_file(&file).unwrap();
    ends(&called, 0, "42\n", "ok (");
    let command = format!(
        "$ hyperbahn call --peer {peer} --thrift {path} foreign::double '{{\"number\":1}}'"
    );
    assert!(described.1.contains(&command), "{}", described.1);
    ends(&unsound, 125, "", "error: ");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_the_network_error_that_it_is() {
    let gone = super::nowhere().await;
    let outcome = at(&gone, &["call", "typed::hello", "{}"]).await;
    ends(&outcome, 7, "", "network-error");
    let outcome = at(&gone, &["describe", "typed"]).await;
    ends(&outcome, 7, "", "typed can not be asked at");
    let output = run(&["describe", "typed", "--router", &gone]).await;
    assert!(
        stderr(&output).contains("hyperbahn dev"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn what_is_published_and_can_not_be_read_is_told() {
    let channel = Channel::new("odd");
    let odd = |_: Incoming<Value>| async { Ok::<_, HandlerError>(json!({"interfaces": 5})) };
    channel.service("odd").json("Meta::interfaces", odd);
    let peer = channel.listen("127.0.0.1:0").await.unwrap().to_string();
    for args in [&["describe", "odd"][..], &["call", "odd::echo"]] {
        let outcome = at(&peer, args).await;
        ends(
            &outcome,
            125,
            "",
            "what odd publishes can not be read: it is no list of interfaces",
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn meta_is_called_by_name_at_any_service() {
    let mut running = Running::start(&["dev", "--listen", "127.0.0.1:0", "--nodes", "1"]).await;
    welcome(&mut running).await;
    let router = ["--router", &running.router];
    let health = run(&[
        &["call", "keyvalue::Meta::health", r#"{"hr":{}}"#],
        &router[..],
    ]
    .concat())
    .await;
    assert_eq!(stdout(&health), "{\"ok\":true}\n", "{}", stderr(&health));
    let missing = run(&[&["call", "keyvalue::get", r#"{"key":"x"}"#], &router[..]].concat()).await;
    assert_eq!(missing.status.code(), Some(126));
    assert_eq!(stdout(&missing), "{\"NotFound\":{\"key\":\"x\"}}\n");
    let put = run(&[
        &["call", "keyvalue::put", r#"{"key":"x","value":"y"}"#],
        &router[..],
    ]
    .concat())
    .await;
    assert_eq!(stdout(&put), "null\n", "{}", stderr(&put));
    assert_eq!(running.terminate().await, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_trait_is_described_and_called_with_nothing_but_its_name() {
    let mut running = Running::start(&["dev", "--listen", "127.0.0.1:0", "--nodes", "1"]).await;
    welcome(&mut running).await;
    let router = ["--router", &running.router];
    let described = run(&[&["describe", "greeter"], &router[..]].concat()).await;
    let text = stdout(&described);
    for line in [
        "Greeter: trait over msgpack",
        "  Says hello: a demonstration.",
        "  hello(name: string) -> string",
        "    A greeting for `name`.",
        "    fails with Refusal",
        "    may be tried again",
        "  enum Refusal",
        "    NoName",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{text}");
    }
    let refused =
        run(&[&["call", "greeter::hello", r#"{"name":" "}"#], &router[..]].concat()).await;
    assert_eq!(refused.status.code(), Some(126));
    assert_eq!(stdout(&refused), "\"NoName\"\n");
    assert_eq!(running.terminate().await, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn values_of_a_stream_go_and_come_one_by_one() {
    let mut running = Running::start(&["dev", "--listen", "127.0.0.1:0", "--nodes", "1"]).await;
    welcome(&mut running).await;
    let router = ["--router", &running.router, "--ttl", "10s"];
    let call = async |args: &[&str]| run(&[&["call"], args, &router[..]].concat()).await;
    let array = r#"[{"key":"a","value":"1"},{"key":"b","value":"2"}]"#;
    let loaded = call(&["keyvalue::load", array]).await;
    assert_eq!(stdout(&loaded), "2\n", "{}", stderr(&loaded));
    let lines = "{\"key\":\"a\",\"value\":\"3\"}\n{\"key\":\"c\",\"value\":\"4\"}";
    let loaded = call(&["keyvalue::load", lines]).await;
    assert_eq!(stdout(&loaded), "2\n", "{}", stderr(&loaded));

    let scanned = call(&["keyvalue::scan"]).await;
    let entries = "{\"key\":\"a\",\"value\":\"3\"}\n{\"key\":\"b\",\"value\":\"2\"}\n\
                   {\"key\":\"c\",\"value\":\"4\"}\n{\"key\":\"colour\",\"value\":\"green\"}\n";
    assert_eq!(stdout(&scanned), entries, "{}", stderr(&scanned));
    assert!(
        stderr(&scanned).starts_with("ok: 4 values ("),
        "{}",
        stderr(&scanned)
    );
    let document = call(&["keyvalue::scan", "--json"]).await;
    let lines: Vec<Value> = stdout(&document)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0], json!({"body": {"key": "a", "value": "3"}}));
    assert_eq!(
        (&lines[4]["code"], &lines[4]["values"]),
        (&json!("ok"), &json!(4))
    );

    let wrong = call(&["keyvalue::load", r#"[{"key":"a"}]"#]).await;
    assert_eq!(wrong.status.code(), Some(64));
    assert!(
        stderr(&wrong).contains("value 1: value: it is missing; expected string"),
        "{}",
        stderr(&wrong)
    );
    assert_eq!(running.terminate().await, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn lines_of_standard_input_are_sent_as_they_come() {
    use tokio::io::AsyncWriteExt;

    let mut running = Running::start(&["dev", "--listen", "127.0.0.1:0", "--nodes", "1"]).await;
    welcome(&mut running).await;
    let router = ["--router", &running.router, "--ttl", "30s"];
    let load = hyperbahn(&[&["call", "keyvalue::load", "-"], &router[..]].concat())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut load = load.unwrap();
    let mut stdin = load.stdin.take().unwrap();
    stdin
        .write_all(b"{\"key\":\"first\",\"value\":\"1\"}\n")
        .await
        .unwrap();
    // It has arrived before the second is typed.
    loop {
        let get = run(&[
            &["call", "keyvalue::get", r#"{"key":"first"}"#],
            &router[..],
        ]
        .concat())
        .await;
        if get.status.success() {
            break;
        }
    }
    stdin
        .write_all(b"\n{\"key\":\"second\",\"value\":\"2\"}\n")
        .await
        .unwrap();
    drop(stdin);
    let output = load.wait_with_output().await.unwrap();
    assert_eq!(stdout(&output), "2\n");

    // With a scheme the body is read before anybody is asked.
    let file = std::env::temp_dir().join(format!("hyperbahn-{}.ndjson", std::process::id()));
    std::fs::write(&file, "{\"key\":\"third\",\"value\":\"3\"}\n").unwrap();
    let load = hyperbahn(
        &[
            &["call", "keyvalue::load", "-", "--as", "thrift"],
            &router[..],
        ]
        .concat(),
    )
    .stdin(std::fs::File::open(&file).unwrap())
    .output();
    let output = load.await.unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(stdout(&output), "1\n", "{}", stderr(&output));
    assert_eq!(running.terminate().await, 0);
}

#[tokio::test]
async fn arguments_come_from_standard_input_too() {
    let (_channel, peer) = typed().await;
    let mut child = hyperbahn(&["call", "typed::hello", "-", "--peer", &peer])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let body = Bytes::from_static(b"{\"name\": \"Ada\"}\n");
    tokio::io::AsyncWriteExt::write_all(&mut stdin, &body)
        .await
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(stdout(&output), "\"hello Ada!\"\n");
}
