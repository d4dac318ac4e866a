//! libFuzzer's program for [`wcow_fuzz::sidecar`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wcow_fuzz::sidecar(data));
