//! Resources: pieces of the file that hold a blob, an image's metadata, or a table.
//!
//! A resource header is 24 bytes: 7 bytes stored size, 1 byte flags, u64 offset, u64 uncompressed size. How the bytes of a
//! compressed resource are laid out is told in `layout`.

use crate::bytes::u64_at;

/// Flag: an image's metadata, or one of the file's own tables.
pub(crate) const METADATA: u8 = 0x02;
/// Flag: compressed as the file header says.
pub(crate) const COMPRESSED: u8 = 0x04;
/// Flag: part of a solid run.
pub(crate) const SOLID: u8 = 0x10;

/// Where a resource is, and how large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResourceHeader {
    /// Bytes in the file, chunk table included.
    pub stored_size: u64,
    /// The flags, as they are in the file: 0x02 metadata, 0x04 compressed, 0x10 solid.
    pub flags: u8,
    /// Where it begins in the file.
    pub offset: u64,
    /// Bytes when uncompressed.
    pub size: u64,
}

impl ResourceHeader {
    /// True if the resource is compressed on its own.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.flags & COMPRESSED != 0
    }

    /// The byte behind its last one.
    pub(crate) fn end(&self) -> u64 {
        self.offset.saturating_add(self.stored_size)
    }

    /// Reads a resource header from the start of `bytes`.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let first = u64_at(bytes, 0)?;
        let [.., flags] = first.to_le_bytes();
        Some(Self {
            stored_size: first & 0x00FF_FFFF_FFFF_FFFF,
            flags,
            offset: u64_at(bytes, 8)?,
            size: u64_at(bytes, 16)?,
        })
    }
}
