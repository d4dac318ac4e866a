//! Resources: pieces of the file that hold a blob, an image's metadata, or a table.
//!
//! A resource header is 24 bytes: 7 bytes stored size, 1 byte flags, u64 offset, u64 uncompressed size. A compressed resource is
//!
//! ```text
//! chunk table: N-1 offsets | chunk 0 | chunk 1 | ... | chunk N-1
//! ```
//!
//! where N is the uncompressed size divided by the chunk size, rounded up. Offsets count from the end of the table; they are
//! u32, or u64 if the uncompressed size is above 0xFFFF_FFFF. A chunk that takes as many bytes stored as uncompressed is stored
//! raw. Chunks know nothing of each other. Writers store a blob that does not shrink without the compressed flag, and then
//! without a table, also in a compressed file (DISM and wimlib both do).

use std::io;
use std::ops::ControlFlow;

use sha1::{Digest as _, Sha1};
use wcow_tree::Digest;

use crate::bytes::u64_at;
use crate::read_at::Input;
use crate::{Compression, ReadError, Unsupported};

/// Flag: an image's metadata, or one of the file's own tables.
pub(crate) const METADATA: u8 = 0x02;
/// Flag: compressed as the file header says.
pub(crate) const COMPRESSED: u8 = 0x04;
/// Flag: part of a solid run.
pub(crate) const SOLID: u8 = 0x10;

/// Bytes that one read takes at most, as far as one chunk is not larger.
const READ_WINDOW: usize = 1 << 20;
/// Bytes of a raw resource that pass at once: they are hashed while they are still in the cache.
const RAW_WINDOW: usize = 256 << 10;

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

/// How the compressed resources of a file are compressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codec {
    pub(crate) compression: Compression,
    pub(crate) chunk_size: u32,
}

/// Takes the bytes of a resource, and may ask to stop.
pub(crate) type Receiver<'a> = &'a mut dyn FnMut(&[u8]) -> ControlFlow<()>;

/// Reads resources, one after the other, with buffers and decoders that are kept.
#[derive(Default)]
pub(crate) struct ResourceReader {
    input: Vec<u8>,
    ends: Vec<u64>,
    chunks: ChunkDecoder,
}

impl ResourceReader {
    /// Sends the uncompressed bytes of `resource` to `receive` and returns their SHA-1.
    pub(crate) fn read(
        &mut self,
        file: &Input,
        codec: Codec,
        resource: &ResourceHeader,
        receive: Receiver<'_>,
    ) -> Result<Digest, ReadError> {
        let mut hash = Sha1::new();
        let mut receive = |bytes: &[u8]| {
            hash.update(bytes);
            match receive(bytes) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(ReadError::Stopped),
            }
        };
        if !file.holds(resource.offset, resource.stored_size) {
            return Err(ReadError::OutOfFile {
                offset: resource.offset,
                size: resource.stored_size,
                len: file.len(),
            });
        }
        if resource.is_compressed() {
            self.read_compressed(file, codec, resource, &mut receive)?;
        } else {
            self.read_raw(file, resource, &mut receive)?;
        }
        Ok(Digest(hash.finalize().into()))
    }

    fn read_raw(
        &mut self,
        file: &Input,
        resource: &ResourceHeader,
        receive: &mut impl FnMut(&[u8]) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        if resource.size != resource.stored_size {
            let (size, stored) = (resource.size, resource.stored_size);
            let what = format!(
                "expected equal sizes as it is not compressed, found {stored} stored and {size} uncompressed"
            );
            return Err(ReadError::Resource {
                offset: resource.offset,
                what,
            });
        }
        let mut done = 0;
        while done < resource.size {
            let len = window(resource.size - done, RAW_WINDOW);
            // `holds` has shown that the sum is within the file.
            self.fill(file, resource, resource.offset.saturating_add(done), len)?;
            receive(&self.input)?;
            done = done.saturating_add(as_u64(len));
        }
        Ok(())
    }

    fn read_compressed(
        &mut self,
        file: &Input,
        codec: Codec,
        resource: &ResourceHeader,
        receive: &mut impl FnMut(&[u8]) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        if resource.size == 0 {
            return Ok(());
        }
        let layout = Layout::new(codec, resource)?;
        self.chunks.prepare(codec, resource)?;
        if resource.stored_size <= as_u64(READ_WINDOW) {
            let (offset, len) = (resource.offset, window(resource.stored_size, READ_WINDOW));
            self.fill(file, resource, offset, len)?;
            let (table, data) = self
                .input
                .split_at_checked(layout.table_len(layout.chunks))
                .unwrap_or((&[], &self.input));
            layout.ends(table, 0, layout.chunks, &mut self.ends);
            return self.chunks.decode(&layout, 0, 0, data, &self.ends, receive);
        }
        let batch = (as_u64(READ_WINDOW) / layout.chunk_size).max(1);
        let (mut first, mut start) = (0, 0);
        while first < layout.chunks {
            let count = batch.min(layout.chunks - first);
            // Entry k of the table is the end of chunk k; the last chunk has none.
            let entries = count.min(layout.chunks - 1 - first);
            let at = resource
                .offset
                .saturating_add(first.saturating_mul(layout.entry_len));
            self.fill(file, resource, at, layout.entries_len(entries))?;
            layout.ends(&self.input, first, count, &mut self.ends);
            let end = layout.check(first, start, &self.ends)?;
            let at = layout.data.saturating_add(start);
            self.fill(file, resource, at, window(end - start, usize::MAX))?;
            self.chunks
                .decode(&layout, first, start, &self.input, &self.ends, receive)?;
            first += count;
            start = end;
        }
        Ok(())
    }

    fn fill(
        &mut self,
        file: &Input,
        resource: &ResourceHeader,
        offset: u64,
        len: usize,
    ) -> Result<(), ReadError> {
        self.input.resize(len, 0);
        file.read(offset, &mut self.input)
            .map_err(|source: io::Error| ReadError::Io {
                resource: resource.offset,
                offset,
                source,
            })
    }
}

/// The layout of one compressed resource.
struct Layout {
    offset: u64,
    /// Where chunk 0 begins in the file.
    data: u64,
    /// Stored bytes of all chunks.
    data_len: u64,
    size: u64,
    chunk_size: u64,
    chunks: u64,
    entry_len: u64,
}

impl Layout {
    fn new(codec: Codec, resource: &ResourceHeader) -> Result<Self, ReadError> {
        let offset = resource.offset;
        if codec.compression == Compression::None || codec.chunk_size == 0 {
            let what = "expected no compressed resource in an uncompressed file".to_owned();
            return Err(ReadError::Resource { offset, what });
        }
        let chunk_size = u64::from(codec.chunk_size);
        let chunks = resource.size.div_ceil(chunk_size);
        let entry_len = if resource.size > u64::from(u32::MAX) {
            8
        } else {
            4
        };
        let table_len = chunks.saturating_sub(1).saturating_mul(entry_len);
        // Every chunk takes a byte or more.
        if table_len.saturating_add(chunks) > resource.stored_size {
            let what = format!(
                "expected at least {} stored bytes for {chunks} chunks, found {}",
                table_len.saturating_add(chunks),
                resource.stored_size
            );
            return Err(ReadError::Resource { offset, what });
        }
        Ok(Self {
            offset,
            data: offset.saturating_add(table_len),
            data_len: resource.stored_size - table_len,
            size: resource.size,
            chunk_size,
            chunks,
            entry_len,
        })
    }

    /// Bytes of table that `count` entries take; the table is no larger than the file.
    fn entries_len(&self, count: u64) -> usize {
        usize::try_from(count.saturating_mul(self.entry_len)).unwrap_or(usize::MAX)
    }

    /// Bytes of the table of the first `chunks` chunks.
    fn table_len(&self, chunks: u64) -> usize {
        self.entries_len(chunks.saturating_sub(1))
    }

    /// Puts the ends of `count` chunks from `first` on into `ends`; `table` begins with the entry that ends `first`.
    fn ends(&self, table: &[u8], first: u64, count: u64, ends: &mut Vec<u64>) {
        ends.clear();
        if self.entry_len == 8 {
            ends.extend(
                table
                    .as_chunks::<8>()
                    .0
                    .iter()
                    .map(|entry| u64::from_le_bytes(*entry)),
            );
        } else {
            ends.extend(
                table
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|entry| u64::from(u32::from_le_bytes(*entry))),
            );
        }
        if first.saturating_add(count) == self.chunks {
            ends.push(self.data_len);
        }
    }

    /// Uncompressed size of chunk `index`.
    fn chunk_len(&self, index: u64) -> u64 {
        self.chunk_size.min(
            self.size
                .saturating_sub(index.saturating_mul(self.chunk_size)),
        )
    }

    /// Checks all sizes that follow from `ends` and returns where the last chunk ends.
    fn check(&self, first: u64, start: u64, ends: &[u64]) -> Result<u64, ReadError> {
        let mut at = start;
        for (index, end) in (first..).zip(ends) {
            self.stored_len(index, at, *end)?;
            at = *end;
        }
        Ok(at)
    }

    /// Stored size of chunk `index`, from `start` to `end`.
    fn stored_len(&self, index: u64, start: u64, end: u64) -> Result<u64, ReadError> {
        let max = self.chunk_len(index);
        match end.checked_sub(start) {
            Some(len) if (1..=max).contains(&len) && end <= self.data_len => Ok(len),
            _ => {
                let found = i128::from(end) - i128::from(start);
                Err(ReadError::ChunkSize {
                    offset: self.offset,
                    chunk: index,
                    max,
                    found,
                })
            }
        }
    }
}

/// Decoders for the chunks of a file, made when first needed.
#[derive(Default)]
struct ChunkDecoder {
    output: Vec<u8>,
    decoder: Option<Decoder>,
}

enum Decoder {
    Xpress(wcow_xpress::Decoder),
    Lzx {
        chunk_size: u32,
        decoder: Box<wcow_lzx::Decoder>,
    },
}

impl ChunkDecoder {
    /// Makes the decoder for `codec`, unless it is there.
    fn prepare(&mut self, codec: Codec, resource: &ResourceHeader) -> Result<(), ReadError> {
        let fits = match (&self.decoder, codec.compression) {
            (Some(Decoder::Xpress(_)), Compression::Xpress) => true,
            (Some(Decoder::Lzx { chunk_size, .. }), Compression::Lzx) => {
                *chunk_size == codec.chunk_size
            }
            _ => false,
        };
        if fits {
            return Ok(());
        }
        self.decoder = Some(match codec.compression {
            Compression::Xpress => Decoder::Xpress(wcow_xpress::Decoder::new()),
            Compression::Lzx => {
                let window = window_size(codec.chunk_size, resource.offset)?;
                Decoder::Lzx {
                    chunk_size: codec.chunk_size,
                    decoder: Box::new(wcow_lzx::Decoder::new(window)),
                }
            }
            Compression::Lzms => {
                return Err(ReadError::Unsupported {
                    what: Unsupported::Lzms,
                });
            }
            Compression::None => {
                let what = "expected no compressed resource in an uncompressed file".to_owned();
                return Err(ReadError::Resource {
                    offset: resource.offset,
                    what,
                });
            }
        });
        Ok(())
    }

    /// Decodes the chunks from `first` on; `data` begins with the first of them, which begins at `start` after the table.
    fn decode(
        &mut self,
        layout: &Layout,
        first: u64,
        start: u64,
        data: &[u8],
        ends: &[u64],
        receive: &mut impl FnMut(&[u8]) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut at = start;
        let mut rest = data;
        for (index, end) in (first..).zip(ends) {
            let stored_len = window(layout.stored_len(index, at, *end)?, usize::MAX);
            let len = window(layout.chunk_len(index), usize::MAX);
            let Some((stored, behind)) = rest.split_at_checked(stored_len) else {
                let found = i128::from(*end) - i128::from(at);
                return Err(ReadError::ChunkSize {
                    offset: layout.offset,
                    chunk: index,
                    max: as_u64(rest.len()),
                    found,
                });
            };
            if stored_len == len {
                receive(stored)?;
            } else {
                receive(self.decompress(layout, index, stored, len)?)?;
            }
            rest = behind;
            at = *end;
        }
        Ok(())
    }

    fn decompress(
        &mut self,
        layout: &Layout,
        chunk: u64,
        stored: &[u8],
        len: usize,
    ) -> Result<&[u8], ReadError> {
        if self.output.len() < len {
            self.output.resize(len, 0);
        }
        let output = self.output.get_mut(..len).unwrap_or_default();
        let result = match &mut self.decoder {
            Some(Decoder::Xpress(decoder)) => decoder.decode(stored, output).map_err(Into::into),
            Some(Decoder::Lzx { decoder, .. }) => {
                decoder.decode(stored, output).map_err(Into::into)
            }
            None => Err("no decoder was prepared".into()),
        };
        match result {
            Ok(()) => Ok(output),
            Err(source) => Err(ReadError::Chunk {
                offset: layout.offset,
                chunk,
                source,
            }),
        }
    }
}

fn window_size(chunk_size: u32, offset: u64) -> Result<wcow_lzx::WindowSize, ReadError> {
    wcow_lzx::WindowSize::from_chunk_size(chunk_size).ok_or_else(|| ReadError::Resource {
        offset,
        what: format!("expected a chunk size that LZX has, found {chunk_size}"),
    })
}

/// `value`, but no more than `max`.
fn window(value: u64, max: usize) -> usize {
    usize::try_from(value).map_or(max, |value| value.min(max))
}

/// A length in memory as a number of bytes; `usize` is never wider than 64 bits here.
pub(crate) fn as_u64(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
