//! Small Windows value types that several crates share: times, GUIDs, names, paths, security descriptors, reparse
//! points, HRESULTs, and the frozen upcase table that names are compared by.
//!
//! Every type here is a plain value: no I/O, no clock, no global state. What comes from untrusted bytes is checked once,
//! when the value is made; a value of a type is then valid.
//!
//! ```
//! use wcow_ntmeta::{FileTime, HostPath, WideName};
//!
//! let path = HostPath::parse(r"C:\ProgramData\Microsoft")?;
//! assert!(WideName::from(path.file_name().unwrap()).eq_ignore_case(&"MICROSOFT".into()));
//! assert_eq!(FileTime::ZERO.to_string(), "1601-01-01T00:00:00.0000000Z");
//! # Ok::<(), wcow_ntmeta::PathError>(())
//! ```
#![forbid(unsafe_code)]

pub use attributes::FileAttributes;
pub use guid::{Guid, ParseGuidError};
pub use host_path::{HostPath, PathError};
pub use hresult::Hresult;
pub use rel_path::RelPath;
pub use reparse::{
    ReparseError, ReparsePoint, ReparseTarget, TAG_DEDUP, TAG_MOUNT_POINT, TAG_SYMLINK, TAG_WOF,
};
pub use security::{SddlError, SecurityDescriptor, SecurityDescriptorError};
pub use sid::{ParseSidError, Sid};
pub use time::{FileTime, ParseTimeError};
pub use wide_name::WideName;
pub use wide_str::WideStr;

pub mod hex;
pub mod upcase;

mod attributes;
mod bytes;
mod guid;
mod host_path;
mod hresult;
mod rel_path;
mod reparse;
mod security;
mod sid;
mod time;
mod wide_name;
mod wide_str;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
