//! Layers around handlers and around calls: their order, what they may do, and those that are there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tchannel_rt::layer::{
    Answer, CallLayer, ConcurrencyLimit, Handled, HandlerLayer, Inbound, NextCall, NextHandler,
    Outbound, Timeout,
};
use tchannel_rt::meta::{HealthRequest, MetaClient};
use tchannel_rt::{
    CallContext, CallError, Channel, ChannelConfig, Client, ErrorCode, HandlerError, Incoming,
    Reply, Response, RetryAdvice, Service, StreamRequest, ThriftFiles, TypedService, serve,
};
use tokio::sync::mpsc;

use crate::support::{LONG, echo, once};

/// What has happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(" ")
    }
}

/// A layer that notes when a call comes by, and when its outcome does.
struct Noting(&'static str, Log);

impl HandlerLayer for Noting {
    async fn handle(&self, call: Inbound, next: NextHandler) -> Result<Handled, HandlerError> {
        let Self(name, log) = self;
        log.note(format!("{name}>"));
        let outcome = next.run(call).await;
        log.note(format!("<{name}"));
        outcome
    }
}

impl CallLayer for Noting {
    async fn call(&self, call: Outbound, next: NextCall) -> Result<Answer, CallError> {
        let Self(name, log) = self;
        log.note(format!("{name}>"));
        let outcome = next.run(call).await;
        log.note(format!("<{name}"));
        outcome
    }
}

/// A client channel that has `server` as its peer for the service `svc`.
fn client_of(server: &Channel) -> Channel {
    let client = Channel::new("test");
    client.peers("svc").add(&server.in_process());
    client
}

/// Takes all of a request, and answers with it.
async fn stream_back(request: StreamRequest) -> Result<(), HandlerError> {
    let (mut args, mut answer) = (request.args, request.respond.ok()?);
    while let Some(chunk) = args.next_chunk().await? {
        answer.send(chunk).await?;
    }
    answer.finish().await?;
    Ok(())
}

/// The code of a streamed answer and its arg3.
async fn streamed(client: &Channel, endpoint: &str, sent: &str) -> Result<String, CallError> {
    let target = format!("svc::{endpoint}");
    let (mut writer, answer) = client.call(&target).ttl(LONG).stream().await?;
    // What the handler does not want to read may fail to be written.
    if writer.send(sent.to_owned()).await.is_ok() {
        let _ = writer.finish().await;
    }
    let mut answer = answer.response().await?;
    let arg3 = answer.args.arg3(1000).await?;
    Ok(String::from_utf8_lossy(&arg3).into_owned())
}

#[tokio::test(start_paused = true)]
async fn a_call_passes_the_channels_layers_then_the_services_first_added_first() {
    let (server, log) = (Channel::new("svc"), Log::default());
    let service = server.service("svc");
    let noted = log.clone();
    service.raw("early", move |_| {
        noted.note("early");
        async { Ok(Reply::default()) }
    });
    service.layer(Noting("c", log.clone()));
    server.layer(Noting("a", log.clone()));
    server.layer(Noting("b", log.clone()));
    service.layer(Noting("d", log.clone()));
    let noted = log.clone();
    service.stream("late", move |request| {
        noted.note("late");
        stream_back(request)
    });
    server
        .service("other")
        .raw("method", async |_| Ok(Reply::default()));
    let client = client_of(&server);

    client.call("svc::early").send("", "").await.unwrap();
    assert_eq!(log.take(), "a> b> c> d> early <d <c <b <a");
    assert_eq!(streamed(&client, "late", "x").await.unwrap(), "x");
    assert_eq!(log.take(), "a> b> c> d> late <d <c <b <a");
    let addr = server.in_process();
    let other = client.call("other::method").peer(&addr);
    other.send("", "").await.unwrap();
    assert_eq!(log.take(), "a> b> <b <a");
}

#[tokio::test(start_paused = true)]
async fn layers_of_a_typed_service_are_innermost_and_leave_meta_alone() {
    let (server, log) = (Channel::new("svc"), Log::default());
    let files = ThriftFiles {
        entry_point: "none.thrift",
        idls: &[],
    };
    let typed = TypedService::new("None", files, ())
        .method("nothing", async |_: Arc<()>, _: HealthRequest| {
            Ok::<_, tchannel_rt::MethodError>(())
        })
        .finish();
    let service = server.service("svc");
    service.serve(typed.layer(Noting("in", log.clone())));
    service.layer(Noting("out", log.clone()));
    let client = client_of(&server);
    let typed = Client::new(&client, "svc");
    let nothing =
        typed.call::<(), std::convert::Infallible>("None::nothing", &HealthRequest::default());
    nothing.await.unwrap();
    assert_eq!(log.take(), "out> in> <in <out");
    let meta = MetaClient::with(Client::new(&client, "svc"));
    meta.health(HealthRequest::default()).await.unwrap();
    assert_eq!(log.take(), "out> <out");
}

#[tokio::test(start_paused = true)]
async fn what_a_layer_refuses_reaches_no_handler() {
    let server = Channel::new("svc");
    server
        .service("svc")
        .raw("whole", async |_| unreachable!("it is refused"));
    server
        .service("svc")
        .stream("stream", async |_| unreachable!("it is refused"));
    server.layer(async |call: Inbound, _: NextHandler| {
        let text = format!("not {}::{}", call.service(), call.endpoint());
        Err::<Handled, _>(HandlerError::bad_request(text))
    });
    let client = client_of(&server);
    let whole = client.call("svc::whole").send("", "").await.unwrap_err();
    assert_eq!(
        (whole.code(), whole.message()),
        (ErrorCode::BadRequest, "not svc::whole")
    );
    let stream = streamed(&client, "stream", "").await.unwrap_err();
    assert_eq!(
        (stream.code(), stream.message()),
        (ErrorCode::BadRequest, "not svc::stream")
    );
}

#[tokio::test(start_paused = true)]
async fn a_layer_may_answer_by_itself_whole_calls_and_streams() {
    let server = Channel::new("svc");
    server
        .service("svc")
        .raw("whole", async |_| unreachable!("it is answered"));
    server
        .service("svc")
        .stream("stream", async |_| unreachable!("it is answered"));
    server.layer(async |_: Inbound, _: NextHandler| {
        Ok::<_, HandlerError>(Handled::Reply(Reply::ok("", "kept")))
    });
    let client = client_of(&server);
    assert_eq!(
        client.call("svc::whole").send("", "").await.unwrap().arg3,
        "kept"
    );
    assert_eq!(streamed(&client, "stream", "x").await.unwrap(), "kept");
}

#[tokio::test(start_paused = true)]
async fn a_layer_changes_what_goes_in_and_what_comes_out() {
    let (server, _) = echo(ChannelConfig::default());
    server.layer(async |mut call: Inbound, next: NextHandler| {
        if let Inbound::Whole(request) = &mut call {
            request.arg3 = [&request.arg3[..], b" in"].concat().into();
        }
        let mut outcome = next.run(call).await?;
        if let Handled::Reply(reply) = &mut outcome {
            reply.arg3 = [&reply.arg3[..], b" out"].concat().into();
        }
        Ok::<_, HandlerError>(outcome)
    });
    let addr = server.in_process();
    let client = Channel::new("test");
    let answer = client.call("echo::echo").peer(&addr).send("", "there");
    assert_eq!(answer.await.unwrap().arg3, "there in out");
}

#[tokio::test(start_paused = true)]
async fn a_layer_runs_in_the_context_of_its_call_and_its_panic_costs_only_that() {
    let (server, _) = echo(ChannelConfig::default());
    server.layer(async |call: Inbound, next: NextHandler| {
        let context = CallContext::current().expect("a call is being served");
        assert_eq!(context.service(), call.service());
        if let Inbound::Whole(request) = &call {
            assert!(request.arg3.is_empty(), "a layer that panics");
        }
        next.run(call).await
    });
    let addr = server.in_process();
    let client = Channel::new("test");
    let call = |arg3: &'static str| client.call("echo::echo").peer(&addr).send("", arg3);
    assert_eq!(
        call("x").await.unwrap_err().code(),
        ErrorCode::UnexpectedError
    );
    call("").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_too_long_is_dropped_and_its_calls_knew_of_it() {
    let (slow, mut handlers) = echo(ChannelConfig::default());
    let server = Channel::new("svc");
    let (own, at) = (server.clone(), slow.in_process());
    server.service("svc").raw("ask", move |_| {
        let (own, at) = (own.clone(), at.clone());
        async move {
            let error = once(own.call("echo::never").peer(&at)).send("", "").await;
            Ok(Reply::ok("", error.unwrap_err().code().name()))
        }
    });
    server.service("svc").raw("sleep", async |request| {
        assert_eq!(request.context().remaining(), Duration::from_secs(2));
        tokio::time::sleep(LONG / 2).await;
        Ok(Reply::default())
    });
    server.layer(Timeout::new(Duration::from_secs(2)));
    let client = client_of(&server);
    let before = tokio::time::Instant::now();
    let error = once(client.call("svc::sleep").ttl(LONG))
        .send("", "")
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    assert!(
        error
            .message()
            .contains("svc::sleep was not answered within 2000 ms"),
        "{error}"
    );
    let _ = once(client.call("svc::ask").ttl(LONG)).send("", "").await;
    handlers.next().await.stopped().await;
    assert_eq!(before.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_that_long_to_begin_and_any_time_to_end() {
    let server = Channel::new("svc");
    server.service("svc").stream("late", async |request| {
        tokio::time::sleep(LONG / 2).await;
        stream_back(request).await
    });
    server.service("svc").stream("long", async |request| {
        let mut answer = request.respond.ok()?;
        tokio::time::sleep(LONG / 2).await;
        answer.send("done").await?;
        answer.finish().await?;
        Ok(())
    });
    server.layer(Timeout::new(Duration::from_secs(2)));
    let client = client_of(&server);
    let late = streamed(&client, "late", "").await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::Timeout);
    assert_eq!(streamed(&client, "long", "").await.unwrap(), "done");
}

#[tokio::test(start_paused = true)]
async fn calls_above_the_limit_are_busy_and_may_go_elsewhere() {
    let server = Channel::new("svc");
    let (begun, mut begins) = mpsc::channel(8);
    server.service("svc").raw("sleep", move |_| {
        let begun = begun.clone();
        async move {
            begun.send(()).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(Reply::default())
        }
    });
    server.service("svc").stream("echo", stream_back);
    server.layer(ConcurrencyLimit::new(2));
    let client = client_of(&server);
    let call = || once(client.call("svc::sleep").ttl(LONG)).send("", "");
    let third = async {
        begins.recv().await;
        begins.recv().await;
        call().await
    };
    let (first, second, third) = tokio::join!(call(), call(), third);
    first.unwrap();
    second.unwrap();
    let third = third.unwrap_err();
    assert_eq!(
        (third.code(), third.retry_advice()),
        (ErrorCode::Busy, RetryAdvice::Safe)
    );
    assert!(
        third.message().starts_with("2 calls are in progress"),
        "{third}"
    );

    let stream = || client.call("svc::echo").ttl(LONG).stream();
    let (one, two) = (stream().await.unwrap(), stream().await.unwrap());
    let one = (one.0, one.1.response().await.unwrap());
    two.1.response().await.unwrap();
    assert_eq!(call().await.unwrap_err().code(), ErrorCode::Busy);
    let (writer, mut answer) = one;
    writer.finish().await.unwrap();
    answer.args.arg3(0).await.unwrap();
    call().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_serve_is_given_is_around_all_it_serves() {
    let log = Log::default();
    let handlers = |it: &Service| {
        it.raw("method", async |_| Ok(Reply::default()));
    };
    let serve = serve("svc", handlers)
        .without_routers()
        .listen("127.0.0.1:0");
    let serve = serve
        .layer(Noting("a", log.clone()))
        .layer(Noting("b", log.clone()));
    let serving = serve.start().await.unwrap();
    let client = client_of(serving.channel());
    client.call("svc::method").send("", "").await.unwrap();
    assert_eq!(log.take(), "a> b> <b <a");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_made_through_its_channels_layers_then_its_clients_and_then_tried() {
    let (server, log) = (Channel::new("svc"), Log::default());
    let (tries, noted) = (AtomicUsize::new(0), log.clone());
    server.service("svc").raw("flaky", move |_| {
        noted.note("try");
        let first = tries.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if first {
                return Err(HandlerError::busy("not now"));
            }
            Ok(Reply::default())
        }
    });
    let client = client_of(&server);
    client.layer_calls(Noting("a", log.clone()));
    client.layer_calls(Noting("b", log.clone()));
    let answer = client.call("svc::flaky").ttl(LONG).send("", "").await;
    assert_eq!(answer.unwrap().attempts, 2);
    assert_eq!(log.take(), "a> b> try try <b <a");
    let meta = Client::new(&client, "svc").layer(Noting("c", log.clone()));
    let meta = MetaClient::with(meta.layer(Noting("d", log.clone())));
    meta.health(HealthRequest::default()).await.unwrap_err();
    assert_eq!(log.take(), "a> b> c> d> <d <c <b <a");
}

#[tokio::test(start_paused = true)]
async fn a_layer_sets_ttl_and_headers() {
    let server = Channel::new("svc");
    server
        .service("svc")
        .json("tell", async |call: Incoming<Value>| {
            let left = call.context.remaining().as_secs();
            let kept = call.headers.get("kept").unwrap_or("none").to_owned();
            let added = call.headers.get("added").unwrap_or("none").to_owned();
            Ok::<_, HandlerError>(format!("{left} {kept} {added} {}", call.body))
        });
    server.service("svc").raw("transport", async |request| {
        let value = request.headers().get("x").unwrap_or("none").to_owned();
        Ok(Reply::ok("", value))
    });
    let client = client_of(&server);
    client.layer_calls(async |mut call: Outbound, next: NextCall| {
        call.ttl = Some(Duration::from_secs(7));
        call.transport_header("x", "y");
        call.header("added", "2")
            .expect("headers that were written here");
        next.run(call).await
    });
    let call = client.call("svc::tell").header("kept", "1");
    let answer = call.json(&3).await.unwrap();
    assert_eq!(answer.decode::<String>().unwrap(), "7 1 2 3");
    let answer = client.call("svc::transport").send("", "").await.unwrap();
    assert_eq!(answer.arg3, "y");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_a_layer_refuses_or_answers_is_not_made() {
    let client = Channel::new("test");
    client.layer_calls(async |call: Outbound, _: NextCall| match &*call.endpoint {
        "kept" => {
            let answer = Response::made("json", Reply::ok("", "7"));
            Ok(Answer::Whole(answer))
        }
        _ => Err(CallError::unsent(ErrorCode::Busy, "the circuit is open")),
    });
    let kept = client.call("svc::kept").json(&()).await.unwrap();
    assert_eq!(kept.decode::<u8>().unwrap(), 7);
    let error = client.call("svc::other").send("", "").await.unwrap_err();
    assert_eq!(
        (error.code(), error.retry_advice()),
        (ErrorCode::Busy, RetryAdvice::Safe)
    );
    let Err(error) = client.call("svc::other").stream().await else {
        panic!("the layer refuses");
    };
    assert_eq!(error.message(), "the circuit is open");
    let Err(error) = client.call("svc::kept").stream().await else {
        panic!("there is no stream");
    };
    assert_eq!(error.code(), ErrorCode::UnexpectedError);
}

#[tokio::test(start_paused = true)]
async fn layers_see_a_stream_begin() {
    let (server, log) = (Channel::new("svc"), Log::default());
    server.service("svc").stream("echo", stream_back);
    let client = client_of(&server);
    client.layer_calls(Noting("a", log.clone()));
    client.layer_calls(async |call: Outbound, next: NextCall| {
        assert!(call.is_stream());
        next.run(call).await
    });
    assert_eq!(streamed(&client, "echo", "x").await.unwrap(), "x");
    assert_eq!(log.take(), "a> <a");
}

#[tokio::test(start_paused = true)]
async fn limits_work_around_calls_too() {
    let (server, mut handlers) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    client.peers("echo").add(&server.in_process());
    client.layer_calls(ConcurrencyLimit::new(1));
    client.layer_calls(Timeout::new(Duration::from_secs(2)));
    let call = || client.call("echo::never").ttl(LONG).send("", "");
    let before = tokio::time::Instant::now();
    let (first, second) = tokio::join!(call(), async {
        handlers.next().await;
        call().await
    });
    assert_eq!(first.unwrap_err().code(), ErrorCode::Timeout);
    assert_eq!(before.elapsed().as_secs(), 2);
    let second = second.unwrap_err();
    assert_eq!(
        (second.code(), second.retry_advice()),
        (ErrorCode::Busy, RetryAdvice::Safe)
    );
}
