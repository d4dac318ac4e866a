//! The layouts and constants of the regf format, versions 1.3 to 1.6.
//!
//! Source: M. Suhanov, "Windows registry file format specification". All numbers are little-endian. Offsets of cells count
//! from the end of the base block.
//!
//! Base block, 4096 bytes:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `regf` |
//! | 4, 8 | 4, 4 | primary and secondary sequence number; equal when the last write was finished |
//! | 12 | 8 | last written, FILETIME |
//! | 20, 24 | 4, 4 | major version (1), minor version (3 to 6) |
//! | 28, 32 | 4, 4 | file type (0: primary), file format (1: direct memory load) |
//! | 36 | 4 | offset of the root cell |
//! | 40 | 4 | size of the hive bins, a multiple of 4096 |
//! | 44 | 4 | clustering factor (1) |
//! | 48 | 64 | file name, UTF-16, filled with zeros |
//! | 508 | 4 | checksum: XOR of the 127 words before it; 0 is stored as 1, and !0 as !1 |
//!
//! Bin header, 32 bytes: `hbin`, own offset (4), size (4), 8 reserved, FILETIME (8, first bin only), spare (4).
//!
//! Cell: size (4, negative when allocated, counts itself, a multiple of 8), then one of:
//!
//! | record | layout |
//! |---|---|
//! | `nk` | flags 2, written 8, access bits 4, parent 4, subkeys 4, volatile subkeys 4, subkey list 4, volatile list 4, values 4, value list 4, security 4, class 4, largest subkey name 4, largest class 4, largest value name 4, largest data 4, spare 4, name size 2, class size 2, name |
//! | `vk` | name size 2, data size 4, data offset 4, type 4, flags 2, spare 2, name |
//! | `sk` | reserved 2, next 4, previous 4, reference count 4, size 4, security descriptor |
//! | `li`, `ri` | count 2, then an offset (4) each |
//! | `lf`, `lh` | count 2, then an offset (4) and a hint or hash (4) each |
//! | `db` | segments 2, offset of the segment list 4 |
//!
//! Read with patience: a data cell that is long enough is taken as the data itself, also above the size from which `db`
//! is used.

/// Bytes in the base block.
pub(crate) const BASE_BLOCK: usize = 4096;
/// Bins have a size that is a multiple of this.
pub(crate) const BIN_ALIGN: usize = 4096;
/// Bytes in a bin header.
pub(crate) const BIN_HEADER: usize = 32;
/// Cells have a size that is a multiple of this.
pub(crate) const CELL_ALIGN: usize = 8;
/// Bytes before a cell's content.
pub(crate) const CELL_HEADER: usize = 4;
/// The offset that points nowhere.
pub(crate) const NO_CELL: u32 = u32::MAX;
/// Bytes in a key node before its name.
pub(crate) const NK_HEADER: usize = 76;
/// Bytes in a value record before its name.
pub(crate) const VK_HEADER: usize = 20;
/// Bytes in a security record before its descriptor.
pub(crate) const SK_HEADER: usize = 20;
/// The most bytes that one data segment holds.
pub(crate) const SEGMENT: usize = 16344;
/// The bit in a data size that says the data stands in the offset field.
pub(crate) const INLINE: u32 = 0x8000_0000;
/// The smallest cell that can hold a key node.
pub(crate) const MIN_KEY_CELL: usize = 80;
/// The flag of a value record whose name is stored in one byte per character.
pub(crate) const VK_COMPRESSED: u16 = 1;
/// Where the checksum stands in the base block.
pub(crate) const CHECKSUM_AT: usize = 508;

/// The checksum that belongs into a base block.
pub(crate) fn checksum(base: &[u8]) -> u32 {
    let words = base.get(..CHECKSUM_AT).unwrap_or(base).chunks_exact(4);
    let sum = words.fold(0, |sum, word| match word {
        &[a, b, c, d] => sum ^ u32::from_le_bytes([a, b, c, d]),
        _ => sum,
    });
    match sum {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}
