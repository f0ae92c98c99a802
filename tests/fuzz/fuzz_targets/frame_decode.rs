//! Bytes from a peer, cut into frames and decoded.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| test_fuzz::frame_decode(bytes));
