//! Reads registry hive files (regf) and writes small ones.
//!
//! A hive is one file that holds a tree of keys and values. [`Hive::parse`] checks the base block, and then every access
//! reads straight from the bytes: nothing is built up in memory, so opening a hive of 100 MB costs nothing. Each access is
//! checked on its own, so a damaged hive still gives what is whole in it. [`verify`] is the opposite: it looks at every bin
//! and every cell once, and refuses the hive at the first thing that is wrong.
//!
//! ```text
//! base block ──> root cell (nk) ──> subkey list (li, lf, lh, or ri over these) ──> nk ...
//!                      │──────────> value list ──> vk ──> data cell, or db ──> segments
//!                      └──────────> sk (security descriptor, shared by many keys)
//! ```
//!
//! [`HiveBuilder`] writes hives for tests and for base layers: all at once, and the same bytes for the same content.
//!
//! Not here: transaction logs (a dirty hive is read as it is, see [`Hive::is_dirty`]), changing a hive in place, and hives
//! older than version 1.3.
//!
//! ```
//! use wcow_hive::{Hive, HiveBuilder, ValueKind};
//!
//! let mut builder = HiveBuilder::new("SOFTWARE");
//! builder.value(r"Microsoft\Windows NT", "CurrentBuild", ValueKind::Sz, b"1\x000\x005\x001\x004\x00\x00\x00")?;
//! let bytes = builder.build();
//!
//! let hive = Hive::parse(&bytes[..])?;
//! let key = hive.open(r"microsoft\windows nt")?.expect("the key was just written");
//! let build = key.value("currentbuild")?.expect("the value was just written");
//! assert_eq!(build.as_string()?.map(|text| text.to_string()), Some("10514".to_owned()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod builder;
mod cell;
mod error;
mod format;
mod hive;
mod key;
mod value;
mod verify;
mod write;

pub use builder::{BuildError, HiveBuilder, empty_hive};
pub use cell::CellOffset;
pub use error::HiveError;
pub use hive::{Hive, Version};
pub use key::{Key, KeyFlags, Subkeys, Values};
pub use value::{MultiString, Value, ValueKind};
pub use verify::{Limits, Summary, verify};
