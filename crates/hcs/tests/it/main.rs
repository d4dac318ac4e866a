//! The tables everywhere; on Windows, calls against missing DLLs and against stand-ins.
//!
//! `cargo xtask windows` runs these under Wine three times: as it is, without any DLL of HCS; with `WCOW_HCS_STAND_IN` set and the
//! stand-ins of `tests/stand_in` in `System32`; with `WCOW_HCS_SIMULATED` set and the simulator there.
#![cfg_attr(
    windows,
    expect(
        unsafe_code,
        reason = "the stand-ins and the simulator are asked for their counters"
    )
)]
#![deny(clippy::undocumented_unsafe_blocks)]

mod signatures;
mod sockets;
mod values;

#[cfg(windows)]
mod imports;
#[cfg(windows)]
mod layers;
#[cfg(windows)]
mod machine;
#[cfg(windows)]
mod missing;
#[cfg(windows)]
mod simulated;
#[cfg(windows)]
mod stand_in;
#[cfg(windows)]
mod v1;
#[cfg(windows)]
mod v2;
