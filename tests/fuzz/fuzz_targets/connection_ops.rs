//! Two connections under any order of events.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| test_fuzz::connection_ops(bytes));
