//! Errors, one type per phase: opening a file, reading a blob, reading an image, writing (in `write`).

use std::error::Error;
use std::fmt;
use std::io;

use wcow_tree::Digest;

use crate::{Budget, Compression, ImageIndex, XmlError};

/// A form of the format that is known by name and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsupported {
    /// The file is an encrypted ESD; only Microsoft's setup has the key.
    EncryptedEsd,
    /// The file has a version from before Windows Vista was released.
    Version(u32),
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EncryptedEsd => f.write_str("an encrypted ESD file"),
            Self::Version(version) => write!(f, "a WIM of pre-release version {version:#x}"),
        }
    }
}

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file system failed.
    #[error("{what} at offset {offset:#x} could not be read")]
    Io {
        /// What was to be read.
        what: &'static str,
        /// Where it was expected.
        offset: u64,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// It does not begin like a WIM.
    #[error("expected the magic of a WIM (`MSWIM`) at offset 0x0, found {}", found.escape_ascii())]
    NotAWim {
        /// The first bytes, up to eight.
        found: Vec<u8>,
    },
    /// The file is too short.
    #[error("{what} needs bytes {offset:#x} to {:#x}, but the file ends at {len:#x}", offset.saturating_add(*size))]
    Truncated {
        /// The part that is cut off.
        what: &'static str,
        /// Where it begins.
        offset: u64,
        /// How many bytes it has.
        size: u64,
        /// The length of the file.
        len: u64,
    },
    /// A field of the header has a value that no WIM has.
    #[error("header: expected {expected} as {field} at offset {offset:#x}, found {found:#x}")]
    Header {
        /// The field.
        field: &'static str,
        /// Its offset in the file.
        offset: u64,
        /// What is allowed.
        expected: &'static str,
        /// What is there.
        found: u64,
    },
    /// A form of WIM that cannot be opened.
    #[error("{what} cannot be opened")]
    Unsupported {
        /// The form.
        what: Unsupported,
    },
    /// A row of the lookup table makes the whole file ambiguous.
    #[error("lookup table row {row}: expected {expected}, found {found:#x}")]
    LookupTable {
        /// The row, from 0.
        row: u64,
        /// What is allowed.
        expected: &'static str,
        /// What is there.
        found: u64,
    },
    /// The lookup table or the XML data could not be read.
    #[error("{what} could not be read")]
    Read {
        /// Which of them.
        what: &'static str,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// The parts that were given do not make one split set.
    #[error("part {number} of the files that were given: expected {expected}, found {found}")]
    Parts {
        /// Which of the files, from 1, in the order in which they were given.
        number: usize,
        /// What is allowed.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The XML data makes no sense.
    #[error("the XML data at offset {offset:#x} could not be understood")]
    Xml {
        /// Where the XML data begins.
        offset: u64,
        /// Why.
        #[source]
        source: XmlError,
    },
}

/// Why a blob, or another resource, could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file system failed.
    #[error("the resource at offset {resource:#x} could not be read at offset {offset:#x}")]
    Io {
        /// Where the resource begins.
        resource: u64,
        /// Where reading failed.
        offset: u64,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// The resource does not lie within the file.
    #[error(
        "the resource at offset {offset:#x} has {size} stored bytes, but the file ends at {len:#x}"
    )]
    OutOfFile {
        /// Where the resource begins.
        offset: u64,
        /// Its stored size.
        size: u64,
        /// The length of the file.
        len: u64,
    },
    /// The resource header contradicts itself or the file header.
    #[error("the resource at offset {offset:#x}: {what}")]
    Resource {
        /// Where the resource begins.
        offset: u64,
        /// What was expected and what was found.
        what: String,
    },
    /// In a pipable file, the size before a chunk is not the one that the chunk table gives it.
    #[error(
        "the resource at offset {offset:#x}: expected {expected} as the size before chunk {chunk}, found {found}"
    )]
    ChunkPrefix {
        /// Where the resource begins.
        offset: u64,
        /// The chunk, from 0.
        chunk: u64,
        /// Bytes that the chunk table gives the chunk.
        expected: u64,
        /// Bytes that stand before the chunk.
        found: u64,
    },
    /// A solid resource has chunks of a size that its algorithm does not have.
    #[error(
        "the resource at offset {offset:#x}: expected {expected} as the chunk size of {compression}, found {found:#x}"
    )]
    SolidChunkSize {
        /// Where the resource begins.
        offset: u64,
        /// The algorithm that the resource names.
        compression: Compression,
        /// Which sizes there are.
        expected: &'static str,
        /// The size in bytes that the resource gives.
        found: u32,
    },
    /// The chunks of a solid resource are together not as long as what is stored of it.
    #[error(
        "the resource at offset {offset:#x}: expected chunks of {expected} stored bytes in all, found {found}"
    )]
    SolidChunks {
        /// Where the resource begins.
        offset: u64,
        /// Stored bytes behind its header.
        expected: u64,
        /// Stored bytes of all its chunks.
        found: u64,
    },
    /// Two blobs of solid resources have bytes in common.
    #[error(
        "the resource at offset {offset:#x}: expected blobs that do not overlap, found blob {digest} at {start}, and one before it up to {end}"
    )]
    BlobOverlap {
        /// Where the resource begins, or the first of several that count as one.
        offset: u64,
        /// The later blob.
        digest: Digest,
        /// Where it begins in the uncompressed bytes.
        start: u64,
        /// Where the blob before it ends.
        end: u64,
    },
    /// The chunk table gives a chunk an impossible size.
    #[error(
        "chunk {chunk} of the resource at offset {offset:#x}: expected a stored size of 1 to {max}, found {found}"
    )]
    ChunkSize {
        /// Where the resource begins.
        offset: u64,
        /// The chunk, from 0.
        chunk: u64,
        /// The chunk's uncompressed size.
        max: u64,
        /// The size that follows from the table; negative if the table goes backwards.
        found: i128,
    },
    /// A chunk does not decompress.
    #[error("chunk {chunk} of the resource at offset {offset:#x} does not decompress")]
    Chunk {
        /// Where the resource begins.
        offset: u64,
        /// The chunk, from 0.
        chunk: u64,
        /// What the decoder said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The bytes were read, but they are not the ones that were stored.
    #[error("the resource at offset {offset:#x}: expected SHA-1 {expected}, found {found}")]
    Digest {
        /// Where the resource begins.
        offset: u64,
        /// The SHA-1 in the lookup table.
        expected: Digest,
        /// The SHA-1 of the bytes.
        found: Digest,
    },
    /// The blob is in no file at hand.
    #[error(
        "blob {digest} is missing: it is neither in this WIM nor in one that was given beside it"
    )]
    Missing {
        /// The blob that was asked for.
        digest: Digest,
    },
    /// The blob is in a part of the split set that is not at hand.
    #[error("blob {digest} is missing: {given} of the {total} parts of the split set were given")]
    MissingPart {
        /// The blob that was asked for.
        digest: Digest,
        /// How many parts are at hand.
        given: usize,
        /// How many parts there are.
        total: u16,
    },
    /// Reading it would cost more than the [`Limits`](crate::Limits) allow.
    #[error(
        "the resource at offset {offset:#x}: {needed} bytes of {budget} are needed, the budget is {limit}"
    )]
    Budget {
        /// Which of them.
        budget: Budget,
        /// Where the resource begins.
        offset: u64,
        /// Bytes that are needed, in all.
        needed: u64,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// A part of a solid resource could not be read; the error of the first blob in it says why.
    #[error(
        "the solid resource at offset {offset:#x} could not be read here, as for blob {digest}"
    )]
    SolidResource {
        /// Where the resource begins.
        offset: u64,
        /// The first blob that needed it.
        digest: Digest,
    },
    /// The resource is larger than the caller takes.
    #[error("the resource at offset {offset:#x} has {size} bytes, {limit} are allowed")]
    TooLarge {
        /// Where the resource begins.
        offset: u64,
        /// Its uncompressed size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The resource is stored in a way that cannot be read.
    #[error("{what} cannot be read")]
    Unsupported {
        /// The way.
        what: Unsupported,
    },
    /// The blob was read for several files at once; the error of the first says why it could not be.
    #[error("blob {digest} could not be read, as for the first file that needs it")]
    SharedBlob {
        /// The blob.
        digest: Digest,
    },
    /// The receiver of the bytes asked to stop.
    #[error("reading was stopped by the receiver")]
    Stopped,
}

/// Why an image could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// There is no such image.
    #[error("there is no image {index}: the file holds {count}")]
    NoSuchImage {
        /// The image that was asked for.
        index: ImageIndex,
        /// How many there are.
        count: u32,
    },
    /// The image is stored in a way that cannot be read.
    #[error("{what} cannot be read")]
    Unsupported {
        /// The way.
        what: Unsupported,
    },
    /// The metadata is in the first part of a split set, which is not at hand.
    #[error("the metadata of image {index} is in part 1 of {total}, which was not given")]
    FirstPartMissing {
        /// The image.
        index: ImageIndex,
        /// How many parts there are.
        total: u16,
    },
    /// The metadata resource could not be read.
    #[error("the metadata of image {index} could not be read")]
    Read {
        /// The image.
        index: ImageIndex,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// Two directories have the same list of children.
    #[error(
        "the metadata of image {index} at offset {offset:#x}: expected a list of children that belongs to one directory, found a second one that uses it"
    )]
    SharedChildren {
        /// The image.
        index: ImageIndex,
        /// Offset of the list within the uncompressed metadata.
        offset: u64,
    },
    /// Lists of children have entries in common, until they are longer than the metadata.
    #[error(
        "the metadata of image {index} at offset {offset:#x}: expected lists of children that do not overlap, found more entries than the metadata has room for"
    )]
    OverlappingChildren {
        /// The image.
        index: ImageIndex,
        /// Offset of the first entry that is too much, within the uncompressed metadata.
        offset: u64,
    },
    /// The metadata contradicts itself.
    #[error("the metadata of image {index} at offset {offset:#x}: {what}")]
    Damaged {
        /// The image.
        index: ImageIndex,
        /// Offset within the uncompressed metadata.
        offset: u64,
        /// What was expected and what was found.
        what: String,
    },
}

/// No image answers to a name or number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no image {wanted:?}: the file holds {}", names(available))]
pub struct NoSuchImage {
    /// What was asked for.
    pub wanted: String,
    /// What there is: index and, if it has one, name.
    pub available: Vec<(ImageIndex, Option<String>)>,
}

fn names(available: &[(ImageIndex, Option<String>)]) -> String {
    if available.is_empty() {
        return "no images".to_owned();
    }
    let list: Vec<String> = available
        .iter()
        .map(|(index, name)| {
            name.as_ref()
                .map_or_else(|| index.to_string(), |name| format!("{index} ({name})"))
        })
        .collect();
    list.join(", ")
}

/// Something that is wrong with a file, and did not keep it from being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Which part of the file.
    pub part: Part,
    /// Offset within that part.
    pub offset: u64,
    /// What was found, and what was done about it.
    pub what: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at offset {:#x}: {}",
            self.part, self.offset, self.what
        )
    }
}

/// A part of a WIM file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The file header.
    Header,
    /// The lookup table.
    LookupTable,
    /// The XML data.
    Xml,
    /// The metadata of an image; offsets count in the uncompressed bytes.
    Metadata(ImageIndex),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("header"),
            Self::LookupTable => f.write_str("lookup table"),
            Self::Xml => f.write_str("XML data"),
            Self::Metadata(index) => write!(f, "metadata of image {index}"),
        }
    }
}

/// Collects warnings, and stops at [`Warnings::MAX`] so that a hostile file cannot fill the memory with them.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    list: Vec<Warning>,
}

impl Warnings {
    const MAX: usize = 1000;

    pub(crate) fn push(&mut self, part: Part, offset: u64, what: impl FnOnce() -> String) {
        if self.list.len() < Self::MAX {
            self.list.push(Warning {
                part,
                offset,
                what: what(),
            });
        } else if self.list.len() == Self::MAX {
            self.list.push(Warning {
                part,
                offset,
                what: "more warnings follow, which are not kept".to_owned(),
            });
        }
    }

    pub(crate) fn as_slice(&self) -> &[Warning] {
        &self.list
    }
}
