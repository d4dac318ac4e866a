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

use wcow_ntmeta::FileTime;
use wcow_tree::{Digest, Times};

use crate::bytes::{array_at, round_up_8, u16_at, u32_at, u64_at};
use crate::number::as_u64;

use super::tree::Fault;

/// Length of the fixed part.
pub(crate) const FIXED_LEN: usize = 0x66;
/// Length of the shortest entry, rounded.
const MIN_LEN: usize = 0x68;
/// Length of the fixed part of a stream entry.
pub(crate) const STREAM_FIXED_LEN: usize = 0x26;

/// One directory entry as it is in the file.
pub(super) struct Dentry<'a> {
    pub(super) attributes: u32,
    pub(super) security_id: u32,
    pub(super) children: u64,
    pub(super) times: Times,
    pub(super) digest: Digest,
    pub(super) reserved: u32,
    /// Link group, or reparse tag and flags.
    pub(super) slot: u64,
    pub(super) stream_count: u16,
    pub(super) name: &'a [u8],
    pub(super) short_name: &'a [u8],
    pub(super) tagged: &'a [u8],
    /// Where the tagged items begin.
    pub(super) tagged_at: usize,
    /// Where the stream entries begin.
    pub(super) end: usize,
}

/// One stream entry as it is in the file.
pub(super) struct StreamEntry<'a> {
    pub(super) digest: Digest,
    pub(super) name: &'a [u8],
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
        let present = data.len().saturating_sub(at);
        let len = round_up_8(stored)
            .and_then(|len| usize::try_from(len).ok())
            .filter(|len| (MIN_LEN..=present).contains(len));
        let bytes = len
            .and_then(|len| data.get(at..at.checked_add(len)?))
            .ok_or_else(|| {
                Fault::new(as_u64(at), || {
                    format!("expected an entry of {MIN_LEN} to {present} bytes, found {stored}")
                })
            })?;
        let entry = Self::fields(bytes, at)?.ok_or_else(|| {
            Fault::new(as_u64(at), || {
                format!(
                    "expected room for both names in {} bytes, found longer names",
                    bytes.len()
                )
            })
        })?;
        Ok(Some(entry))
    }

    /// `Ok(None)` if the names do not fit into `bytes`.
    fn fields(bytes: &'a [u8], at: usize) -> Result<Option<Self>, Fault> {
        let Some((short_len, long_len)) = u16_at(bytes, 0x62).zip(u16_at(bytes, 0x64)) else {
            return Ok(None);
        };
        for (what, len, field) in [("short", short_len, 0x62), ("long", long_len, 0x64)] {
            if len % 2 != 0 {
                return Err(Fault::new(as_u64(at + field), || {
                    format!("expected an even length of the {what} name, found {len}")
                }));
            }
        }
        let parse = || {
            let (name, rest) = name(bytes.get(FIXED_LEN..)?, long_len)?;
            let (short_name, rest) = self::name(rest, short_len)?;
            let tagged_at = (bytes.len() - rest.len()).checked_next_multiple_of(8)?;
            Some(Self {
                attributes: u32_at(bytes, 0x08)?,
                security_id: u32_at(bytes, 0x0C)?,
                children: u64_at(bytes, 0x10)?,
                times: Times {
                    created: FileTime::from_ticks(u64_at(bytes, 0x28)?),
                    accessed: FileTime::from_ticks(u64_at(bytes, 0x30)?),
                    written: FileTime::from_ticks(u64_at(bytes, 0x38)?),
                },
                digest: Digest(array_at(bytes, 0x40)?),
                reserved: u32_at(bytes, 0x54)?,
                slot: u64_at(bytes, 0x58)?,
                stream_count: u16_at(bytes, 0x60)?,
                name,
                short_name,
                tagged: bytes.get(tagged_at..).unwrap_or_default(),
                tagged_at: at.checked_add(tagged_at)?,
                end: at.checked_add(bytes.len())?,
            })
        };
        Ok(parse())
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
            if name_len % 2 != 0 {
                return None;
            }
            let (name, _) = name(bytes.get(STREAM_FIXED_LEN..)?, name_len)?;
            Some(Self {
                digest: Digest(array_at(bytes, 0x10)?),
                name,
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

/// Splits a name of `len` bytes, and the NUL behind it, from `bytes`.
fn name(bytes: &[u8], len: u16) -> Option<(&[u8], &[u8])> {
    if len == 0 {
        return Some((&[], bytes));
    }
    let (name, rest) = bytes.split_at_checked(len.into())?;
    Some((name, rest.get(2..)?))
}
