//! As much of the format as it takes to find structures in a file that may be damaged, and to unpack what can be unpacked.
//!
//! This is no reader: nothing is checked that does not stand in the way, and what makes no sense is left out.

use std::ops::Range;

use crate::codecs::Codec;
use crate::field::{number, size};

/// Length of the file header.
pub(crate) const HEADER: usize = 208;
/// Length of a row of the lookup table.
pub(crate) const ROW: usize = 50;
/// Length of a resource header.
pub(crate) const RESOURCE: usize = 24;
/// Length of the header before each payload of a pipable file.
pub(crate) const BLOB_HEADER: usize = 40;
/// First 8 bytes of such a header.
pub(crate) const BLOB_MAGIC: u64 = 0x2B9B_9BA2_443D_B9D8;
/// Length of the header of a solid resource, before its chunk sizes.
pub(crate) const SOLID_HEADER: usize = 16;
/// The uncompressed size by which a row says that it is a solid resource.
pub(crate) const SOLID_MARK: u64 = 1 << 32;

pub(crate) const MAGIC: &[u8; 8] = b"MSWIM\0\0\0";
pub(crate) const MAGIC_PIPABLE: &[u8; 8] = b"WLPWM\0\0\0";

/// Places in the header.
pub(crate) mod at {
    pub(crate) const VERSION: usize = 12;
    pub(crate) const FLAGS: usize = 16;
    pub(crate) const CHUNK_SIZE: usize = 20;
    pub(crate) const PART: usize = 40;
    pub(crate) const IMAGES: usize = 44;
    pub(crate) const TABLE: usize = 0x30;
    pub(crate) const XML: usize = 0x48;
    pub(crate) const BOOT: usize = 0x60;
    pub(crate) const INTEGRITY: usize = 0x7C;
}

/// Flags of resources.
pub(crate) mod flag {
    pub(crate) const METADATA: u64 = 0x02;
    pub(crate) const COMPRESSED: u64 = 0x04;
    pub(crate) const SOLID: u64 = 0x10;
}

/// Larger resources are not unpacked: their hashes stay as they are.
pub(crate) const LARGEST: usize = 1 << 20;

/// A resource header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) stored: u64,
    pub(crate) flags: u64,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

impl Resource {
    pub(crate) fn read(bytes: &[u8], at: usize) -> Option<Self> {
        Some(Self {
            stored: number(bytes, at, 7)?,
            flags: number(bytes, at.checked_add(7)?, 1)?,
            offset: number(bytes, at.checked_add(8)?, 8)?,
            size: number(bytes, at.checked_add(16)?, 8)?,
        })
    }

    /// Its 24 bytes.
    pub(crate) fn bytes(&self) -> [u8; RESOURCE] {
        let mut bytes = [0; RESOURCE];
        crate::field::set(&mut bytes, 0, 7, self.stored);
        crate::field::set(&mut bytes, 7, 1, self.flags);
        crate::field::set(&mut bytes, 8, 8, self.offset);
        crate::field::set(&mut bytes, 16, 8, self.size);
        bytes
    }

    pub(crate) fn is(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }

    /// Where its stored bytes lie, if they are in the file.
    pub(crate) fn range(&self, file: &[u8]) -> Option<Range<usize>> {
        let start = usize::try_from(self.offset).ok()?;
        let end = start.checked_add(usize::try_from(self.stored).ok()?)?;
        (end <= file.len()).then_some(start..end)
    }
}

/// What the header says that matters for reading resources.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Where the header that counts begins: at the end in a pipable file.
    pub(crate) header: usize,
    pub(crate) pipable: bool,
    pub(crate) solid: bool,
    pub(crate) codec: Option<Codec>,
    pub(crate) chunk_size: usize,
}

impl Shape {
    pub(crate) fn read(file: &[u8]) -> Option<Self> {
        let pipable = file.starts_with(MAGIC_PIPABLE);
        if !pipable && !file.starts_with(MAGIC) {
            return None;
        }
        let header = if pipable {
            file.len().checked_sub(HEADER)?
        } else {
            0
        };
        file.get(header..header.checked_add(HEADER)?)?;
        Some(Self {
            header,
            pipable,
            solid: number(file, header + at::VERSION, 4)? == 0xE00,
            codec: Codec::of_flags(number(file, header + at::FLAGS, 4)?),
            chunk_size: size(file, header + at::CHUNK_SIZE, 4)?,
        })
    }

    /// The lookup table's place, if it is in the file and not compressed.
    pub(crate) fn table(&self, file: &[u8]) -> Option<Range<usize>> {
        Resource::read(file, self.header + at::TABLE)
            .filter(|table| !table.is(flag::COMPRESSED | flag::SOLID))?
            .range(file)
    }
}

/// One chunk: where it is stored, how long it is unpacked, and how it is compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) stored: Range<usize>,
    pub(crate) size: usize,
    pub(crate) codec: Option<Codec>,
    pub(crate) chunk_size: usize,
}

impl Chunk {
    /// True if its bytes are stored as they are.
    pub(crate) fn is_raw(&self) -> bool {
        self.codec.is_none() || self.stored.len() == self.size
    }

    fn unpack(&self, file: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let stored = file.get(self.stored.clone())?;
        let Some(codec) = self.codec.filter(|_| !self.is_raw()) else {
            out.extend_from_slice(stored);
            return (stored.len() == self.size).then_some(());
        };
        let start = out.len();
        out.resize(start.checked_add(self.size)?, 0);
        codec.decode(self.chunk_size, stored, out.get_mut(start..)?)
    }
}

/// The chunks of a resource; one raw chunk if it is not compressed. `None` if its layout makes no sense, or it is large.
pub(crate) fn chunks(file: &[u8], shape: Shape, resource: &Resource) -> Option<Vec<Chunk>> {
    let range = resource.range(file)?;
    if resource.is(flag::SOLID) && shape.solid {
        return solid_chunks(file, range);
    }
    let total = usize::try_from(resource.size)
        .ok()
        .filter(|total| *total <= LARGEST)?;
    if !resource.is(flag::COMPRESSED) {
        return Some(vec![Chunk {
            size: range.len(),
            stored: range,
            codec: None,
            chunk_size: 0,
        }]);
    }
    let (codec, chunk_size) = (shape.codec?, shape.chunk_size);
    if chunk_size == 0 || total == 0 {
        return None;
    }
    let count = total.div_ceil(chunk_size);
    let table_len = 4 * (count - 1);
    let table = if shape.pipable {
        range.end.checked_sub(table_len)?
    } else {
        range.start
    };
    // Where the end of chunk `index` is, counted without the prefixes of a pipable file.
    let prefix = if shape.pipable { 4 } else { 0 };
    let data = if shape.pipable {
        range.start
    } else {
        range.start + table_len
    };
    let data_len = range.len().checked_sub(table_len + prefix * count)?;
    let end = |index: usize| match index {
        _ if index + 1 == count => Some(data_len),
        _ => size(file, table + 4 * index, 4).filter(|end| *end <= data_len),
    };
    let mut start = 0;
    let mut list = Vec::new();
    for index in 0..count {
        let end = end(index).filter(|end| *end > start)?;
        let shift = data + prefix * (index + 1);
        list.push(Chunk {
            stored: start + shift..end + shift,
            size: chunk_size.min(total - index * chunk_size),
            codec: Some(codec),
            chunk_size,
        });
        start = end;
    }
    Some(list)
}

fn solid_chunks(file: &[u8], range: Range<usize>) -> Option<Vec<Chunk>> {
    let total = size(file, range.start, 8).filter(|total| *total <= LARGEST)?;
    let chunk_size = size(file, range.start + 8, 4).filter(|size| *size > 0)?;
    let codec = Codec::of_number(number(file, range.start + 12, 4)?)?;
    let count = total.div_ceil(chunk_size);
    let mut start = range
        .start
        .checked_add(SOLID_HEADER)?
        .checked_add(count.checked_mul(4)?)?;
    let mut list = Vec::new();
    for index in 0..count {
        let end = start.checked_add(size(file, range.start + SOLID_HEADER + 4 * index, 4)?)?;
        if end > range.end {
            return None;
        }
        list.push(Chunk {
            stored: start..end,
            size: chunk_size.min(total - index * chunk_size),
            codec,
            chunk_size,
        });
        start = end;
    }
    Some(list)
}

/// The bytes that a resource stands for, if they can be had.
pub(crate) fn unpack(file: &[u8], shape: Shape, resource: &Resource) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for chunk in chunks(file, shape, resource)? {
        chunk.unpack(file, &mut bytes)?;
    }
    Some(bytes)
}
