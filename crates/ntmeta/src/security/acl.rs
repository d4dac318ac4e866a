//! Access control lists and their entries: MS-DTYP sections 2.4.4 and 2.4.5.
//!
//! A list is revision (1 byte), reserved (1), size (2), number of entries (2), reserved (2), then the entries. An entry
//! is type (1), flags (1), size (2), then a body that depends on the type.

use crate::Sid;
use crate::bytes::{slice, u16_at, u32_at};

pub(super) const OBJECT_TYPE_PRESENT: u32 = 1;
pub(super) const INHERITED_TYPE_PRESENT: u32 = 2;

/// One entry, whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ace<'a> {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) bytes: &'a [u8],
}

/// What an entry of a known type says.
#[derive(Debug)]
pub(super) struct AceBody {
    pub(super) mask: u32,
    pub(super) object: Option<[u8; 16]>,
    pub(super) inherited: Option<[u8; 16]>,
    pub(super) sid: Sid,
    /// Bytes behind the SID.
    pub(super) trailing: usize,
}

/// Where the SID stands in an entry.
enum Shape {
    Plain,
    Object,
    Opaque,
}

/// Checks a list with all its entries; the error says what is wrong.
pub(super) fn check(list: &[u8]) -> Result<(), String> {
    for (index, ace) in entries(list)?.into_iter().enumerate() {
        if !matches!(shape(ace.kind), Shape::Opaque) && ace.body().is_none() {
            return Err(format!(
                "entry {index} of type {} without a valid SID",
                ace.kind
            ));
        }
    }
    Ok(())
}

/// The entries of a list; the error says what is wrong with it.
pub(super) fn entries(list: &[u8]) -> Result<Vec<Ace<'_>>, String> {
    let (Some(size), Some(count)) = (u16_at(list, 2), u16_at(list, 4)) else {
        return Err(format!("{} bytes instead of a header of 8", list.len()));
    };
    let Some(list) = slice(list, 0, usize::from(size)).filter(|list| list.len() >= 8) else {
        return Err(format!("size {size}, with {} bytes present", list.len()));
    };
    let mut offset = 8;
    let mut aces = Vec::with_capacity(usize::from(count).min(list.len() / 4));
    for index in 0..count {
        let header = slice(list, offset, 4);
        let Some(&[kind, flags, low, high]) = header else {
            return Err(format!("entry {index} of {count} past the end"));
        };
        let ace_size = u16::from_le_bytes([low, high]);
        let Some(bytes) =
            slice(list, offset, usize::from(ace_size)).filter(|bytes| bytes.len() >= 4)
        else {
            return Err(format!("entry {index} with size {ace_size}"));
        };
        aces.push(Ace { kind, flags, bytes });
        offset += bytes.len();
    }
    Ok(aces)
}

impl Ace<'_> {
    /// Reads the body; `None` for types that are not read, and if the bytes are not there.
    pub(super) fn body(&self) -> Option<AceBody> {
        let mask = u32_at(self.bytes, 4)?;
        let mut offset = 8;
        let (mut object, mut inherited) = (None, None);
        match shape(self.kind) {
            Shape::Plain => {}
            Shape::Object => {
                let present = u32_at(self.bytes, 8)?;
                offset = 12;
                let mut take_guid = || {
                    let guid: [u8; 16] = slice(self.bytes, offset, 16)?.try_into().ok()?;
                    offset += 16;
                    Some(guid)
                };
                if present & OBJECT_TYPE_PRESENT != 0 {
                    object = Some(take_guid()?);
                }
                if present & INHERITED_TYPE_PRESENT != 0 {
                    inherited = Some(take_guid()?);
                }
            }
            Shape::Opaque => return None,
        }
        let (sid, len) = Sid::from_prefix(slice(
            self.bytes,
            offset,
            self.bytes.len().checked_sub(offset)?,
        )?)?;
        Some(AceBody {
            mask,
            object,
            inherited,
            sid,
            trailing: self.bytes.len() - offset - len,
        })
    }
}

fn shape(kind: u8) -> Shape {
    match kind {
        0x00..=0x03 | 0x09 | 0x0a | 0x0d | 0x0e | 0x11..=0x13 => Shape::Plain,
        0x05..=0x08 | 0x0b | 0x0c | 0x0f | 0x10 => Shape::Object,
        _ => Shape::Opaque,
    }
}
