//! Microsoft's container DLLs, as safe Rust.
//!
//! | module | DLL | what |
//! |---|---|---|
//! | `v1` | vmcompute.dll | compute systems and processes since 2016, completion by notifications |
//! | `v2` | computecore.dll | the same since 1809 (build 17763), completion by operations |
//! | `layers` | vmcompute.dll | container layers, as all hosts have them |
//! | `storage` | computestorage.dll | container layers, since 1809 |
//! | `network` | vmcompute.dll, computenetwork.dll | `HNSCall`, and HCN since 1809 |
//! | `disk` | virtdisk.dll | virtual disks, as far as scratch disks need them |
//! | `io` | kernel32.dll | reads and writes that wait are cut off |
//! | `machine` | kernel32.dll, advapi32.dll, iphlpapi.dll | what the machine is and what runs on it; these are linked |
//! | [`raw`] | all | every function, unsafe, as its DLL has it |
//!
//! Those modules exist on Windows. The rest of this crate is plain code: the tables in [`raw`], the [values on the wire](values), and
//! [`Error`].
//!
//! # Nothing is linked
//! Not every Windows has every one of these DLLs, and a program that links one does not start where it is missing. So each function
//! is looked up when it is first called, in `System32` alone. A missing DLL is an [`Error`] with the code 0x8007007E, a missing
//! function one with 0x8007007F; [`Error::stage`] tells both from the same codes given by a call.
//!
//! # Who owns what
//! * A handle is a value that closes it when it is dropped.
//! * A string that a DLL hands out is copied and freed at once, with the function that belongs to that DLL.
//! * The handles of a process's standard streams become `OwnedHandle`s, before anything else can fail.
//! * A callback gets a number, never a pointer. The number is looked up in a table that the registration is in as long as it
//!   lives. So a callback that comes late finds nothing, and memory that was freed is out of its reach, whatever a DLL does.
//! * On the DLL's thread nothing happens but that: a notification is put into a queue, and whoever waits is woken. A panic of a
//!   waker ends there.
//!
//! # Documents are texts
//! This crate does not look into JSON. Documents as types are another crate's (`wcow-hcs-schema`).
#![deny(clippy::undocumented_unsafe_blocks, unsafe_op_in_unsafe_fn)]

pub mod raw;
pub mod sockets;
pub mod values;

mod error;
#[cfg_attr(
    not(any(windows, test)),
    expect(
        dead_code,
        reason = "callbacks exist on Windows; the tests are for every system"
    )
)]
mod mailbox;
#[cfg_attr(
    not(any(windows, test)),
    expect(
        dead_code,
        reason = "callbacks exist on Windows; the tests are for every system"
    )
)]
mod registry;
#[cfg_attr(
    not(any(windows, test)),
    expect(
        dead_code,
        reason = "callbacks exist on Windows; the tests are for every system"
    )
)]
mod signal;
#[cfg_attr(
    not(any(windows, test)),
    expect(
        dead_code,
        reason = "calls exist on Windows; the tests are for every system"
    )
)]
mod text;

#[cfg(windows)]
mod windows;

pub use error::{Dll, Error, Stage};
#[cfg(windows)]
pub use windows::{
    callback::Subscription, disk, io, layers, machine, network, process_info::ProcessInformation,
    storage, v1, v2,
};

/// The README's example, compiled, and run where it can be.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
