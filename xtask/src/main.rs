//! Chores: `cargo xtask ci | oracle | corpus | fuzz | ...`.
fn main() {}
