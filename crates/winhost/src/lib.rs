//! A real Windows host.
//!
//! | face | over | type |
//! |---|---|---|
//! | compute systems | vmcompute.dll or computecore.dll | `compute::WinCompute` |
//! | layers | vmcompute.dll | `layers::WinLayers` |
//! | networks | `HNSCall` of vmcompute.dll | `network::WinNetwork` |
//! | the machine | `RtlGetVersion`, registry, service manager | `machine` |
//! | all of them | | `WinHost` |
//!
//! Those exist on Windows. What follows from what they see is plain code, which is tested on every system: [`describe`], how documents
//! are read and written, which surface is used, what waits for what.
//!
//! The futures need no executor: a thread of a pool does what blocks, a thread of a service wakes who waits. [`block_on`] runs one to
//! its end. Every wait for a service has a limit ([`CallLimits`]).
#![forbid(unsafe_code)]

mod block_on;
mod identity;
mod limits;

#[cfg_attr(
    not(any(windows, test)),
    expect(dead_code, reason = "for Windows; tested everywhere")
)]
mod answers;
#[cfg_attr(
    not(any(windows, test)),
    expect(dead_code, reason = "for Windows; tested everywhere")
)]
pub mod compute;
#[cfg_attr(
    not(any(windows, test)),
    expect(dead_code, reason = "for Windows; tested everywhere")
)]
mod hns;
#[cfg_attr(
    not(any(windows, test)),
    expect(dead_code, reason = "for Windows; tested everywhere")
)]
mod images;
#[cfg_attr(
    not(any(windows, test)),
    expect(dead_code, reason = "for Windows; tested everywhere")
)]
mod pool;
mod timer;

#[cfg(windows)]
mod host;
#[cfg(windows)]
pub mod layers;
#[cfg(windows)]
pub mod machine;
#[cfg(windows)]
pub mod network;

pub use block_on::block_on;
#[cfg(windows)]
pub use host::WinHost;
pub use identity::{Facts, describe, edition_class};
pub use limits::CallLimits;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
