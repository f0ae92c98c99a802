//! Our runtime and each peer, one dialling the other.

use test_interop::Peer;

use crate::checks;
use crate::pair::End::{Ours, Theirs};
use crate::pair::{Pair, every_check};

every_check! {
    rust_calls_node: Pair::direct(Ours, Theirs(Peer::node()));
    rust_calls_python: Pair::direct(Ours, Theirs(Peer::python()));
    rust_calls_go: Pair::direct(Ours, Theirs(Peer::go()));
    node_calls_rust: Pair::direct(Theirs(Peer::node()), Ours);
    python_calls_rust: Pair::direct(Theirs(Peer::python()), Ours);
    go_calls_rust: Pair::direct(Theirs(Peer::go()), Ours);
    rust_calls_rust: Pair::direct(Ours, Ours);
}

// Node leaves arg3 out of the message when no byte or one is free after arg2. These are the lengths at
// which that is so for the calls and the answers made here.

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_node_breaks_off_after_arg2_is_refused_at_once() {
    if let Some(pair) = Pair::direct(Theirs(Peer::node()), Ours).await {
        let broken = [65_448, 65_449];
        checks::an_arg2_that_ends_around_the_frame_edge_comes_back(&pair, &broken).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_node_breaks_off_after_arg2_fails_at_once() {
    if let Some(pair) = Pair::direct(Ours, Theirs(Peer::node())).await {
        let broken = [65_474, 65_475];
        checks::an_arg2_that_ends_around_the_frame_edge_comes_back(&pair, &broken).await;
    }
}

// Python writes four args when two bytes are free after arg2.

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_python_makes_with_four_args_is_mended() {
    if let Some(pair) = Pair::direct(Theirs(Peer::python()), Ours).await {
        checks::an_arg2_that_ends_around_the_frame_edge_comes_back(&pair, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_python_gives_with_four_args_is_mended() {
    if let Some(pair) = Pair::direct(Ours, Theirs(Peer::python())).await {
        checks::an_arg2_that_ends_around_the_frame_edge_comes_back(&pair, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arg2_that_ends_around_the_frame_edge_comes_back_from_go() {
    if let Some(pair) = Pair::direct(Ours, Theirs(Peer::go())).await {
        checks::an_arg2_that_ends_around_the_frame_edge_comes_back(&pair, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arg2_that_ends_around_the_frame_edge_comes_back_to_go() {
    if let Some(pair) = Pair::direct(Theirs(Peer::go()), Ours).await {
        checks::an_arg2_that_ends_around_the_frame_edge_comes_back(&pair, &[]).await;
    }
}
