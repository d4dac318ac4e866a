//! libFuzzer's program for [`wcow_fuzz::diff_codec`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wcow_fuzz::diff_codec(data));
