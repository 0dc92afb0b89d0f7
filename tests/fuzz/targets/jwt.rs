//! Signed tokens, read and checked.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| doorward_fuzz::check("jwt", input));
