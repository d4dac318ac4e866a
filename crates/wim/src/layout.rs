//! How the chunks of a resource lie in the file.
//!
//! ```text
//! compressed            chunk table: N-1 offsets | chunk 0 | chunk 1 | ...
//! compressed, pipable   u32 size | chunk 0 | u32 size | chunk 1 | ... | chunk table: N-1 offsets
//! solid                 u64 size | u32 chunk size | u32 algorithm | N u32 stored sizes | chunk 0 | chunk 1 | ...
//! not compressed        the bytes
//! ```
//!
//! N is the uncompressed size divided by the chunk size, rounded up. Offsets count from chunk 0, as if nothing lay between the
//! chunks; they are u32, or u64 if the uncompressed size is above 0xFFFF_FFFF. A chunk that takes as many bytes stored as
//! uncompressed is stored raw. Chunks know nothing of each other. Writers store a blob that does not shrink without the
//! compressed flag, and then without a table, also in a compressed file (DISM and wimlib both do); in a pipable file even such a
//! blob is in chunks. A solid resource names its own algorithm (0 none, 1 XPRESS, 2 LZX, 3 LZMS) and chunk size; no document
//! tells of it, wimlib 1.14.5 and 7-Zip 26.02 agree on it.

use std::io;

use crate::bytes::{u32_at, u64_at};
use crate::codec::Codec;
use crate::number::{as_u64, as_usize};
use crate::read_at::Input;
use crate::{Budget, Compression, ReadError, ResourceHeader};

/// Bytes of a resource that is not compressed which count as one chunk: they are hashed while they are still in the cache.
const PLAIN_CHUNK: u64 = 256 << 10;
/// Length of a solid resource before its chunk table.
const SOLID_HEADER: usize = 16;
/// Bytes before each chunk of a pipable file.
const PREFIX: u64 = 4;

/// The chunks of one resource.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Where the resource begins.
    pub(crate) offset: u64,
    /// Uncompressed bytes.
    pub(crate) size: u64,
    /// Uncompressed bytes of each chunk but the last.
    pub(crate) chunk_size: u64,
    /// How many chunks there are.
    pub(crate) chunks: u64,
    pub(crate) codec: Codec,
    form: Form,
    /// Where chunk 0 begins in the file, with what is before it.
    data: u64,
    /// Stored bytes of all chunks, without what is between them.
    data_len: u64,
}

#[derive(Debug)]
enum Form {
    Plain,
    Table {
        table: u64,
        entry_len: u64,
        prefix: u64,
    },
    Solid {
        ends: Vec<u64>,
    },
}

/// Some chunks in a row, and where they are in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) offset: u64,
    pub(crate) len: u64,
    /// Bytes before each chunk, which repeat its size.
    pub(crate) prefix: usize,
    /// Where the first chunk begins, counted as the ends are.
    pub(crate) start: u64,
}

impl Layout {
    /// The layout of a resource that a row of the lookup table, or the header, names.
    ///
    /// Every count in it is below the resource's stored size, which lies within the file.
    pub(crate) fn new(
        file: &Input,
        codec: Codec,
        pipable: bool,
        resource: &ResourceHeader,
        max_chunk: u64,
    ) -> Result<Self, ReadError> {
        let ResourceHeader {
            offset,
            size,
            stored_size,
            ..
        } = *resource;
        if !file.holds(offset, stored_size) {
            return Err(ReadError::OutOfFile {
                offset,
                size: stored_size,
                len: file.len(),
            });
        }
        if !resource.is_compressed() {
            if size != stored_size {
                let what = format!(
                    "expected equal sizes as it is not compressed, found {stored_size} stored and {size} uncompressed"
                );
                return Err(ReadError::Resource { offset, what });
            }
            return Ok(Self::plain(offset, size));
        }
        if codec.compression == Compression::None || codec.chunk_size == 0 {
            let what = "expected no compressed resource in an uncompressed file".to_owned();
            return Err(ReadError::Resource { offset, what });
        }
        let chunk_size = u64::from(codec.chunk_size);
        check_chunk_memory(offset, chunk_size.min(size), max_chunk)?;
        let chunks = size.div_ceil(chunk_size);
        let entry_len = if size > u64::from(u32::MAX) { 8 } else { 4 };
        let table_len = chunks.saturating_sub(1).saturating_mul(entry_len);
        let prefix = if pipable { PREFIX } else { 0 };
        let overhead = table_len.saturating_add(chunks.saturating_mul(prefix));
        // Every chunk takes a byte or more.
        let least = overhead.saturating_add(chunks);
        if least > stored_size {
            let what = format!(
                "expected at least {least} stored bytes for {chunks} chunks, found {stored_size}"
            );
            return Err(ReadError::Resource { offset, what });
        }
        let table = if pipable {
            resource.end() - table_len
        } else {
            offset
        };
        Ok(Self {
            offset,
            size,
            chunk_size,
            chunks,
            codec,
            form: Form::Table {
                table,
                entry_len,
                prefix,
            },
            data: if pipable { offset } else { offset + table_len },
            data_len: stored_size - overhead,
        })
    }

    /// Reads the header and the chunk table of a solid resource. Takes memory in proportion to its stored bytes.
    pub(crate) fn solid(
        file: &Input,
        resource: &ResourceHeader,
        max_chunk: u64,
    ) -> Result<Self, ReadError> {
        let ResourceHeader {
            offset,
            stored_size,
            ..
        } = *resource;
        let wrong = |what: String| ReadError::Resource { offset, what };
        if !file.holds(offset, stored_size) {
            return Err(ReadError::OutOfFile {
                offset,
                size: stored_size,
                len: file.len(),
            });
        }
        let mut header = [0; SOLID_HEADER];
        if stored_size < as_u64(SOLID_HEADER) {
            return Err(wrong(format!(
                "expected a solid resource of 16 bytes or more, found {stored_size}"
            )));
        }
        read(file, offset, offset, &mut header)?;
        let size = u64_at(&header, 0).unwrap_or(0);
        let chunk_size = u32_at(&header, 8).unwrap_or(0);
        let compression = match u32_at(&header, 12) {
            Some(0) => Compression::None,
            Some(1) => Compression::Xpress,
            Some(2) => Compression::Lzx,
            Some(3) => Compression::Lzms,
            other => {
                let found = other.unwrap_or(0);
                return Err(wrong(format!(
                    "expected an algorithm of 0 to 3 in a solid resource, found {found:#x}"
                )));
            }
        };
        let codec = Codec {
            compression,
            chunk_size,
        };
        let fault = match compression {
            Compression::None => (!chunk_size.is_power_of_two()).then_some("a power of two"),
            _ => codec.fault(),
        };
        if let Some(expected) = fault {
            return Err(ReadError::SolidChunkSize {
                offset,
                compression,
                expected,
                found: chunk_size,
            });
        }
        let chunk_size = u64::from(chunk_size);
        check_chunk_memory(offset, chunk_size.min(size), max_chunk)?;
        let chunks = size.div_ceil(chunk_size);
        let head = chunks
            .saturating_mul(4)
            .saturating_add(as_u64(SOLID_HEADER));
        let least = head.saturating_add(chunks);
        if least > stored_size {
            return Err(wrong(format!(
                "expected at least {least} stored bytes for {chunks} chunks, found {stored_size}"
            )));
        }
        let mut table = vec![0; as_usize(chunks.saturating_mul(4))];
        read(file, offset, offset + as_u64(SOLID_HEADER), &mut table)?;
        let mut end = 0_u64;
        let ends = table.as_chunks::<4>().0.iter().map(|entry| {
            end = end.saturating_add(u64::from(u32::from_le_bytes(*entry)));
            end
        });
        let ends: Vec<u64> = ends.collect();
        let data_len = stored_size - head;
        if end != data_len {
            return Err(ReadError::SolidChunks {
                offset,
                expected: data_len,
                found: end,
            });
        }
        Ok(Self {
            offset,
            size,
            chunk_size,
            chunks,
            codec,
            form: Form::Solid { ends },
            data: offset + head,
            data_len,
        })
    }

    fn plain(offset: u64, size: u64) -> Self {
        Self {
            offset,
            size,
            chunk_size: PLAIN_CHUNK,
            chunks: size.div_ceil(PLAIN_CHUNK),
            codec: Codec {
                compression: Compression::None,
                chunk_size: 0,
            },
            form: Form::Plain,
            data: offset,
            data_len: size,
        }
    }

    /// True if nothing is compressed, so that the bytes need not be looked at one chunk at a time.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.form, Form::Plain)
    }

    /// Uncompressed size of chunk `index`.
    pub(crate) fn chunk_len(&self, index: u64) -> u64 {
        let start = index.saturating_mul(self.chunk_size);
        self.chunk_size.min(self.size.saturating_sub(start))
    }

    /// Uncompressed size of `count` chunks from `first` on.
    pub(crate) fn chunks_len(&self, first: u64, count: u64) -> u64 {
        let start = first.saturating_mul(self.chunk_size);
        let len = count.saturating_mul(self.chunk_size);
        len.min(self.size.saturating_sub(start))
    }

    /// Finds `count` chunks from `first` on: where they lie together, and in `ends` where each of them ends.
    ///
    /// All sizes are checked: every chunk has 1 to its uncompressed size bytes, and lies within the resource.
    pub(crate) fn find(
        &self,
        file: &Input,
        first: u64,
        count: u64,
        scratch: &mut Vec<u8>,
        ends: &mut Vec<u64>,
    ) -> Result<Span, ReadError> {
        ends.clear();
        let (start, prefix) = match &self.form {
            Form::Plain => {
                let len = self.chunks_len(first, count);
                let start = first.saturating_mul(self.chunk_size);
                return Ok(Span {
                    offset: self.data.saturating_add(start),
                    len,
                    prefix: 0,
                    start,
                });
            }
            Form::Solid { ends: all } => {
                let end_of = |index: u64| all.get(as_usize(index)).copied();
                let start = first.checked_sub(1).and_then(end_of).unwrap_or(0);
                let last = first.saturating_add(count).min(self.chunks);
                ends.extend_from_slice(
                    all.get(as_usize(first)..as_usize(last)).unwrap_or_default(),
                );
                (start, 0)
            }
            Form::Table {
                table,
                entry_len,
                prefix,
            } => {
                // Entry k of the table, from 0, is the end of chunk k and the start of chunk k + 1; the last chunk has none.
                let from = first.saturating_sub(1);
                let to = first
                    .saturating_add(count)
                    .min(self.chunks.saturating_sub(1));
                scratch.resize(
                    as_usize(to.saturating_sub(from).saturating_mul(*entry_len)),
                    0,
                );
                if !scratch.is_empty() {
                    read(file, self.offset, table + from * entry_len, scratch)?;
                }
                let mut entries = scratch.chunks_exact(as_usize(*entry_len)).map(|entry| {
                    u64_at(entry, 0)
                        .or_else(|| u32_at(entry, 0).map(u64::from))
                        .unwrap_or(0)
                });
                let start = if first == 0 {
                    0
                } else {
                    entries.next().unwrap_or(0)
                };
                ends.extend(entries);
                if first.saturating_add(count) >= self.chunks {
                    ends.push(self.data_len);
                }
                (start, *prefix)
            }
        };
        let mut at = start;
        for (index, end) in (first..).zip(ends.iter()) {
            let max = self.chunk_len(index);
            match end.checked_sub(at) {
                Some(len) if (1..=max).contains(&len) && *end <= self.data_len => at = *end,
                _ => {
                    return Err(ReadError::ChunkSize {
                        offset: self.offset,
                        chunk: index,
                        max,
                        found: i128::from(*end) - i128::from(at),
                    });
                }
            }
        }
        Ok(Span {
            offset: self.data + start + first.saturating_mul(prefix),
            len: (at - start) + count.saturating_mul(prefix),
            prefix: as_usize(prefix),
            start,
        })
    }
}

/// Refuses chunks that take more memory than a worker may have.
fn check_chunk_memory(offset: u64, needed: u64, limit: u64) -> Result<(), ReadError> {
    if needed <= limit {
        return Ok(());
    }
    Err(ReadError::Budget {
        budget: Budget::ChunkMemory,
        offset,
        needed,
        limit,
    })
}

/// Fills `bytes` from `offset` on, as a part of the resource at `resource`.
pub(crate) fn read(
    file: &Input,
    resource: u64,
    offset: u64,
    bytes: &mut [u8],
) -> Result<(), ReadError> {
    file.read(offset, bytes)
        .map_err(|source: io::Error| ReadError::Io {
            resource,
            offset,
            source,
        })
}
