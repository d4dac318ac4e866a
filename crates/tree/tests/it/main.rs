//! Tests of trees in memory, of the name rule, and of the disk side.

mod memory;
mod names;
