//! What the fuzzers run: one function per target, which takes any bytes and panics where a promise is broken.
//!
//! `cargo test` replays kept findings and the [`seeds`] through the same functions, without a fuzzer. The fuzzer programs
//! (`src/bin`) are behind the feature `fuzzer`, because libFuzzer's run time is C++.
#![forbid(unsafe_code)]

mod codecs;
mod craft;
mod hives;
pub mod seeds;
mod wims;

pub use codecs::{lzx, xpress};
pub use craft::{MAX_METADATA, wim_of_metadata};
pub use hives::hive;
pub use wims::{metadata, wim_open};

/// A target: its name, which is also that of its program and its folders, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("wim_open", wim_open),
    ("metadata", metadata),
    ("lzx", lzx),
    ("xpress", xpress),
    ("hive", hive),
];
