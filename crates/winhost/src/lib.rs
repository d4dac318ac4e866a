//! A real Windows host.
//!
//! So far: the machine itself (`control`), what tells why containers fail (`diagnostics`), switches and NAT objects ([`switches`]), and
//! the clock ([`clock`]). Compute systems, layers, networks and files are to come over `wcow-hcs`.
//!
//! What is read from the machine is apart from what follows from it, which is plain code that is tested on every system
//! ([`reading`], [`describe`]). `control`, `diagnostics` and `machine` exist on Windows.
//!
//! # Calls that block
//! A call of Windows or of another program runs on a thread of its own, and ends by itself: other programs have a time limit, services
//! too. Dropping a future stops the waiting only.
#![forbid(unsafe_code)]

mod child;
pub mod clock;
#[cfg(windows)]
pub mod control;
#[cfg(windows)]
pub mod diagnostics;
mod identity;
#[cfg(windows)]
pub mod machine;
mod powershell;
pub mod reading;
#[cfg(windows)]
mod services;
pub mod switches;
mod tools;
mod work;

pub use child::Limits;
pub use identity::{Facts, describe, edition_class};
pub use tools::Tools;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
