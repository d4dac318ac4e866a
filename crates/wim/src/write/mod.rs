//! Writes a WIM: trees in, one uncompressed file out.
//!
//! ```text
//! header (WRITE_IN_PROGRESS) | blobs | image metadata | lookup table | XML data | integrity table; then the final header
//! ```
//!
//! Identical bytes are stored once. Nothing in the file depends on anything but what the caller passes: the same trees, times
//! and GUID give the same bytes. The layout is what DISM and wimlib write: chunk size 0, image metadata first in the lookup
//! table, the two tables with the metadata flag.

mod image;
mod metadata;
mod output;
mod xml;

use std::collections::BTreeMap;
use std::io::{self, Seek, Write};

use wcow_ntmeta::{FileTime, Guid, RelPath};
use wcow_tree::{Digest, SendError, TreeSource};

use crate::header::{self, HEADER_LEN, at};
use crate::number::as_u64;
use crate::resource::METADATA;
use crate::{ImageIndex, ResourceHeader, WindowsInfo, lookup_table};

use image::ImageSink;
use output::Output;

/// An image to be written.
pub struct NewImage<'a> {
    /// Its name: not empty, and no other image's.
    pub name: String,
    /// A longer text.
    pub description: Option<String>,
    /// The edition, by habit (`FLAGS`).
    pub flags: Option<String>,
    /// The Windows in it.
    pub windows: Option<WindowsInfo>,
    /// When it was made; what the file says of its last change, too.
    pub created: FileTime,
    /// Its files.
    pub source: &'a mut dyn TreeSource,
}

impl<'a> NewImage<'a> {
    /// An image with this name and nothing else said about it.
    #[must_use]
    pub fn new(name: impl Into<String>, source: &'a mut dyn TreeSource) -> Self {
        Self {
            name: name.into(),
            description: None,
            flags: None,
            windows: None,
            created: FileTime::ZERO,
            source,
        }
    }
}

/// What to write besides the images.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// Identifies the file.
    pub guid: Guid,
    /// The image to boot.
    pub boot: Option<ImageIndex>,
    /// Whether the file gets an integrity table.
    pub integrity: IntegrityChoice,
}

impl WriteOptions {
    /// No bootable image, no integrity table.
    #[must_use]
    pub fn new(guid: Guid) -> Self {
        Self {
            guid,
            boot: None,
            integrity: IntegrityChoice::None,
        }
    }
}

/// Whether a file gets an integrity table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegrityChoice {
    /// It gets none.
    None,
    /// It gets one with pieces of 10 MiB, as DISM and wimlib write it.
    Table,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Length of the file in bytes.
    pub file_len: u64,
    /// Different blobs in it.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// Each image.
    pub images: Vec<ImageSummary>,
}

/// What was written of one image, counted as wimlib does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageSummary {
    /// Directories with the root, without reparse points.
    pub directories: u64,
    /// All other names.
    pub files: u64,
    /// Bytes of all streams of all names.
    pub total_bytes: u64,
    /// Bytes that hard links save.
    pub hard_link_bytes: u64,
}

/// Why a WIM could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The output failed.
    #[error("the WIM could not be written at offset {offset:#x}")]
    Io {
        /// Where it failed.
        offset: u64,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// An image's files could not be read.
    #[error("image {image}: its files could not be read")]
    Source {
        /// The image.
        image: ImageIndex,
        /// Why.
        #[source]
        source: SendError,
    },
    /// The source sent a tree that no WIM can hold.
    #[error("image {image}: `{path}`: {what}")]
    Tree {
        /// The image.
        image: ImageIndex,
        /// The file.
        path: RelPath,
        /// What was expected and what was found.
        what: String,
    },
    /// A name or another property of an image cannot be written.
    #[error("image {image}: {what}")]
    Properties {
        /// The image.
        image: ImageIndex,
        /// What was expected and what was found.
        what: String,
    },
    /// Something is larger or more than the format has room for.
    #[error("expected {what} that the format has room for, found {found}")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// How large it is, or how many there are.
        found: u64,
    },
}

/// Writes a WIM whose blobs are not compressed.
///
/// `out` must be empty and stand at its start. On an error it holds a part of a file, marked as being written.
///
/// # Errors
/// [`WriteError`] if the output fails, if a source cannot be read whole, or if something does not fit into a WIM.
pub fn write_uncompressed(
    out: &mut (impl Write + Seek + Send),
    images: Vec<NewImage<'_>>,
    options: &WriteOptions,
) -> Result<Summary, WriteError> {
    let count = u32::try_from(images.len())
        .ok()
        .filter(|count| *count <= 0xFFFF);
    let count = count.ok_or(WriteError::TooLarge {
        what: "a number of images",
        found: as_u64(images.len()),
    })?;
    xml::check(&images)?;
    if let Some(image) = options.boot.filter(|boot| boot.get() > count) {
        return Err(WriteError::Properties {
            image,
            what: format!("expected a bootable image up to {count}, found {image}"),
        });
    }
    let mut out = Output::new(out, options.integrity)?;
    let mut head = Head::new(options, count);
    out.write(&head.to_bytes(header::FLAG_WRITE_IN_PROGRESS)?)?;

    let mut store = BlobStore::default();
    let mut trees = Vec::with_capacity(images.len());
    let mut described = Vec::with_capacity(images.len());
    for (index, image) in (1..).filter_map(ImageIndex::new).zip(images) {
        let mut sink = ImageSink::new(index, &mut out, &mut store);
        let sent = image.source.send(&mut sink);
        trees.push(sink.finish(sent)?);
        described.push(xml::Described::new(image));
    }
    out.end_of_blobs()?;

    let mut rows = Vec::new();
    let mut summaries = Vec::with_capacity(trees.len());
    for tree in &trees {
        let (bytes, summary) = metadata::build(tree, &mut store)?;
        let resource = write_table(&mut out, &bytes)?;
        rows.extend_from_slice(&row(resource, 1, output::digest(&bytes))?);
        if options.boot == Some(tree.index) {
            head.boot_metadata = resource;
        }
        summaries.push(summary);
    }
    // In file order, which is the order in which they came.
    let mut blobs: Vec<(&Digest, &StoredBlob)> = store.blobs.iter().collect();
    blobs.sort_by_key(|(_, blob)| blob.offset);
    for (digest, blob) in &blobs {
        let resource = ResourceHeader {
            stored_size: blob.size,
            flags: 0,
            offset: blob.offset,
            size: blob.size,
        };
        rows.extend_from_slice(&row(resource, blob.references, **digest)?);
    }
    head.lookup_table = write_table(&mut out, &rows)?;
    let integrity = out.take_integrity();
    let xml = xml::document(&described, &summaries, out.position());
    head.xml = write_table(&mut out, &xml)?;
    if let Some(table) = integrity {
        head.integrity = write_table(&mut out, &table?)?;
        head.integrity.flags = 0;
    }
    let summary = Summary {
        file_len: out.position(),
        blobs: as_u64(blobs.len()),
        blob_bytes: blobs.iter().map(|(_, blob)| blob.size).sum(),
        images: summaries,
    };
    out.finish(&head.to_bytes(0)?)?;
    Ok(summary)
}

/// The blobs that were written so far.
#[derive(Default)]
struct BlobStore {
    blobs: BTreeMap<Digest, StoredBlob>,
}

struct StoredBlob {
    offset: u64,
    size: u64,
    references: u32,
}

/// What the header says.
struct Head<'a> {
    options: &'a WriteOptions,
    count: u32,
    lookup_table: ResourceHeader,
    xml: ResourceHeader,
    boot_metadata: ResourceHeader,
    integrity: ResourceHeader,
}

impl<'a> Head<'a> {
    fn new(options: &'a WriteOptions, count: u32) -> Self {
        let none = ResourceHeader::default();
        Self {
            options,
            count,
            lookup_table: none,
            xml: none,
            boot_metadata: none,
            integrity: none,
        }
    }

    fn to_bytes(&self, flags: u32) -> Result<[u8; HEADER_LEN], WriteError> {
        let mut bytes = [0; HEADER_LEN];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &header::MAGIC);
        put(at::SIZE, &208_u32.to_le_bytes());
        put(at::VERSION, &header::VERSION.to_le_bytes());
        put(at::FLAGS, &flags.to_le_bytes());
        put(at::CHUNK_SIZE, &0_u32.to_le_bytes());
        put(at::GUID, &self.options.guid.bytes());
        put(at::PART, &1_u16.to_le_bytes());
        put(at::PARTS, &1_u16.to_le_bytes());
        put(at::IMAGES, &self.count.to_le_bytes());
        put(at::LOOKUP_TABLE, &resource_bytes(self.lookup_table)?);
        put(at::XML, &resource_bytes(self.xml)?);
        put(at::BOOT_METADATA, &resource_bytes(self.boot_metadata)?);
        put(
            at::BOOT_INDEX,
            &self.options.boot.map_or(0, ImageIndex::get).to_le_bytes(),
        );
        put(at::INTEGRITY, &resource_bytes(self.integrity)?);
        Ok(bytes)
    }
}

/// Writes a resource of the file's own.
fn write_table(
    out: &mut Output<impl Write + Seek>,
    bytes: &[u8],
) -> Result<ResourceHeader, WriteError> {
    let (offset, size) = (out.position(), as_u64(bytes.len()));
    out.write(bytes)?;
    Ok(ResourceHeader {
        stored_size: size,
        flags: METADATA,
        offset,
        size,
    })
}

/// A row of the lookup table.
fn row(
    resource: ResourceHeader,
    references: u32,
    digest: Digest,
) -> Result<[u8; lookup_table::ROW_LEN], WriteError> {
    let mut row = [0; lookup_table::ROW_LEN];
    row[..24].copy_from_slice(&resource_bytes(resource)?);
    row[24..26].copy_from_slice(&1_u16.to_le_bytes());
    row[26..30].copy_from_slice(&references.to_le_bytes());
    row[30..].copy_from_slice(&digest.0);
    Ok(row)
}

fn resource_bytes(resource: ResourceHeader) -> Result<[u8; 24], WriteError> {
    if resource.stored_size >> 56 != 0 {
        return Err(WriteError::TooLarge {
            what: "a resource",
            found: resource.stored_size,
        });
    }
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&resource.stored_size.to_le_bytes());
    bytes[7] = resource.flags;
    bytes[8..16].copy_from_slice(&resource.offset.to_le_bytes());
    bytes[16..].copy_from_slice(&resource.size.to_le_bytes());
    Ok(bytes)
}
