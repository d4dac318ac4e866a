//! A directory entry, and the stream entries behind it.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0x00 | 8 | length, with names and tagged items, without stream entries; rounded up to 8; up to 8 ends a list |
//! | 0x08 | 4 | attributes |
//! | 0x0C | 4 | security id, -1 for none |
//! | 0x10 | 8 | offset of the list of children; 0 for none |
//! | 0x18 | 16 | zero |
//! | 0x28 | 3 x 8 | creation, last access, last write time |
//! | 0x40 | 20 | digest of the main stream |
//! | 0x54 | 4 | unknown |
//! | 0x58 | 8 | reparse point: u32 tag, u16 reserved, u16 flags (bit 0: target not rewritten); else u64 hard link group |
//! | 0x60 | 2 | number of stream entries |
//! | 0x62 | 2 | bytes of the short name |
//! | 0x64 | 2 | bytes of the long name |
//! | 0x66 | | long name, NUL; short name, NUL; each absent if its length is 0; zeros up to 8; tagged items |
//!
//! A stream entry: u64 length, u64 zero, 20-byte digest, u16 bytes of the name, name and NUL, zeros up to 8.

use wcow_ntmeta::{FileAttributes, FileTime, WideStr};
use wcow_tree::{Digest, Times};

use crate::bytes::{array_at, round_up_8, u16_at, u64_at};
use crate::number::as_u64;

use super::tree::Fault;

/// Length of the fixed part.
pub(crate) const FIXED_LEN: usize = 0x66;
/// Length of the shortest entry, rounded.
pub(super) const MIN_LEN: usize = 0x68;
/// Length of the fixed part of a stream entry.
pub(crate) const STREAM_FIXED_LEN: usize = 0x26;
/// A root for images that have none: a directory without a security descriptor.
static NO_ROOT: [u8; MIN_LEN] = {
    let mut bytes = [0; MIN_LEN];
    bytes[0] = 0x68;
    bytes[0x08] = 0x10;
    bytes[0x0C] = 0xFF;
    bytes[0x0D] = 0xFF;
    bytes[0x0E] = 0xFF;
    bytes[0x0F] = 0xFF;
    bytes
};

/// One directory entry, where it is in the metadata.
#[derive(Clone, Copy)]
pub(super) struct Dentry<'a> {
    fixed: &'a [u8; FIXED_LEN],
    /// All of it, up to its stream entries.
    bytes: &'a [u8],
}

/// One stream entry, where it is in the metadata.
pub(super) struct StreamEntry<'a> {
    pub(super) digest: Digest,
    pub(super) name: WideStr<'a>,
    /// Where the next one begins.
    pub(super) end: usize,
}

impl<'a> Dentry<'a> {
    /// The entry at `at`; `None` at the end of a list.
    pub(super) fn parse(data: &'a [u8], at: usize) -> Result<Option<Self>, Fault> {
        let Some(stored) = u64_at(data, at) else {
            return Err(Fault::new(as_u64(at), || {
                "expected a directory entry or the end of a list, found the end of the metadata"
                    .to_owned()
            }));
        };
        if stored <= 8 {
            return Ok(None);
        }
        let entry = Self::at(data, at).ok_or_else(|| {
            let present = data.len().saturating_sub(at);
            Fault::new(as_u64(at), || {
                format!("expected an entry of {MIN_LEN} to {present} bytes, found {stored}")
            })
        })?;
        for (what, field) in [("short", 0x62), ("long", 0x64)] {
            let len = u16::from_le_bytes(entry.field(field));
            if len % 2 != 0 {
                return Err(Fault::new(as_u64(at + field), || {
                    format!("expected an even length of the {what} name, found {len}")
                }));
            }
        }
        if entry.names_end() > entry.bytes.len() {
            let len = entry.bytes.len();
            return Err(Fault::new(as_u64(at), || {
                format!("expected room for both names in {len} bytes, found longer names")
            }));
        }
        Ok(Some(entry))
    }

    /// The entry at `at`, which [`parse`](Self::parse) has seen before.
    pub(super) fn at(data: &'a [u8], at: usize) -> Option<Self> {
        let rest = data.get(at..)?;
        let len = usize::try_from(round_up_8(u64_at(rest, 0)?)?).ok()?;
        let bytes = rest.get(..len).filter(|bytes| bytes.len() >= MIN_LEN)?;
        let fixed = bytes.first_chunk()?;
        Some(Self { fixed, bytes })
    }

    /// The root of an image that has none.
    pub(super) fn no_root() -> Option<Self> {
        Self::at(&NO_ROOT, 0)
    }

    /// Its length without its stream entries.
    pub(super) fn len(self) -> usize {
        self.bytes.len()
    }

    pub(super) fn attributes(self) -> FileAttributes {
        FileAttributes::from_bits(u32::from_le_bytes(self.field(0x08)))
    }

    pub(super) fn security_id(self) -> Option<u32> {
        Some(u32::from_le_bytes(self.field(0x0C))).filter(|id| *id != u32::MAX)
    }

    /// Offset of its list of children; 0 for none.
    pub(super) fn children(self) -> u64 {
        u64::from_le_bytes(self.field(0x10))
    }

    pub(super) fn times(self) -> Times {
        let time = |at| FileTime::from_ticks(u64::from_le_bytes(self.field(at)));
        Times {
            created: time(0x28),
            accessed: time(0x30),
            written: time(0x38),
        }
    }

    pub(super) fn digest(self) -> Digest {
        Digest(self.field(0x40))
    }

    pub(super) fn reserved(self) -> u32 {
        u32::from_le_bytes(self.field(0x54))
    }

    /// Link group, or reparse tag and flags.
    pub(super) fn slot(self) -> u64 {
        u64::from_le_bytes(self.field(0x58))
    }

    pub(super) fn stream_count(self) -> u16 {
        u16::from_le_bytes(self.field(0x60))
    }

    pub(super) fn name(self) -> WideStr<'a> {
        self.text(FIXED_LEN, self.name_len())
    }

    pub(super) fn short_name(self) -> WideStr<'a> {
        self.text(
            FIXED_LEN + stored_name(self.name_len()),
            self.short_name_len(),
        )
    }

    /// The bytes behind the names.
    pub(super) fn tagged(self) -> &'a [u8] {
        self.bytes.get(self.tagged_at()..).unwrap_or_default()
    }

    /// Where the tagged items begin, from the entry's start.
    pub(super) fn tagged_at(self) -> usize {
        self.names_end().next_multiple_of(8)
    }

    fn names_end(self) -> usize {
        FIXED_LEN + stored_name(self.name_len()) + stored_name(self.short_name_len())
    }

    fn name_len(self) -> u16 {
        u16::from_le_bytes(self.field(0x64))
    }

    fn short_name_len(self) -> u16 {
        u16::from_le_bytes(self.field(0x62))
    }

    fn text(self, at: usize, len: u16) -> WideStr<'a> {
        let bytes = self.bytes.get(at..at + usize::from(len));
        bytes.and_then(WideStr::from_le_bytes).unwrap_or_default()
    }

    /// A field of the fixed part, in which all of them lie.
    #[inline]
    fn field<const N: usize>(self, at: usize) -> [u8; N] {
        array_at(self.fixed, at).unwrap_or([0; N])
    }
}

impl<'a> StreamEntry<'a> {
    /// The stream entry at `at`.
    pub(super) fn parse(data: &'a [u8], at: usize) -> Result<Self, Fault> {
        let parse = || {
            let len = usize::try_from(round_up_8(u64_at(data, at)?)?).ok()?;
            let end = at.checked_add(len)?;
            let bytes = data.get(at..end)?;
            let name_len = u16_at(bytes, 0x24)?;
            let names = bytes.get(STREAM_FIXED_LEN..)?;
            // The NUL behind it may be left out, as wimlib 1.14.4 has it too.
            Some(Self {
                digest: Digest(array_at(bytes, 0x10)?),
                name: WideStr::from_le_bytes(names.get(..name_len.into())?)?,
                end,
            })
        };
        parse().ok_or_else(|| {
            let found = u64_at(data, at);
            Fault::new(as_u64(at), || {
                let found = found.map_or_else(|| "the end of the metadata".to_owned(), |len| format!("{len} bytes"));
                format!("expected a stream entry with an even name length and room for its name, found {found}")
            })
        })
    }
}

/// The bytes that a name takes with the NUL behind it; none if it is absent.
fn stored_name(len: u16) -> usize {
    if len == 0 { 0 } else { usize::from(len) + 2 }
}
