//! The file header ("Windows Imaging File Format" white paper, "WIM header"): 208 bytes, little-endian, no padding.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0x00 | 8 | magic `MSWIM\0\0\0` |
//! | 0x08 | 4 | header size, 208 |
//! | 0x0C | 4 | version: 0x10D00, or 0xE00 where solid resources or LZMS may occur |
//! | 0x10 | 4 | flags |
//! | 0x14 | 4 | chunk size |
//! | 0x18 | 16 | GUID, the same in all parts of a split set |
//! | 0x28 | 2 + 2 | part number, parts in all |
//! | 0x2C | 4 | image count |
//! | 0x30 | 24 | resource header of the lookup table |
//! | 0x48 | 24 | resource header of the XML data |
//! | 0x60 | 24 | resource header of the boot image's metadata |
//! | 0x78 | 4 | boot index |
//! | 0x7C | 24 | resource header of the integrity table (only 4-byte aligned) |
//! | 0x94 | 60 | zero |
//!
//! A pipable file (an extension of wimlib, magic `WLPWM\0\0\0`) begins with a header whose resource headers are zero, because
//! they were not known when it was written; the whole header stands again in the file's last 208 bytes, and that one counts.
//!
//! Deviations: some writers leave a boot index behind that no image has (read as none), or several algorithm bits (the first of
//! LZX, XPRESS, LZMS counts, as in wimlib 1.13.5). Flag 0x200000 alone means XPRESS too (seen with small chunks).

use wcow_ntmeta::Guid;

use crate::bytes::{array_at, u16_at, u32_at};
use crate::codec::Codec;
use crate::error::Warnings;
use crate::{OpenError, Part, ResourceHeader, Unsupported};

/// Length of the header in bytes.
pub(crate) const HEADER_LEN: usize = 208;
pub(crate) const MAGIC: [u8; 8] = *b"MSWIM\0\0\0";
pub(crate) const MAGIC_PIPABLE: [u8; 8] = *b"WLPWM\0\0\0";
pub(crate) const VERSION: u32 = 0x10D00;
const VERSION_SOLID: u32 = 0xE00;
/// More images than this are taken for damage.
const MAX_IMAGES: u32 = 65535;

pub(crate) const FLAG_COMPRESSION: u32 = 0x2;
const FLAG_READ_ONLY: u32 = 0x4;
const FLAG_SPANNED: u32 = 0x8;
const FLAG_RESOURCE_ONLY: u32 = 0x10;
const FLAG_METADATA_ONLY: u32 = 0x20;
pub(crate) const FLAG_WRITE_IN_PROGRESS: u32 = 0x40;
const FLAG_RP_FIX: u32 = 0x80;
const FLAG_XPRESS: u32 = 0x2_0000;
const FLAG_LZX: u32 = 0x4_0000;
const FLAG_LZMS: u32 = 0x8_0000;
const FLAG_XPRESS_2: u32 = 0x20_0000;

/// The flags, with the names that the white paper gives them, without its prefixes.
const FLAG_NAMES: [(u32, &str); 13] = [
    (0x1, "RESERVED"),
    (FLAG_COMPRESSION, "COMPRESSION"),
    (FLAG_READ_ONLY, "READONLY"),
    (FLAG_SPANNED, "SPANNED"),
    (FLAG_RESOURCE_ONLY, "RESOURCE_ONLY"),
    (FLAG_METADATA_ONLY, "METADATA_ONLY"),
    (FLAG_WRITE_IN_PROGRESS, "WRITE_IN_PROGRESS"),
    (FLAG_RP_FIX, "RP_FIX"),
    (0x1_0000, "COMPRESS_RESERVED"),
    (FLAG_XPRESS, "COMPRESS_XPRESS"),
    (FLAG_LZX, "COMPRESS_LZX"),
    (FLAG_LZMS, "COMPRESS_LZMS"),
    (FLAG_XPRESS_2, "COMPRESS_XPRESS2"),
];

/// Where the fields are; the writer uses the same.
pub(crate) mod at {
    pub(crate) const SIZE: usize = 0x08;
    pub(crate) const VERSION: usize = 0x0C;
    pub(crate) const FLAGS: usize = 0x10;
    pub(crate) const CHUNK_SIZE: usize = 0x14;
    pub(crate) const GUID: usize = 0x18;
    pub(crate) const PART: usize = 0x28;
    pub(crate) const PARTS: usize = 0x2A;
    pub(crate) const IMAGES: usize = 0x2C;
    pub(crate) const LOOKUP_TABLE: usize = 0x30;
    pub(crate) const XML: usize = 0x48;
    pub(crate) const BOOT_METADATA: usize = 0x60;
    pub(crate) const BOOT_INDEX: usize = 0x78;
    pub(crate) const INTEGRITY: usize = 0x7C;
}

/// The file header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// Format version: 0x10D00, or 0xE00 for files that may hold solid resources.
    pub version: u32,
    /// The flags, as they are in the file.
    pub flags: u32,
    /// How compressed resources outside of solid ones are compressed.
    pub compression: Compression,
    /// Uncompressed bytes per chunk of a compressed resource; 0 if the file has none.
    pub chunk_size: u32,
    /// Identifies the file, and the parts of a split set.
    pub guid: Guid,
    /// Number of this part, from 1.
    pub part: u16,
    /// Parts in all.
    pub parts: u16,
    /// Images, as the header has it.
    pub image_count: u32,
    /// Where the lookup table is.
    pub lookup_table: ResourceHeader,
    /// Where the XML data is.
    pub xml: ResourceHeader,
    /// Where the metadata of the bootable image is; all zero if there is none.
    pub boot_metadata: ResourceHeader,
    /// Number of the bootable image, from 1; 0 if there is none.
    pub boot_index: u32,
    /// Where the integrity table is; all zero if there is none.
    pub integrity: ResourceHeader,
    pipable: bool,
}

impl Header {
    /// Reads a header from the start of `bytes`; `len` is the length of the whole file.
    pub(crate) fn parse(
        bytes: &[u8],
        len: u64,
        warnings: &mut Warnings,
    ) -> Result<Self, OpenError> {
        let magic: Option<[u8; 8]> = array_at(bytes, 0);
        if magic != Some(MAGIC) && magic != Some(MAGIC_PIPABLE) {
            return Err(OpenError::NotAWim {
                found: bytes.get(..8).unwrap_or(bytes).to_vec(),
            });
        }
        Self::fields(bytes)
            .ok_or(OpenError::Truncated {
                what: "the header",
                offset: 0,
                size: 208,
                len,
            })?
            .check(bytes, len, warnings)
    }

    /// The names of the flags that are set, in the order of their bits. Bits without a name are left out.
    ///
    /// The last two are in no document of Microsoft's: LZMS and the second XPRESS came later.
    pub fn flag_names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let flags = self.flags;
        FLAG_NAMES
            .into_iter()
            .filter(move |(bit, _)| flags & bit != 0)
            .map(|(_, name)| name)
    }

    /// True if the file was marked read-only.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.flags & FLAG_READ_ONLY != 0
    }

    /// True if targets of reparse points were rewritten relative to the captured folder.
    #[must_use]
    pub fn is_rp_fix(&self) -> bool {
        self.flags & FLAG_RP_FIX != 0
    }

    /// True if the file has an integrity table.
    #[must_use]
    pub fn has_integrity_table(&self) -> bool {
        self.integrity.offset != 0 && self.integrity.stored_size != 0
    }

    /// True if the file was made to be read from a pipe as well (magic `WLPWM`, an extension of wimlib).
    #[must_use]
    pub fn is_pipable(&self) -> bool {
        self.pipable
    }

    /// True if this is one of several parts.
    #[must_use]
    pub fn is_split(&self) -> bool {
        self.parts > 1 || (self.flags & FLAG_SPANNED != 0 && self.part > 1)
    }

    fn fields(bytes: &[u8]) -> Option<Self> {
        let resource = |at| ResourceHeader::parse(bytes.get(at..)?);
        // The last of the fields is the integrity table; behind it the header must still be whole.
        bytes.get(HEADER_LEN - 1)?;
        let flags = u32_at(bytes, at::FLAGS)?;
        Some(Self {
            version: u32_at(bytes, at::VERSION)?,
            flags,
            compression: Compression::None,
            chunk_size: u32_at(bytes, at::CHUNK_SIZE)?,
            guid: Guid::from_bytes(array_at(bytes, at::GUID)?),
            part: u16_at(bytes, at::PART)?,
            parts: u16_at(bytes, at::PARTS)?,
            image_count: u32_at(bytes, at::IMAGES)?,
            lookup_table: resource(at::LOOKUP_TABLE)?,
            xml: resource(at::XML)?,
            boot_metadata: resource(at::BOOT_METADATA)?,
            boot_index: u32_at(bytes, at::BOOT_INDEX)?,
            integrity: resource(at::INTEGRITY)?,
            pipable: array_at(bytes, 0) == Some(MAGIC_PIPABLE),
        })
    }

    fn check(mut self, bytes: &[u8], len: u64, warnings: &mut Warnings) -> Result<Self, OpenError> {
        let size = u32_at(bytes, at::SIZE).unwrap_or(0);
        match self.version {
            VERSION | VERSION_SOLID => {}
            0x10900..=0x10C00 => {
                return Err(OpenError::Unsupported {
                    what: Unsupported::Version(self.version),
                });
            }
            found => return Err(wrong("version", at::VERSION, "0x10d00 or 0xe00", found)),
        }
        if size != 208 {
            return Err(wrong("header size", at::SIZE, "0xd0", size));
        }
        if self.part == 0 {
            return Err(wrong("part number", at::PART, "1 or more", 0_u32));
        }
        if self.parts < self.part {
            return Err(wrong(
                "number of parts",
                at::PARTS,
                "at least the part number",
                self.parts,
            ));
        }
        if self.image_count > MAX_IMAGES {
            return Err(wrong(
                "image count",
                at::IMAGES,
                "at most 0xffff",
                self.image_count,
            ));
        }
        self.compression = self.algorithm(warnings)?;
        self.check_chunk_size(warnings)?;
        let tables = [
            (
                "uncompressed size of the lookup table",
                at::LOOKUP_TABLE,
                &self.lookup_table,
            ),
            ("uncompressed size of the XML data", at::XML, &self.xml),
            (
                "uncompressed size of the integrity table",
                at::INTEGRITY,
                &self.integrity,
            ),
        ];
        for (field, at, resource) in tables {
            if resource.size > len {
                return Err(wrong(
                    field,
                    at + 16,
                    "no more than the file has",
                    resource.size,
                ));
            }
        }
        if self.flags & FLAG_WRITE_IN_PROGRESS != 0 {
            warnings.push(Part::Header, 0x10, || {
                "the file was being written when its writer stopped".to_owned()
            });
        }
        if self.boot_index > self.image_count {
            let (boot, count) = (self.boot_index, self.image_count);
            warnings.push(Part::Header, 0x78, || {
                format!("boot index {boot} of {count} images; taken as none")
            });
            self.boot_index = 0;
        }
        Ok(self)
    }

    fn algorithm(&self, warnings: &mut Warnings) -> Result<Compression, OpenError> {
        if self.flags & FLAG_COMPRESSION == 0 {
            return Ok(Compression::None);
        }
        let found: Vec<Compression> = [
            (FLAG_LZX, Compression::Lzx),
            (FLAG_XPRESS | FLAG_XPRESS_2, Compression::Xpress),
            (FLAG_LZMS, Compression::Lzms),
        ]
        .into_iter()
        .filter_map(|(bits, compression)| (self.flags & bits != 0).then_some(compression))
        .collect();
        let first = *found.first().ok_or_else(|| {
            wrong(
                "flags",
                at::FLAGS,
                "an algorithm beside the compression bit",
                self.flags,
            )
        })?;
        if found.len() > 1 {
            warnings.push(Part::Header, 0x10, || {
                format!("several algorithm bits are set; taken as {first}")
            });
        }
        Ok(first)
    }

    fn check_chunk_size(&self, warnings: &mut Warnings) -> Result<(), OpenError> {
        if self.compression == Compression::None {
            if self.chunk_size != 0 {
                let found = self.chunk_size;
                warnings.push(Part::Header, 0x14, || {
                    format!("chunk size {found} in an uncompressed file; ignored")
                });
            }
            return Ok(());
        }
        let codec = Codec {
            compression: self.compression,
            chunk_size: self.chunk_size,
        };
        if let Some(expected) = codec.fault() {
            return Err(wrong(
                "chunk size",
                at::CHUNK_SIZE,
                expected,
                self.chunk_size,
            ));
        }
        Ok(())
    }
}

fn wrong(
    field: &'static str,
    at: usize,
    expected: &'static str,
    found: impl Into<u64>,
) -> OpenError {
    // Offsets within the header are small constants.
    OpenError::Header {
        field,
        offset: u64::try_from(at).unwrap_or(u64::MAX),
        expected,
        found: found.into(),
    }
}

/// How resources are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compression {
    /// Not at all.
    None,
    /// LZ77 + Huffman of [MS-XCA].
    Xpress,
    /// LZX, as in cabinets but one window per chunk.
    Lzx,
    /// LZMS, an LZ77 with adaptive codes and a range coder.
    Lzms,
}

impl std::fmt::Display for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Xpress => "XPRESS",
            Self::Lzx => "LZX",
            Self::Lzms => "LZMS",
        })
    }
}
