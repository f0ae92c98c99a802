//! Tower's own layers around handlers and calls, and a channel at the bottom of one of its stacks.

use std::future::Ready;
use std::time::Duration;

use tchannel_rt::layer::tower::{BoxError, CallRequest, around_calls, around_handlers};
use tchannel_rt::layer::{Answer, Outbound};
use tchannel_rt::{CallError, Channel, ChannelConfig, ErrorCode, HandlerError, Reply};
use tower::load_shed::error::Overloaded;
use tower::timeout::error::Elapsed;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::support::{LONG, echo, once};

/// What tower's layers fail with, as an answer.
fn answered(error: BoxError) -> HandlerError {
    if error.is::<Elapsed>() {
        HandlerError::new(ErrorCode::Timeout, error.to_string())
    } else if error.is::<Overloaded>() {
        HandlerError::busy(error.to_string())
    } else {
        HandlerError::unexpected(error.to_string())
    }
}

/// The same as the error of a call.
fn failed(error: BoxError) -> CallError {
    if error.is::<Elapsed>() {
        CallError::unanswered(ErrorCode::Timeout, error.to_string())
    } else {
        CallError::unsent(ErrorCode::Busy, error.to_string())
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_sheds_load_is_one_for_all_handlers() {
    let (server, mut handlers) = echo(ChannelConfig::default());
    let limit = ServiceBuilder::new().load_shed().concurrency_limit(1);
    server.layer(around_handlers(limit).on_error(answered));
    let client = Channel::new("test");
    client.peers("echo").add(&server.in_process());
    let call = |target| once(client.call(target).ttl(LONG)).send("", "");
    call("echo::echo").await.unwrap();
    tokio::select! {
        _ = call("echo::never") => unreachable!("it never answers"),
        error = async { handlers.next().await; call("echo::echo").await } => {
            assert_eq!(error.unwrap_err().code(), ErrorCode::Busy);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn towers_timeout_answers_for_a_handler_and_its_own_errors_pass_through() {
    let (server, mut handlers) = echo(ChannelConfig::default());
    let service = server.service("echo");
    service.raw("fails", async |_| {
        Err::<Reply, _>(HandlerError::declined("not here"))
    });
    service.raw("app", async |_| {
        Err::<Reply, _>(HandlerError::application("kind", "text"))
    });
    let timeout = ServiceBuilder::new().timeout(Duration::from_secs(2));
    service.layer(around_handlers(timeout).on_error(answered));
    let client = Channel::new("test");
    client.peers("echo").add(&server.in_process());
    let call = |target| once(client.call(target).ttl(LONG));
    let error = call("echo::never").send("", "").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    handlers.next().await.stopped().await;
    let error = call("echo::fails").send("", "").await.unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (ErrorCode::Declined, "not here")
    );
    let answer = call("echo::app").json(&()).await.unwrap();
    assert!(
        answer
            .decode::<()>()
            .unwrap_err()
            .to_string()
            .contains("kind")
    );
}

#[tokio::test(start_paused = true)]
async fn unknown_errors_of_tower_are_unexpected() {
    let (server, _) = echo(ChannelConfig::default());
    let timeout = ServiceBuilder::new().timeout(Duration::from_secs(2));
    server.layer(around_handlers(timeout));
    let client = Channel::new("test");
    client.peers("echo").add(&server.in_process());
    let error = once(client.call("echo::never").ttl(LONG))
        .send("", "")
        .await;
    assert_eq!(error.unwrap_err().code(), ErrorCode::UnexpectedError);
}

/// Tries a call of its own accord as often as it has left.
#[derive(Clone)]
struct Again(u32);

impl tower::retry::Policy<CallRequest, Answer, BoxError> for Again {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut CallRequest,
        outcome: &mut Result<Answer, BoxError>,
    ) -> Option<Ready<()>> {
        self.0 = self.0.checked_sub(1)?;
        outcome.is_err().then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, call: &CallRequest) -> Option<CallRequest> {
        Some(call.clone())
    }
}

#[tokio::test(start_paused = true)]
async fn timeout_retry_and_buffer_work_around_calls() {
    let (server, mut handlers) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    client.peers("echo").add(&server.in_process());
    let stack = ServiceBuilder::new()
        .buffer(8)
        .retry(Again(2))
        .timeout(Duration::from_secs(2));
    client.layer_calls(around_calls(stack).on_error(failed));
    let call = |target| once(client.call(target).ttl(LONG)).send("", "x");
    assert_eq!(call("echo::echo").await.unwrap().arg3, "x");
    let before = tokio::time::Instant::now();
    assert_eq!(
        call("echo::never").await.unwrap_err().code(),
        ErrorCode::Timeout
    );
    assert_eq!(before.elapsed().as_secs(), 6);
    for _ in 0..3 {
        handlers.next().await.stopped().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_is_the_service_at_the_bottom_of_a_stack() {
    let (server, mut handlers) = echo(ChannelConfig::default());
    let client = Channel::new("test");
    client.peers("echo").add(&server.in_process());
    let mut stack = ServiceBuilder::new()
        .concurrency_limit(1)
        .timeout(Duration::from_secs(2))
        .service(client);
    let call = |target| {
        let mut call = Outbound::raw(target, "", "x");
        call.ttl = Some(LONG);
        call
    };
    let answer = stack.ready().await.unwrap().call(call("echo::echo"));
    assert_eq!(answer.await.unwrap().arg3, "x");
    let never = stack.ready().await.unwrap().call(call("echo::never"));
    assert!(never.await.unwrap_err().is::<Elapsed>());
    handlers.next().await.stopped().await;
}
