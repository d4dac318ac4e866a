//! The exported functions, called as a program calls them.
#![expect(unsafe_code, reason = "calls foreign functions")]
#![deny(clippy::undocumented_unsafe_blocks)]

mod cycles;
mod exports;
mod hostile;
mod kept;
mod layers;
mod network;
mod program;
mod served;
mod v1;
mod v2;
