//! libFuzzer's program for [`wcow_fuzz::xpress`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wcow_fuzz::xpress(data));
