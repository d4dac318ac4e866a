//! Value records (`vk`) and their data, in the record, in a cell, or in the segments of a `db` record.

use std::borrow::Cow;

use wcow_ntmeta::WideName;

use crate::cell::{Bins, CellOffset, NameForm, Record, StoredName, Touch, untouched, wide_units};
use crate::error::HiveError;
use crate::format::{INLINE, SEGMENT, VK_COMPRESSED, VK_HEADER};

/// One value of a key.
#[derive(Debug, Clone, Copy)]
pub struct Value<'h> {
    bins: Bins<'h>,
    at: CellOffset,
    name: StoredName<'h>,
    kind: ValueKind,
    place: Place<'h>,
}

/// The type of a value's data, as it is stored; nothing makes sure that the data has this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// `REG_NONE`.
    None,
    /// `REG_SZ`: UTF-16 text, mostly with a NUL at the end.
    Sz,
    /// `REG_EXPAND_SZ`: text with `%VARIABLES%`.
    ExpandSz,
    /// `REG_BINARY`.
    Binary,
    /// `REG_DWORD`, little-endian.
    Dword,
    /// `REG_DWORD_BIG_ENDIAN`.
    DwordBigEndian,
    /// `REG_LINK`: the target of a symbolic link, without a NUL.
    Link,
    /// `REG_MULTI_SZ`: texts that each end in a NUL, and then an empty one.
    MultiSz,
    /// `REG_RESOURCE_LIST`.
    ResourceList,
    /// `REG_FULL_RESOURCE_DESCRIPTOR`.
    FullResourceDescriptor,
    /// `REG_RESOURCE_REQUIREMENTS_LIST`.
    ResourceRequirementsList,
    /// `REG_QWORD`, little-endian.
    Qword,
    /// A number without a meaning of its own; SAM hives use this field for other things.
    Unknown(u32),
}

/// The texts of a `REG_MULTI_SZ` value, up to the first empty one.
#[derive(Debug, Clone)]
pub struct MultiString<'h> {
    data: Cow<'h, [u8]>,
    next: usize,
}

/// Where the data lies.
#[derive(Debug, Clone, Copy)]
enum Place<'h> {
    Inline(&'h [u8]),
    Cell(CellOffset, usize),
}

impl<'h> Value<'h> {
    pub(crate) fn read(bins: Bins<'h>, at: CellOffset) -> Result<Self, HiveError> {
        let record = bins.cell(at, "value")?.expect(*b"vk", "\"vk\"")?;
        let form = if record.u16(16)? & VK_COMPRESSED != 0 {
            NameForm::Compressed
        } else {
            NameForm::Wide
        };
        let name = record.bytes("value name", VK_HEADER, usize::from(record.u16(2)?))?;
        let size_field = record.u32(4)?;
        let size = usize::try_from(size_field & !INLINE).unwrap_or(usize::MAX);
        let place = if size_field & INLINE == 0 {
            Place::Cell(CellOffset(record.u32(8)?), size)
        } else if let Some(data) = record.bytes("value", 8, 4)?.get(..size) {
            Place::Inline(data)
        } else {
            return Err(HiveError::TooShort {
                what: "data in the value record",
                at,
                needed: size as u64,
                found: 4,
            });
        };
        Ok(Self {
            bins,
            at,
            name: StoredName::new(name, form, "value name", at)?,
            kind: ValueKind::from(record.u32(12)?),
            place,
        })
    }

    /// The value's name; the default value has the empty one.
    #[must_use]
    pub fn name(&self) -> WideName {
        self.name.to_wide()
    }

    /// The type of the data.
    #[must_use]
    pub fn kind(&self) -> ValueKind {
        self.kind
    }

    /// The cell of the value record.
    #[must_use]
    pub fn offset(&self) -> CellOffset {
        self.at
    }

    /// How many bytes of data the value claims.
    #[must_use]
    pub fn data_size(&self) -> usize {
        match self.place {
            Place::Inline(data) => data.len(),
            Place::Cell(_, size) => size,
        }
    }

    /// The data: borrowed, or put together if it lies in segments. Never more than the hive's own size.
    ///
    /// # Errors
    /// The data is longer than the cells that should hold it.
    pub fn data(&self) -> Result<Cow<'h, [u8]>, HiveError> {
        self.data_touching(&mut untouched)
    }

    /// The number in a `REG_DWORD` or `REG_DWORD_BIG_ENDIAN`. `None` for other types, or if the data is not 4 bytes.
    ///
    /// # Errors
    /// As [`Value::data`].
    pub fn as_dword(&self) -> Result<Option<u32>, HiveError> {
        let read = match self.kind {
            ValueKind::Dword => u32::from_le_bytes,
            ValueKind::DwordBigEndian => u32::from_be_bytes,
            _ => return Ok(None),
        };
        Ok(self.data()?.as_ref().try_into().ok().map(read))
    }

    /// The number in a `REG_QWORD`. `None` for other types, or if the data is not 8 bytes.
    ///
    /// # Errors
    /// As [`Value::data`].
    pub fn as_qword(&self) -> Result<Option<u64>, HiveError> {
        if self.kind != ValueKind::Qword {
            return Ok(None);
        }
        Ok(self
            .data()?
            .as_ref()
            .try_into()
            .ok()
            .map(u64::from_le_bytes))
    }

    /// The text of a `REG_SZ`, `REG_EXPAND_SZ` or `REG_LINK`, up to the first NUL. `None` for other types.
    ///
    /// An odd last byte is left out, as Windows does.
    ///
    /// # Errors
    /// As [`Value::data`].
    pub fn as_string(&self) -> Result<Option<WideName>, HiveError> {
        if !matches!(
            self.kind,
            ValueKind::Sz | ValueKind::ExpandSz | ValueKind::Link
        ) {
            return Ok(None);
        }
        let data = self.data()?;
        Ok(Some(WideName::from_units(
            wide_units(&data).take_while(|&unit| unit != 0).collect(),
        )))
    }

    /// The texts of a `REG_MULTI_SZ`. `None` for other types.
    ///
    /// # Errors
    /// As [`Value::data`].
    pub fn as_multi_string(&self) -> Result<Option<MultiString<'h>>, HiveError> {
        if self.kind != ValueKind::MultiSz {
            return Ok(None);
        }
        Ok(Some(MultiString {
            data: self.data()?,
            next: 0,
        }))
    }

    pub(crate) fn data_touching(&self, touch: &mut Touch<'_>) -> Result<Cow<'h, [u8]>, HiveError> {
        let (at, size) = match self.place {
            Place::Inline(data) => return Ok(Cow::Borrowed(data)),
            Place::Cell(_, 0) => return Ok(Cow::Borrowed(&[])),
            Place::Cell(at, size) => (at, size),
        };
        touch(at, "value data")?;
        let record = self.bins.cell(at, "value data")?;
        if let Some(data) = record.data.get(..size) {
            return Ok(Cow::Borrowed(data));
        }
        if self.bins.minor < 4 || size <= SEGMENT {
            return record.bytes("value data", 0, size).map(Cow::Borrowed);
        }
        self.segments(record, size, touch).map(Cow::Owned)
    }

    fn segments(
        &self,
        record: Record<'h>,
        size: usize,
        touch: &mut Touch<'_>,
    ) -> Result<Vec<u8>, HiveError> {
        let record = Record {
            what: "big data",
            ..record
        }
        .expect(*b"db", "\"db\"")?;
        let at = record.at;
        if size > self.bins.data.len() {
            let (needed, found) = (size as u64, self.bins.data.len() as u64);
            return Err(HiveError::TooShort {
                what: "big data",
                at,
                needed,
                found,
            });
        }
        let (expected, found) = (size.div_ceil(SEGMENT) as u64, u64::from(record.u16(2)?));
        if expected != found {
            return Err(HiveError::Count {
                what: "segments of big data",
                at,
                expected,
                found,
            });
        }
        let list_at = CellOffset(record.u32(4)?);
        touch(list_at, "segment list")?;
        let list = self.bins.cell(list_at, "segment list")?;
        list.bytes("segment list", 0, usize::from(record.u16(2)?) * 4)?;
        let mut data = Vec::with_capacity(size);
        while data.len() < size {
            let segment_at = CellOffset(list.u32(data.len() / SEGMENT * 4)?);
            touch(segment_at, "data segment")?;
            let segment = self.bins.cell(segment_at, "data segment")?;
            data.extend_from_slice(segment.bytes(
                "data segment",
                0,
                SEGMENT.min(size - data.len()),
            )?);
        }
        Ok(data)
    }
}

impl ValueKind {
    /// The number that stands in the hive.
    #[must_use]
    pub fn code(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Sz => 1,
            Self::ExpandSz => 2,
            Self::Binary => 3,
            Self::Dword => 4,
            Self::DwordBigEndian => 5,
            Self::Link => 6,
            Self::MultiSz => 7,
            Self::ResourceList => 8,
            Self::FullResourceDescriptor => 9,
            Self::ResourceRequirementsList => 10,
            Self::Qword => 11,
            Self::Unknown(code) => code,
        }
    }
}

impl From<u32> for ValueKind {
    fn from(code: u32) -> Self {
        match code {
            0 => Self::None,
            1 => Self::Sz,
            2 => Self::ExpandSz,
            3 => Self::Binary,
            4 => Self::Dword,
            5 => Self::DwordBigEndian,
            6 => Self::Link,
            7 => Self::MultiSz,
            8 => Self::ResourceList,
            9 => Self::FullResourceDescriptor,
            10 => Self::ResourceRequirementsList,
            11 => Self::Qword,
            code => Self::Unknown(code),
        }
    }
}

impl Iterator for MultiString<'_> {
    type Item = WideName;

    fn next(&mut self) -> Option<WideName> {
        let rest = self.data.get(self.next..).unwrap_or_default();
        let units: Vec<u16> = wide_units(rest).take_while(|&unit| unit != 0).collect();
        if units.is_empty() {
            self.next = self.data.len();
            return None;
        }
        self.next += (units.len() + 1) * 2;
        Some(WideName::from_units(units))
    }
}
