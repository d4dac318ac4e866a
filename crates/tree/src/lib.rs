//! What a Windows file tree is, as a stream.
//!
//! A tree comes from somewhere (a WIM image, a folder, code) and goes somewhere (a folder, an image store, a WIM). Both ends
//! meet here: a [`TreeSource`] announces every [`Entry`], parents before children, and sends the bytes of its streams; a
//! [`TreeSink`] takes them. Both are synchronous and `Send`; a source may use worker threads inside, a sink sees one call at a
//! time, always in the same order.
//!
//! ```text
//! WIM image ─┐                                  ┌─ folder on disk (DiskSink)
//! folder    ─┼─ TreeSource ── entries, bytes ── TreeSink ─┼─ image store, simulated disk
//! code      ─┘                                  └─ memory (MemorySink), WIM writer
//! ```
//!
//! Everything NTFS knows of a file and a WIM can hold is in an [`Entry`]: attributes, three times, security descriptor, short
//! name, reparse point, alternate data streams, hard links, object id, extended attributes. A sink that cannot keep a part of
//! it reports that; it never drops it silently.
#![forbid(unsafe_code)]

pub mod disk;
pub mod memory;
pub mod names;

mod entry;
mod sink;
mod source;

pub use entry::{Digest, Entry, EntryId, Extra, Stream, StreamKind, StreamRef, TaggedItem, Times};
pub use sink::{SinkError, StreamEnd, TreeSink};
pub use source::{SendError, TreeSource};

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
