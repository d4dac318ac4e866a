//! libFuzzer's program for [`wcow_fuzz::sim_run`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wcow_fuzz::sim_run(data));
