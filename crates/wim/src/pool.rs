//! Readers that are not in use, with their buffers and decoders, and a buffer for what is read.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use crate::chunks::{Buffer, ChunkReader, READ_WINDOW};
use crate::number::as_u64;

/// Readers that are not in use: an operation takes as many as it has workers, and gives them back.
#[derive(Default)]
pub(crate) struct Pool {
    readers: Mutex<Vec<ChunkReader>>,
    buffer: Mutex<Buffer>,
}

/// A reader that goes back to its pool.
pub(crate) struct Pooled<'a> {
    pool: &'a Pool,
    reader: ChunkReader,
}

impl Pool {
    /// A reader, used before if there is one, until the end of the scope.
    pub(crate) fn reader(&self) -> Pooled<'_> {
        Pooled {
            pool: self,
            reader: self.take(),
        }
    }

    /// A reader, used before if there is one.
    pub(crate) fn take(&self) -> ChunkReader {
        let used = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        used.unwrap_or_default()
    }

    /// Takes a reader back.
    pub(crate) fn give(&self, mut reader: ChunkReader) {
        reader.shrink();
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.push(reader);
    }

    /// A buffer for what is read: the one that was given back last, if nobody has it.
    pub(crate) fn buffer(&self) -> Buffer {
        std::mem::take(&mut self.buffer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a buffer back: one is kept, unless it is large.
    pub(crate) fn give_buffer(&self, buffer: Buffer) {
        if as_u64(buffer.capacity()) <= READ_WINDOW {
            *self.buffer.lock().unwrap_or_else(PoisonError::into_inner) = buffer;
        }
    }
}

impl Deref for Pooled<'_> {
    type Target = ChunkReader;

    fn deref(&self) -> &ChunkReader {
        &self.reader
    }
}

impl DerefMut for Pooled<'_> {
    fn deref_mut(&mut self) -> &mut ChunkReader {
        &mut self.reader
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.reader));
    }
}
