//! Connections: shared, dialled again, closed, and used from both ends.

use std::time::Duration;

use tchannel_rt::proto::MessageId;
use tchannel_rt::{CallError, Channel, ErrorCode, PeerState, Reply, Response, RetryAdvice};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;

use crate::support::{LONG, config, echo, listen, once, soon, until};
use crate::wire::{Wire, call_req, listener};

#[tokio::test]
async fn calls_to_one_peer_share_one_connection_even_if_all_begin_at_once() {
    let (server, _) = echo(Default::default());
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let calls = (0..100).map(|i| {
        client
            .call("echo::echo")
            .peer(&addr)
            .send("", i.to_string())
    });
    let answers = futures::future::join_all(calls).await;
    for (i, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap().arg3, i.to_string());
    }
    assert_eq!(
        (client.connections(), server.connections()),
        ((0, 1), (1, 0))
    );
}

#[tokio::test]
async fn connections_per_peer_are_dialled_as_calls_come() {
    let (server, _) = echo(Default::default());
    let addr = listen(&server).await;
    let client = Channel::with_config("test", config(|config| config.connections_per_peer = 3));
    for _ in 0..10 {
        client
            .call("echo::echo")
            .peer(&addr)
            .send("", "")
            .await
            .unwrap();
    }
    assert_eq!(client.connections(), (0, 3));
}

#[tokio::test]
async fn a_further_connection_that_can_not_be_made_costs_no_call() {
    let (server, _) = echo(config(|config| config.connections_max = 1));
    let addr = listen(&server).await;
    let client = Channel::with_config("test", config(|config| config.connections_per_peer = 3));
    for _ in 0..10 {
        let call = once(client.call("echo::echo").peer(&addr));
        call.send("", "").await.unwrap();
    }
    assert_eq!(server.connections(), (1, 0));
}

#[tokio::test]
async fn both_ends_call_over_one_connection() {
    let (a, _) = echo(Default::default());
    let (b, _) = echo(Default::default());
    let (addr_a, addr_b) = (listen(&a).await, listen(&b).await);
    let there = a
        .call("echo::echo")
        .peer(&addr_b)
        .send("", "there")
        .await
        .unwrap();
    let back = b
        .call("echo::echo")
        .peer(&addr_a)
        .send("", "back")
        .await
        .unwrap();
    assert_eq!((&there.arg3[..], &*there.peer), (&b"there"[..], &*addr_b));
    assert_eq!((&back.arg3[..], &*back.peer), (&b"back"[..], &*addr_a));
    assert_eq!((a.connections(), b.connections()), ((0, 1), (1, 0)));
}

#[tokio::test]
async fn both_ends_know_the_further_init_headers_of_the_other() {
    let headers = |of: &str| vec![("ring".to_owned(), of.to_owned())];
    let told = |of: &str| config(|config| config.init_headers = headers(of));
    let (server, _) = echo(told("server"));
    let addr = listen(&server).await;
    let client = Channel::with_config("test", told("client"));
    let call = client.call("echo::echo").peer(&addr);
    call.send("", "").await.unwrap();
    for (knower, known) in [(&client, "server"), (&server, "client")] {
        let remotes = knower.all_remotes();
        assert_eq!(remotes[0].peer.header("ring"), Some(known));
        assert_eq!(remotes[0].peer.header("process_name"), None);
    }
}

#[tokio::test]
async fn a_peer_that_can_not_be_reached_costs_one_call_while_there_is_another() {
    let (server, _) = echo(Default::default());
    let addr = listen(&server).await;
    let (gone, gone_addr) = listener().await;
    drop(gone);
    let patient = config(|config| config.redial_min = LONG);
    let client = Channel::with_config("test", patient);
    let peers = client.peers("echo");
    peers.update([&*addr, &*gone_addr], []);
    let call = async || once(client.call("echo::echo")).send("", "").await;
    until_refused(call).await;
    for _ in 0..100 {
        assert_eq!(call().await.unwrap().peer, addr);
    }
    assert!(!peers.states().iter().any(|peer| peer.ejected));
}

/// Calls until the choice falls on a peer that can not be reached.
async fn until_refused(call: impl AsyncFn() -> Result<Response, CallError>) {
    soon(async { while call().await.is_ok() {} }).await;
}

#[tokio::test]
async fn a_connection_that_swallows_calls_is_given_up_and_the_next_call_dials_anew() {
    let (listener, addr) = listener().await;
    let impatient = config(|config| config.stale_after = Duration::from_millis(1));
    let client = Channel::with_config("test", impatient);
    let serve = async {
        let _mute = Wire::accept(&listener).await;
        loop {
            let mut wire = Wire::accept(&listener).await;
            let (id, _) = wire.hear_call().await;
            wire.answer(id, "").await;
        }
    };
    let call = async {
        let ttl = Duration::from_millis(100);
        let call = || once(client.call("svc::method").peer(&addr).ttl(ttl)).send("", "");
        while call().await.is_err() {}
    };
    soon(async {
        tokio::select! {
            () = serve => {}
            () = call => {}
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_names_the_peer_that_gave_it() {
    let client = Channel::new("test");
    let mut servers = Vec::new();
    for _ in 0..4 {
        let server = Channel::new("svc");
        let addr = listen(&server).await;
        let name = addr.clone();
        server.service("svc").raw("who", move |_| {
            let name = name.clone();
            async move { Ok(Reply::ok("", name)) }
        });
        client.peers("svc").add(&addr);
        servers.push(server);
    }
    for _ in 0..50 {
        let answer = client.call("svc::who").send("", "").await.unwrap();
        assert_eq!(answer.arg3, answer.peer.as_bytes());
        assert_eq!(answer.attempts, 1);
    }
}

#[tokio::test]
async fn a_peer_that_comes_back_is_dialled_again() {
    let client = Channel::with_config(
        "test",
        config(|config| config.redial_min = Duration::from_millis(1)),
    );
    let (first, _) = echo(Default::default());
    let addr = listen(&first).await;
    client
        .call("echo::echo")
        .peer(&addr)
        .send("", "")
        .await
        .unwrap();
    first.close().await;
    until(|| client.connections() == (0, 0)).await;
    let error = once(client.call("echo::echo").peer(&addr))
        .send("", "")
        .await;
    assert_eq!(error.unwrap_err().retry_advice(), RetryAdvice::Safe);

    let (second, _) = echo(Default::default());
    second.listen(&addr).await.expect("the port is free again");
    soon(async {
        while once(client.call("echo::echo").peer(&addr))
            .send("", "")
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(second.connections(), (1, 0));
}

#[tokio::test]
async fn a_peer_that_can_not_be_reached_is_left_alone_for_a_while() {
    let (listener, addr) = listener().await;
    let client = Channel::with_config("test", config(|config| config.redial_min = LONG));
    let hang_up = async { drop(Wire::accept_mutely(&listener).await) };
    let call = || once(client.call("svc::method").peer(&addr)).send("", "");
    let (error, ()) = tokio::join!(call(), hang_up);
    assert_eq!(error.unwrap_err().code(), ErrorCode::NetworkError);

    for _ in 0..10 {
        let error = call().await.unwrap_err();
        assert_eq!(error.retry_advice(), RetryAdvice::Safe);
        assert!(
            error.message().contains("the next attempt is due in"),
            "{error}"
        );
    }
    // Nobody has dialled meanwhile: the next connection to arrive is this one.
    let ours = tokio::net::TcpStream::connect(&addr).await.unwrap();
    let (_, from) = soon(listener.accept()).await.unwrap();
    assert_eq!(from, ours.local_addr().unwrap());
}

#[tokio::test]
async fn a_dial_goes_on_for_later_calls_when_its_caller_gives_up() {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let call = client.call("svc::method").peer(&addr);
    let gives_up = call.ttl(Duration::from_millis(20)).send("", "");
    let (error, mut wire) = tokio::join!(gives_up, Wire::accept_mutely(&listener));
    assert_eq!(error.unwrap_err().code(), ErrorCode::Timeout);

    let later = client.call("svc::method").peer(&addr).ttl(LONG);
    let serve = async {
        wire.shake_hands_as(&addr).await;
        let (id, _) = wire.hear_call().await;
        wire.answer(id, "late but well").await;
    };
    let (answer, ()) = soon(async { tokio::join!(later.send("", ""), serve) }).await;
    assert_eq!(answer.unwrap().arg3, "late but well");
    assert_eq!(client.connections(), (0, 1));
}

#[tokio::test]
async fn a_connection_that_closes_while_it_is_dialled_is_not_listed() {
    let (listener, addr) = listener().await;
    let client = Channel::with_config("test", config(|config| config.redial_min = Duration::ZERO));
    client.peers("svc").add(&addr);
    for _ in 0..50 {
        let call = once(client.call("svc::method").ttl(LONG)).send("", "");
        let shake_hands_and_go = async { drop(Wire::accept(&listener).await) };
        let (outcome, ()) = soon(async { tokio::join!(call, shake_hands_and_go) }).await;
        assert_eq!(outcome.unwrap_err().code(), ErrorCode::NetworkError);
        let listed = || {
            let [state]: [PeerState; 1] = client.peers("svc").states().try_into().unwrap();
            state.inbound_connections + state.outbound_connections
        };
        until(|| listed() == 0 && client.connections() == (0, 0)).await;
    }
}

#[tokio::test]
async fn a_peer_that_names_a_wrong_address_is_served_and_called_where_it_was_dialled() {
    let (listener, addr) = listener().await;
    let (server, _) = echo(Default::default());
    listen(&server).await;
    for announced in ["256.1.2.3:99999", "nonsense", "[::1]:5", "10.0.0.1:80", ""] {
        let call = once(server.call("svc::method").peer(&addr).ttl(LONG));
        let serve = async {
            let mut wire = Wire::accept_mutely(&listener).await;
            wire.shake_hands_as(announced).await;
            let (id, _) = wire.hear_call().await;
            wire.say(MessageId(9), call_req("echo::echo", 1000, ""))
                .await;
            assert_eq!(wire.hear().await.0, MessageId(9));
            wire.answer(id, announced).await;
        };
        let (answer, ()) = soon(async { tokio::join!(call.send("", ""), serve) }).await;
        let answer = answer.unwrap_or_else(|error| panic!("{announced:?}: {error}"));
        assert_eq!(answer.arg3, announced);
        until(|| server.connections() == (0, 0)).await;
    }
}

#[tokio::test]
async fn a_peer_is_called_over_the_connection_it_has_opened_by_the_name_it_gave() {
    let (server, _) = echo(Default::default());
    let addr = listen(&server).await;
    // Nobody listens there; it can only be reached because it has connected.
    let name = "10.255.255.1:4040";
    let mut wire = Wire::connect(&addr, name).await;
    let call = server.call("svc::method").peer(name).ttl(LONG);
    let serve = async {
        let (id, _) = wire.hear_call().await;
        wire.answer(id, "here").await;
    };
    let (answer, ()) = soon(async { tokio::join!(call.send("", ""), serve) }).await;
    assert_eq!(answer.unwrap().arg3, "here");
}

#[tokio::test]
async fn a_list_knows_its_peers() {
    let (server, mut served) = echo(Default::default());
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let peers = client.peers("echo");
    assert!(peers.is_empty());
    assert!(peers.add(&addr) && !peers.add(&addr));
    let call = client.call("echo::never").ttl(LONG);
    tokio::select! {
        _ = served.next() => {}
        outcome = call.send("", "") => panic!("an answer out of nowhere: {outcome:?}"),
    }
    client.call("echo::echo").send("", "").await.unwrap();
    let states = peers.states();
    assert_eq!(states.len(), 1);
    assert_eq!(&*states[0].host_port, &*addr);
    assert_eq!(
        (states[0].outbound_connections, states[0].in_flight),
        (1, 0)
    );
    assert!(!states[0].ejected);
    assert!(peers.remove(&addr) && !peers.remove(&addr));
    assert_eq!(peers.len(), 0);
}

#[tokio::test]
async fn a_dropped_channel_leaves_no_task_and_no_connection_behind() {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    {
        let (server, mut served) = echo(Default::default());
        let addr = listen(&server).await;
        let client = Channel::new("test");
        let call = client.call("echo::never").peer(&addr).ttl(LONG);
        tokio::select! {
            _ = served.next() => {}
            outcome = call.send("", "") => panic!("an answer out of nowhere: {outcome:?}"),
        }
        let router = ["127.0.0.1:9"].into_iter().collect();
        client.advertise(router, &["test"]).unwrap();
        client
            .call("echo::echo")
            .peer(&addr)
            .send("", "")
            .await
            .unwrap();
        assert!(tasks() > before);
    }
    until(|| tasks() == before).await;
}

#[tokio::test]
async fn a_dropped_client_is_gone_for_its_server() {
    let (server, _) = echo(Default::default());
    let addr = listen(&server).await;
    let client = Channel::new("test");
    client
        .call("echo::echo")
        .peer(&addr)
        .send("", "")
        .await
        .unwrap();
    drop(client);
    until(|| server.connections() == (0, 0)).await;
}

#[tokio::test]
async fn a_connection_that_has_ended_is_gone_for_its_peer_though_a_stream_of_it_is_held() {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let call = client.call("svc::method").peer(&addr).ttl(LONG);
    let (stream, mut wire) =
        soon(async { tokio::join!(call.stream(), Wire::accept(&listener)) }).await;
    let _held = stream.unwrap();
    wire.hear_call().await;
    wire.socket.shutdown().await.unwrap();
    assert!(wire.next().await.is_none());
    until(|| client.connections() == (0, 0)).await;
}
