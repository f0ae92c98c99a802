//! Our runtime and each peer, one dialling the other.

use test_interop::Peer;

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
