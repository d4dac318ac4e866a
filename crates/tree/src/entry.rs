//! One name in a tree, with everything that belongs to it except the bytes of its streams.

use std::fmt;

use wcow_ntmeta::{FileAttributes, FileTime, ReparsePoint, SecurityDescriptor, WideName};

/// Names an [`Entry`] within one stream of entries. A source gives out each id once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u32);

/// One directory entry: a name, and the file or directory behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// This entry's own id.
    pub id: EntryId,
    /// The directory that holds it; `None` for the root, which comes first and has an empty name.
    pub parent: Option<EntryId>,
    /// Its name, exactly as the source has it. Hostile sources put anything here: a sink must check before it writes.
    pub name: WideName,
    /// Its 8.3 name, empty if it has none.
    pub short_name: WideName,
    /// `FILE_ATTRIBUTE_*` bits; `DIRECTORY` decides whether it can have children.
    pub attributes: FileAttributes,
    /// Creation, last access and last write.
    pub times: Times,
    /// The security descriptor, if the source has one.
    pub security: Option<SecurityDescriptor>,
    /// The reparse point, if the `REPARSE_POINT` attribute is set and its data could be read.
    pub reparse: Option<ReparsePoint>,
    /// Set on a second or later name of one file: the id of the entry that was sent first. Such an entry repeats the metadata
    /// of the first and sends no stream contents.
    pub link_to: Option<EntryId>,
    /// The data streams, the unnamed one first (a file without bytes has one of length 0), then the named ones.
    pub streams: Vec<Stream>,
    /// What is rarely there: object id, extended attributes, items nobody knows.
    pub extra: Extra,
}

impl Entry {
    /// True for a directory, also for a directory that is a reparse point (a junction).
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.attributes.is_directory()
    }
}

/// Creation, last access and last write time of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Creation time.
    pub created: FileTime,
    /// Last access time.
    pub accessed: FileTime,
    /// Last write time.
    pub written: FileTime,
}

/// One data stream of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Name of an alternate data stream, without `:` and `$DATA`; empty for the file's own contents.
    pub name: WideName,
    /// What the bytes are.
    pub kind: StreamKind,
    /// Length in bytes. The source sends exactly as many, or ends the stream as damaged.
    pub len: u64,
    /// SHA-1 of the bytes, if the source knows it beforehand.
    pub digest: Option<Digest>,
}

/// What the bytes of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// The data itself.
    Data,
    /// An opaque backup of an encrypted file (EFS raw data, [MS-EFSR] 2.2.3).
    EncryptedRaw,
}

/// One stream of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamRef {
    /// The entry that was announced with it.
    pub entry: EntryId,
    /// Position in that entry's `streams`.
    pub index: usize,
}

/// Parts of an entry that few files have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// NTFS object id: 16 to 64 bytes, empty if there is none.
    pub object_id: Vec<u8>,
    /// Extended attributes as a WIM stores them, empty if there are none.
    pub extended_attributes: Vec<u8>,
    /// Tagged items of a WIM that this version does not know, kept as they are.
    pub unknown: Vec<TaggedItem>,
    /// 32 bits of a WIM directory entry whose meaning is not public, kept as they are.
    pub reserved: u32,
    /// For reparse points in a WIM: the target was not rewritten when the tree was captured.
    pub target_not_fixed: bool,
}

/// An item of a WIM directory entry whose tag this version does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedItem {
    /// The tag.
    pub tag: u32,
    /// The bytes behind it, without padding.
    pub data: Vec<u8>,
}

/// A SHA-1 digest, by which WIM files know their contents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 20]);

impl Digest {
    /// Twenty zero bytes: "no contents" in a WIM.
    pub const ZERO: Self = Self([0; 20]);

    /// True for [`Digest::ZERO`].
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}
