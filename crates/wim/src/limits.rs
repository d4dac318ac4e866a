//! What a reader may spend on a file, and how it may work.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::{BlobResolver, Wim};

/// Bounds on what one file may cost, whatever it says of itself. One that needs more is refused, in whole or for the part
/// that does, with an error that names the [`Budget`].
///
/// Besides these, nothing takes more memory than a small multiple of the bytes that are really in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of XML data. Default 16 MiB; an `install.wim` has some ten KiB.
    pub xml_bytes: u64,
    /// Bytes of one image's metadata, uncompressed. Default 256 MiB: a Windows image has about 30 MiB.
    /// The tree that is made of it takes up to three times as much again.
    pub metadata_bytes: u64,
    /// How many times larger than the whole file one image's metadata may be. Default 512: metadata packs well, but not so well.
    pub metadata_ratio: u64,
    /// Directories within directories. Default 16384: no deeper path fits into the 32767 units that Windows allows.
    pub depth: u32,
    /// Up to this size, a blob that several files share is kept in memory while it is sent to each; a larger one is read
    /// again for each. Default 16 MiB.
    pub shared_blob_bytes: u64,
    /// Bytes that one operation (a verification, an extraction) may make of any file, however small. Default 256 MiB.
    pub output_bytes: u64,
    /// How many bytes more it may make for each byte of the files that are read. Default 2048.
    pub output_ratio: u64,
    /// Uncompressed bytes of one chunk; each worker holds one or two. Default 64 MiB, which is what solid resources have.
    pub chunk_bytes: u64,
}

impl Limits {
    /// Bytes that one operation may make of files with `stored` bytes.
    pub(crate) fn output(&self, stored: u64) -> u64 {
        self.output_bytes
            .saturating_add(self.output_ratio.saturating_mul(stored))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            xml_bytes: 16 << 20,
            metadata_bytes: 256 << 20,
            metadata_ratio: 512,
            depth: 16384,
            shared_blob_bytes: 16 << 20,
            output_bytes: 256 << 20,
            output_ratio: 2048,
            chunk_bytes: 64 << 20,
        }
    }
}

/// One of the [`Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Budget {
    /// [`Limits::xml_bytes`].
    Xml,
    /// [`Limits::metadata_bytes`] and [`Limits::metadata_ratio`].
    Metadata,
    /// [`Limits::output_bytes`] and [`Limits::output_ratio`].
    Output,
    /// [`Limits::chunk_bytes`].
    ChunkMemory,
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xml => "XML data",
            Self::Metadata => "metadata",
            Self::Output => "output",
            Self::ChunkMemory => "chunk memory",
        })
    }
}

/// How to open a file.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// Bounds on memory and depth.
    pub limits: Limits,
    /// Threads that read an image's metadata, and that an [`Extractor`](crate::Extractor) or a [`Verifier`](crate::Verifier) uses
    /// unless it is told otherwise. Default one. Results never depend on it.
    pub workers: NonZeroUsize,
    /// WIMs to look into for blobs that this one names but does not hold: the files that a delta WIM was made from.
    pub references: Vec<Wim>,
    /// Where to look for blobs that are in none of these.
    pub resolver: Option<Arc<dyn BlobResolver>>,
    /// True to keep each image that was read, as long as the WIM is open, so that it is read once: for a program that takes from the
    /// same image again and again. Default false.
    pub keep_images: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            workers: NonZeroUsize::MIN,
            references: Vec::new(),
            resolver: None,
            keep_images: false,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("limits", &self.limits)
            .field("workers", &self.workers)
            .field("references", &self.references.len())
            .field("resolver", &self.resolver.is_some())
            .field("keep_images", &self.keep_images)
            .finish()
    }
}
