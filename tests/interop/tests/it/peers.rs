//! The peers among themselves: what fails here is not our doing.

use test_interop::Peer;

use crate::pair::{Pair, every_check};

every_check! {
    node_calls_node: Pair::foreign(Peer::node(), Peer::node());
    node_calls_python: Pair::foreign(Peer::node(), Peer::python());
    node_calls_go: Pair::foreign(Peer::node(), Peer::go());
    python_calls_node: Pair::foreign(Peer::python(), Peer::node());
    python_calls_python: Pair::foreign(Peer::python(), Peer::python());
    python_calls_go: Pair::foreign(Peer::python(), Peer::go());
    go_calls_node: Pair::foreign(Peer::go(), Peer::node());
    go_calls_python: Pair::foreign(Peer::go(), Peer::python());
    go_calls_go: Pair::foreign(Peer::go(), Peer::go());
}
