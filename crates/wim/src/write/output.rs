//! The output file: a position, and the digests of what was written.

use std::io::{Seek, SeekFrom, Write};

use sha1::{Digest as _, Sha1};
use wcow_tree::Digest;

use crate::header::HEADER_LEN;
use crate::integrity::FIXED_LEN;
use crate::number::as_u64;

use super::{IntegrityChoice, WriteError};

/// Size of a piece of the integrity table, as DISM and wimlib write it.
const PIECE: u64 = 10 << 20;
/// Zeros for bytes that no longer count.
const ZEROS: [u8; 4096] = [0; 4096];

/// SHA-1 of `bytes`.
pub(super) fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha1::digest(bytes).into())
}

/// A file that is written from front to back, except that a blob can be taken back.
pub(super) struct Output<'a, W> {
    inner: &'a mut W,
    position: u64,
    /// Up to where anything was ever written.
    written: u64,
    integrity: Option<Pieces>,
}

/// A place to go back to.
pub(super) struct Mark {
    position: u64,
    integrity: Option<Pieces>,
}

/// The digests of the file's pieces.
#[derive(Clone, Default)]
struct Pieces {
    done: Vec<u8>,
    hash: Sha1,
    filled: u64,
}

impl<'a, W: Write + Seek> Output<'a, W> {
    pub(super) fn new(inner: &'a mut W, integrity: IntegrityChoice) -> Result<Self, WriteError> {
        let integrity = (integrity == IntegrityChoice::Table).then(Pieces::default);
        let mut out = Self {
            inner,
            position: 0,
            written: 0,
            integrity,
        };
        out.seek(0)?;
        Ok(out)
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.inner
            .write_all(bytes)
            .map_err(|source| WriteError::Io {
                offset: self.position,
                source,
            })?;
        if let Some(pieces) = &mut self.integrity
            && self.position >= as_u64(HEADER_LEN)
        {
            pieces.update(bytes);
        }
        self.position += as_u64(bytes.len());
        self.written = self.written.max(self.position);
        Ok(())
    }

    /// A place that [`back_to`](Self::back_to) can go back to.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            position: self.position,
            integrity: self.integrity.clone(),
        }
    }

    /// Takes back what was written since `mark`.
    pub(super) fn back_to(&mut self, mark: Mark) -> Result<(), WriteError> {
        self.integrity = mark.integrity;
        self.seek(mark.position)
    }

    /// Makes sure that nothing lies behind what will be written: bytes that were taken back and not yet overwritten become zeros.
    pub(super) fn end_of_blobs(&mut self) -> Result<(), WriteError> {
        while self.position < self.written {
            let len = usize::try_from(self.written - self.position)
                .map_or(ZEROS.len(), |len| len.min(ZEROS.len()));
            self.write(ZEROS.get(..len).unwrap_or_default())?;
        }
        Ok(())
    }

    /// The integrity table over all that was written so far; later bytes are not covered.
    pub(super) fn take_integrity(&mut self) -> Option<Result<Vec<u8>, WriteError>> {
        Some(self.integrity.take()?.finish())
    }

    /// Puts the final header in its place.
    pub(super) fn finish(mut self, header: &[u8]) -> Result<(), WriteError> {
        self.seek(0)?;
        self.write(header)?;
        self.inner.flush().map_err(|source| WriteError::Io {
            offset: self.position,
            source,
        })
    }

    fn seek(&mut self, position: u64) -> Result<(), WriteError> {
        self.inner
            .seek(SeekFrom::Start(position))
            .map_err(|source| WriteError::Io {
                offset: position,
                source,
            })?;
        self.position = position;
        Ok(())
    }
}

impl Pieces {
    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = usize::try_from(PIECE - self.filled).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.hash.update(now);
            self.filled += as_u64(now.len());
            if self.filled == PIECE {
                self.end_piece();
            }
            bytes = later;
        }
    }

    fn end_piece(&mut self) {
        self.done.extend_from_slice(&self.hash.finalize_reset());
        self.filled = 0;
    }

    fn finish(mut self) -> Result<Vec<u8>, WriteError> {
        if self.filled > 0 {
            self.end_piece();
        }
        let count = self.done.len() / 20;
        let number = |value: usize| {
            u32::try_from(value).map_err(|_| WriteError::TooLarge {
                what: "an integrity table",
                found: as_u64(value),
            })
        };
        let mut table = Vec::with_capacity(FIXED_LEN + self.done.len());
        table.extend_from_slice(&number(FIXED_LEN + self.done.len())?.to_le_bytes());
        table.extend_from_slice(&number(count)?.to_le_bytes());
        table.extend_from_slice(&(10_u32 << 20).to_le_bytes());
        table.extend_from_slice(&self.done);
        Ok(table)
    }
}
