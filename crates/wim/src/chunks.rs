//! Reading chunks: stored bytes in, uncompressed bytes out, into memory or just into a hash.

use sha1::{Digest as _, Sha1};

use crate::ReadError;
use crate::codec::ChunkDecoder;
use crate::layout::{Layout, read};
use crate::number::{as_u64, as_usize};
use crate::read_at::Input;

/// Stored bytes that one read takes at most, as far as one chunk is not larger.
pub(crate) const READ_WINDOW: u64 = 1 << 20;

/// Where uncompressed bytes go, chunk by chunk.
pub(crate) trait Destination {
    /// Takes bytes that are in memory already.
    fn take(&mut self, bytes: &[u8]);

    /// Has `fill` make the next `len` bytes.
    fn make(
        &mut self,
        len: usize,
        fill: &mut dyn FnMut(&mut [u8]) -> Result<(), ReadError>,
    ) -> Result<(), ReadError>;
}

/// Bytes that grow at the end. Memory is kept when it is cleared, so that it is not zeroed again.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// One with room for `len` bytes. The memory is not touched before it is used.
    pub(crate) fn with_room(len: usize) -> Self {
        Self {
            bytes: vec![0; len],
            len: 0,
        }
    }

    /// Makes room for `len` bytes in one piece, if there are none yet.
    pub(crate) fn make_room(&mut self, len: usize) {
        if self.len == 0 && self.bytes.len() < len {
            self.bytes = Vec::new();
            self.bytes = vec![0; len];
        }
    }

    /// The bytes, for someone who keeps them.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }

    /// Forgets the bytes, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Cuts off what is behind the first `len` bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Takes away the first `len` bytes.
    pub(crate) fn drop_front(&mut self, len: usize) {
        let start = len.min(self.len);
        if start > 0 {
            self.bytes.copy_within(start..self.len, 0);
            self.len -= start;
        }
    }

    /// Makes the next `len` bytes without saying what they are.
    pub(crate) fn skip(&mut self, len: usize) {
        let _ = self.extend(len);
    }

    /// Memory that is held.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// The next `len` bytes, to be written to; they belong to the buffer from now on.
    fn extend(&mut self, len: usize) -> &mut [u8] {
        let end = self.len.saturating_add(len);
        if self.bytes.len() < end {
            if self.len == 0 {
                // Nothing to keep: fresh zeroed memory is not touched before it is used. A little more, for the next time.
                self.bytes = Vec::new();
                self.bytes = vec![0; end.saturating_add(end / 8)];
            } else {
                self.bytes.resize(end, 0);
            }
        }
        let start = std::mem::replace(&mut self.len, end);
        self.bytes.get_mut(start..end).unwrap_or_default()
    }
}

/// Keeps the bytes, and hashes them while they are in the cache.
pub(crate) struct Keep<'a> {
    pub(crate) buffer: &'a mut Buffer,
    pub(crate) hash: Option<&'a mut Sha1>,
}

impl Destination for Keep<'_> {
    fn take(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        self.buffer.extend(bytes.len()).copy_from_slice(bytes);
    }

    fn make(
        &mut self,
        len: usize,
        fill: &mut dyn FnMut(&mut [u8]) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let space = self.buffer.extend(len);
        fill(space)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&*space);
        }
        Ok(())
    }
}

/// Hashes the bytes, and keeps none.
pub(crate) struct Hash<'a> {
    pub(crate) scratch: &'a mut Buffer,
    pub(crate) hash: &'a mut Sha1,
}

impl Destination for Hash<'_> {
    fn take(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    fn make(
        &mut self,
        len: usize,
        fill: &mut dyn FnMut(&mut [u8]) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        self.scratch.clear();
        let space = self.scratch.extend(len);
        fill(space)?;
        self.hash.update(&*space);
        Ok(())
    }
}

/// Reads chunks one after the other, with buffers and decoders that are kept.
#[derive(Default)]
pub(crate) struct ChunkReader {
    input: Buffer,
    table: Vec<u8>,
    ends: Vec<u64>,
    decoder: ChunkDecoder,
    /// For [`Hash`].
    pub(crate) scratch: Buffer,
}

impl ChunkReader {
    /// Reads `count` chunks of a resource, from `first` on.
    pub(crate) fn read(
        &mut self,
        file: &Input,
        layout: &Layout,
        first: u64,
        count: u64,
        to: &mut dyn Destination,
    ) -> Result<(), ReadError> {
        let batch = (READ_WINDOW / layout.chunk_size).max(1);
        let end = first.saturating_add(count).min(layout.chunks);
        let mut at = first;
        while at < end {
            let count = batch.min(end - at);
            self.batch(file, layout, at, count, to)?;
            at += count;
        }
        Ok(())
    }

    /// Gives back memory that only a file with large chunks needs.
    pub(crate) fn shrink(&mut self) {
        for buffer in [&mut self.input, &mut self.scratch] {
            if as_u64(buffer.capacity()) > 4 * READ_WINDOW {
                *buffer = Buffer::default();
            }
        }
    }

    fn batch(
        &mut self,
        file: &Input,
        layout: &Layout,
        first: u64,
        count: u64,
        to: &mut dyn Destination,
    ) -> Result<(), ReadError> {
        let span = layout.find(file, first, count, &mut self.table, &mut self.ends)?;
        // Bytes that are stored as they are go where they belong in one step.
        let lone = count == 1 && span.prefix == 0 && span.len == layout.chunk_len(first);
        if layout.is_plain() || lone {
            let mut at = span.offset;
            for index in first..first.saturating_add(count) {
                let len = layout.chunk_len(index);
                to.make(as_usize(len), &mut |bytes| {
                    read(file, layout.offset, at, bytes)
                })?;
                at = at.saturating_add(len);
            }
            return Ok(());
        }
        self.input.clear();
        let input = self.input.extend(as_usize(span.len));
        read(file, layout.offset, span.offset, input)?;
        let mut rest = self.input.bytes();
        let mut start = span.start;
        for (index, end) in (first..).zip(&self.ends) {
            let stored_len = as_usize(end.saturating_sub(start));
            let torn = || ReadError::ChunkSize {
                offset: layout.offset,
                chunk: index,
                max: layout.chunk_len(index),
                found: i128::from(*end) - i128::from(start),
            };
            let (prefix, behind) = rest.split_at_checked(span.prefix).ok_or_else(torn)?;
            let (stored, behind) = behind.split_at_checked(stored_len).ok_or_else(torn)?;
            check_prefix(layout, index, prefix, stored_len)?;
            let len = as_usize(layout.chunk_len(index));
            if stored_len == len {
                to.take(stored);
            } else {
                let decoder = &mut self.decoder;
                to.make(len, &mut |output| {
                    decoder.decode(layout.codec, (layout.offset, index), stored, output)
                })?;
            }
            rest = behind;
            start = *end;
        }
        Ok(())
    }
}

/// The size before a chunk of a pipable file must be what the chunk table says.
fn check_prefix(
    layout: &Layout,
    chunk: u64,
    prefix: &[u8],
    stored_len: usize,
) -> Result<(), ReadError> {
    match prefix.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)) {
        Some(found) if u64::from(found) != as_u64(stored_len) => Err(ReadError::ChunkPrefix {
            offset: layout.offset,
            chunk,
            expected: as_u64(stored_len),
            found: found.into(),
        }),
        _ => Ok(()),
    }
}
