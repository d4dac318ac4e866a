//! Key nodes (`nk`), and the lists that lead from one to its subkeys and values.

use wcow_ntmeta::{FileTime, WideName};

use crate::cell::{Bins, CellOffset, NameForm, Record, StoredName, Touch, u32_at, untouched};
use crate::error::HiveError;
use crate::format::{MIN_KEY_CELL, NK_HEADER, NO_CELL, SK_HEADER};
use crate::value::Value;

/// Levels of `ri` lists that are followed. Windows writes one; more than that is read with patience, but not for ever.
const MAX_LIST_LEVELS: usize = 4;

/// One key of a hive.
#[derive(Debug, Clone, Copy)]
pub struct Key<'h> {
    bins: Bins<'h>,
    at: CellOffset,
    flags: KeyFlags,
    last_written: FileTime,
    parent: CellOffset,
    subkey_count: u32,
    subkey_list: CellOffset,
    value_count: u32,
    value_list: CellOffset,
    security: CellOffset,
    class: CellOffset,
    class_size: u16,
    name: StoredName<'h>,
}

/// The flags of a key node; unknown bits are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFlags(u16);

/// The subkeys of a key, in the order of their list: ascending by upper-case name, if the hive is right.
///
/// An error in one subkey is one item; an error in a list is the last item.
#[derive(Debug, Clone)]
pub struct Subkeys<'h> {
    bins: Bins<'h>,
    key: CellOffset,
    expected: u32,
    yielded: u32,
    pending: Option<CellOffset>,
    lists: Vec<SubkeyList<'h>>,
}

/// The values of a key, in the order of their list.
///
/// An error in one value is one item; an error in the list is the only item.
#[derive(Debug, Clone)]
pub struct Values<'h> {
    bins: Bins<'h>,
    count: u32,
    pending: Option<CellOffset>,
    offsets: &'h [u8],
}

/// A key's security record (`sk`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Security<'h> {
    pub(crate) next: CellOffset,
    pub(crate) previous: CellOffset,
    pub(crate) references: u32,
    pub(crate) descriptor: &'h [u8],
}

/// A list of subkeys, or a list of such lists, and how far it was read.
#[derive(Debug, Clone)]
struct SubkeyList<'h> {
    of_lists: ListOf,
    entries: &'h [u8],
    entry_size: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListOf {
    Keys,
    Lists,
}

impl<'h> Key<'h> {
    pub(crate) fn read(bins: Bins<'h>, at: CellOffset) -> Result<Self, HiveError> {
        let record = bins.cell(at, "key node")?.expect(*b"nk", "\"nk\"")?;
        let flags = KeyFlags(record.u16(2)?);
        let name_size = usize::from(record.u16(72)?);
        let name = record.bytes("key name", NK_HEADER, name_size)?;
        let form = if flags.contains(KeyFlags::COMPRESSED_NAME) {
            NameForm::Compressed
        } else {
            NameForm::Wide
        };
        Ok(Self {
            bins,
            at,
            flags,
            last_written: FileTime::from_ticks(record.u64(4)?),
            parent: CellOffset(record.u32(16)?),
            subkey_count: record.u32(20)?,
            subkey_list: CellOffset(record.u32(28)?),
            value_count: record.u32(36)?,
            value_list: CellOffset(record.u32(40)?),
            security: CellOffset(record.u32(44)?),
            class: CellOffset(record.u32(48)?),
            class_size: record.u16(74)?,
            name: StoredName::new(name, form, "key name", at)?,
        })
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> WideName {
        self.name.to_wide()
    }

    /// When the key, its values or its list of subkeys were last changed.
    #[must_use]
    pub fn last_written(&self) -> FileTime {
        self.last_written
    }

    /// The key's flags.
    #[must_use]
    pub fn flags(&self) -> KeyFlags {
        self.flags
    }

    /// The cell of the key.
    #[must_use]
    pub fn offset(&self) -> CellOffset {
        self.at
    }

    /// The cell that the key names as its parent. The root's has no meaning.
    #[must_use]
    pub fn parent_offset(&self) -> CellOffset {
        self.parent
    }

    /// How many subkeys the key claims.
    #[must_use]
    pub fn subkey_count(&self) -> u32 {
        self.subkey_count
    }

    /// How many values the key claims. A predefined handle has none: its field holds the handle.
    #[must_use]
    pub fn value_count(&self) -> u32 {
        if self.flags.contains(KeyFlags::PREDEFINED_HANDLE) {
            0
        } else {
            self.value_count
        }
    }

    /// The class name, which few keys have.
    ///
    /// # Errors
    /// The cell of the class name is damaged or too small.
    pub fn class_name(&self) -> Result<Option<WideName>, HiveError> {
        self.class_name_touching(&mut untouched)
    }

    /// The security descriptor, self-relative and unchecked. `None` if the key has none.
    ///
    /// # Errors
    /// The security record is damaged.
    pub fn security(&self) -> Result<Option<&'h [u8]>, HiveError> {
        let Some(at) = self.security_offset() else {
            return Ok(None);
        };
        Ok(Some(Security::read(self.bins, at)?.descriptor))
    }

    /// The subkeys.
    #[must_use]
    pub fn subkeys(&self) -> Subkeys<'h> {
        Subkeys {
            bins: self.bins,
            key: self.at,
            expected: self.subkey_count,
            yielded: 0,
            pending: (self.subkey_count > 0).then_some(self.subkey_list),
            lists: Vec::new(),
        }
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> Values<'h> {
        let count = self.value_count();
        Values {
            bins: self.bins,
            count,
            pending: (count > 0).then_some(self.value_list),
            offsets: &[],
        }
    }

    /// The subkey called `name`, compared without regard to case. `None` if there is none.
    ///
    /// # Errors
    /// A damaged list or subkey stands before the one that is looked for.
    pub fn subkey(&self, name: &str) -> Result<Option<Key<'h>>, HiveError> {
        let wanted = WideName::from(name);
        for key in self.subkeys() {
            let key = key?;
            if key.name().eq_ignore_case(&wanted) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// The key at `path` below this one, separated by `\`. The empty path is this key. `None` if there is none.
    ///
    /// # Errors
    /// As [`Key::subkey`].
    pub fn open(&self, path: &str) -> Result<Option<Key<'h>>, HiveError> {
        let mut key = *self;
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            match key.subkey(name)? {
                Some(below) => key = below,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// The value called `name`, compared without regard to case; the default value is called the empty name.
    ///
    /// # Errors
    /// A damaged list or value stands before the one that is looked for.
    pub fn value(&self, name: &str) -> Result<Option<Value<'h>>, HiveError> {
        let wanted = WideName::from(name);
        for value in self.values() {
            let value = value?;
            if value.name().eq_ignore_case(&wanted) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    pub(crate) fn class_name_touching(
        &self,
        touch: &mut Touch<'_>,
    ) -> Result<Option<WideName>, HiveError> {
        if self.class_size == 0 || self.class.0 == NO_CELL {
            return Ok(None);
        }
        touch(self.class, "class name")?;
        let record = self.bins.cell(self.class, "class name")?;
        let bytes = record.bytes("class name", 0, usize::from(self.class_size))?;
        Ok(Some(
            StoredName::new(bytes, NameForm::Wide, "class name", self.class)?.to_wide(),
        ))
    }

    pub(crate) fn security_offset(&self) -> Option<CellOffset> {
        (self.security.0 != NO_CELL).then_some(self.security)
    }
}

impl KeyFlags {
    /// The key is gone when the hive is unloaded; never set in a file.
    pub const VOLATILE: Self = Self(0x01);
    /// Another hive is mounted here.
    pub const HIVE_EXIT: Self = Self(0x02);
    /// The root key of a hive.
    pub const HIVE_ENTRY: Self = Self(0x04);
    /// The key cannot be deleted.
    pub const NO_DELETE: Self = Self(0x08);
    /// A link; the target is the value `SymbolicLinkValue`.
    pub const SYMBOLIC_LINK: Self = Self(0x10);
    /// The name is stored in one byte per character.
    pub const COMPRESSED_NAME: Self = Self(0x20);
    /// A predefined handle; the count of values holds the handle.
    pub const PREDEFINED_HANDLE: Self = Self(0x40);

    /// The bits as they are stored.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }

    /// Whether all bits of `other` are set.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl<'h> Subkeys<'h> {
    /// As `next`, and tells `touch` of every list and key on the way.
    pub(crate) fn next_touching(
        &mut self,
        touch: &mut Touch<'_>,
    ) -> Option<Result<Key<'h>, HiveError>> {
        match self.next_offset(touch) {
            Ok(Some(at)) => Some(touch(at, "key node").and_then(|()| Key::read(self.bins, at))),
            Ok(None) => None,
            Err(error) => {
                self.lists.clear();
                self.expected = self.yielded;
                Some(Err(error))
            }
        }
    }

    fn next_offset(&mut self, touch: &mut Touch<'_>) -> Result<Option<CellOffset>, HiveError> {
        loop {
            if let Some(at) = self.pending.take() {
                self.open_list(at, touch)?;
            }
            let Some(list) = self.lists.last_mut() else {
                let (expected, found) = (u64::from(self.expected), u64::from(self.yielded));
                if expected != found {
                    return Err(HiveError::Count {
                        what: "subkeys in the lists",
                        at: self.key,
                        expected,
                        found,
                    });
                }
                return Ok(None);
            };
            let Some(at) = list.next_entry() else {
                self.lists.pop();
                continue;
            };
            if list.of_lists == ListOf::Lists {
                self.pending = Some(at);
                continue;
            }
            if self.yielded == self.expected {
                let (expected, found) = (u64::from(self.expected), u64::from(self.expected) + 1);
                return Err(HiveError::Count {
                    what: "subkeys in the lists",
                    at: self.key,
                    expected,
                    found,
                });
            }
            self.yielded += 1;
            return Ok(Some(at));
        }
    }

    fn open_list(&mut self, at: CellOffset, touch: &mut Touch<'_>) -> Result<(), HiveError> {
        // Every subkey has a cell of its own. With this, a list that names the same keys again and again ends.
        let most = self.bins.data.len() / MIN_KEY_CELL;
        if usize::try_from(self.expected).map_or(true, |expected| expected > most) {
            let (expected, found) = (most as u64, u64::from(self.expected));
            return Err(HiveError::Count {
                what: "subkey count",
                at: self.key,
                expected,
                found,
            });
        }
        if self.lists.len() > MAX_LIST_LEVELS {
            return Err(HiveError::NestedLists {
                at,
                limit: MAX_LIST_LEVELS,
            });
        }
        touch(at, "subkey list")?;
        self.lists
            .push(SubkeyList::read(self.bins.cell(at, "subkey list")?)?);
        Ok(())
    }
}

impl<'h> Iterator for Subkeys<'h> {
    type Item = Result<Key<'h>, HiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_touching(&mut untouched)
    }
}

impl<'h> SubkeyList<'h> {
    fn read(record: Record<'h>) -> Result<Self, HiveError> {
        let (of_lists, entry_size) = match &record.signature()? {
            b"li" => (ListOf::Keys, 4),
            b"lf" | b"lh" => (ListOf::Keys, 8),
            b"ri" => (ListOf::Lists, 4),
            &found => {
                let expected = "\"li\", \"lf\", \"lh\" or \"ri\"";
                return Err(HiveError::Signature {
                    what: record.what,
                    at: record.at,
                    expected,
                    found,
                });
            }
        };
        let count = usize::from(record.u16(2)?);
        if count == 0 {
            // An empty list is never written, and a pile of them would cost time and give nothing.
            return Err(HiveError::Count {
                what: "entries of a subkey list",
                at: record.at,
                expected: 1,
                found: 0,
            });
        }
        let entries = record.bytes("entries of a subkey list", 4, count * entry_size)?;
        Ok(Self {
            of_lists,
            entries,
            entry_size,
        })
    }

    fn next_entry(&mut self) -> Option<CellOffset> {
        let at = u32_at(self.entries, 0)?;
        self.entries = self.entries.get(self.entry_size..).unwrap_or_default();
        Some(CellOffset(at))
    }
}

impl<'h> Values<'h> {
    /// As `next`, and tells `touch` of the list and of every value record on the way.
    pub(crate) fn next_touching(
        &mut self,
        touch: &mut Touch<'_>,
    ) -> Option<Result<Value<'h>, HiveError>> {
        if let Some(at) = self.pending.take() {
            match self.open_list(at, touch) {
                Ok(offsets) => self.offsets = offsets,
                Err(error) => return Some(Err(error)),
            }
        }
        let at = CellOffset(u32_at(self.offsets, 0)?);
        self.offsets = self.offsets.get(4..).unwrap_or_default();
        Some(touch(at, "value").and_then(|()| Value::read(self.bins, at)))
    }

    fn open_list(&self, at: CellOffset, touch: &mut Touch<'_>) -> Result<&'h [u8], HiveError> {
        touch(at, "value list")?;
        let size = usize::try_from(self.count)
            .unwrap_or(usize::MAX)
            .saturating_mul(4);
        self.bins
            .cell(at, "value list")?
            .bytes("value list", 0, size)
    }
}

impl<'h> Iterator for Values<'h> {
    type Item = Result<Value<'h>, HiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_touching(&mut untouched)
    }
}

impl<'h> Security<'h> {
    pub(crate) fn read(bins: Bins<'h>, at: CellOffset) -> Result<Self, HiveError> {
        let record = bins.cell(at, "security record")?.expect(*b"sk", "\"sk\"")?;
        let size = usize::try_from(record.u32(16)?).unwrap_or(usize::MAX);
        Ok(Self {
            next: CellOffset(record.u32(4)?),
            previous: CellOffset(record.u32(8)?),
            references: record.u32(12)?,
            descriptor: record.bytes("security descriptor", SK_HEADER, size)?,
        })
    }
}
