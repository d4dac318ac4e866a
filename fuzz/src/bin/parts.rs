//! libFuzzer's program for [`wcow_fuzz::parts`].
#![no_main]

use wcow_fuzz::{mutate, mutate_in_place};

libfuzzer_sys::fuzz_target!(|data: &[u8]| wcow_fuzz::parts(data));

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_in_place(
        data,
        size,
        max_size,
        seed,
        mutate::parts,
        &mut wcow_fuzz::libfuzzer_havoc,
    )
});
