//! What few files have, as tagged items behind the names of an entry.
//!
//! Each item: u32 tag, u32 length, data, zeros up to 8 (WIM-FORMAT, directory entries).
//!
//! | tag | data |
//! |---|---|
//! | 1 | NTFS object id: 16 to 64 bytes |
//! | 2 | extended attributes: {u16 value length, u8 name length, u8 flags, name, NUL, value}, no padding |
//! | 0x337DD873 | u32 uid, gid, mode, device number of a file of a Unix system (wimlib) |
//! | 0x337DD874 | extended attributes (wimlib 1.11 and 1.12): {u16 name length, u16 0, u32 value length, name, value, zeros up to 4} |
//!
//! All but the first two pass through as [`TaggedItem`]s, known or not.

use wcow_tree::{Extra, TaggedItem};

use crate::bytes::{u16_at, u32_at};

const OBJECT_ID: u32 = 1;
const EXTENDED_ATTRIBUTES: u32 = 2;
const UNIX_DATA: u32 = 0x337D_D873;
const OLD_EXTENDED_ATTRIBUTES: u32 = 0x337D_D874;

/// The tagged items of an entry, as `(tag, data)`; ends before an item that does not fit.
#[derive(Clone, Debug, Default)]
pub struct TaggedItems<'a> {
    rest: &'a [u8],
}

/// Owner and mode of a file that was captured on a Unix system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixData {
    /// Number of the owning user.
    pub uid: u32,
    /// Number of the owning group.
    pub gid: u32,
    /// Kind and permissions, as in `st_mode`.
    pub mode: u32,
    /// Device number, for a device; else 0.
    pub rdev: u32,
}

/// One extended attribute. Names and values are bytes; Windows has names in ASCII, Linux any bytes without NUL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedAttribute<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its value.
    pub value: &'a [u8],
    /// 0x80 (`FILE_NEED_EA`): who does not understand it must not use the file.
    pub flags: u8,
}

/// The extended attributes of an entry; ends before a record that does not fit.
#[derive(Clone, Debug)]
pub struct ExtendedAttributes<'a> {
    rest: &'a [u8],
    layout: Layout,
}

/// How extended attributes are stored.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Windows,
    Old,
}

impl<'a> TaggedItems<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The length of the item that does not fit, and how many bytes there are from its start on; `None` if all is well.
    pub(super) fn damage(mut self) -> Option<(u32, usize)> {
        self.by_ref().for_each(drop);
        let (tag, len) = (u32_at(self.rest, 0)?, u32_at(self.rest, 4)?);
        (tag != 0 || len != 0).then_some((len, self.rest.len()))
    }

    /// The NTFS object id.
    pub(super) fn object_id(mut self) -> Option<&'a [u8]> {
        self.find(is_object_id).map(|(_, data)| data)
    }

    /// The extended attributes, stored in either way.
    pub(super) fn extended_attributes(self) -> ExtendedAttributes<'a> {
        let find = |wanted| self.clone().find(|(tag, _)| *tag == wanted);
        let (data, layout) = match find(EXTENDED_ATTRIBUTES) {
            Some((_, data)) => (data, Layout::Windows),
            None => {
                let old = find(OLD_EXTENDED_ATTRIBUTES).map(|(_, data)| data);
                (old.unwrap_or_default(), Layout::Old)
            }
        };
        ExtendedAttributes { rest: data, layout }
    }

    /// Owner and mode.
    pub(super) fn unix_data(self) -> Option<UnixData> {
        let mut items = self.filter(|(tag, data)| *tag == UNIX_DATA && data.len() >= 16);
        let (_, data) = items.next()?;
        Some(UnixData {
            uid: u32_at(data, 0)?,
            gid: u32_at(data, 4)?,
            mode: u32_at(data, 8)?,
            rdev: u32_at(data, 12)?,
        })
    }

    /// All of them, to be written again.
    pub(super) fn into_extra(self) -> Extra {
        let mut extra = Extra::default();
        for item in self {
            let (tag, data) = item;
            if is_object_id(&item) && extra.object_id.is_empty() {
                extra.object_id = data.to_vec();
            } else if tag == EXTENDED_ATTRIBUTES && extra.extended_attributes.is_empty() {
                extra.extended_attributes = data.to_vec();
            } else {
                extra.unknown.push(TaggedItem {
                    tag,
                    data: data.to_vec(),
                });
            }
        }
        extra
    }
}

impl<'a> Iterator for TaggedItems<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (tag, len) = (u32_at(self.rest, 0)?, u32_at(self.rest, 4)?);
        if tag == 0 && len == 0 {
            return None;
        }
        let end = usize::try_from(len).ok()?.checked_add(8)?;
        let data = self.rest.get(8..end)?;
        self.rest = self.rest.get(end.next_multiple_of(8)..).unwrap_or_default();
        Some((tag, data))
    }
}

impl ExtendedAttributes<'_> {
    /// True if nothing, or nothing but zeros, lies behind the last record.
    pub(super) fn end_well(mut self) -> bool {
        self.by_ref().for_each(drop);
        self.rest.iter().all(|byte| *byte == 0)
    }
}

impl<'a> Iterator for ExtendedAttributes<'a> {
    type Item = ExtendedAttribute<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest;
        let (attribute, len) = match self.layout {
            Layout::Windows => {
                let value_len = usize::from(u16_at(rest, 0)?);
                let [name_len, flags] = u16_at(rest, 2)?.to_le_bytes();
                let (name, behind) = rest.get(4..)?.split_at_checked(name_len.into())?;
                let value = behind.get(1..)?.get(..value_len)?;
                let len = 5 + name.len() + value_len;
                (ExtendedAttribute { name, value, flags }, len)
            }
            Layout::Old => {
                let name_len = usize::from(u16_at(rest, 0)?);
                let value_len = usize::try_from(u32_at(rest, 4)?).ok()?;
                let (name, behind) = rest.get(8..)?.split_at_checked(name_len)?;
                let value = behind.get(..value_len)?;
                let len = (8 + name_len + value_len).next_multiple_of(4);
                let flags = 0;
                (ExtendedAttribute { name, value, flags }, len)
            }
        };
        // A record without a name is what zeros at the end look like.
        if attribute.name.is_empty() {
            return None;
        }
        self.rest = rest.get(len..).unwrap_or_default();
        Some(attribute)
    }
}

fn is_object_id((tag, data): &(u32, &[u8])) -> bool {
    *tag == OBJECT_ID && (16..=64).contains(&data.len())
}
