//! Comparison with wimlib: the same verdict, the same tree, the same bytes; but for the differences that are meant. Each of these has
//! a predicate in [`rules`] and a row in the README's table.

mod codec;
mod rules;
#[cfg(test)]
mod tests;
mod wim;

pub use codec::diff_codec;
pub use wim::diff_wim;
