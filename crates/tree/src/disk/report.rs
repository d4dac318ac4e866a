//! What became of a tree on a disk.

use wcow_ntmeta::{RelPath, ReparseTarget};

/// What a disk sink wrote, and what it did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskReport {
    /// Directories written or found, without the destination itself.
    pub directories: u64,
    /// Files written, each counted once.
    pub files: u64,
    /// Further names of files.
    pub hard_links: u64,
    /// Symbolic links made.
    pub symlinks: u64,
    /// Bytes of contents written.
    pub bytes: u64,
    /// Entries under another name than the tree's, in the order they came.
    pub renamed: Vec<Renamed>,
    /// All renamed entries, listed or not.
    pub renamed_count: u64,
    /// Symbolic links and junctions that were not made.
    pub skipped_links: Vec<SkippedLink>,
    /// All skipped links, listed or not.
    pub skipped_link_count: u64,
    /// Entries that were not written, or not as they should be.
    pub problems: Vec<Problem>,
    /// All problems, listed or not.
    pub problem_count: u64,
    /// Parts of written entries that the disk has no place for.
    pub not_kept: NotKept,
    /// What the system refused to set, once for each kind.
    pub refused: Vec<Refused>,
}

/// A part of entries that the system refused to set, most often for want of a privilege. Everything else of them was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which part.
    pub part: Part,
    /// Of how many entries.
    pub count: u64,
    /// The first of them, as a path in the tree.
    pub first: RelPath,
    /// Why it was refused there.
    pub why: String,
}

/// A part of an entry that a system may refuse to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Part {
    /// Times and plain attributes.
    Basic,
    /// Being stored compressed or sparse.
    Attributes,
    /// Owner and group.
    Owner,
    /// Who may do what: the DACL.
    Security,
    /// What is audited, and integrity labels: the SACL.
    Audit,
    /// The 8.3 name.
    ShortName,
    /// An alternate data stream.
    NamedStream,
    /// The reparse point, also that of a link.
    ReparsePoint,
    /// Extended attributes.
    ExtendedAttributes,
    /// The object id.
    ObjectId,
}

/// An entry that has another name on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// Its path in the tree.
    pub original: RelPath,
    /// Its path below the destination, with `/`.
    pub written: String,
}

/// A symbolic link or junction that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedLink {
    /// Its path in the tree.
    pub path: RelPath,
    /// Where it leads.
    pub target: ReparseTarget,
}

/// What went wrong with one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its path in the tree.
    pub path: RelPath,
    /// What went wrong, in one clause.
    pub what: String,
}

/// How many entries had something that this destination does not keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotKept {
    /// Attributes other than `DIRECTORY`, `ARCHIVE`, `NORMAL` and `REPARSE_POINT`.
    pub attributes: u64,
    /// Creation times.
    pub creation_times: u64,
    /// Access and write times that the disk refused.
    pub times: u64,
    /// Security descriptors; where there is a place for them, those whose DACL was refused.
    pub security: u64,
    /// Owners and groups that were refused.
    pub owners: u64,
    /// SACLs that were refused.
    pub audit: u64,
    /// 8.3 names.
    pub short_names: u64,
    /// Alternate data streams, each counted.
    pub named_streams: u64,
    /// Reparse points other than links.
    pub reparse_points: u64,
    /// Encrypted files that only the metadata holds.
    pub encrypted: u64,
    /// Further names of files that only the metadata holds, because the disk has no hard links.
    pub hard_links: u64,
    /// Object ids, extended attributes and unknown items.
    pub extra: u64,
}
