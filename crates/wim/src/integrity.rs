//! The integrity table: SHA-1 of the file's raw bytes, piece by piece.
//!
//! u32 size of the table, u32 number of entries, u32 piece size, then the digests. Covered is everything from the end of the
//! header to the end of the lookup table; the header, the XML data and the table itself are not.

use std::io;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use sha1::{Digest as _, Sha1};
use wcow_tree::Digest;

use crate::bytes::u32_at;
use crate::header::HEADER_LEN;
use crate::number::{as_u64, as_usize};
use crate::ordered;
use crate::read_at::Input;
use crate::{Header, IntegritySummary};

/// Bytes that are read and hashed at once.
const WINDOW: usize = 256 << 10;
/// Length of the table before its digests.
pub(crate) const FIXED_LEN: usize = 12;

/// Why an integrity table does not vouch for its file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntegrityError {
    /// The file system failed.
    #[error("the file could not be read at offset {offset:#x}")]
    Io {
        /// Where reading failed.
        offset: u64,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// The table contradicts itself, or the file.
    #[error(
        "the integrity table at offset {offset:#x}: expected {expected} as {field}, found {found}"
    )]
    Table {
        /// Where the table begins.
        offset: u64,
        /// The field.
        field: &'static str,
        /// What it had to be.
        expected: u64,
        /// What it is.
        found: u64,
    },
    /// A piece of the file has changed.
    #[error("bytes {start:#x} to {end:#x}: expected SHA-1 {expected}, found {found}")]
    Piece {
        /// First byte of the piece.
        start: u64,
        /// The byte behind its last one.
        end: u64,
        /// The digest in the table.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
}

/// A table whose counts fit the file.
pub(crate) struct IntegrityTable {
    piece: u64,
    start: u64,
    end: u64,
    digests: Vec<Digest>,
}

impl IntegrityTable {
    /// Reads the table of a file. Takes memory in proportion to the bytes that are there.
    pub(crate) fn read(file: &Input, header: &Header) -> Result<Self, IntegrityError> {
        let resource = header.integrity;
        let offset = resource.offset;
        let wrong = |field, expected, found| IntegrityError::Table {
            offset,
            field,
            expected,
            found,
        };
        if resource.is_compressed() || resource.size != resource.stored_size {
            return Err(wrong("stored size", resource.size, resource.stored_size));
        }
        if !file.holds(offset, resource.size) {
            return Err(wrong(
                "end of the file",
                offset.saturating_add(resource.size),
                file.len(),
            ));
        }
        let mut bytes =
            vec![0; usize::try_from(resource.size).map_err(|_| wrong("size", 0, resource.size))?];
        file.read(offset, &mut bytes)
            .map_err(|source| IntegrityError::Io { offset, source })?;
        let field = |at| u32_at(&bytes, at).map(u64::from);
        let (Some(size), Some(count), Some(piece)) = (field(0), field(4), field(8)) else {
            return Err(wrong("size", as_u64(FIXED_LEN), resource.size));
        };
        let start = as_u64(HEADER_LEN);
        let end = header
            .lookup_table
            .offset
            .saturating_add(header.lookup_table.stored_size)
            .max(start);
        if end > file.len() {
            return Err(wrong("end of the file", end, file.len()));
        }
        if size != resource.size {
            return Err(wrong("size", resource.size, size));
        }
        if piece == 0 {
            return Err(wrong("piece size", 1, 0));
        }
        let expected = (end - start).div_ceil(piece);
        if count != expected {
            return Err(wrong("number of entries", expected, count));
        }
        let (digests, rest) = bytes.get(FIXED_LEN..).unwrap_or_default().as_chunks::<20>();
        if !rest.is_empty() || as_u64(digests.len()) != count {
            return Err(wrong(
                "size",
                as_u64(FIXED_LEN).saturating_add(count.saturating_mul(20)),
                size,
            ));
        }
        Ok(Self {
            piece,
            start,
            end,
            digests: digests.iter().map(|digest| Digest(*digest)).collect(),
        })
    }

    /// What it covers.
    pub(crate) fn summary(&self) -> IntegritySummary {
        IntegritySummary {
            piece_size: self.piece,
            pieces: as_u64(self.digests.len()),
            covered: self.covered(),
        }
    }

    /// How many bytes it covers.
    pub(crate) fn covered(&self) -> u64 {
        self.end - self.start
    }

    /// Reads all that is covered, on several workers; hands on the size of each piece and what is wrong with it, in order, until
    /// asked to stop.
    pub(crate) fn check(
        &self,
        file: &Input,
        workers: NonZeroUsize,
        mut piece_done: impl FnMut(u64, Option<IntegrityError>) -> ControlFlow<()> + Send,
    ) {
        ordered::run(
            workers,
            workers.get().saturating_mul(2),
            as_u64(self.digests.len()),
            || vec![0; WINDOW],
            |buffer, index, _| self.check_piece(file, index, buffer),
            |_, (len, error)| piece_done(*len, error.take()),
        );
    }

    fn check_piece(
        &self,
        file: &Input,
        index: u64,
        buffer: &mut [u8],
    ) -> (u64, Option<IntegrityError>) {
        let Some(expected) = self.digests.get(as_usize(index)) else {
            return (0, None);
        };
        let start = self.start.saturating_add(index.saturating_mul(self.piece));
        let end = start.saturating_add(self.piece).min(self.end);
        let error = match piece(file, start, end, buffer) {
            Ok(found) if found == *expected => None,
            Ok(found) => Some(IntegrityError::Piece {
                start,
                end,
                expected: *expected,
                found,
            }),
            Err(error) => Some(error),
        };
        (end.saturating_sub(start), error)
    }
}

fn piece(file: &Input, start: u64, end: u64, buffer: &mut [u8]) -> Result<Digest, IntegrityError> {
    let mut hash = Sha1::new();
    let mut at = start;
    while at < end {
        let len = usize::try_from(end - at).map_or(buffer.len(), |rest| rest.min(buffer.len()));
        let part = buffer.get_mut(..len).unwrap_or_default();
        file.read(at, part)
            .map_err(|source| IntegrityError::Io { offset: at, source })?;
        hash.update(&*part);
        at = at.saturating_add(as_u64(len));
    }
    Ok(Digest(hash.finalize().into()))
}
