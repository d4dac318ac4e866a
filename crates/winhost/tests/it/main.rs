//! What follows from what was read, and calls to stand-ins of programs, everywhere; on Windows, what this machine says, and its container
//! services: missing, or stand-ins.
//!
//! `cargo xtask windows` runs these under Wine twice: as it is, without any DLL of HCS, and with `WCOW_HCS_STAND_IN` set and the
//! stand-ins of `wcow-hcs` in `System32`.

mod clock;
mod files;
mod identity;
mod powershell;
mod reading;
mod support;

#[cfg(windows)]
mod compute;
#[cfg(windows)]
mod conformance;
#[cfg(windows)]
mod control;
#[cfg(windows)]
mod diagnostics;
#[cfg(windows)]
mod doctor;
#[cfg(windows)]
mod layers;
#[cfg(windows)]
mod machine;
#[cfg(windows)]
mod missing;
#[cfg(windows)]
mod processes;
#[cfg(windows)]
mod stand_in;
