//! An open WIM: its header, its XML data, its blobs, its images.

use std::fmt;
use std::io;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use wcow_tree::Digest;

use crate::chunks::{Buffer, ChunkReader, Keep};
use crate::error::Warnings;
use crate::file::{WimFile, layout_of, stored_len};
use crate::header::{HEADER_LEN, MAGIC_PIPABLE};
use crate::lookup_table::{LookupTable, MetadataRow};
use crate::metadata::ReadImage;
use crate::number::{as_u64, as_usize};
use crate::plan::{Item, OutputBudget, place};
use crate::pool::Pool;
use crate::read::{Consumer, read_items};
use crate::read_at::Input;
use crate::{
    Blob, BlobLocation, BlobReader, Budget, Header, Image, ImageError, ImageInfo, Limits,
    NoSuchImage, OpenError, Options, Part, ReadAt, ReadError, ResourceHeader, Unsupported, Warning,
    XmlInfo,
};

/// An open WIM: one file, or the parts of a split set. A clone is another handle on the same files.
#[derive(Clone)]
pub struct Wim {
    inner: Arc<Inner>,
}

struct Inner {
    /// The parts at hand, by number, then the files of the references.
    files: Vec<Arc<WimFile>>,
    /// How many of them are this WIM's own.
    own: usize,
    /// That of the first part at hand.
    header: Header,
    options: Options,
    xml: XmlInfo,
    table: LookupTable,
    /// Where the files of each reference begin in the list.
    references: Vec<usize>,
    warnings: Warnings,
    pool: Pool,
    /// Images that were read, if they are to be kept.
    images: Mutex<Vec<Arc<ReadImage>>>,
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
    /// One part of a split set opens too: what the other parts hold is missing, and [`missing_parts`](Self::missing_parts) tells.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_with(source: impl ReadAt + 'static, options: Options) -> Result<Self, OpenError> {
        Self::open_parts(vec![Box::new(source)], options)
    }

    /// Opens the parts of a split set, in any order; all of them, or those that there are.
    ///
    /// # Errors
    /// As for [`open`](Self::open); and [`OpenError::Parts`] if they are not parts of one set, each a different one.
    pub fn open_parts(sources: Vec<Box<dyn ReadAt>>, options: Options) -> Result<Self, OpenError> {
        let mut warnings = Warnings::default();
        let mut files = Vec::new();
        for source in sources {
            files.push(open_header(source, &mut warnings)?);
        }
        check_set(&files)?;
        files.sort_by_key(|(_, header)| header.part);

        let mut reader = ChunkReader::default();
        let mut table = LookupTable::default();
        let mut first = None;
        let mut own = Vec::new();
        for (input, header) in files {
            let what = "the lookup table";
            let table_header = &header.lookup_table;
            let bytes = read_table(&mut reader, &input, &header, what, table_header, u64::MAX)?;
            let solid_runs = table.add(&bytes, &header, &mut warnings)?;
            if first.is_none() {
                let xml = read_xml(&mut reader, &input, &header, &options.limits, &mut warnings)?;
                first = Some((header.clone(), xml));
            }
            let max_chunk = options.limits.chunk_bytes;
            own.push(Arc::new(WimFile::new(input, header, solid_runs, max_chunk)));
        }
        table.finish(&mut warnings);
        let Some((header, mut xml)) = first else {
            return Err(no_files());
        };
        if header.part == 1 && table.metadata.len() < xml.images.len() {
            let (found, counted) = (table.metadata.len(), xml.images.len());
            warnings.push(Part::LookupTable, 0, || format!("metadata of {found} images where the header counts {counted}; the others are ignored"));
            xml.images.truncate(found);
        }
        let mut files = own;
        let own = files.len();
        let mut references = Vec::new();
        for reference in &options.references {
            references.push(files.len());
            files.extend(reference.inner.files.iter().cloned());
        }
        Ok(Self {
            inner: Arc::new(Inner {
                files,
                own,
                header,
                options,
                xml,
                table,
                references,
                warnings,
                pool: Pool::default(),
                images: Mutex::default(),
            }),
        })
    }

    /// The file header; of a split set, that of the first part at hand.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.inner.header
    }

    /// The headers of all parts at hand, by part number.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = &Header> {
        self.own_files().iter().map(|file| &file.header)
    }

    /// Length of the file in bytes; of a split set, of all parts at hand.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        stored_len(self.own_files())
    }

    /// The parts of a split set that are not at hand, by number; empty for a whole WIM.
    #[must_use]
    pub fn missing_parts(&self) -> Vec<u16> {
        let mut present = self.headers().map(|header| header.part).peekable();
        let all = 1..=self.header().parts;
        // Both go up by number.
        all.filter(|part| present.next_if_eq(part).is_none())
            .collect()
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

    /// Size of a blob, in this file, in its [references](Options::references) or where its [`BlobResolver`] finds it; `None` if
    /// it is missing.
    #[must_use]
    pub fn blob_size(&self, digest: &Digest) -> Option<u64> {
        self.locate(digest).map(|item| item.size).or_else(|| {
            self.options()
                .resolver
                .as_ref()
                .and_then(|resolver| resolver.size(digest))
        })
    }

    /// Solid resources, in all files of this WIM.
    #[must_use]
    pub fn solid_resource_count(&self) -> usize {
        self.own_files()
            .iter()
            .flat_map(|file| &file.solid_runs)
            .map(Vec::len)
            .sum()
    }

    /// Rows of the lookup table for images that were replaced, and are no longer there.
    #[must_use]
    pub fn superseded_image_count(&self) -> u64 {
        self.inner.table.superseded
    }

    /// What cannot be read of the file as a whole: that it is encrypted.
    #[must_use]
    pub fn unsupported(&self) -> Option<Unsupported> {
        self.xml()
            .is_encrypted()
            .then_some(Unsupported::EncryptedEsd)
    }

    /// Reads the tree of an image, unless it was read before and [kept](Options::keep_images).
    ///
    /// # Errors
    /// [`ImageError`] if there is no such image, or if its metadata cannot be read or contradicts itself.
    pub fn image(&self, index: ImageIndex) -> Result<Image, ImageError> {
        if !self.options().keep_images {
            return self.read_image(index);
        }
        let images = || {
            let images = &self.inner.images;
            images.lock().unwrap_or_else(PoisonError::into_inner)
        };
        let known = images().iter().find(|read| read.index() == index).cloned();
        if let Some(read) = known {
            return Ok(Image::of(self.clone(), read));
        }
        let image = self.read_image(index)?;
        images().push(Arc::clone(image.read()));
        Ok(image)
    }

    fn read_image(&self, index: ImageIndex) -> Result<Image, ImageError> {
        if let Some(what) = self.unsupported() {
            return Err(ImageError::Unsupported { what });
        }
        if self.header().part != 1 {
            return Err(ImageError::FirstPartMissing {
                index,
                total: self.header().parts,
            });
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
        Image::parse(self.clone(), index, data, self.limits())
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
        if let Some(mut reader) = self.blob_reader(digest)? {
            return reader.send(receive);
        }
        match &self.options().resolver {
            Some(resolver) => resolver.read(digest, receive),
            None => Err(self.missing(digest)),
        }
    }

    /// Reads a blob of at most `max_len` bytes.
    ///
    /// # Errors
    /// [`ReadError::TooLarge`] if it is larger, else as for [`read_blob`](Self::read_blob).
    pub fn read_blob_to_vec(&self, digest: &Digest, max_len: u64) -> Result<Vec<u8>, ReadError> {
        let size = self.blob_size(digest).ok_or_else(|| self.missing(digest))?;
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

    /// A reader over a blob of this WIM or its references, which can seek; `None` if it is in neither.
    ///
    /// # Errors
    /// [`ReadError`] if it is clear beforehand that the blob cannot be read.
    pub fn blob_reader(&self, digest: &Digest) -> Result<Option<BlobReader>, ReadError> {
        self.check_readable()?;
        let Some(item) = self.locate(digest) else {
            return Ok(None);
        };
        match self.files().get(item.file) {
            Some(file) => BlobReader::new(self.clone(), Arc::clone(file), item).map(Some),
            None => Ok(None),
        }
    }

    /// Why a blob that is nowhere is missing.
    pub(crate) fn missing(&self, digest: &Digest) -> ReadError {
        let digest = *digest;
        let (given, total) = (self.own_files().len(), self.header().parts);
        if given < usize::from(total) {
            ReadError::MissingPart {
                digest,
                given,
                total,
            }
        } else {
            ReadError::Missing { digest }
        }
    }

    /// Finds a blob in this WIM, else in its references.
    pub(crate) fn locate(&self, digest: &Digest) -> Option<Item> {
        let references = self.inner.references.iter().zip(&self.options().references);
        let others = references.map(|(base, reference)| (*base, reference));
        [(0, self)]
            .into_iter()
            .chain(others)
            .find_map(|(base, wim)| {
                let blob = wim.find_blob(digest)?;
                Some(wim.item(base, blob))
            })
    }

    /// A blob of this WIM's own as something to read; `base` is where its files begin in the list.
    pub(crate) fn item(&self, base: usize, blob: &Blob) -> Item {
        let own = self.own_files();
        let file = own.partition_point(|file| file.header.part < blob.part);
        Item {
            file: base + file,
            location: blob.location,
            size: blob.size,
            digest: blob.digest,
        }
    }

    /// This WIM's own files, then those of its references.
    pub(crate) fn files(&self) -> &[Arc<WimFile>] {
        &self.inner.files
    }

    /// The parts at hand, by number.
    pub(crate) fn own_files(&self) -> &[Arc<WimFile>] {
        self.inner.files.get(..self.inner.own).unwrap_or_default()
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.options.limits
    }

    /// What one operation may make.
    pub(crate) fn output_budget(&self) -> OutputBudget {
        OutputBudget::new(self.limits().output(stored_len(self.files())))
    }

    /// Refuses an encrypted file.
    pub(crate) fn check_readable(&self) -> Result<(), ReadError> {
        match self.unsupported() {
            Some(what) => Err(ReadError::Unsupported { what }),
            None => Ok(()),
        }
    }

    /// Puts `items` in the order in which they lie in their files.
    pub(crate) fn sort(&self, items: &mut [Item]) {
        items.sort_by_key(|item| (place(self.files(), item.file, &item.location), item.digest));
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
            return Err(ReadError::Budget {
                budget: Budget::Metadata,
                offset: resource.offset,
                needed: resource.size,
                limit,
            });
        }
        if resource.size == 0 {
            return Ok(Vec::new());
        }
        let item = Item {
            file: 0,
            location: BlobLocation::Plain(*resource),
            size: resource.size,
            digest: *digest,
        };
        let mut collect = Collect {
            bytes: Vec::with_capacity(room_for(resource.size)),
            result: Ok(()),
        };
        let workers = self.options().workers;
        let mut budget = OutputBudget::new(u64::MAX);
        let _ = read_items(
            self.files(),
            vec![item],
            false,
            workers,
            &mut budget,
            self.pool(),
            &mut collect,
        );
        collect.result.map(|()| collect.bytes)
    }
}

/// How much memory to ask for at once, for something that claims to have `size` bytes: all of it, but not on the word of a file
/// alone where it is much.
fn room_for(size: u64) -> usize {
    const MOST: u64 = 32 << 20;
    usize::try_from(size.min(MOST)).unwrap_or(0)
}

/// Keeps the bytes of the one item that is read.
struct Collect {
    bytes: Vec<u8>,
    result: Result<(), ReadError>,
}

impl Consumer for Collect {
    fn begin(&mut self, _: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        self.bytes.extend_from_slice(bytes);
        ControlFlow::Continue(())
    }

    fn end(&mut self, _: usize, result: Result<(), ReadError>) -> ControlFlow<()> {
        self.result = result;
        ControlFlow::Continue(())
    }

    fn progress(&mut self, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
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
            .field("header", self.header())
            .finish_non_exhaustive()
    }
}

/// Reads the header of one file; of a pipable file, the one at its end.
fn open_header(
    source: Box<dyn ReadAt>,
    warnings: &mut Warnings,
) -> Result<(Input, Header), OpenError> {
    let failed = |offset| {
        move |source: io::Error| OpenError::Io {
            what: "the header",
            offset,
            source,
        }
    };
    let file = Input::new(source).map_err(failed(0))?;
    let mut bytes = vec![0; as_usize(file.len()).min(HEADER_LEN)];
    file.read(0, &mut bytes).map_err(failed(0))?;
    if bytes.starts_with(&MAGIC_PIPABLE) && bytes.len() == HEADER_LEN {
        let at = file.len() - as_u64(HEADER_LEN);
        file.read(at, &mut bytes).map_err(failed(at))?;
        if !bytes.starts_with(&MAGIC_PIPABLE) {
            return Err(OpenError::Truncated {
                what: "the header at the end of a pipable WIM",
                offset: file.len(),
                size: as_u64(HEADER_LEN),
                len: file.len(),
            });
        }
    }
    let header = Header::parse(&bytes, file.len(), warnings)?;
    Ok((file, header))
}

fn no_files() -> OpenError {
    OpenError::Parts {
        number: 1,
        expected: "a file".to_owned(),
        found: "none".to_owned(),
    }
}

/// Checks that the files are different parts of one set.
fn check_set(files: &[(Input, Header)]) -> Result<(), OpenError> {
    let fault = |number: usize, expected: String, found: String| {
        Err(OpenError::Parts {
            number: number + 1,
            expected,
            found,
        })
    };
    let Some((_, first)) = files.first() else {
        return Err(no_files());
    };
    let mut seen = std::collections::BTreeSet::new();
    for (number, (_, header)) in files.iter().enumerate() {
        if header.guid != first.guid {
            let expected = format!("GUID {}, as in the first", first.guid);
            return fault(number, expected, header.guid.to_string());
        }
        if header.parts != first.parts || header.image_count != first.image_count {
            let of = |header: &Header| {
                format!("{} parts and {} images", header.parts, header.image_count)
            };
            return fault(
                number,
                format!("{}, as in the first", of(first)),
                of(header),
            );
        }
        if !seen.insert(header.part) {
            let found = format!("part {} again", header.part);
            return fault(number, "each part once".to_owned(), found);
        }
    }
    Ok(())
}

fn read_xml(
    reader: &mut ChunkReader,
    input: &Input,
    header: &Header,
    limits: &Limits,
    warnings: &mut Warnings,
) -> Result<XmlInfo, OpenError> {
    let what = "the XML data";
    let bytes = read_table(reader, input, header, what, &header.xml, limits.xml_bytes)?;
    XmlInfo::parse(&bytes, header.image_count, warnings).map_err(|source| OpenError::Xml {
        offset: header.xml.offset,
        source,
    })
}

/// Reads one of the file's own tables, of which the header check has seen that it is no larger than the file.
fn read_table(
    reader: &mut ChunkReader,
    input: &Input,
    header: &Header,
    what: &'static str,
    resource: &ResourceHeader,
    limit: u64,
) -> Result<Vec<u8>, OpenError> {
    if !input.holds(resource.offset, resource.stored_size) {
        return Err(OpenError::Truncated {
            what,
            offset: resource.offset,
            size: resource.stored_size,
            len: input.len(),
        });
    }
    let failed = |source| OpenError::Read { what, source };
    if resource.size > limit {
        return Err(failed(ReadError::Budget {
            budget: Budget::Xml,
            offset: resource.offset,
            needed: resource.size,
            limit,
        }));
    }
    let layout =
        layout_of(input, header, resource, Limits::default().chunk_bytes).map_err(failed)?;
    let mut buffer = Buffer::with_room(room_for(resource.size));
    let mut keep = Keep {
        buffer: &mut buffer,
        hash: None,
    };
    reader
        .read(input, &layout, 0, layout.chunks, &mut keep)
        .map_err(failed)?;
    Ok(buffer.into_bytes())
}
