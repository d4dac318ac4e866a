//! Reads, verifies and writes WIM (Windows Imaging) files
//!
//! A WIM holds file trees ("images") and the bytes of their files ("blobs"), each different blob once. Microsoft's white paper
//! "Windows Imaging File Format" (2007) describes the container; what it leaves out is documented where it is read, with what
//! showed it. A file looks like this; only the header has a fixed place:
//!
//! ```text
//! header ──┬─────────────────┬────────────────────┬────────────────────────┐
//!          │                 │                    │                        │
//! 208 bytes│ resources ...   │ lookup table       │ XML data               │ integrity table
//!          │ blobs, metadata │ SHA-1 -> resource  │ names, Windows version │ SHA-1 of raw pieces
//! ```
//!
//! * [`Wim::open`] reads header, lookup table and XML data; [`Wim::open_parts`] those of a split set. [`Wim::images`] lists the
//!   images.
//! * [`Wim::image`] reads one image's metadata into an [`Image`]: names, attributes, times, security descriptors, alternate
//!   streams, reparse points, hard links, short names. Streams name their blobs by SHA-1.
//! * [`Wim::read_blob`] reads a blob, and checks its SHA-1. [`Wim::blob_reader`] gives a [`BlobReader`], which can seek.
//! * [`Wim::extractor`] sends an image, or parts of it, to a [`wcow_tree::TreeSink`], which is how it is extracted or installed.
//! * [`Wim::verifier`] checks everything that can be checked, and collects every problem.
//!
//! The last two work on as many threads as they are told to. Nothing that they deliver, in which order, and what they say of a
//! damaged file depends on that number.
//!
//! # What is supported
//!
//! | | read | write |
//! |---|---|---|
//! | uncompressed, XPRESS (4 to 64 KiB chunks), LZX (32 KiB to 2 MiB), LZMS (32 KiB to 1 GiB) | yes | uncompressed |
//! | solid resources (ESD), several per file, of any of these | yes | no |
//! | integrity table | yes | yes |
//! | split set, whole or a part of it | yes | no |
//! | delta WIM | yes, with [`Options::references`] or a [`BlobResolver`] | no |
//! | pipable | yes, from a file | no |
//! | versions before 0x10D00, encrypted ESD | refused as [`Unsupported`] | no |
//!
//! # How it is read
//!
//! ```text
//! Wim ─┬─ Image ── Extractor ─┐                         ┌─ worker: chunks, codec, SHA-1 ─┐
//!      │                      ├─ plan: blobs in file    ├─ worker                        ├─ ordered ─▶ sink, report
//!      └─ Verifier ───────────┘  order, cut into units ─┴─ worker                        ┘  delivery
//! ```
//!
//! # Files from strangers
//!
//! No input makes this crate panic. Every count and size is checked against the bytes that are there before memory is taken;
//! what compression can still blow up is held by [`Limits`]. Every list of children is visited once, so a tree has no cycles
//! and is no larger than its description. What is odd but readable becomes a [`Warning`].
//!
//! # Example
//!
//! ```
//! use std::io::Cursor;
//! use wcow_ntmeta::{Guid, RelPath};
//! use wcow_tree::memory::MemoryTree;
//! use wcow_wim::{NewImage, StreamRole, Wim, WriteOptions, write_uncompressed};
//!
//! let mut tree = MemoryTree::new().file(r"Windows\win.ini", "[fonts]");
//! let mut out = Cursor::new(Vec::new());
//! write_uncompressed(&mut out, vec![NewImage::new("Nano", &mut tree)], &WriteOptions::new(Guid::from_u128(1)))?;
//!
//! let wim = Wim::open(out.into_inner())?;
//! let image = wim.image(wim.find_image("nano")?)?;
//! let file = image.lookup(&RelPath::parse(r"windows\WIN.INI")).expect("it was stored");
//! let data = image.streams(file).iter().find(|stream| stream.role == StreamRole::Data).expect("every file has data");
//! assert_eq!(wim.read_blob_to_vec(&data.digest, 1 << 20)?, b"[fonts]");
//! assert!(wim.verifier().run().is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod about;
mod blob_reader;
mod bytes;
mod chunks;
mod codec;
mod control;
mod error;
mod extract;
mod file;
mod header;
mod integrity;
mod layout;
mod limits;
mod lookup_table;
mod metadata;
mod number;
mod ordered;
mod plan;
mod pool;
mod read;
mod read_at;
mod resource;
mod send_blob;
mod verify;
mod wim;
mod write;
mod xml;

pub use about::{IntegritySummary, SolidForm, SolidResource};
pub use blob_reader::BlobReader;
pub use control::Progress;
pub use error::{ImageError, NoSuchImage, OpenError, Part, ReadError, Unsupported, Warning};
pub use extract::{ExtractError, ExtractPlan, Extractor, SourceProblem, SourceProblems};
pub use header::{Compression, Header};
pub use integrity::IntegrityError;
pub use limits::{Budget, Limits, Options};
pub use lookup_table::{Blob, BlobLocation};
pub use metadata::{
    ExtendedAttribute, ExtendedAttributes, Image, ImageStream, NodeId, StreamRole, TaggedItems,
    UnixData,
};
pub use read_at::ReadAt;
pub use resource::ResourceHeader;
pub use verify::{Extent, Problem, Verifier, VerifyReport};
pub use wim::{BlobResolver, ImageIndex, Wim};
pub use write::{
    ImageSummary, IntegrityChoice, NewImage, Summary, WriteError, WriteOptions, write_uncompressed,
};
pub use xml::{Architecture, ImageInfo, WindowsInfo, WindowsVersion, XmlError, XmlInfo};
