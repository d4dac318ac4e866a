//! A real Windows host.
//!
//! So far: what machine it is ([`describe`], `machine::info`) and whether its container services run (`machine::services`). The
//! traits of `wcow-host` are to come over this and over `wcow-hcs`.
//!
//! What is read from the machine is [`Facts`]; what follows from it is plain code, which is tested on every system. `machine` exists
//! on Windows.
#![forbid(unsafe_code)]

mod identity;

#[cfg(windows)]
pub mod files;
#[cfg(windows)]
pub mod machine;

pub use identity::{Facts, describe, edition_class};

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
