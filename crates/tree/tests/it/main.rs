//! Tests of trees in memory, of the name rule, and of the disk side.

#[cfg(unix)]
mod disk;
mod memory;
mod names;
