//! libFuzzer's program for [`wcow_fuzz::compute_calls`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wcow_fuzz::compute_calls(data));
