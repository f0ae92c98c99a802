//! Two connections under any order of events, on a clock that moves when told.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::drive::operations::{Wire, check};
use crate::drive::world::Through;

/// Operations take a few bytes each; what one does not use is left to the next.
fn operations() -> impl Strategy<Value = Vec<u8>> {
    vec(vec(any::<u8>(), 6..9), 1..100).prop_map(|operations| operations.concat())
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn every_call_ends_once_and_its_args_arrive_as_they_were_sent(operations in operations()) {
        check(&operations, Through::Wire, Wire::Honest);
    }

    #[test]
    fn somebody_on_the_wire_breaks_no_promise_made_to_the_application(operations in operations()) {
        check(&operations, Through::Wire, Wire::Tampered);
    }

    #[test]
    fn a_call_through_a_router_ends_as_a_direct_call_does(operations in operations()) {
        check(&operations, Through::Router, Wire::Honest);
    }

    #[test]
    fn somebody_on_the_wire_leaves_no_call_behind_in_a_router(operations in operations()) {
        check(&operations, Through::Router, Wire::Tampered);
    }
}
