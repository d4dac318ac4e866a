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
//! * [`Wim::open`] reads header, lookup table and XML data. [`Wim::images`] lists the images.
//! * [`Wim::image`] reads one image's metadata into an [`Image`]: names, attributes, times, security descriptors, alternate
//!   streams, reparse points, hard links, short names. Streams name their blobs by SHA-1.
//! * [`Wim::read_blob`] reads a blob, and checks its SHA-1. [`Wim::verify`] does so for all, and collects every problem.
//! * [`Wim::image_source`] sends an image to a [`wcow_tree::TreeSink`], which is how it is extracted or installed.
//!
//! # What is supported
//!
//! | | read | write |
//! |---|---|---|
//! | uncompressed, XPRESS (4 to 64 KiB chunks), LZX (32 KiB to 2 MiB) | yes | uncompressed |
//! | integrity table | yes | yes |
//! | delta WIM | yes, with a [`BlobResolver`] | no |
//! | LZMS, solid resources (ESD) | opens; its data is refused as [`Unsupported`] | no |
//! | split set | each part opens; its data is refused as [`Unsupported`] | no |
//! | pipable, versions before 0x10D00, encrypted ESD | refused as [`Unsupported`] | no |
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
//! use wcow_wim::{NewImage, StreamRole, VerifyOptions, Wim, WriteOptions, write_uncompressed};
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
//! assert!(wim.verify(&VerifyOptions::default(), &mut |_| {}).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod bytes;
mod error;
mod header;
mod integrity;
mod limits;
mod lookup_table;
mod metadata;
mod read_at;
mod resource;
mod source;
mod verify;
mod wim;
mod write;
mod xml;

pub use error::{ImageError, NoSuchImage, OpenError, Part, ReadError, Unsupported, Warning};
pub use header::{Compression, Header};
pub use integrity::IntegrityError;
pub use limits::{Limits, Options};
pub use lookup_table::{Blob, BlobLocation};
pub use metadata::{Image, ImageStream, NodeId, StreamRole};
pub use read_at::ReadAt;
pub use resource::ResourceHeader;
pub use source::{ImageSource, SourceProblem, SourceProblems};
pub use verify::{Problem, Progress, VerifyOptions, VerifyReport};
pub use wim::{BlobResolver, ImageIndex, Wim};
pub use write::{
    ImageSummary, IntegrityChoice, NewImage, Summary, WriteError, WriteOptions, write_uncompressed,
};
pub use xml::{Architecture, ImageInfo, WindowsInfo, WindowsVersion, XmlError, XmlInfo};
