//! What a system keeps of a file beside its name, its contents and two times.
//!
//! What is set, in which order, and what follows when the system refuses is plain code ([`seal`]). How it is set stands behind
//! [`Native`]: by Windows, or, in tests on every system, by one that writes down what it is told and refuses what it is told to refuse.

use std::fmt;
use std::fs::File;
use std::io;

use cap_std::fs::Dir;
use wcow_ntmeta::{FileAttributes, WideName};

pub(super) use attributes::reparse_buffer;
pub(super) use seal::{Refusal, Sealed, seal};

mod attributes;
mod seal;
#[cfg(windows)]
mod win32;

#[cfg(test)]
pub(super) mod record;

/// The calls to a system that keeps more than names, contents and times.
pub(super) trait Native: fmt::Debug + Send {
    /// What the destination has a place for.
    fn places(&self) -> Places;

    /// Which of the privileges that this needs the process has.
    fn privileges(&self) -> Privileges;

    /// Opens what is there, never what a link leads to, with these rights of [`wcow_win32::access`].
    fn open(&mut self, at: At<'_>, access: u32) -> io::Result<File>;

    /// Sets one thing.
    fn set(&mut self, file: &File, step: &Step) -> io::Result<()>;

    /// Makes an alternate stream, which must not be there.
    fn create_stream(&mut self, at: At<'_>, stream: &WideName) -> io::Result<File>;

    /// Takes an alternate stream away.
    fn remove_stream(&mut self, at: At<'_>, stream: &WideName) -> io::Result<()>;

    /// Takes away what keeps a file from being replaced: the attribute read-only.
    fn release(&mut self, at: At<'_>) -> io::Result<()>;
}

/// A name in a directory; without a name, the directory itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    #[cfg_attr(
        not(any(windows, test)),
        expect(dead_code, reason = "no system but Windows is asked")
    )]
    pub(super) dir: &'a Dir,
    pub(super) name: &'a str,
}

/// What a volume has a place for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// Creation times, attributes and short names.
    pub(super) basic: bool,
    pub(super) security: bool,
    pub(super) named_streams: bool,
    pub(super) reparse_points: bool,
    pub(super) extended_attributes: bool,
    pub(super) object_ids: bool,
    pub(super) compression: bool,
    pub(super) sparse_files: bool,
}

impl Places {
    /// From the flags of a file system ([MS-FSCC] 2.5.1).
    #[cfg_attr(
        not(any(windows, test)),
        expect(dead_code, reason = "flags come from Windows")
    )]
    pub(super) fn from_flags(flags: u32) -> Self {
        let has = |flag: u32| flags & flag != 0;
        Self {
            basic: true,
            security: has(0x8),
            named_streams: has(0x4_0000),
            reparse_points: has(0x80),
            extended_attributes: has(0x80_0000),
            object_ids: has(0x1_0000),
            compression: has(0x10),
            sparse_files: has(0x40),
        }
    }

    /// The attributes that can be kept, without those that follow from what an entry is.
    pub(super) fn attributes(self) -> FileAttributes {
        let none = FileAttributes::default();
        let when = |place, attribute| if place { attribute } else { none };
        when(self.basic, attributes::PLAIN)
            | when(self.compression, FileAttributes::COMPRESSED)
            | when(self.sparse_files, FileAttributes::SPARSE_FILE)
    }
}

/// Privileges of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Privileges {
    /// `SeRestorePrivilege`: any owner, object ids, short names, and writing whatever a DACL says.
    pub(super) restore: bool,
    /// `SeSecurityPrivilege`: SACLs.
    pub(super) security: bool,
}

/// One thing that is set on an open file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Stored compressed; on a directory, so are new files.
    Compressed,
    /// May have holes.
    Sparse,
    /// A chain of `FILE_FULL_EA_INFORMATION`.
    ExtendedAttributes(Vec<u8>),
    /// An object id and the three ids of its birth.
    ObjectId(Box<[u8; 64]>),
    /// A whole `REPARSE_DATA_BUFFER`.
    ReparsePoint(Vec<u8>),
    /// An 8.3 name.
    ShortName(WideName),
    /// The parts of a self-relative descriptor that are set: `*_SECURITY_INFORMATION` bits.
    Security {
        /// The bits.
        parts: u32,
        /// The descriptor.
        descriptor: Vec<u8>,
    },
    /// Times as ticks, 0 for those that stay, and attributes.
    Basic {
        /// Created, accessed, written.
        times: [i64; 3],
        /// The bits, 0 if they stay.
        attributes: u32,
    },
    /// Everything so far is made durable.
    Flush,
}

/// This system's own, if it keeps more than names, contents and times.
#[cfg(windows)]
pub(super) fn of_system(root: &Dir) -> Option<Box<dyn Native>> {
    Some(Box::new(win32::Win32::new(root)))
}

/// This system's own, if it keeps more than names, contents and times.
#[cfg(not(windows))]
pub(super) fn of_system(_: &Dir) -> Option<Box<dyn Native>> {
    None
}
