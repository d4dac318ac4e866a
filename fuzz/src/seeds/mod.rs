//! Inputs for the fuzzers to start from: some made in code, some cut out of WIM files.

mod cut;
mod documents;
mod made;

pub use cut::cut_from;
pub use made::{made, rich};

/// A seed: the target it is for, a name that is unique there, and the bytes.
pub type Seed = (&'static str, String, Vec<u8>);
