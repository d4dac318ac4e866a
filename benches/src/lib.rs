//! Benchmarks, and side-by-side runs against wimlib
//!
//! `cargo bench -p wcow-benches --features criterion` times the decoders alone, on the chunks of the WIM file that
//! `WCOW_BENCH_WIM` names. The program `side-by-side` compares whole programs. Both take their data from WIM files, because nothing
//! here writes these codecs.
#![forbid(unsafe_code)]

pub mod chunks;
