//! Cells: the checked way from an offset to the bytes behind it.

use std::fmt;

use wcow_ntmeta::WideName;

use crate::error::HiveError;
use crate::format::{BASE_BLOCK, CELL_ALIGN, CELL_HEADER};

/// Where a cell begins: bytes from the end of the base block, as the hive itself counts.
///
/// Shown with the offset in the file beside it: `0x20 (file offset 0x1020)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellOffset(pub u32);

/// The hive bins: all bytes that cells can lie in.
#[derive(Clone, Copy)]
pub(crate) struct Bins<'h> {
    pub(crate) data: &'h [u8],
    /// Minor version of the hive.
    pub(crate) minor: u32,
}

/// The content of one allocated cell, and what it is read as.
#[derive(Clone, Copy)]
pub(crate) struct Record<'h> {
    pub(crate) data: &'h [u8],
    pub(crate) at: CellOffset,
    pub(crate) what: &'static str,
}

/// Called with every cell that an access goes through; an error ends the access.
pub(crate) type Touch<'t> = dyn FnMut(CellOffset, &'static str) -> Result<(), HiveError> + 't;

/// The [`Touch`] of accesses that nobody watches.
pub(crate) fn untouched(_: CellOffset, _: &'static str) -> Result<(), HiveError> {
    Ok(())
}

pub(crate) fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..at.checked_add(4)?)?;
    bytes.try_into().ok().map(u32::from_le_bytes)
}

pub(crate) fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    let bytes = data.get(at..at.checked_add(8)?)?;
    bytes.try_into().ok().map(u64::from_le_bytes)
}

impl CellOffset {
    /// Where the cell begins in the file, in bytes.
    #[must_use]
    pub fn file_offset(self) -> u64 {
        u64::from(self.0) + BASE_BLOCK as u64
    }
}

impl fmt::Display for CellOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x} (file offset {:#x})", self.0, self.file_offset())
    }
}

impl<'h> Bins<'h> {
    /// The content of the allocated cell at `at`.
    pub(crate) fn cell(self, at: CellOffset, what: &'static str) -> Result<Record<'h>, HiveError> {
        let outside = HiveError::CellOffset {
            what,
            at,
            end: self.data.len(),
        };
        let start = usize::try_from(at.0)
            .ok()
            .filter(|start| start.is_multiple_of(CELL_ALIGN));
        let Some(tail) = start.and_then(|start| self.data.get(start..)) else {
            return Err(outside);
        };
        let Some(stored) = u32_at(tail, 0) else {
            return Err(outside);
        };
        let size = stored.cast_signed();
        if size >= 0 {
            return Err(HiveError::CellFree {
                what,
                at,
                size: stored,
            });
        }
        let wrong = HiveError::CellSize {
            what,
            at,
            size: size.unsigned_abs(),
            room: tail.len(),
        };
        let end = usize::try_from(size.unsigned_abs())
            .ok()
            .filter(|end| end.is_multiple_of(CELL_ALIGN));
        match end.and_then(|end| tail.get(CELL_HEADER..end)) {
            Some(data) => Ok(Record { data, at, what }),
            None => Err(wrong),
        }
    }
}

impl fmt::Debug for Bins<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, version 1.{}", self.data.len(), self.minor)
    }
}

impl<'h> Record<'h> {
    /// The bytes from `from` on, `len` of them, named `part` if they are not there.
    pub(crate) fn bytes(
        self,
        part: &'static str,
        from: usize,
        len: usize,
    ) -> Result<&'h [u8], HiveError> {
        let end = from.saturating_add(len);
        self.data.get(from..end).ok_or(HiveError::TooShort {
            what: part,
            at: self.at,
            needed: end as u64,
            found: self.data.len() as u64,
        })
    }

    pub(crate) fn u16(self, at: usize) -> Result<u16, HiveError> {
        let bytes = self.bytes(self.what, at, 2)?;
        Ok(bytes.try_into().map_or(0, u16::from_le_bytes))
    }

    pub(crate) fn u32(self, at: usize) -> Result<u32, HiveError> {
        let bytes = self.bytes(self.what, at, 4)?;
        Ok(bytes.try_into().map_or(0, u32::from_le_bytes))
    }

    pub(crate) fn u64(self, at: usize) -> Result<u64, HiveError> {
        let bytes = self.bytes(self.what, at, 8)?;
        Ok(bytes.try_into().map_or(0, u64::from_le_bytes))
    }

    /// The signature, two bytes at the start.
    pub(crate) fn signature(self) -> Result<[u8; 2], HiveError> {
        let bytes = self.bytes(self.what, 0, 2)?;
        Ok(bytes.try_into().unwrap_or_default())
    }

    /// An error unless the record begins with `expected`, which is shown as `shown`.
    pub(crate) fn expect(self, expected: [u8; 2], shown: &'static str) -> Result<Self, HiveError> {
        let found = self.signature()?;
        if found == expected {
            Ok(self)
        } else {
            Err(HiveError::Signature {
                what: self.what,
                at: self.at,
                expected: shown,
                found,
            })
        }
    }
}

/// How a name is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameForm {
    /// One byte per character, Latin-1.
    Compressed,
    /// UTF-16, little-endian.
    Wide,
}

/// A stored name whose size fits its form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredName<'h> {
    bytes: &'h [u8],
    form: NameForm,
}

impl<'h> StoredName<'h> {
    pub(crate) fn new(
        bytes: &'h [u8],
        form: NameForm,
        what: &'static str,
        at: CellOffset,
    ) -> Result<Self, HiveError> {
        if form == NameForm::Wide && !bytes.len().is_multiple_of(2) {
            return Err(HiveError::OddText {
                what,
                at,
                found: bytes.len(),
            });
        }
        Ok(Self { bytes, form })
    }

    pub(crate) fn to_wide(self) -> WideName {
        match self.form {
            NameForm::Compressed => {
                WideName::from_units(self.bytes.iter().copied().map(u16::from).collect())
            }
            NameForm::Wide => WideName::from_units(wide_units(self.bytes).collect()),
        }
    }
}

/// The UTF-16 units in `bytes`; an odd last byte is left out.
pub(crate) fn wide_units(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(|pair| match pair {
        &[low, high] => u16::from_le_bytes([low, high]),
        _ => 0,
    })
}
