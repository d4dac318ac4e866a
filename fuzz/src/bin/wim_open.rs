//! libFuzzer's program for [`wcow_fuzz::wim_open`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wcow_fuzz::wim_open(data));
