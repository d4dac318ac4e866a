//! File attributes: the `FILE_ATTRIBUTE_*` bits of MS-FSCC section 2.6.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use serde::{Deserialize, Serialize};

/// A set of `FILE_ATTRIBUTE_*` bits; bits without a name are kept.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileAttributes(u32);

macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident = $bits:literal;)*) => {
        impl FileAttributes {
            $($(#[$doc])* pub const $name: Self = Self($bits);)*

            const NAMES: &'static [(u32, &'static str)] = &[$(($bits, stringify!($name)),)*];
        }
    };
}

attributes! {
    /// Writing and deleting are refused.
    READONLY = 0x0000_0001;
    /// Left out of ordinary listings.
    HIDDEN = 0x0000_0002;
    /// Part of the operating system.
    SYSTEM = 0x0000_0004;
    /// The entry is a directory.
    DIRECTORY = 0x0000_0010;
    /// Changed since the last backup.
    ARCHIVE = 0x0000_0020;
    /// Reserved for devices.
    DEVICE = 0x0000_0040;
    /// No other attribute is set.
    NORMAL = 0x0000_0080;
    /// Short-lived data, kept in memory if possible.
    TEMPORARY = 0x0000_0100;
    /// The file may have holes.
    SPARSE_FILE = 0x0000_0200;
    /// The entry has a reparse point.
    REPARSE_POINT = 0x0000_0400;
    /// Stored compressed; on a directory, the default for new files.
    COMPRESSED = 0x0000_0800;
    /// The contents are not at hand.
    OFFLINE = 0x0000_1000;
    /// The indexing service passes over it.
    NOT_CONTENT_INDEXED = 0x0000_2000;
    /// Stored encrypted; on a directory, the default for new files.
    ENCRYPTED = 0x0000_4000;
    /// ReFS keeps checksums of the contents.
    INTEGRITY_STREAM = 0x0000_8000;
    /// Reserved.
    VIRTUAL = 0x0001_0000;
    /// The background scrubber passes over it.
    NO_SCRUB_DATA = 0x0002_0000;
    /// Opening it recalls it from remote storage.
    RECALL_ON_OPEN = 0x0004_0000;
    /// To be kept on local storage.
    PINNED = 0x0008_0000;
    /// Need not be kept on local storage.
    UNPINNED = 0x0010_0000;
    /// Reading it recalls it from remote storage.
    RECALL_ON_DATA_ACCESS = 0x0040_0000;
}

impl FileAttributes {
    /// The set with exactly these bits, named or not.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits as Windows stores them.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether no bit is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets the bits of `other`.
    pub fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Clears the bits of `other`.
    pub fn remove(&mut self, other: Self) {
        self.0 &= !other.0;
    }

    /// Whether [`DIRECTORY`](Self::DIRECTORY) is set.
    pub const fn is_directory(self) -> bool {
        self.contains(Self::DIRECTORY)
    }

    /// Whether [`REPARSE_POINT`](Self::REPARSE_POINT) is set.
    pub const fn is_reparse_point(self) -> bool {
        self.contains(Self::REPARSE_POINT)
    }
}

impl BitOr for FileAttributes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for FileAttributes {
    fn bitor_assign(&mut self, other: Self) {
        self.insert(other);
    }
}

impl fmt::Display for FileAttributes {
    /// The names joined by `|`, unnamed bits as one hexadecimal number; `0` for the empty set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut separator = "";
        for (bits, name) in Self::NAMES {
            if rest & bits != 0 {
                write!(f, "{separator}{name}")?;
                separator = "|";
                rest &= !bits;
            }
        }
        match (rest, separator) {
            (0, "") => f.write_str("0"),
            (0, _) => Ok(()),
            _ => write!(f, "{separator}{rest:#x}"),
        }
    }
}

impl fmt::Debug for FileAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileAttributes({self})")
    }
}
