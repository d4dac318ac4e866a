//! Reparse points: MS-FSCC section 2.1.2.
//!
//! The body of the two kinds that are read here, after the common header of 8 bytes (tag, length, reserved). Offsets and
//! lengths are in bytes and count from the path buffer.
//!
//! | symlink | mount point | size | field |
//! |---|---|---|---|
//! | 0 | 0 | 2 | substitute name: offset |
//! | 2 | 2 | 2 | substitute name: length |
//! | 4 | 4 | 2 | print name: offset |
//! | 6 | 6 | 2 | print name: length |
//! | 8 | - | 4 | flags; bit 0: the target is relative |
//! | 12 | 8 | rest | path buffer, UTF-16 |

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bytes::{slice, u16_at, u32_at};
use crate::{WideName, hex};

/// The tag of a symbolic link.
pub const TAG_SYMLINK: u32 = 0xA000_000C;
/// The tag of a mount point or junction.
pub const TAG_MOUNT_POINT: u32 = 0xA000_0003;
/// The tag of a file whose contents a WOF provider (a WIM, or its own compression) supplies.
pub const TAG_WOF: u32 = 0x8000_0017;
/// The tag of a deduplicated file.
pub const TAG_DEDUP: u32 = 0x8000_0013;

const FLAG_RELATIVE: u32 = 1;
/// What Windows allows a reparse point to hold, header included.
const MAX_BUFFER: usize = 16 * 1024;

/// A reparse point: its tag, and the body after the 8-byte header, as stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReparsePoint {
    /// The tag that says whose data it is.
    pub tag: u32,
    /// The body; in serde, hexadecimal digits.
    #[serde(with = "hex")]
    pub data: Vec<u8>,
}

/// Where a reparse point leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReparseTarget {
    /// A symbolic link.
    Symlink {
        /// The target that the system follows.
        substitute: WideName,
        /// The target as shown to people.
        print: WideName,
        /// Whether the target counts from the link's own directory.
        relative: bool,
    },
    /// A mount point or junction.
    MountPoint {
        /// The target that the system follows.
        substitute: WideName,
        /// The target as shown to people.
        print: WideName,
    },
}

/// Why a reparse point cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReparseError {
    /// The names do not fit.
    #[error("reparse point: expected at most 16384 bytes with its header, found {bytes}")]
    TooLong {
        /// The size it would have, header included.
        bytes: usize,
    },
}

impl ReparsePoint {
    /// A symbolic link with these substitute and print names.
    ///
    /// # Errors
    /// The names do not fit into the 16 KiB that Windows allows.
    pub fn symlink(
        target: impl Into<WideName>,
        print: impl Into<WideName>,
        relative: bool,
    ) -> Result<Self, ReparseError> {
        let flags = if relative { FLAG_RELATIVE } else { 0 };
        Self::with_names(TAG_SYMLINK, Some(flags), &target.into(), &print.into())
    }

    /// A mount point or junction with these substitute and print names.
    ///
    /// # Errors
    /// The names do not fit into the 16 KiB that Windows allows.
    pub fn mount_point(
        target: impl Into<WideName>,
        print: impl Into<WideName>,
    ) -> Result<Self, ReparseError> {
        Self::with_names(TAG_MOUNT_POINT, None, &target.into(), &print.into())
    }

    /// Where it leads; `None` if it is neither symlink nor mount point, or its body is damaged.
    pub fn target(&self) -> Option<ReparseTarget> {
        let name = |at: usize, buffer: usize| {
            let offset = buffer.checked_add(usize::from(u16_at(&self.data, at)?))?;
            WideName::from_le_bytes(slice(
                &self.data,
                offset,
                usize::from(u16_at(&self.data, at + 2)?),
            )?)
        };
        match self.tag {
            TAG_SYMLINK => Some(ReparseTarget::Symlink {
                substitute: name(0, 12)?,
                print: name(4, 12)?,
                relative: u32_at(&self.data, 8)? & FLAG_RELATIVE != 0,
            }),
            TAG_MOUNT_POINT => Some(ReparseTarget::MountPoint {
                substitute: name(0, 8)?,
                print: name(4, 8)?,
            }),
            _ => None,
        }
    }

    /// Lays the names out one after the other, each with a NUL behind it that no length counts.
    fn with_names(
        tag: u32,
        flags: Option<u32>,
        target: &WideName,
        print: &WideName,
    ) -> Result<Self, ReparseError> {
        let (target, print) = (target.to_le_bytes(), print.to_le_bytes());
        let bytes = 16 + flags.map_or(0, |_| 4) + target.len() + 2 + print.len() + 2;
        let too_long = |_| ReparseError::TooLong { bytes };
        if bytes > MAX_BUFFER {
            return Err(ReparseError::TooLong { bytes });
        }
        let mut data = Vec::with_capacity(bytes - 8);
        for number in [0, target.len(), target.len() + 2, print.len()] {
            data.extend(u16::try_from(number).map_err(too_long)?.to_le_bytes());
        }
        data.extend(flags.into_iter().flat_map(u32::to_le_bytes));
        for name in [target, print] {
            data.extend(name);
            data.extend([0, 0]);
        }
        Ok(Self { tag, data })
    }
}
