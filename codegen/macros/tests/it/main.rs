//! What is no service, and what its author is told.
//!
//! `TRYBUILD=overwrite` in the environment writes the expected messages anew.

#[test]
fn what_is_no_service_is_refused_at_its_line_with_what_to_do() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/data/refused/methods.rs");
    cases.compile_fail("tests/data/refused/options.rs");
    cases.compile_fail("tests/data/refused/traits.rs");
    cases.compile_fail("tests/data/refused/types.rs");
}
