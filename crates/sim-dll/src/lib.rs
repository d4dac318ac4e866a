//! The simulated host behind the C ABI of Microsoft's container DLLs.
//!
//! Programs that were written for the Host Compute Service call `vmcompute.dll`, `computecore.dll`, `computestorage.dll` and
//! `computenetwork.dll`. This library has the functions of all four, in front of one simulated world. On Windows, and under Wine,
//! four small DLLs of those names lie in `System32` and forward to it; elsewhere it is called directly, in tests.
//!
//! ```text
//!  a program ── vmcompute.dll ───┐
//!            ── computecore.dll ─┼─ forwarded ─> v1, v2, network, storage ── Session ── own World, or a served one
//!            ── ...             ─┘                    │
//!                                     Table: handles  ├─ callbacks, on a thread of their own
//!                                                     └─ pipes, pumped by a thread each
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`exports`] | the table of what is exported, held to the one that `wcow-hcs` calls by |
//! | [`v1`], [`v2`] | compute systems and processes of both generations, classic layers, `HNSCall` |
//! | [`network`], [`storage`] | HCN, and the layers of the second generation |
//! | [`control`] | functions of our own: counts, the base image of the world |
//! | `session` | the world, as environment variables ask for it |
//!
//! # What is checked
//! Null pointers where none may be, handles that are null, of another kind, closed, or closed twice: each is an error (0x80070006,
//! 0x80070057). Pointers that lead nowhere cannot be told. A panic of this library ends at the boundary as 0x8000FFFF.
//!
//! # Time
//! Time in the world jumps while calls are under way, and runs a thousand times as fast as the wall clock otherwise
//! (`WCOW_SIM_SPEED`): see `wcow-sim-link`. Timeouts that a caller gives are of the wall clock.
#![deny(clippy::undocumented_unsafe_blocks, unsafe_op_in_unsafe_fn)]

pub mod abi;
pub mod control;
pub mod exports;
pub mod network;
pub mod storage;
pub mod v1;
pub mod v2;

mod answer;
mod blocks;
mod callbacks;
mod documents;
mod guard;
mod latch;
mod pipes;
mod places;
mod session;
mod stdio;
mod strings;
mod system;
mod table;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
