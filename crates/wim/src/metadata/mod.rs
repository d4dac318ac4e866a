//! The metadata of one image: `security data | root | end of list | lists of children`.
//!
//! Everything about an image except the bytes of its streams. Writers order siblings as they like (wimlib by name, DISM files
//! first), leave unused bytes behind, and give a directory without children offset 0 or an empty list; all are read.
//!
//! | module | what it does |
//! |---|---|
//! | `dentry` | layout of directory entries and stream entries |
//! | `security` | the table of security descriptors |
//! | `tagged` | object ids, extended attributes and other rare items of an entry |
//! | `tree`, `siblings`, `streams`, `links` | reads all entries once, checks them, and keeps where they lie |
//! | `reparse` | reads the data of all reparse points in one go |
//! | `find` | looks paths up |

pub(crate) mod dentry;
mod find;
mod links;
mod reparse;
mod security;
mod siblings;
mod streams;
mod tagged;
pub(crate) mod tree;

pub use tagged::{ExtendedAttribute, ExtendedAttributes, TaggedItems, UnixData};

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use wcow_ntmeta::{FileAttributes, RelPath, ReparsePoint, SecurityDescriptor, WideName, WideStr};
use wcow_tree::{Digest, Extra, Times};

use crate::error::Warnings;
use crate::number::as_u64;
use crate::{ImageError, ImageIndex, Limits, Part, ReadError, Warning, Wim};

use dentry::Dentry;
use find::Indexes;
use tree::{NO_LINK, NOT_FIXED, Node, Tree};

/// Bytes that a reparse point's data may have: 16 KiB with its header ([MS-FSCC] 2.1.2).
const MAX_REPARSE: u64 = 16384 - 8;

/// One image: its tree of files.
///
/// It keeps the metadata as it is in the file, some 150 bytes for a file, and beside it one flat list of nodes, children side by
/// side: 68 bytes for a file with one stream. Fields and names are read where they lie, so nothing is copied to walk over them. The
/// image keeps a handle on its file.
pub struct Image {
    wim: Wim,
    read: Arc<ReadImage>,
}

/// What was read of one image.
pub(crate) struct ReadImage {
    index: ImageIndex,
    tree: Tree,
    indexes: Indexes,
    warnings: Warnings,
    /// Data of the reparse points, by digest; read when first needed.
    reparse: OnceLock<BTreeMap<Digest, Box<[u8]>>>,
}

/// A file or directory of one [`Image`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// Its position in the image's list of nodes; the root has 0.
    #[must_use]
    pub fn index(self) -> u32 {
        self.0
    }
}

/// One stream of a file, as the image has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageStream {
    /// Name of an alternate data stream.
    pub name: Option<WideName>,
    /// What it is.
    pub role: StreamRole,
    /// Which blob has its bytes; zero if it has no bytes.
    pub digest: Digest,
}

/// What a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamRole {
    /// The file's own data.
    Data,
    /// An alternate data stream.
    Named,
    /// The data of a reparse point, without its 8-byte header.
    Reparse,
    /// Raw backup of an encrypted file ([MS-EFSR] 2.2.3).
    EncryptedRaw,
}

/// Bounds the paths that a report holds: deep trees of a hostile file would make them larger than the memory.
pub(crate) struct PathBudget {
    components: u32,
}

impl Default for PathBudget {
    fn default() -> Self {
        Self {
            components: 1 << 20,
        }
    }
}

impl PathBudget {
    /// True if there is room for the path of `id`.
    pub(crate) fn take(&mut self, image: &Image, id: NodeId) -> bool {
        let up = std::iter::successors(Some(id), |id| image.parent(*id));
        let room = usize::try_from(self.components).unwrap_or(usize::MAX);
        let len = u32::try_from(up.take(room.saturating_add(1)).count()).unwrap_or(u32::MAX);
        let rest = self.components.checked_sub(len);
        // Once there was none, no further path is walked to find out whether it is a shorter one.
        self.components = rest.unwrap_or(0);
        rest.is_some()
    }
}

impl ReadImage {
    /// Its number in its file.
    pub(crate) fn index(&self) -> ImageIndex {
        self.index
    }
}

impl Image {
    pub(crate) fn parse(
        wim: Wim,
        index: ImageIndex,
        data: Vec<u8>,
        limits: &Limits,
    ) -> Result<Self, ImageError> {
        let mut warnings = Warnings::default();
        let tree = tree::build(data, Part::Metadata(index), limits, &mut warnings)
            .map_err(|fault| fault.of_image(index))?;
        let read = ReadImage {
            index,
            tree,
            indexes: Indexes::default(),
            warnings,
            reparse: OnceLock::new(),
        };
        Ok(Self::of(wim, Arc::new(read)))
    }

    /// An image of `wim` that was read before.
    pub(crate) fn of(wim: Wim, read: Arc<ReadImage>) -> Self {
        Self { wim, read }
    }

    /// What was read of it, for someone who keeps it.
    pub(crate) fn read(&self) -> &Arc<ReadImage> {
        &self.read
    }

    /// The number of this image in its file.
    #[must_use]
    pub fn index(&self) -> ImageIndex {
        self.read.index
    }

    /// What is wrong with the image, and did not keep it from being read.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        self.read.warnings.as_slice()
    }

    /// The root directory.
    #[must_use]
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// How many files and directories there are, with the root.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.read.tree.len()).unwrap_or(usize::MAX)
    }

    /// True if the image holds nothing but its root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() <= 1
    }

    /// All nodes; parents come before their children, siblings in the image's order.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        (0..self.read.tree.len()).map(NodeId)
    }

    /// The children of a directory, in the image's order.
    pub fn children(
        &self,
        id: NodeId,
    ) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        let (first, count) = self
            .node(id)
            .map_or((0, 0), |node| (node.first_child, node.child_count));
        (first..first.saturating_add(count)).map(NodeId)
    }

    /// The directory that holds `id`; `None` for the root.
    #[must_use]
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id)
            .filter(|_| id != self.root())
            .map(|node| NodeId(node.parent))
    }

    /// The path of `id` from the root.
    #[must_use]
    pub fn path(&self, id: NodeId) -> RelPath {
        let mut names = Vec::new();
        let mut at = id;
        while let Some(parent) = self.parent(at) {
            names.push(self.name(at));
            at = parent;
        }
        names.into_iter().rev().map(WideStr::to_name).collect()
    }

    /// Its name; empty for the root. It may hold anything, also path separators.
    #[must_use]
    pub fn name(&self, id: NodeId) -> WideStr<'_> {
        if id == self.root() {
            return WideStr::default();
        }
        self.entry(id).map_or_else(WideStr::default, Dentry::name)
    }

    /// Its 8.3 name.
    #[must_use]
    pub fn short_name(&self, id: NodeId) -> Option<WideStr<'_>> {
        self.entry(id)
            .map(Dentry::short_name)
            .filter(|name| !name.is_empty())
    }

    /// Its attributes.
    #[must_use]
    pub fn attributes(&self, id: NodeId) -> FileAttributes {
        self.entry(id)
            .map_or(FileAttributes::from_bits(0), Dentry::attributes)
    }

    /// True for a directory, also one that is a reparse point.
    #[must_use]
    pub fn is_directory(&self, id: NodeId) -> bool {
        self.attributes(id).is_directory()
    }

    /// Its three times.
    #[must_use]
    pub fn times(&self, id: NodeId) -> Times {
        self.entry(id).map_or_else(Times::default, Dentry::times)
    }

    /// The number of its security descriptor, as it is in the file.
    #[must_use]
    pub fn security_id(&self, id: NodeId) -> Option<u32> {
        self.entry(id)?.security_id()
    }

    /// Its security descriptor.
    #[must_use]
    pub fn security(&self, id: NodeId) -> Option<&SecurityDescriptor> {
        let index = usize::try_from(self.security_id(id)?).ok()?;
        self.read.tree.descriptors.get(index)?.as_ref()
    }

    /// All security descriptors of the image, by number; `None` where one is empty or damaged.
    #[must_use]
    pub fn security_descriptors(&self) -> &[Option<SecurityDescriptor>] {
        &self.read.tree.descriptors
    }

    /// Its streams. A file has its own data first, also if that is empty.
    #[must_use]
    pub fn streams(&self, id: NodeId) -> &[ImageStream] {
        self.node(id)
            .map(|node| self.read.tree.streams_of(node))
            .unwrap_or_default()
    }

    /// Length of a stream in bytes; `None` if its blob is missing.
    #[must_use]
    pub fn stream_len(&self, stream: &ImageStream) -> Option<u64> {
        if stream.digest.is_zero() {
            Some(0)
        } else {
            self.wim.blob_size(&stream.digest)
        }
    }

    /// Length of its own data in bytes: 0 for a directory; `None` if the blob is missing.
    #[must_use]
    pub fn data_len(&self, id: NodeId) -> Option<u64> {
        let data = self
            .streams(id)
            .iter()
            .find(|stream| stream.role == StreamRole::Data);
        data.map_or(Some(0), |stream| self.stream_len(stream))
    }

    /// The tag of a reparse point.
    #[must_use]
    pub fn reparse_tag(&self, id: NodeId) -> Option<u32> {
        let entry = self.entry(id)?;
        if !entry.attributes().is_reparse_point() {
            return None;
        }
        let [a, b, c, d, ..] = entry.slot().to_le_bytes();
        Some(u32::from_le_bytes([a, b, c, d]))
    }

    /// The reparse point, read from its blob; `None` if it is none.
    ///
    /// # Errors
    /// [`ReadError`] if its data cannot be read, or is larger than the 16 KiB that Windows allows.
    pub fn reparse(&self, id: NodeId) -> Result<Option<ReparsePoint>, ReadError> {
        let Some(tag) = self.reparse_tag(id) else {
            return Ok(None);
        };
        let stream = self
            .streams(id)
            .iter()
            .find(|stream| stream.role == StreamRole::Reparse);
        let data = match stream {
            Some(stream) if !stream.digest.is_zero() => {
                let known = self.read.reparse.get_or_init(|| reparse::read_all(self));
                match known.get(&stream.digest) {
                    Some(data) => data.to_vec(),
                    None => self.wim.read_blob_to_vec(&stream.digest, MAX_REPARSE)?,
                }
            }
            _ => Vec::new(),
        };
        Ok(Some(ReparsePoint { tag, data }))
    }

    /// For a file with several names: the first of them, which may be `id` itself.
    #[must_use]
    pub fn first_link(&self, id: NodeId) -> Option<NodeId> {
        self.node(id)
            .map(|node| node.link)
            .filter(|link| *link != NO_LINK)
            .map(NodeId)
    }

    /// The number of its hard link group, as it is in the file; `None` if it has none.
    #[must_use]
    pub fn link_group(&self, id: NodeId) -> Option<u64> {
        let entry = self.entry(id)?;
        Some(entry.slot()).filter(|slot| *slot != 0 && !entry.attributes().is_reparse_point())
    }

    /// What few files have: object id, extended attributes, unknown tagged items, bits of unknown meaning.
    #[must_use]
    pub fn extra(&self, id: NodeId) -> Extra {
        let Some(entry) = self.entry(id) else {
            return Extra::default();
        };
        let tagged = entry.tagged();
        let items = if tagged.is_empty() {
            Extra::default()
        } else {
            TaggedItems::new(tagged).into_extra()
        };
        Extra {
            reserved: entry.reserved(),
            target_not_fixed: entry.attributes().is_reparse_point()
                && entry.slot() & NOT_FIXED != 0,
            ..items
        }
    }

    /// Its tagged items as they are in the file, those with a meaning among them.
    #[must_use]
    pub fn tagged_items(&self, id: NodeId) -> TaggedItems<'_> {
        TaggedItems::new(self.entry(id).map(Dentry::tagged).unwrap_or_default())
    }

    /// Its NTFS object id: 16 bytes, and up to 48 more about where the file came from.
    #[must_use]
    pub fn object_id(&self, id: NodeId) -> Option<&[u8]> {
        self.tagged_items(id).object_id()
    }

    /// Its extended attributes, and those of a Linux file, which wimlib stores in the same way.
    #[must_use]
    pub fn extended_attributes(&self, id: NodeId) -> ExtendedAttributes<'_> {
        self.tagged_items(id).extended_attributes()
    }

    /// Owner and mode, if wimlib captured it on a Unix system and was asked to keep them.
    #[must_use]
    pub fn unix_data(&self, id: NodeId) -> Option<UnixData> {
        self.tagged_items(id).unix_data()
    }

    /// The file this image is in.
    #[must_use]
    pub fn wim(&self) -> &Wim {
        &self.wim
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.read.tree.node(id.0)
    }

    fn entry(&self, id: NodeId) -> Option<Dentry<'_>> {
        self.read.tree.entry(id.0)
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image")
            .field("index", &self.read.index)
            .field("nodes", &as_u64(self.len()))
            .finish_non_exhaustive()
    }
}
