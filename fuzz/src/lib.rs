//! What the fuzzers run: one function per target, which takes any bytes and panics where a promise is broken.
//!
//! `cargo test` replays kept findings and the [`seeds`] through the same functions, without a fuzzer. The fuzzer programs
//! (`src/bin`) are behind the feature `fuzzer`, because libFuzzer's run time is C++; comparisons with wimlib are behind the
//! feature `wimlib`, because it is C. Runs of the simulator can be left out: feature `sim`.
#![cfg_attr(not(feature = "wimlib"), forbid(unsafe_code))]

mod budget;
mod codecs;
#[cfg(feature = "sim")]
mod compute_calls;
mod craft;
mod dictionaries;
#[cfg(feature = "wimlib")]
mod diff;
mod documents;
mod extract;
mod field;
mod hives;
mod image;
pub mod mutate;
mod parts;
mod rng;
pub mod seeds;
mod selection;
mod sidecar;
#[cfg(feature = "sim")]
mod simulated;
mod tables;
#[cfg(feature = "wimlib")]
mod wimlib;
mod wims;
mod xml;

pub use codecs::{lzms, lzx, xpress};
#[cfg(feature = "sim")]
pub use compute_calls::compute_calls;
pub use craft::{MAX_METADATA, wim_of_metadata};
pub use dictionaries::dictionary;
#[cfg(feature = "wimlib")]
pub use diff::{diff_codec, diff_wim};
pub use documents::hcs_schema;
pub use extract::extract;
pub use hives::hive;
pub use parts::parts;
pub use rng::Rng;
pub use sidecar::sidecar;
#[cfg(feature = "sim")]
pub use simulated::sim_run;
pub use tables::{header, integrity, lookup_table};
pub use wims::{metadata, wim};
pub use xml::xml;

/// A target: its name, which is also that of its program and its folders, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target that was built; those of [`DIFFERENTIAL`] only with the feature `wimlib`, those of [`SIMULATED`] with `sim`.
pub const TARGETS: &[Target] = &[
    ("header", header),
    ("lookup_table", lookup_table),
    ("metadata", metadata),
    ("xml", xml),
    ("integrity", integrity),
    ("lzx", lzx),
    ("xpress", xpress),
    ("lzms", lzms),
    ("wim", wim),
    ("extract", extract),
    ("parts", parts),
    ("sidecar", sidecar),
    ("hive", hive),
    ("hcs_schema", hcs_schema),
    #[cfg(feature = "sim")]
    ("sim_run", sim_run),
    #[cfg(feature = "sim")]
    ("compute_calls", compute_calls),
    #[cfg(feature = "wimlib")]
    ("diff_wim", diff_wim),
    #[cfg(feature = "wimlib")]
    ("diff_codec", diff_codec),
];

/// Names of the targets that compare with wimlib; they are built with the feature `wimlib`.
pub const DIFFERENTIAL: &[&str] = &["diff_wim", "diff_codec"];

/// Names of the targets that run the simulator; they are built with the feature `sim`.
pub const SIMULATED: &[&str] = &["sim_run", "compute_calls"];

/// Changes `data[..size]` to a mutant of at most `max` bytes, and returns its length: what libFuzzer asks of a mutator.
pub fn mutate_in_place(
    data: &mut [u8],
    size: usize,
    max: usize,
    seed: u32,
    mutator: mutate::Mutator,
    havoc: mutate::Havoc<'_>,
) -> usize {
    let mutant = mutator(data.get(..size).unwrap_or_default(), max, seed, havoc);
    let len = mutant.len().min(max).min(data.len());
    if let (Some(place), Some(mutant)) = (data.get_mut(..len), mutant.get(..len)) {
        place.copy_from_slice(mutant);
    }
    len
}

/// libFuzzer's own mutations, which use the dictionary and what comparisons have taught.
#[cfg(feature = "fuzzer")]
pub fn libfuzzer_havoc(bytes: &mut Vec<u8>, max: usize) {
    let len = bytes.len();
    let room = len.saturating_add(64).min(max).max(1);
    bytes.resize(room.max(len), 0);
    let len = libfuzzer_sys::fuzzer_mutate(bytes, len, room);
    bytes.truncate(len);
}
