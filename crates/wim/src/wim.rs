//! An open file: its header, its XML data, its blobs, its images.

use std::fmt;
use std::io;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use wcow_tree::Digest;

use crate::error::Warnings;
use crate::header::HEADER_LEN;
use crate::lookup_table::{LookupTable, MetadataRow};
use crate::read_at::Input;
use crate::resource::{Codec, ResourceReader};
use crate::{
    Blob, BlobLocation, Header, Image, ImageError, ImageInfo, Limits, NoSuchImage, OpenError,
    Options, Part, ReadAt, ReadError, ResourceHeader, Unsupported, Warning, XmlInfo,
};

/// An open WIM file. A clone is another handle on the same file.
#[derive(Clone)]
pub struct Wim {
    inner: Arc<Inner>,
}

struct Inner {
    file: Input,
    options: Options,
    header: Header,
    xml: XmlInfo,
    table: LookupTable,
    warnings: Warnings,
    /// Readers that are not in use, with their buffers and decoders.
    readers: Mutex<Vec<ResourceReader>>,
}

/// The number of an image in its file, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageIndex(NonZeroU32);

impl ImageIndex {
    /// The index `number`, unless it is 0.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.get()
    }

    fn position(self) -> usize {
        usize::try_from(self.0.get() - 1).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for ImageIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Finds blobs that a file names but does not hold, for example in the file that a delta WIM was made from.
pub trait BlobResolver: Send + Sync {
    /// The size of the blob in bytes; `None` if it is not here either.
    fn size(&self, digest: &Digest) -> Option<u64>;

    /// Sends the bytes of the blob to `receive`, until it asks to stop.
    ///
    /// # Errors
    /// [`ReadError::Missing`] if the blob is not here, [`ReadError::Stopped`] if the receiver asked to stop; else why the blob
    /// cannot be read, which includes a SHA-1 that is not `digest`.
    fn read(
        &self,
        digest: &Digest,
        receive: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadError>;
}

impl Wim {
    /// Opens a WIM with the default [`Options`].
    ///
    /// # Errors
    /// [`OpenError`] if it is not a WIM, or not one that can be opened.
    pub fn open(source: impl ReadAt + 'static) -> Result<Self, OpenError> {
        Self::open_with(source, Options::default())
    }

    /// Opens a WIM: reads the header, the lookup table and the XML data.
    ///
    /// A file that holds what this version cannot read (solid resources, LZMS, other parts of a split set) opens as long as
    /// these three can be read; the error comes when the data is asked for. [`unsupported`](Self::unsupported) tells beforehand.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_with(source: impl ReadAt + 'static, options: Options) -> Result<Self, OpenError> {
        let io = |source: io::Error| OpenError::Io {
            what: "the header",
            offset: 0,
            source,
        };
        let file = Input::new(Box::new(source)).map_err(io)?;
        let mut warnings = Warnings::default();
        let mut bytes =
            vec![0; usize::try_from(file.len()).map_or(HEADER_LEN, |len| len.min(HEADER_LEN))];
        file.read(0, &mut bytes).map_err(io)?;
        let header = Header::parse(&bytes, file.len(), &mut warnings)?;
        let codec = Codec {
            compression: header.compression,
            chunk_size: header.chunk_size,
        };
        let mut reader = ResourceReader::default();

        let bytes = read_table(
            &mut reader,
            &file,
            codec,
            "the lookup table",
            &header.lookup_table,
            u64::MAX,
        )?;
        let table = LookupTable::parse(&bytes, &header, &mut warnings)?;
        let bytes = read_table(
            &mut reader,
            &file,
            codec,
            "the XML data",
            &header.xml,
            options.limits.xml_bytes,
        )?;
        let mut xml =
            XmlInfo::parse(&bytes, header.image_count, &mut warnings).map_err(|source| {
                OpenError::Xml {
                    offset: header.xml.offset,
                    source,
                }
            })?;
        if header.part == 1 && table.metadata.len() < xml.images.len() {
            let (found, counted) = (table.metadata.len(), xml.images.len());
            warnings.push(Part::LookupTable, 0, || format!("metadata of {found} images where the header counts {counted}; the others are ignored"));
            xml.images.truncate(found);
        }
        let readers = Mutex::new(vec![reader]);
        Ok(Self {
            inner: Arc::new(Inner {
                file,
                options,
                header,
                xml,
                table,
                warnings,
                readers,
            }),
        })
    }

    /// The file header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.inner.header
    }

    /// Length of the file in bytes.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.inner.file.len()
    }

    /// What the XML data says.
    #[must_use]
    pub fn xml(&self) -> &XmlInfo {
        &self.inner.xml
    }

    /// What is wrong with the file, and did not keep it from being opened.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        self.inner.warnings.as_slice()
    }

    /// How many images the file has.
    #[must_use]
    pub fn image_count(&self) -> u32 {
        // The header counts at most 65535.
        u32::try_from(self.images().len()).unwrap_or(u32::MAX)
    }

    /// The images, by number.
    #[must_use]
    pub fn images(&self) -> &[ImageInfo] {
        self.inner.xml.images()
    }

    /// The bootable image.
    #[must_use]
    pub fn boot_index(&self) -> Option<ImageIndex> {
        ImageIndex::new(self.header().boot_index).filter(|index| index.get() <= self.image_count())
    }

    /// Finds an image by its number or its name; upper and lower case are alike, but the exact name wins.
    ///
    /// # Errors
    /// [`NoSuchImage`], which lists the images that there are.
    pub fn find_image(&self, wanted: &str) -> Result<ImageIndex, NoSuchImage> {
        let number = wanted
            .parse()
            .ok()
            .and_then(ImageIndex::new)
            .filter(|index| index.get() <= self.image_count());
        let named = |matches: &dyn Fn(&str) -> bool| {
            self.images()
                .iter()
                .find(|image| image.name.as_deref().is_some_and(matches))
                .map(|image| image.index)
        };
        number
            .or_else(|| named(&|name| name == wanted))
            .or_else(|| named(&|name| name.to_lowercase() == wanted.to_lowercase()))
            .ok_or_else(|| NoSuchImage {
                wanted: wanted.to_owned(),
                available: self
                    .images()
                    .iter()
                    .map(|image| (image.index, image.name.clone()))
                    .collect(),
            })
    }

    /// The blobs, sorted by digest; without the metadata of the images.
    #[must_use]
    pub fn blobs(&self) -> &[Blob] {
        self.inner.table.blobs()
    }

    /// The blob with this digest, if it is in this file.
    #[must_use]
    pub fn find_blob(&self, digest: &Digest) -> Option<&Blob> {
        self.inner.table.find(digest)
    }

    /// Size of a blob, in this file or where its [`BlobResolver`] finds it; `None` if it is missing.
    #[must_use]
    pub fn blob_size(&self, digest: &Digest) -> Option<u64> {
        let here = self.find_blob(digest).map(|blob| blob.size);
        here.or_else(|| {
            self.options()
                .resolver
                .as_ref()
                .and_then(|resolver| resolver.size(digest))
        })
    }

    /// What this version cannot read of the file as a whole: that it is split, or encrypted.
    #[must_use]
    pub fn unsupported(&self) -> Option<Unsupported> {
        let header = self.header();
        if self.xml().is_encrypted() {
            Some(Unsupported::EncryptedEsd)
        } else if header.is_split() {
            Some(Unsupported::Split {
                part: header.part,
                total: header.parts,
            })
        } else {
            None
        }
    }

    /// Reads the tree of an image.
    ///
    /// # Errors
    /// [`ImageError`] if there is no such image, or if its metadata cannot be read or contradicts itself.
    pub fn image(&self, index: ImageIndex) -> Result<Image, ImageError> {
        if let Some(what) = self.unsupported() {
            return Err(ImageError::Unsupported { what });
        }
        let no_such_image = ImageError::NoSuchImage {
            index,
            count: self.image_count(),
        };
        let row = self.metadata_row(index).ok_or(no_such_image)?;
        let data = self.read_metadata(row).map_err(|source| match source {
            ReadError::Unsupported { what } => ImageError::Unsupported { what },
            source => ImageError::Read { index, source },
        })?;
        Image::parse(self.clone(), index, &data, self.limits())
    }

    /// Sends the bytes of a blob to `receive`, in pieces, until it asks to stop.
    ///
    /// The SHA-1 is known only behind the last byte: on an error, what was received must be thrown away.
    ///
    /// # Errors
    /// [`ReadError`]: the blob is missing, cannot be read, or has another SHA-1; or the receiver asked to stop.
    pub fn read_blob(
        &self,
        digest: &Digest,
        receive: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.with_reader(|reader| self.read_blob_with(reader, digest, receive))
    }

    /// Reads a blob of at most `max_len` bytes.
    ///
    /// # Errors
    /// [`ReadError::TooLarge`] if it is larger, else as for [`read_blob`](Self::read_blob).
    pub fn read_blob_to_vec(&self, digest: &Digest, max_len: u64) -> Result<Vec<u8>, ReadError> {
        let size = self
            .blob_size(digest)
            .ok_or(ReadError::Missing { digest: *digest })?;
        if size > max_len {
            let offset = match self.find_blob(digest).map(|blob| blob.location) {
                Some(BlobLocation::Plain(resource)) => resource.offset,
                _ => 0,
            };
            return Err(ReadError::TooLarge {
                offset,
                size,
                limit: max_len,
            });
        }
        let mut bytes = Vec::new();
        self.read_blob(digest, &mut |piece| {
            bytes.extend_from_slice(piece);
            ControlFlow::Continue(())
        })?;
        Ok(bytes)
    }

    pub(crate) fn read_blob_with(
        &self,
        reader: &mut ResourceReader,
        digest: &Digest,
        receive: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        match (self.find_blob(digest), &self.options().resolver) {
            (Some(blob), _) => self.read_known_blob(reader, blob, receive),
            (None, Some(resolver)) => resolver.read(digest, receive),
            (None, None) => Err(ReadError::Missing { digest: *digest }),
        }
    }

    pub(crate) fn read_known_blob(
        &self,
        reader: &mut ResourceReader,
        blob: &Blob,
        receive: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        if self.xml().is_encrypted() {
            return Err(ReadError::Unsupported {
                what: Unsupported::EncryptedEsd,
            });
        }
        let BlobLocation::Plain(resource) = &blob.location else {
            return Err(ReadError::Unsupported {
                what: Unsupported::Solid,
            });
        };
        self.read_resource(reader, resource, &blob.digest, receive)
    }

    /// Runs `work` with a reader whose buffers are kept for the next one.
    pub(crate) fn with_reader<T>(&self, work: impl FnOnce(&mut ResourceReader) -> T) -> T {
        let readers = || {
            self.inner
                .readers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let mut reader = readers().pop().unwrap_or_default();
        let result = work(&mut reader);
        readers().push(reader);
        result
    }

    pub(crate) fn file(&self) -> &Input {
        &self.inner.file
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.options.limits
    }

    /// Where the metadata of an image is.
    pub(crate) fn metadata_row(&self, index: ImageIndex) -> Option<&MetadataRow> {
        self.inner.table.metadata.get(index.position())
    }

    fn read_metadata(&self, row: &MetadataRow) -> Result<Vec<u8>, ReadError> {
        let limits = self.limits();
        let limit = limits
            .metadata_bytes
            .min(self.file_len().saturating_mul(limits.metadata_ratio));
        let MetadataRow { resource, digest } = row;
        if resource.size > limit {
            return Err(ReadError::TooLarge {
                offset: resource.offset,
                size: resource.size,
                limit,
            });
        }
        let mut data = Vec::new();
        self.with_reader(|reader| {
            self.read_resource(reader, resource, digest, &mut |bytes| {
                data.extend_from_slice(bytes);
                ControlFlow::Continue(())
            })
        })?;
        Ok(data)
    }

    fn read_resource(
        &self,
        reader: &mut ResourceReader,
        resource: &ResourceHeader,
        expected: &Digest,
        receive: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let header = self.header();
        let codec = Codec {
            compression: header.compression,
            chunk_size: header.chunk_size,
        };
        let found = reader.read(self.file(), codec, resource, receive)?;
        if found != *expected {
            return Err(ReadError::Digest {
                offset: resource.offset,
                expected: *expected,
                found,
            });
        }
        Ok(())
    }
}

impl BlobResolver for Wim {
    fn size(&self, digest: &Digest) -> Option<u64> {
        self.blob_size(digest)
    }

    fn read(
        &self,
        digest: &Digest,
        receive: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.read_blob(digest, receive)
    }
}

impl fmt::Debug for Wim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wim")
            .field("header", &self.inner.header)
            .finish_non_exhaustive()
    }
}

/// Reads one of the file's own tables, of which the header check has seen that it is no larger than the file.
fn read_table(
    reader: &mut ResourceReader,
    file: &Input,
    codec: Codec,
    what: &'static str,
    resource: &ResourceHeader,
    limit: u64,
) -> Result<Vec<u8>, OpenError> {
    if !file.holds(resource.offset, resource.stored_size) {
        return Err(OpenError::Truncated {
            what,
            offset: resource.offset,
            size: resource.stored_size,
            len: file.len(),
        });
    }
    if resource.size > limit {
        let source = ReadError::TooLarge {
            offset: resource.offset,
            size: resource.size,
            limit,
        };
        return Err(OpenError::Read { what, source });
    }
    let mut bytes = Vec::new();
    reader
        .read(file, codec, resource, &mut |piece| {
            bytes.extend_from_slice(piece);
            ControlFlow::Continue(())
        })
        .map_err(|source| OpenError::Read { what, source })?;
    Ok(bytes)
}
