//! What a disk sink does where there is a choice.

/// Choices of a [`DiskSink`](super::DiskSink).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskOptions {
    /// What happens to files that are there already.
    pub existing: Existing,
    /// What happens to symbolic links and junctions.
    pub links: Links,
    /// Which names are written as they are.
    pub names: Names,
    /// What is kept of an entry beside its name and contents.
    pub keep: Keep,
    /// Whether the tree is made durable.
    pub durability: Durability,
    /// How many problems, renamed entries and skipped links the report lists each; the others are only counted.
    pub list_at_most: usize,
}

/// What happens when a name is taken already by something that this sink did not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// The entry is a problem and is left out. Directories are written into.
    Refuse,
    /// A file or link of that name is replaced, a file only once the new one is complete. Directories are written into,
    /// and never removed.
    Overwrite,
}

/// What happens to symbolic links and junctions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// They are listed in the report and not made.
    Report,
    /// On Unix they are made as relative symbolic links where the target lies in the tree (a drive letter stands for
    /// the tree's root), and listed otherwise. On Windows, with [`Keep::System`], they are made as they are in the tree, wherever they
    /// lead, and none is followed. Elsewhere they are listed.
    Relative,
}

/// What is kept of an entry beside its name and contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// What every disk has: access and write times.
    Portable,
    /// On Windows whatever the volume has a place for: all times, attributes, descriptors, alternate data streams, reparse points, short
    /// names, object ids, extended attributes. It switches privileges of the process on for that, and leaves them on. What the system
    /// refuses is in the report. Elsewhere the same as [`Keep::Portable`].
    System,
}

/// Whether a tree survives a power loss once it is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When the system gets to it.
    Later,
    /// With the end of `finish`: every stream, file and directory is flushed. The name of the destination itself is not.
    Flushed,
}

/// Which names are written as they are; all others are changed by the rule of [`names`](crate::names).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Those that this destination can hold, which is tried out.
    Host,
    /// Those that Windows takes for what they are as well: no reserved characters and device names, no dot or space at the
    /// end, no two in a directory that differ in case only. The written tree can be copied to Windows.
    Windows,
}

impl Default for DiskOptions {
    fn default() -> Self {
        Self {
            existing: Existing::Refuse,
            links: Links::Report,
            names: Names::Host,
            keep: Keep::Portable,
            durability: Durability::Later,
            list_at_most: 1000,
        }
    }
}
