//! What can be wrong with a hive.

use crate::cell::CellOffset;

/// Why a hive, or a part of it, cannot be read.
///
/// Cells are named by their offset in the hive bins and by their offset in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HiveError {
    /// The bytes end inside the base block.
    #[error("base block: expected {expected} bytes, found {found}")]
    Truncated {
        /// Bytes in a base block.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The bytes do not begin with `regf`.
    #[error("base block: expected signature \"regf\", found \"{}\"", found.escape_ascii())]
    NotAHive {
        /// The first four bytes.
        found: [u8; 4],
    },
    /// The base block was damaged, or not written to the end.
    #[error("base block: expected checksum {expected:#010x}, found {found:#010x} at offset 0x1fc")]
    Checksum {
        /// The checksum of the bytes that are there.
        expected: u32,
        /// The checksum that is stored.
        found: u32,
    },
    /// A version that this crate does not read.
    #[error("base block: expected version 1.3 to 1.6, found {major}.{minor} at offset 0x14")]
    Version {
        /// Major version.
        major: u32,
        /// Minor version.
        minor: u32,
    },
    /// A field of the base block or of a bin header has a value that it cannot have.
    #[error("{what} at file offset {file_offset:#x}: expected {expected}, found {found:#x}")]
    Field {
        /// The field.
        what: &'static str,
        /// Where the field stands in the file, in bytes.
        file_offset: u64,
        /// What it could be.
        expected: String,
        /// What it is.
        found: u64,
    },
    /// The hive bins reach beyond the end of the file.
    #[error("hive bins: expected {expected} bytes after the base block, found {found}")]
    BinsTruncated {
        /// Bytes that the base block claims.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// An offset points where no cell can be.
    #[error("{what} at cell {at}: expected an offset below {end:#x} that is a multiple of 8")]
    CellOffset {
        /// What should be there.
        what: &'static str,
        /// The offset.
        at: CellOffset,
        /// Bytes in the hive bins.
        end: usize,
    },
    /// A cell that is in use is marked as free.
    #[error("{what} at cell {at}: expected an allocated cell, found a free one of {size} bytes")]
    CellFree {
        /// What should be there.
        what: &'static str,
        /// The cell.
        at: CellOffset,
        /// The size that is stored.
        size: u32,
    },
    /// The size of a cell is not possible.
    #[error(
        "{what} at cell {at}: expected a size from 8 to {room} that is a multiple of 8, found {size}"
    )]
    CellSize {
        /// What should be there.
        what: &'static str,
        /// The cell.
        at: CellOffset,
        /// The size that is stored, without its sign.
        size: u32,
        /// Bytes from the cell to the end of its bin, or of the bins where the bin is not known.
        room: usize,
    },
    /// An offset points into the middle of a cell.
    #[error("{what} at cell {at}: expected the start of an allocated cell")]
    NotACell {
        /// What should be there.
        what: &'static str,
        /// The offset.
        at: CellOffset,
    },
    /// A record has the wrong signature.
    #[error("{what} at cell {at}: expected signature {expected}, found \"{}\"", found.escape_ascii())]
    Signature {
        /// What should be there.
        what: &'static str,
        /// The cell.
        at: CellOffset,
        /// The signatures that would do.
        expected: &'static str,
        /// The two bytes that are there.
        found: [u8; 2],
    },
    /// A record, or what it says it holds, does not fit into its cell.
    #[error("{what} at cell {at}: expected {needed} bytes, found {found}")]
    TooShort {
        /// The part that does not fit.
        what: &'static str,
        /// The cell.
        at: CellOffset,
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// A count is not what the hive holds, or more than it can hold.
    #[error("{what} at cell {at}: expected {expected}, found {found}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// The cell.
        at: CellOffset,
        /// The count that would be right, or the highest that could be.
        expected: u64,
        /// The count that is there.
        found: u64,
    },
    /// A UTF-16 text has an odd number of bytes.
    #[error("{what} at cell {at}: expected an even number of bytes, found {found}")]
    OddText {
        /// The text.
        what: &'static str,
        /// The cell.
        at: CellOffset,
        /// Bytes in the text.
        found: usize,
    },
    /// Lists of subkey lists stand in each other too deep.
    #[error("subkey list at cell {at}: expected at most {limit} levels of lists")]
    NestedLists {
        /// The list that is too deep.
        at: CellOffset,
        /// Levels allowed.
        limit: usize,
    },
    /// A key is reached twice: the tree has a cycle, or two parents share a child.
    #[error("key node at cell {at}: expected to be reached once, found again below another key")]
    Cycle {
        /// The key.
        at: CellOffset,
    },
    /// A cell other than a key or a security descriptor is used by two records.
    #[error("{what} at cell {at}: expected one user of the cell, found a second")]
    Shared {
        /// The second use.
        what: &'static str,
        /// The cell.
        at: CellOffset,
    },
    /// The list of security descriptors is not linked both ways.
    #[error(
        "security record at cell {at}: expected cell {next} to link back to it, found {found:#x}"
    )]
    SecurityLink {
        /// The record.
        at: CellOffset,
        /// Its next record.
        next: CellOffset,
        /// Where that record links back to.
        found: u32,
    },
    /// Keys stand in each other too deep.
    #[error("key node at cell {at}: expected at most {limit} levels of keys")]
    TooDeep {
        /// The key that is too deep.
        at: CellOffset,
        /// Levels allowed.
        limit: usize,
    },
    /// The hive holds more than the caller allows.
    #[error("{what} at cell {at}: expected at most {limit} in the hive")]
    Budget {
        /// What there is too much of.
        what: &'static str,
        /// The cell that was too much.
        at: CellOffset,
        /// How much is allowed.
        limit: u64,
    },
}
