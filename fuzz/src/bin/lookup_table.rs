//! libFuzzer's program for [`wcow_fuzz::lookup_table`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wcow_fuzz::lookup_table(data));
