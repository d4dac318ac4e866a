//! What a reader may spend on a file, and how it may work.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::BlobResolver;

/// Bounds on memory and depth. A file that needs more is refused with an error that names the limit.
///
/// Besides these, nothing takes more memory than a small multiple of the bytes that are really in the file, and a blob passes
/// through buffers of at most two chunks (64 KiB for most files, 4 MiB at the most).
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            xml_bytes: 16 << 20,
            metadata_bytes: 256 << 20,
            metadata_ratio: 512,
            depth: 16384,
            shared_blob_bytes: 16 << 20,
        }
    }
}

/// How to open a file.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// Bounds on memory and depth.
    pub limits: Limits,
    /// Threads that may decode at once. This version uses one, whatever is asked for.
    pub workers: NonZeroUsize,
    /// Where to look for blobs that this file names but does not hold (a delta WIM).
    pub resolver: Option<Arc<dyn BlobResolver>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            workers: NonZeroUsize::MIN,
            resolver: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("limits", &self.limits)
            .field("workers", &self.workers)
            .field("resolver", &self.resolver.is_some())
            .finish()
    }
}
