//! libFuzzer's program for [`wcow_fuzz::hcs_schema`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wcow_fuzz::hcs_schema(data));
