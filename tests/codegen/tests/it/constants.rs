//! Constants that may be written in several ways.

use test_codegen::elsewhere::elsewhere::{braces_or_not, shorter_and_shorter};
use test_codegen::elsewhere::shared::Priority;

#[test]
fn a_member_of_an_enum_is_known_by_the_enum_that_is_expected() {
    assert_eq!(shorter_and_shorter(), [Priority::High; 4]);
}

#[test]
fn a_uuid_may_stand_in_braces() {
    let [braced, bare] = braces_or_not()[..] else {
        panic!("two were written");
    };
    assert_eq!(braced, bare);
}
