//! A WIM file taken apart into its structures, and put together again with every offset and size right.

use std::ops::Range;

use super::format::{
    BLOB_HEADER, BLOB_MAGIC, Chunk, HEADER, MAGIC, MAGIC_PIPABLE, RESOURCE, ROW, Resource,
    SOLID_HEADER, SOLID_MARK, Shape, at, chunks, flag, unpack,
};
use super::repair::blank_integrity;
use crate::codecs::Codec;
use crate::field::{number, set, size, wide};

/// Rows that are taken over at most.
const MOST_ROWS: usize = 512;

/// A file in parts.
#[derive(Clone, Debug)]
pub(crate) struct Loose {
    /// The header, of which places and sizes are made anew.
    pub(crate) header: Vec<u8>,
    pub(crate) pipable: bool,
    pub(crate) rows: Vec<Row>,
    pub(crate) xml: Vec<u8>,
    /// Bytes of a piece, if there is an integrity table.
    pub(crate) integrity: Option<usize>,
}

/// A row of the lookup table, and what it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) bytes: [u8; ROW],
    pub(crate) body: Body,
}

/// What a row stands for.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Nothing of its own: a blob in a solid resource, or bytes that are not in the file. The row stays as it is.
    Elsewhere,
    /// The resource of an earlier row.
    Shared(usize),
    /// Bytes as they are.
    Plain(Vec<u8>),
    /// Bytes of a resource that could not be taken apart: its flags and its size stay as they are.
    Opaque(Vec<u8>),
    /// Chunks, each with its stored bytes.
    Chunked { size: usize, chunks: Vec<Vec<u8>> },
    /// A solid resource.
    Solid {
        size: u64,
        chunk_size: u64,
        algorithm: u64,
        chunks: Vec<Vec<u8>>,
    },
}

/// What a part of a file is, for mutators that change fields of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Header,
    Row,
    ChunkTable,
    ChunkPrefix,
    Solid,
    BlobHeader,
    Integrity,
    Metadata,
    Data,
    Xml,
}

/// A part of a file.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
}

/// A file, and where its structures are.
pub(crate) struct Built {
    pub(crate) file: Vec<u8>,
    pub(crate) spans: Vec<Span>,
}

impl Row {
    pub(crate) fn resource(&self) -> Resource {
        Resource::read(&self.bytes, 0).unwrap_or_default()
    }

    pub(crate) fn set_resource(&mut self, resource: &Resource) {
        if let Some(place) = self.bytes.get_mut(..RESOURCE) {
            place.copy_from_slice(&resource.bytes());
        }
    }

    pub(crate) fn is_metadata(&self) -> bool {
        let resource = self.resource();
        resource.is(flag::METADATA) && !resource.is(flag::SOLID)
    }

    /// A row of part 1 for a resource with these flags.
    pub(crate) fn new(flags: u64, body: Body) -> Self {
        let mut row = Self {
            bytes: [0; ROW],
            body,
        };
        row.set_resource(&Resource {
            flags,
            ..Resource::default()
        });
        set(&mut row.bytes, 24, 2, 1);
        set(&mut row.bytes, 26, 4, 1);
        // Whatever it is, `repair` makes it right; but a row with zeros stands for nothing.
        set(&mut row.bytes, 30, 8, 1);
        row
    }
}

impl Loose {
    /// Takes a file apart; `None` if there is no header, or no lookup table to be found.
    pub(crate) fn read(file: &[u8]) -> Option<Self> {
        let shape = Shape::read(file)?;
        let header = file.get(shape.header..shape.header + HEADER)?.to_vec();
        let table = shape.table(file)?;
        let mut rows: Vec<Row> = Vec::new();
        let mut places: Vec<Range<usize>> = Vec::new();
        for start in table.clone().step_by(ROW).take(MOST_ROWS) {
            let Some(bytes) = file
                .get(start..start + ROW)
                .filter(|_| start + ROW <= table.end)
                .and_then(|bytes| <[u8; ROW]>::try_from(bytes).ok())
            else {
                break;
            };
            let mut row = Row {
                bytes,
                body: Body::Elsewhere,
            };
            let resource = row.resource();
            let place = resource.range(file).unwrap_or_default();
            row.body = match places
                .iter()
                .position(|other| *other == place && !other.is_empty())
            {
                Some(first) => Body::Shared(first),
                None => body(file, shape, &resource),
            };
            rows.push(row);
            places.push(place);
        }
        let part = |place| {
            let resource = Resource::read(file, shape.header + place)?;
            if resource.is(flag::COMPRESSED | flag::SOLID) {
                unpack(file, shape, &resource)
            } else {
                file.get(resource.range(file)?).map(<[u8]>::to_vec)
            }
        };
        let integrity = part(at::INTEGRITY).and_then(|table| size(&table, 8, 4));
        Some(Self {
            header,
            pipable: shape.pipable,
            rows,
            xml: part(at::XML).unwrap_or_default(),
            integrity: integrity.filter(|piece| *piece > 0),
        })
    }

    pub(crate) fn codec(&self) -> Option<Codec> {
        number(&self.header, at::FLAGS, 4).and_then(Codec::of_flags)
    }

    pub(crate) fn chunk_size(&self) -> usize {
        size(&self.header, at::CHUNK_SIZE, 4).unwrap_or(0)
    }

    /// The uncompressed bytes of a row, if they can be had.
    pub(crate) fn bytes_of(&self, row: usize) -> Option<Vec<u8>> {
        let row = self.rows.get(row)?;
        match &row.body {
            Body::Plain(bytes) => Some(bytes.clone()),
            Body::Shared(first) => self
                .rows
                .get(*first)
                .filter(|first| matches!(first.body, Body::Plain(_)))
                .and_then(|_| self.bytes_of(*first)),
            Body::Chunked { size, chunks } => {
                let (codec, chunk_size) = (self.codec()?, self.chunk_size());
                let mut bytes = Vec::new();
                for chunk in chunks {
                    let len = chunk_size.min(size.checked_sub(bytes.len())?);
                    if chunk.len() == len {
                        bytes.extend(chunk);
                        continue;
                    }
                    let start = bytes.len();
                    bytes.resize(start + len, 0);
                    codec.decode(chunk_size, chunk, bytes.get_mut(start..)?)?;
                }
                Some(bytes)
            }
            Body::Elsewhere | Body::Opaque(_) | Body::Solid { .. } => None,
        }
    }

    /// Puts the file together: payloads in the order of their rows, lookup table, XML data, integrity table.
    pub(crate) fn build(&self) -> Built {
        let mut built = Built {
            file: vec![0; HEADER],
            spans: Vec::new(),
        };
        let mut header = self.header.clone();
        header.resize(HEADER, 0);
        let magic = if self.pipable { MAGIC_PIPABLE } else { MAGIC };
        if let Some(place) = header.get_mut(..8) {
            place.copy_from_slice(magic);
        }
        let own = Resource {
            flags: flag::METADATA,
            ..Resource::default()
        };
        if self.pipable {
            built.payload(self, &Body::Plain(self.xml.clone()), &own, Kind::Xml);
        }
        let mut placed: Vec<Resource> = Vec::new();
        let mut rows = Vec::new();
        for row in &self.rows {
            let mut row = row.clone();
            let resource = row.resource();
            let kind = if row.is_metadata() {
                Kind::Metadata
            } else {
                Kind::Data
            };
            let resource = match &row.body {
                Body::Elsewhere => resource,
                Body::Shared(first) => placed.get(*first).map_or(resource, |first| Resource {
                    flags: resource.flags,
                    ..*first
                }),
                body => built.payload(self, body, &resource, kind),
            };
            row.set_resource(&resource);
            placed.push(resource);
            rows.push(row);
        }
        let boot = rows
            .iter()
            .zip(&placed)
            .find(|(row, _)| row.is_metadata())
            .map(|(_, resource)| resource);
        // The boot image's copy stays a copy, as long as it was one.
        if let Some(boot) = boot.filter(|_| number(&header, 0x78, 4) == Some(1)) {
            copy(&mut header, at::BOOT, &boot.bytes());
        }
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.bytes).collect();
        let table = built.payload(self, &Body::Plain(bytes), &own, Kind::Row);
        copy(&mut header, at::TABLE, &table.bytes());
        let xml = built.payload(self, &Body::Plain(self.xml.clone()), &own, Kind::Xml);
        copy(&mut header, at::XML, &xml.bytes());
        let mut integrity = Resource::default();
        if let Some(piece) = self.integrity {
            let covered = wide(HEADER)..table.offset.saturating_add(table.stored);
            let covered = usize::try_from(covered.end - covered.start).unwrap_or(0);
            let bytes = blank_integrity(covered, piece.max(covered / 256));
            integrity = built.raw(&bytes, Kind::Integrity);
        }
        copy(&mut header, at::INTEGRITY, &integrity.bytes());
        built.header(header, self.pipable);
        built
    }
}

impl Built {
    /// The header at the front and, in a pipable file, at the end, where it is the one that counts.
    fn header(&mut self, mut header: Vec<u8>, pipable: bool) {
        if pipable {
            let start = self.file.len();
            self.file.extend(&header);
            self.spans.push(Span {
                kind: Kind::Header,
                range: start..start + HEADER,
            });
            for place in [at::TABLE, at::XML, at::BOOT, at::INTEGRITY] {
                copy(&mut header, place, &[0; RESOURCE]);
            }
        } else {
            self.spans.push(Span {
                kind: Kind::Header,
                range: 0..HEADER,
            });
        }
        copy(&mut self.file, 0, &header);
    }

    fn raw(&mut self, bytes: &[u8], kind: Kind) -> Resource {
        let start = self.file.len();
        self.file.extend(bytes);
        self.spans.push(Span {
            kind,
            range: start..self.file.len(),
        });
        Resource {
            stored: wide(bytes.len()),
            flags: 0,
            offset: wide(start),
            size: wide(bytes.len()),
        }
    }

    /// Writes a payload, in a pipable file with the header before it.
    fn payload(&mut self, loose: &Loose, body: &Body, old: &Resource, kind: Kind) -> Resource {
        let header = self.file.len();
        if loose.pipable {
            self.raw(&[0; BLOB_HEADER], Kind::BlobHeader);
        }
        let start = self.file.len();
        let mut resource = Resource {
            offset: wide(start),
            ..*old
        };
        match body {
            Body::Elsewhere | Body::Shared(_) => {}
            Body::Opaque(bytes) => {
                self.raw(bytes, kind);
            }
            Body::Plain(bytes) => {
                // Rows one by one, for the mutators.
                let step = if kind == Kind::Row { ROW } else { usize::MAX };
                for piece in bytes.chunks(step) {
                    self.raw(piece, kind);
                }
                resource.flags &= !(flag::COMPRESSED | flag::SOLID);
                resource.size = wide(bytes.len());
            }
            Body::Chunked { size, chunks } => {
                resource.flags |= flag::COMPRESSED;
                resource.flags &= !flag::SOLID;
                resource.size = wide(*size);
                let table = chunk_table(chunks);
                if !loose.pipable {
                    self.raw(&table, Kind::ChunkTable);
                }
                for chunk in chunks {
                    if loose.pipable {
                        self.raw(
                            &u32::try_from(chunk.len()).unwrap_or(0).to_le_bytes(),
                            Kind::ChunkPrefix,
                        );
                    }
                    self.raw(chunk, kind);
                }
                if loose.pipable {
                    self.raw(&table, Kind::ChunkTable);
                }
            }
            Body::Solid {
                size,
                chunk_size,
                algorithm,
                chunks,
            } => {
                resource.flags = flag::SOLID;
                resource.size = SOLID_MARK;
                let mut head = vec![0; SOLID_HEADER + 4 * chunks.len()];
                set(&mut head, 0, 8, *size);
                set(&mut head, 8, 4, *chunk_size);
                set(&mut head, 12, 4, *algorithm);
                for (index, chunk) in chunks.iter().enumerate() {
                    set(&mut head, SOLID_HEADER + 4 * index, 4, wide(chunk.len()));
                }
                self.raw(&head, Kind::Solid);
                for chunk in chunks {
                    self.raw(chunk, Kind::Data);
                }
            }
        }
        resource.stored = wide(self.file.len() - start);
        if loose.pipable {
            set(&mut self.file, header, 8, BLOB_MAGIC);
            set(&mut self.file, header + 8, 8, resource.size);
            set(&mut self.file, header + 36, 4, resource.flags);
        }
        resource
    }
}

fn chunk_table(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut end = 0;
    let ends = chunks.iter().map(|chunk| {
        end += chunk.len();
        u32::try_from(end).unwrap_or(u32::MAX).to_le_bytes()
    });
    let count = chunks.len().saturating_sub(1);
    ends.take(count).flatten().collect()
}

fn body(file: &[u8], shape: Shape, resource: &Resource) -> Body {
    let Some(range) = resource.range(file) else {
        return Body::Elsewhere;
    };
    let stored = |chunks: Vec<Chunk>| {
        let stored = |chunk: Chunk| file.get(chunk.stored).unwrap_or_default().to_vec();
        chunks.into_iter().map(stored).collect()
    };
    let bytes = file.get(range.clone()).unwrap_or_default().to_vec();
    let opaque = Body::Opaque(bytes.clone());
    if resource.is(flag::SOLID) && shape.solid {
        if resource.size != SOLID_MARK {
            return Body::Elsewhere;
        }
        let field = |at, len| number(file, range.start + at, len).unwrap_or(0);
        return match chunks(file, shape, resource) {
            Some(list) => Body::Solid {
                size: field(0, 8),
                chunk_size: field(8, 4),
                algorithm: field(12, 4),
                chunks: stored(list),
            },
            None => opaque,
        };
    }
    if !resource.is(flag::COMPRESSED) {
        return Body::Plain(bytes);
    }
    match chunks(file, shape, resource) {
        Some(list) => Body::Chunked {
            size: usize::try_from(resource.size).unwrap_or(0),
            chunks: stored(list),
        },
        None => opaque,
    }
}

fn copy(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at.saturating_add(value.len())) {
        place.copy_from_slice(value);
    }
}
