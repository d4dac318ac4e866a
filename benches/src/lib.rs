//! Benches of the decoders; the yardstick of `cargo xtask bench` behind a feature
//!
//! `cargo bench -p wcow-benches --features criterion` times the decoders alone, on the chunks of the WIM file that
//! `WCOW_BENCH_WIM` names: nothing here writes these codecs. The feature `wimlib` builds wimlib 1.14.4 and its program, which
//! `cargo xtask bench --vs wimlib` measures `wcow` against; no code here calls it.
#![forbid(unsafe_code)]

pub mod chunks;
