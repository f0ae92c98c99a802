//! The peers among themselves: what fails here is not our doing.

use test_interop::Peer;

use crate::pair::End::Theirs;
use crate::pair::{Pair, every_check};

every_check! {
    node_calls_node: Pair::direct(Theirs(Peer::node()), Theirs(Peer::node()));
    node_calls_python: Pair::direct(Theirs(Peer::node()), Theirs(Peer::python()));
    node_calls_go: Pair::direct(Theirs(Peer::node()), Theirs(Peer::go()));
    python_calls_node: Pair::direct(Theirs(Peer::python()), Theirs(Peer::node()));
    python_calls_python: Pair::direct(Theirs(Peer::python()), Theirs(Peer::python()));
    python_calls_go: Pair::direct(Theirs(Peer::python()), Theirs(Peer::go()));
    go_calls_node: Pair::direct(Theirs(Peer::go()), Theirs(Peer::node()));
    go_calls_python: Pair::direct(Theirs(Peer::go()), Theirs(Peer::python()));
    go_calls_go: Pair::direct(Theirs(Peer::go()), Theirs(Peer::go()));
}
