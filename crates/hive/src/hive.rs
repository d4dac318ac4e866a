//! The base block, and the way in.

use std::borrow::Cow;
use std::fmt;

use wcow_ntmeta::{FileTime, WideName};

use crate::cell::{Bins, CellOffset, u32_at, u64_at, wide_units};
use crate::error::HiveError;
use crate::format::{BASE_BLOCK, BIN_ALIGN, CHECKSUM_AT, checksum};
use crate::key::Key;

/// A hive whose base block is right, over borrowed or owned bytes.
#[derive(Clone)]
pub struct Hive<'a> {
    bytes: Cow<'a, [u8]>,
    base: Base,
}

/// The version of a hive's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Always 1.
    pub major: u32,
    /// 3 to 6. From 4 on, large data lies in segments; from 5 on, subkey lists carry hashes.
    pub minor: u32,
}

/// What the base block says.
#[derive(Debug, Clone)]
struct Base {
    sequence: (u32, u32),
    last_written: FileTime,
    version: Version,
    root: CellOffset,
    bins_end: usize,
    name: WideName,
}

impl<'a> Hive<'a> {
    /// Reads the base block of a hive that is given whole.
    ///
    /// Takes `&[u8]`, `Vec<u8>` or a `Cow`. Bytes after the last bin are ignored, as Windows does.
    ///
    /// # Errors
    /// The signature, checksum, version, file type or format is not that of a primary hive file, the root cell lies
    /// outside the bins, or the bins reach beyond the bytes. Everything behind the base block is checked when it is read.
    pub fn parse(bytes: impl Into<Cow<'a, [u8]>>) -> Result<Self, HiveError> {
        let bytes = bytes.into();
        let base = parse_base(&bytes)?;
        Ok(Self { bytes, base })
    }

    /// The root key.
    ///
    /// # Errors
    /// The root cell is not a key node.
    pub fn root(&self) -> Result<Key<'_>, HiveError> {
        Key::read(self.bins(), self.base.root)
    }

    /// The key at `path`, which is relative to the root, separated by `\`, and compared without regard to case.
    ///
    /// The empty path is the root. `None` if there is no such key.
    ///
    /// # Errors
    /// A cell on the way is damaged.
    pub fn open(&self, path: &str) -> Result<Option<Key<'_>>, HiveError> {
        self.root()?.open(path)
    }

    /// The file name that the hive notes of itself: at most 32 units, and often only the end of a path.
    #[must_use]
    pub fn name(&self) -> &WideName {
        &self.base.name
    }

    /// When the hive was last written.
    #[must_use]
    pub fn last_written(&self) -> FileTime {
        self.base.last_written
    }

    /// The version of the format.
    #[must_use]
    pub fn version(&self) -> Version {
        self.base.version
    }

    /// Whether the last write was not finished: the two sequence numbers differ.
    ///
    /// Such a hive needs its transaction log, which this crate does not read. What is there can still be read.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.base.sequence.0 != self.base.sequence.1
    }

    /// The primary and the secondary sequence number.
    #[must_use]
    pub fn sequence_numbers(&self) -> (u32, u32) {
        self.base.sequence
    }

    /// Where the root cell lies.
    #[must_use]
    pub fn root_offset(&self) -> CellOffset {
        self.base.root
    }

    /// Bytes in the hive bins.
    #[must_use]
    pub fn bins_size(&self) -> usize {
        self.bins().data.len()
    }

    pub(crate) fn bins(&self) -> Bins<'_> {
        let data = self
            .bytes
            .get(BASE_BLOCK..self.base.bins_end)
            .unwrap_or_default();
        Bins {
            data,
            minor: self.base.version.minor,
        }
    }
}

impl fmt::Debug for Hive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hive")
            .field("base", &self.base)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

fn parse_base(bytes: &[u8]) -> Result<Base, HiveError> {
    let truncated = HiveError::Truncated {
        expected: BASE_BLOCK,
        found: bytes.len(),
    };
    if let Some(&found) = bytes.first_chunk::<4>()
        && &found != b"regf"
    {
        return Err(HiveError::NotAHive { found });
    }
    let block = bytes.get(..BASE_BLOCK).ok_or(truncated.clone())?;
    let word = |at| u32_at(block, at).ok_or(truncated.clone());
    let (expected, found) = (checksum(block), word(CHECKSUM_AT)?);
    if expected != found {
        return Err(HiveError::Checksum { expected, found });
    }
    let version = Version {
        major: word(20)?,
        minor: word(24)?,
    };
    if version.major != 1 || !(3..=6).contains(&version.minor) {
        return Err(HiveError::Version {
            major: version.major,
            minor: version.minor,
        });
    }
    field(
        "file type",
        28,
        word(28)?,
        |value| value == 0,
        || "0 (primary file)".to_owned(),
    )?;
    field(
        "file format",
        32,
        word(32)?,
        |value| value == 1,
        || "1 (direct memory load)".to_owned(),
    )?;
    let size = word(40)?;
    let bins_len = usize::try_from(size).unwrap_or(usize::MAX);
    let aligned = |_| bins_len != 0 && bins_len.is_multiple_of(BIN_ALIGN);
    field("hive bins size", 40, size, aligned, || {
        "a multiple of 4096 above 0".to_owned()
    })?;
    let present = bytes.len() - BASE_BLOCK;
    if bins_len > present {
        return Err(HiveError::BinsTruncated {
            expected: u64::from(size),
            found: present as u64,
        });
    }
    let root = word(36)?;
    field(
        "root cell offset",
        36,
        root,
        |value| value < size,
        || format!("an offset below {size:#x}"),
    )?;
    Ok(Base {
        sequence: (word(4)?, word(8)?),
        last_written: FileTime::from_ticks(u64_at(block, 12).ok_or(truncated.clone())?),
        version,
        root: CellOffset(root),
        bins_end: BASE_BLOCK + bins_len,
        name: WideName::from_units(
            wide_units(block.get(48..112).unwrap_or_default())
                .take_while(|&unit| unit != 0)
                .collect(),
        ),
    })
}

fn field(
    what: &'static str,
    at: u64,
    found: u32,
    right: impl Fn(u32) -> bool,
    expected: impl Fn() -> String,
) -> Result<(), HiveError> {
    if right(found) {
        return Ok(());
    }
    Err(HiveError::Field {
        what,
        file_offset: at,
        expected: expected(),
        found: u64::from(found),
    })
}
