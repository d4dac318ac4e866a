//! One blob as something to read and to seek in.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::sync::Arc;

use sha1::{Digest as _, Sha1};
use wcow_tree::Digest;

use crate::chunks::{Buffer, ChunkReader, Keep};
use crate::file::{SolidRun, WimFile};
use crate::layout::Layout;
use crate::number::{as_u64, as_usize};
use crate::plan::Item;
use crate::{BlobLocation, ReadError, Wim};

/// Uncompressed bytes that are made at once, as far as one chunk is not larger.
const AHEAD: u64 = 256 << 10;

/// Reads a blob, from its start or from anywhere: only the chunks that are asked for are decoded.
///
/// The SHA-1 of a blob is known when all of it was read. A reader that has passed over every byte, in order, checks it before
/// it gives the last of them, and fails if it is another one; a reader that has left out a part cannot.
///
/// The errors of [`Read`] have a [`ReadError`] within them.
pub struct BlobReader {
    wim: Wim,
    file: Arc<WimFile>,
    item: Item,
    source: Source,
    reader: ChunkReader,
    position: u64,
    /// Bytes of the blob from `buffered` on.
    buffer: Buffer,
    buffered: u64,
    /// SHA-1 of the first `hashed` bytes.
    hash: Sha1,
    hashed: u64,
}

enum Source {
    Plain(Layout),
    /// A run, and where the blob begins in it.
    Solid(Arc<SolidRun>, u64),
}

impl BlobReader {
    pub(crate) fn new(wim: Wim, file: Arc<WimFile>, item: Item) -> Result<Self, ReadError> {
        let (source, offset) = match item.location {
            BlobLocation::Plain(resource) => {
                (Source::Plain(file.layout(&resource)?), resource.offset)
            }
            BlobLocation::Solid { run, offset } => {
                let run_offset = file.run_offset(run);
                let run = file.solid_run(run)?;
                if offset.saturating_add(item.size) > run.size {
                    let end = offset.saturating_add(item.size);
                    return Err(ReadError::Resource {
                        offset: run_offset,
                        what: format!(
                            "expected blob {} within its {} bytes, found it at {offset} to {end}",
                            item.digest, run.size
                        ),
                    });
                }
                (Source::Solid(run, offset), run_offset)
            }
        };
        wim.output_budget().take(item.size, offset)?;
        Ok(Self {
            reader: wim.pool().take(),
            wim,
            file,
            item,
            source,
            position: 0,
            buffer: Buffer::default(),
            buffered: 0,
            hash: Sha1::new(),
            hashed: 0,
        })
    }

    /// How many bytes the blob has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.item.size
    }

    /// True if the blob has no bytes; there is none such in a sound file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The blob's SHA-1, as the lookup table has it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.item.digest
    }

    /// The WIM it is read for.
    #[must_use]
    pub fn wim(&self) -> &Wim {
        &self.wim
    }

    /// Sends all that is behind the position to `receive`.
    pub(crate) fn send(
        &mut self,
        receive: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        loop {
            let bytes = self.available()?;
            if bytes.is_empty() {
                return Ok(());
            }
            let len = as_u64(bytes.len());
            if receive(bytes).is_break() {
                return Err(ReadError::Stopped);
            }
            self.position = self.position.saturating_add(len);
        }
    }

    /// The bytes at the position, as many as are decoded; none only at the end.
    fn available(&mut self) -> Result<&[u8], ReadError> {
        if self.position >= self.item.size {
            return Ok(&[]);
        }
        let within = self.position.checked_sub(self.buffered);
        if within.is_none_or(|at| at >= as_u64(self.buffer.len())) {
            self.fill()?;
        }
        let at = self.position.saturating_sub(self.buffered);
        Ok(self.buffer.bytes().get(as_usize(at)..).unwrap_or_default())
    }

    /// Decodes the chunks at the position.
    fn fill(&mut self) -> Result<(), ReadError> {
        self.buffer.clear();
        let (layout, start, offset) = match &self.source {
            Source::Plain(layout) => (layout, 0, 0),
            Source::Solid(run, offset) => {
                let position = offset.saturating_add(self.position);
                let found = run
                    .resource_at(position)
                    .and_then(|index| run.resources.get(index));
                let Some((start, layout)) = found else {
                    return Err(ReadError::Missing {
                        digest: self.item.digest,
                    });
                };
                (layout, *start, *offset)
            }
        };
        // All three count in the run, or in the blob's own resource.
        let position = offset.saturating_add(self.position);
        let blob_end = offset.saturating_add(self.item.size);
        let first = position.saturating_sub(start) / layout.chunk_size;
        let wanted = blob_end
            .saturating_sub(start)
            .div_ceil(layout.chunk_size)
            .min(layout.chunks);
        let count = (AHEAD / layout.chunk_size)
            .max(1)
            .min(wanted.saturating_sub(first));
        let mut keep = Keep {
            buffer: &mut self.buffer,
            hash: None,
        };
        let read = self
            .reader
            .read(&self.file.input, layout, first, count, &mut keep);
        if let Err(error) = read {
            self.buffer.clear();
            return Err(error);
        }
        let begin = start.saturating_add(first.saturating_mul(layout.chunk_size));
        let end = begin
            .saturating_add(as_u64(self.buffer.len()))
            .min(blob_end);
        // In a solid resource, the first chunk may begin before the blob, and the last one go on behind it.
        let skip = offset.saturating_sub(begin);
        self.buffer.truncate(as_usize(end.saturating_sub(begin)));
        self.buffer.drop_front(as_usize(skip));
        self.buffered = begin.saturating_add(skip).saturating_sub(offset);
        self.check()
    }

    /// Hashes what is new, and checks the hash behind the last byte.
    fn check(&mut self) -> Result<(), ReadError> {
        let Some(known) = self.hashed.checked_sub(self.buffered) else {
            return Ok(());
        };
        let new = self
            .buffer
            .bytes()
            .get(as_usize(known)..)
            .unwrap_or_default();
        if new.is_empty() {
            return Ok(());
        }
        let hashed = self.hashed.saturating_add(as_u64(new.len()));
        let mut hash = self.hash.clone();
        hash.update(new);
        let found = (hashed >= self.item.size).then(|| Digest(hash.clone().finalize().into()));
        let Some(found) = found.filter(|found| *found != self.item.digest) else {
            self.hash = hash;
            self.hashed = hashed;
            return Ok(());
        };
        // What was hashed before is kept, so that another try fails as well.
        self.buffer.clear();
        Err(ReadError::Digest {
            offset: match self.item.location {
                BlobLocation::Plain(resource) => resource.offset,
                BlobLocation::Solid { offset, .. } => offset,
            },
            expected: self.item.digest,
            found,
        })
    }
}

impl Drop for BlobReader {
    fn drop(&mut self) {
        self.wim.pool().give(std::mem::take(&mut self.reader));
    }
}

impl Read for BlobReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let bytes = self.available().map_err(into_io)?;
        let len = bytes.len().min(buf.len());
        let (Some(from), Some(to)) = (bytes.get(..len), buf.get_mut(..len)) else {
            return Ok(0);
        };
        to.copy_from_slice(from);
        self.position = self.position.saturating_add(as_u64(len));
        Ok(len)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(distance) => self.item.size.checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        self.position = target.ok_or_else(|| {
            let what = "expected a position at or behind the start of the blob";
            io::Error::new(io::ErrorKind::InvalidInput, what)
        })?;
        Ok(self.position)
    }
}

impl std::fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobReader")
            .field("digest", &self.item.digest)
            .field("len", &self.item.size)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

fn into_io(error: ReadError) -> io::Error {
    let kind = match &error {
        ReadError::Io { source, .. } => source.kind(),
        ReadError::Missing { .. } | ReadError::MissingPart { .. } => io::ErrorKind::NotFound,
        ReadError::Unsupported { .. } => io::ErrorKind::Unsupported,
        _ => io::ErrorKind::InvalidData,
    };
    io::Error::new(kind, error)
}
