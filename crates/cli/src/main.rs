//! The `wcow` program.
#![forbid(unsafe_code)]
fn main() {}
