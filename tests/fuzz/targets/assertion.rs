//! Clients that sign what they say of themselves.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| doorward_fuzz::check("assertion", input));
