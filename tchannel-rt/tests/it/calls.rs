//! Unary calls, from both ends.

use std::time::Duration;

use bytes::Bytes;
use tchannel_rt::{Channel, ErrorCode, HandlerError, Reply};

use crate::support::LONG;

async fn echo_server() -> (Channel, String) {
    let server = Channel::new("echo");
    let service = server.service("echo");
    service.raw("echo", |request| async move {
        Ok(Reply::ok(request.arg2, request.arg3))
    });
    service.raw("slow", |request| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(Reply::ok("", request.arg3))
    });
    service.raw("never", |_| std::future::pending());
    service.raw("panic", |_| async { panic!("on purpose") });
    service.raw("busy", |_| async { Err(HandlerError::busy("no room")) });
    let addr = server.listen("127.0.0.1:0").await.expect("a free port");
    (server, addr.to_string())
}

#[tokio::test]
async fn args_of_any_size_come_back_as_they_were_sent() {
    let (_server, addr) = echo_server().await;
    let client = Channel::new("test");
    for size in [
        0,
        1,
        1000,
        65_400,
        65_500,
        65_535,
        70_000,
        200_000,
        1 << 20,
        10_000_000,
    ] {
        let arg2: Bytes = vec![7; size / 3].into();
        let arg3: Bytes = (0..size).map(|i| i as u8).collect::<Vec<_>>().into();
        let call = client
            .call("echo::echo")
            .peer(&addr)
            .ttl(Duration::from_secs(20));
        let answer = call.send(arg2.clone(), arg3.clone()).await.unwrap();
        assert!(
            answer.arg2 == arg2 && answer.arg3 == arg3,
            "{size} bytes came back changed"
        );
    }
}

#[tokio::test]
async fn a_message_ends_though_arg2_has_filled_its_frame_and_arg3_is_empty() {
    let (_server, addr) = echo_server().await;
    let client = Channel::new("test");
    // One of these leaves no room for arg3 in the frame where arg2 ends.
    for size in 65_400..=65_560 {
        let arg2 = Bytes::from(vec![7; size]);
        let call = client.call("echo::echo").peer(&addr);
        let answer = call.send(arg2.clone(), "").await;
        let answer = answer.unwrap_or_else(|error| panic!("{size} bytes: {error}"));
        assert!(answer.arg2 == arg2, "{size} bytes came back changed");
    }
}

#[tokio::test]
async fn a_handler_that_waits_does_not_hold_up_others() {
    let (_server, addr) = echo_server().await;
    let client = Channel::new("test");
    let slow = client.call("echo::slow").peer(&addr).send("", "slow");
    let fast = async {
        tokio::task::yield_now().await;
        client.call("echo::echo").peer(&addr).send("", "fast").await
    };
    let (slow, fast) = tokio::join!(slow, fast);
    assert_eq!(fast.unwrap().arg3, "fast");
    assert_eq!(slow.unwrap().arg3, "slow");
}

#[tokio::test]
async fn a_panic_in_a_handler_is_an_unexpected_error_and_the_server_lives() {
    let (_server, addr) = echo_server().await;
    let client = Channel::new("test");
    let error = client
        .call("echo::panic")
        .peer(&addr)
        .send("", "")
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnexpectedError);
    assert_eq!(
        client
            .call("echo::echo")
            .peer(&addr)
            .send("", "x")
            .await
            .unwrap()
            .arg3,
        "x"
    );
}

#[tokio::test]
async fn a_call_without_an_answer_ends_at_its_deadline() {
    let (_server, addr) = echo_server().await;
    let client = Channel::new("test");
    let call = client
        .call("echo::never")
        .peer(&addr)
        .ttl(Duration::from_millis(30));
    assert_eq!(
        call.send("", "").await.unwrap_err().code(),
        ErrorCode::Timeout
    );
}

#[tokio::test]
async fn a_thousand_calls_in_flight_all_get_their_own_answer() {
    let (_server, addr) = echo_server().await;
    let client = Channel::new("test");
    let calls = (0..1000).map(|i| {
        let (client, addr) = (client.clone(), addr.clone());
        tokio::spawn(async move {
            let method = if i % 3 == 0 {
                "echo::slow"
            } else {
                "echo::echo"
            };
            let answer = client
                .call(method)
                .peer(&addr)
                .ttl(LONG)
                .send("", i.to_string())
                .await
                .unwrap();
            assert_eq!(answer.arg3, i.to_string());
        })
    });
    futures::future::try_join_all(calls).await.unwrap();
    assert_eq!(client.connections(), (0, 1));
}
