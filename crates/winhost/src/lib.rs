//! A real Windows host.
//!
//! | face | over | type |
//! |---|---|---|
//! | compute systems | vmcompute.dll or computecore.dll | `compute::WinCompute` |
//! | layers | vmcompute.dll | `layers::WinLayers` |
//! | networks | `HNSCall` of vmcompute.dll | `network::WinNetwork` |
//! | the machine itself | registry, `RtlGetVersion`, service manager, PowerShell | `control::WinControl` |
//! | what tells why containers fail | functions of Windows, other programs | `diagnostics::WinDiagnostics` |
//! | switches and NAT objects | PowerShell | [`switches::WinSwitches`] |
//! | files | wcow-win32, wcow-tree | `files::WinFiles` |
//! | the clock | the system's | [`clock::WinClock`] |
//! | all of them | | `WinHost` |
//!
//! What touches Windows exists on Windows. What follows from it is plain code that is tested on every system ([`reading`], [`describe`]):
//! how documents are read and written, which surface is used, what waits for what.
//!
//! # Calls that block
//! The futures need no executor: a thread does what blocks, a thread of a service wakes who waits, and [`block_on`] runs one to its end.
//! Every call has a limit: other programs and services ([`Limits`]), functions of DLLs ([`CallLimits`]). Dropping a future stops the
//! waiting only.
#![forbid(unsafe_code)]

#[cfg_attr(
    not(windows),
    expect(dead_code, reason = "for Windows; what decides is tested everywhere")
)]
mod answers;
mod block_on;
mod child;
pub mod clock;
#[cfg_attr(
    not(windows),
    expect(dead_code, reason = "for Windows; what decides is tested everywhere")
)]
pub mod compute;
#[cfg(windows)]
pub mod control;
#[cfg(windows)]
pub mod diagnostics;
#[cfg(windows)]
pub mod files;
#[cfg_attr(
    not(windows),
    expect(dead_code, reason = "for Windows; what decides is tested everywhere")
)]
mod hns;
#[cfg(windows)]
mod host;
mod identity;
#[cfg_attr(
    not(any(windows, test)),
    expect(dead_code, reason = "for Windows; tested everywhere")
)]
mod images;
#[cfg(windows)]
pub mod layers;
mod limits;
#[cfg(windows)]
pub mod machine;
#[cfg(windows)]
pub mod network;
#[cfg_attr(
    not(any(windows, test)),
    expect(dead_code, reason = "for Windows; tested everywhere")
)]
mod pool;
mod powershell;
pub mod reading;
#[cfg(windows)]
mod services;
pub mod switches;
mod timer;
mod tools;
mod work;

pub use block_on::block_on;
pub use child::Limits;
#[cfg(windows)]
pub use host::WinHost;
pub use identity::{Facts, describe, edition_class};
pub use limits::CallLimits;
pub use tools::Tools;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
