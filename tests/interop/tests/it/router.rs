//! Calls through our router, between our runtime and each peer and among the peers.

use test_interop::Peer;

use crate::pair::End::{Ours, Theirs};
use crate::pair::{Pair, every_check};

every_check! {
    rust_calls_rust: Pair::routed(Ours, Ours);
    rust_calls_node: Pair::routed(Ours, Theirs(Peer::node()));
    rust_calls_python: Pair::routed(Ours, Theirs(Peer::python()));
    rust_calls_go: Pair::routed(Ours, Theirs(Peer::go()));
    node_calls_rust: Pair::routed(Theirs(Peer::node()), Ours);
    node_calls_node: Pair::routed(Theirs(Peer::node()), Theirs(Peer::node()));
    node_calls_python: Pair::routed(Theirs(Peer::node()), Theirs(Peer::python()));
    node_calls_go: Pair::routed(Theirs(Peer::node()), Theirs(Peer::go()));
    python_calls_rust: Pair::routed(Theirs(Peer::python()), Ours);
    python_calls_node: Pair::routed(Theirs(Peer::python()), Theirs(Peer::node()));
    python_calls_python: Pair::routed(Theirs(Peer::python()), Theirs(Peer::python()));
    python_calls_go: Pair::routed(Theirs(Peer::python()), Theirs(Peer::go()));
    go_calls_rust: Pair::routed(Theirs(Peer::go()), Ours);
    go_calls_node: Pair::routed(Theirs(Peer::go()), Theirs(Peer::node()));
    go_calls_python: Pair::routed(Theirs(Peer::go()), Theirs(Peer::python()));
    go_calls_go: Pair::routed(Theirs(Peer::go()), Theirs(Peer::go()));
}
