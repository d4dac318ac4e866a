//! Windows files by handle, as safe Rust.
//!
//! | function | what it calls |
//! |---|---|
//! | `open_at`, `open_directory` | `NtCreateFile`, relative to a handle, never through a reparse point |
//! | `set_basic`, `set_short_name` | `NtSetInformationFile` |
//! | `set_security` | `SetKernelObjectSecurity` |
//! | `set_reparse_point`, `set_object_id`, `set_compressed`, `set_sparse` | `DeviceIoControl` |
//! | `set_extended_attributes` | `NtSetEaFile` |
//! | `rename`, `link`, `delete` | `NtSetInformationFile`, with POSIX semantics where there are any |
//! | `copy_new` | `CopyFileW` |
//! | `volume_flags` | `GetVolumeInformationByHandleW` |
//! | `enable_privilege` | `AdjustTokenPrivileges` |
//!
//! They exist on Windows; the numbers in [`access`] on every system. An error is an [`std::io::Error`] with the Win32 code; a status of the native calls is translated.
//!
//! Everything here is in `kernel32.dll`, `ntdll.dll` and `advapi32.dll` of every Windows, so it is linked.
#![deny(clippy::undocumented_unsafe_blocks, unsafe_op_in_unsafe_fn)]

pub mod access;

#[cfg(windows)]
#[expect(unsafe_code, reason = "foreign functions")]
mod change;
#[cfg(windows)]
#[expect(unsafe_code, reason = "foreign functions")]
mod names;
#[cfg(windows)]
#[expect(unsafe_code, reason = "foreign functions")]
mod open;
#[cfg(windows)]
#[expect(unsafe_code, reason = "foreign functions")]
mod privilege;

#[cfg(windows)]
pub use change::{
    Basic, set_basic, set_compressed, set_extended_attributes, set_object_id, set_reparse_point,
    set_security, set_short_name, set_sparse, volume_flags,
};
#[cfg(windows)]
pub use names::{ReadOnly, Taken, copy_new, delete, link, rename};
#[cfg(windows)]
pub use open::{Create, Kind, Opening, open_at, open_directory};
#[cfg(windows)]
pub use privilege::enable_privilege;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
