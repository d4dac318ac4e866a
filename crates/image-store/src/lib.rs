//! Base OS images on a host: install, list, inspect, test and remove, so that a crash at any point leaves nothing torn.
//!
//! The layout is the one of Technical Preview 3, which the host's own tools read and write too:
//!
//! ```text
//! C:\ProgramData\Microsoft\Windows\Images\
//!   CN=Microsoft_<Name>_<Version>\
//!     files\                    the tree of the image
//!     hives\                    DefaultUser_Base, Sam_Base, Security_Base, Software_Base, System_Base
//!     UtilityVM\                the virtual machine of Hyper-V isolation, if the tree came with one
//!     metadata.json             name, version, size, when; and under `Wcow` what only this crate writes
//!     version.wcx               what the host compares with itself when a container starts
//!   store.lock                  held open by whoever changes the store
//!   .staging\<boot>-<guid>\     installs that are not done
//!   .removing\<guid>\           images that are no longer there
//!   .quarantine\CN=...\         folders that look like images and are none
//! ```
//!
//! # Life of an image
//! ```text
//! install:  .staging\x ── tree, hives, version.wcx, metadata.json, all synced ── rename ──> CN=... ── sync the root
//! remove:   CN=... ── rename ──> .removing\x ── sync the root ── destroy, as a layer
//! open:     take store.lock; delete what is in .staging and .removing; move damaged images to .quarantine
//! ```
//!
//! Invariants:
//! * A folder named `CN=...` is a whole image. It comes and goes by one rename, so no reader ever sees a part of it.
//! * What an interrupted program left behind is cleared by the next [`ImageStore::open`], because whoever holds the lock
//!   knows that nobody else is at work. Nothing is cleared by a `Drop`: a killed program would not run it.
//! * An image whose `metadata.json` cannot be read is never served. A store with an image of a newer format is not touched.
//! * Images that other tools installed have no `Wcow` part; they are listed and used like any other.
//!
//! Every step passes through the traits of `wcow-host`; this crate knows no operating system.
#![forbid(unsafe_code)]

mod check;
mod error;
mod image;
mod install;
mod layout;
mod metadata;
mod precautions;
mod sink;
mod store;
mod version;

pub use error::{InstallError, StoreError, ValidationError};
pub use image::{
    DamagedImage, HiveDetails, ImageDetails, ImageList, InstallRequest, LayoutEntry, StoredImage,
};
pub use layout::{BASE_HIVES, BaseHive};
pub use metadata::FORMAT;
pub use precautions::PRECAUTIONS;
pub use store::{ImageStore, Recovery};
pub use version::{ImageVersion, ParseVersionError};

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
