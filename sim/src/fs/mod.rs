//! The virtual NTFS of a simulated host: names and metadata as data, contents by hash.
//!
//! Names compare by the frozen upcase table. Trees that were written in bulk are *sealed*: one blob that describes all of
//! them, read only when somebody looks below; whoever writes below opens the seal of the directories on the way, level by
//! level. A hard link within a sealed tree becomes a file of its own when its directory is opened for writing. Reparse points
//! are kept and never followed.

mod build;
mod crash;
mod directory;
mod disk;
mod durable;
mod locks;
mod names;
mod nodes;
mod ops;
mod pending;
mod recent;
mod rename;
mod restore;
mod sealed;
mod streams;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wcow_host::{DirEntry, FileKind, FileLock, FileMetadata};
use wcow_ntmeta::upcase::with_upcased;
use wcow_ntmeta::{
    FileAttributes, FileTime, HostPath, Hresult, ReparsePoint, SecurityDescriptor, WideName,
};

use crate::blobs::BlobId;
use crate::call::{ClientId, ContentRef, TreeId};
use crate::serial;
use crate::world::Outside;

use directory::Children;
use durable::Unsynced;
use locks::{Lock, Locks};
use nodes::Nodes;
use pending::OpenElsewhere;
use recent::Recent;

pub(crate) use build::{SharedBuilder, TreeBuilder};
pub use disk::DiskModel;
pub(crate) use names::is_plain;
pub(crate) use restore::Restored;
pub(crate) use sealed::{SealedTree, TreeCache};
pub(crate) use streams::FileStreams;

/// Win32 errors of the file system.
pub(crate) use wcow_host::codes::win32 as code;

/// Names a file or directory within one world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct NodeId(u32);

/// All volumes of a host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fs {
    nodes: Nodes,
    next_node: u32,
    /// Roots by upcased drive.
    #[serde(with = "serial::pairs")]
    volumes: BTreeMap<WideName, NodeId>,
    free: u64,
    locks: Locks,
    next_lock: u64,
    /// Roots of the trees that were begun.
    building: BTreeMap<TreeId, NodeId>,
    next_tree: u64,
    /// Files that programs on the host have open, and that can be deleted meanwhile.
    open_elsewhere: BTreeMap<NodeId, OpenElsewhere>,
    /// Where the disk differs from all this.
    unsynced: Unsynced,
    #[serde(skip)]
    recent: Recent,
}

/// A file or directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) attributes: FileAttributes,
    pub(crate) created: FileTime,
    pub(crate) accessed: FileTime,
    pub(crate) written: FileTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) security: Option<SecurityDescriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reparse: Option<ReparsePoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) extra: Option<Box<Extra>>,
    /// How many bytes of the volume it takes.
    charged: u64,
    body: Body,
}

/// What few files have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extra {
    pub(crate) short_name: WideName,
    pub(crate) object_id: Vec<u8>,
    pub(crate) extended_attributes: Vec<u8>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Body {
    File(FileStreams),
    /// By upcased name.
    Directory(Children),
    /// A directory of a sealed tree.
    Sealed {
        tree: BlobId,
        entry: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Child {
    name: WideName,
    node: NodeId,
}

/// A stream of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StreamData {
    pub(crate) name: WideName,
    pub(crate) content: ContentRef,
}

/// A file or directory, wherever it is described.
#[derive(Clone, Debug)]
pub(crate) enum Spot {
    /// In the world.
    Node(NodeId),
    /// In a sealed tree.
    Sealed(Arc<SealedTree>, u32),
}

impl Spot {
    /// Whether both are the same, and not just alike.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Node(ours), Self::Node(theirs)) => ours == theirs,
            (Self::Sealed(ours, entry), Self::Sealed(theirs, other)) => {
                // A tree may have been read twice.
                entry == other && (Arc::ptr_eq(ours, theirs) || ours == theirs)
            }
            _ => false,
        }
    }
}

impl Fs {
    /// An empty `C:`.
    pub(crate) fn new(now: FileTime, free: u64, disk: DiskModel) -> Self {
        let mut fs = Self {
            nodes: Nodes::default(),
            next_node: 0,
            volumes: BTreeMap::new(),
            free,
            locks: Locks::default(),
            next_lock: 0,
            building: BTreeMap::new(),
            next_tree: 0,
            open_elsewhere: BTreeMap::new(),
            unsynced: Unsynced::new(disk),
            recent: Recent::default(),
        };
        let root = fs.new_directory(now);
        fs.volumes.insert("C:".into(), root);
        fs
    }

    /// Free space in bytes.
    pub(crate) fn free(&self) -> u64 {
        self.free
    }

    /// A directory that has no name yet.
    pub(crate) fn new_directory(&mut self, now: FileTime) -> NodeId {
        self.add(Node::new(
            FileAttributes::DIRECTORY,
            now,
            Body::Directory(Children::new()),
        ))
    }

    /// The root of a path's volume.
    pub(crate) fn root(&self, path: &HostPath) -> Option<NodeId> {
        let drive = path.drive();
        match self.volumes.first_key_value() {
            Some((first, root)) if first.units().iter().eq(drive) => Some(*root),
            _ => with_upcased(drive, |key| self.volumes.get(key).copied()),
        }
    }

    /// What is at a path; `None` if nothing is.
    pub(crate) fn find(
        &self,
        path: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<Option<Spot>, Hresult> {
        match (self.find_parent(path, out)?, path.file_name()) {
            (Some(parent), Some(name)) => self.walk(parent, [name], out),
            (root, _) => Ok(root),
        }
    }

    /// What is at the end of some names below a directory; `None` if nothing is.
    pub(crate) fn walk<'n>(
        &self,
        from: Spot,
        names: impl IntoIterator<Item = &'n [u16]>,
        out: &mut Outside<'_>,
    ) -> Result<Option<Spot>, Hresult> {
        self.walk_noting(from, names, out, |_| {})
    }

    /// The same; each node on the way is told to `note`, the last one too.
    fn walk_noting<'n>(
        &self,
        from: Spot,
        names: impl IntoIterator<Item = &'n [u16]>,
        out: &mut Outside<'_>,
        mut note: impl FnMut(NodeId),
    ) -> Result<Option<Spot>, Hresult> {
        let mut names = names.into_iter();
        let mut node = match from {
            Spot::Node(node) => node,
            Spot::Sealed(tree, entry) => {
                let found = tree.walk(entry, names);
                return Ok(found.map(|entry| Spot::Sealed(tree, entry)));
            }
        };
        while let Some(name) = names.next() {
            match self.node(node).map(|node| &node.body) {
                Some(Body::Directory(children)) => match child_of(children, name) {
                    Some(child) => {
                        note(child);
                        node = child;
                    }
                    None => return Ok(None),
                },
                Some(Body::Sealed { tree, entry }) => {
                    let tree = out.trees.load(*tree, out.blobs).ok_or(code::IO_DEVICE)?;
                    let found = tree
                        .child(*entry, name)
                        .and_then(|child| tree.walk(child, names));
                    return Ok(found.map(|entry| Spot::Sealed(tree, entry)));
                }
                Some(Body::File(_)) | None => return Ok(None),
            }
        }
        Ok(Some(Spot::Node(node)))
    }

    /// What a directory holds under a name; `None` also if it is no directory.
    pub(crate) fn child(
        &self,
        spot: &Spot,
        name: &[u16],
        out: &mut Outside<'_>,
    ) -> Result<Option<Spot>, Hresult> {
        self.walk(spot.clone(), [name], out)
    }

    /// Whether it is a tree that came as a whole and was not changed since, or within one.
    pub(crate) fn is_sealed(&self, spot: &Spot) -> bool {
        match spot {
            Spot::Sealed(..) => true,
            Spot::Node(node) => self
                .node(*node)
                .is_some_and(|node| matches!(node.body, Body::Sealed { .. })),
        }
    }

    /// The names in a directory, by upcased name.
    pub(crate) fn children(
        &self,
        spot: &Spot,
        out: &mut Outside<'_>,
    ) -> Result<Vec<(WideName, Spot)>, Hresult> {
        self.list(spot, out, |name, spot| (name, spot))
    }

    /// The directory entries of a directory.
    pub(crate) fn entries(
        &self,
        spot: &Spot,
        out: &mut Outside<'_>,
    ) -> Result<Vec<DirEntry>, Hresult> {
        self.list(spot, out, |name, spot| DirEntry {
            name,
            metadata: self.metadata(&spot),
        })
    }

    /// What `tell` makes of each name in a directory, by upcased name.
    fn list<T>(
        &self,
        spot: &Spot,
        out: &mut Outside<'_>,
        tell: impl Fn(WideName, Spot) -> T,
    ) -> Result<Vec<T>, Hresult> {
        let sealed = |tree: &Arc<SealedTree>, entry| {
            tree.children(entry)
                .map(|child| tell(tree.name(child), Spot::Sealed(Arc::clone(tree), child)))
                .collect()
        };
        match spot {
            Spot::Sealed(tree, entry) if tree.is_directory(*entry) => Ok(sealed(tree, *entry)),
            Spot::Sealed(..) => Err(code::DIRECTORY),
            Spot::Node(node) => match self.node(*node).map(|node| &node.body) {
                Some(Body::Directory(children)) => Ok(children
                    .values()
                    .map(|child| tell(child.name.clone(), Spot::Node(child.node)))
                    .collect()),
                Some(Body::Sealed { tree, entry }) => {
                    let tree = out.trees.load(*tree, out.blobs).ok_or(code::IO_DEVICE)?;
                    Ok(sealed(&tree, *entry))
                }
                Some(Body::File(_)) => Err(code::DIRECTORY),
                None => Err(code::PATH_NOT_FOUND),
            },
        }
    }

    /// What is known of a file or directory.
    pub(crate) fn metadata(&self, spot: &Spot) -> FileMetadata {
        let (attributes, written) = match spot {
            Spot::Sealed(tree, entry) => tree.attributes_and_written(*entry),
            Spot::Node(node) => self
                .node(*node)
                .map(|node| (node.attributes, node.written))
                .unwrap_or_default(),
        };
        let kind = if self.is_directory(spot) {
            FileKind::Directory
        } else {
            FileKind::File
        };
        let len = self.content(spot).map_or(0, |content| content.len);
        FileMetadata {
            kind,
            len,
            attributes,
            written,
        }
    }

    /// Whether it is a directory.
    pub(crate) fn is_directory(&self, spot: &Spot) -> bool {
        match spot {
            Spot::Sealed(tree, entry) => tree.is_directory(*entry),
            Spot::Node(node) => self
                .node(*node)
                .is_some_and(|node| !matches!(node.body, Body::File(_))),
        }
    }

    /// The contents of a file's unnamed stream; `None` for a directory.
    pub(crate) fn content(&self, spot: &Spot) -> Option<ContentRef> {
        match spot {
            Spot::Sealed(tree, entry) => tree.content(*entry),
            Spot::Node(node) => match &self.node(*node)?.body {
                Body::File(streams) => Some(streams.first().map_or(EMPTY, |stream| stream.content)),
                _ => None,
            },
        }
    }

    /// Whether somebody has the file open for themselves.
    pub(crate) fn is_held(&self, spot: &Spot) -> bool {
        match spot {
            Spot::Node(node) => self.locks.is_held(*node),
            Spot::Sealed(..) => false,
        }
    }

    /// Opens a file for the host itself, so that nobody can write, remove or rename it.
    pub(crate) fn hold(&mut self, node: NodeId) -> FileLock {
        self.add_lock(Lock { node, client: None })
    }

    /// Gives back what [`hold`](Self::hold) or a client's lock holds.
    pub(crate) fn release(&mut self, lock: FileLock) {
        self.locks.remove(lock.0);
    }

    /// A client was killed: its locks are released. A tree that it had begun stays as it is, and ends if it had asked for that.
    pub(crate) fn client_gone(&mut self, client: ClientId) {
        self.locks.release_all_of(client);
    }

    /// The machine went down: nothing is open any more.
    pub(crate) fn everybody_gone(&mut self) {
        self.locks = Locks::default();
        self.open_elsewhere.clear();
        self.building.clear();
    }

    /// Collects the blobs that files, and the sealed trees that can be read, name.
    pub(crate) fn blobs(&self, out: &mut Outside<'_>, blobs: &mut BTreeSet<BlobId>) {
        let old = self.unsynced.contents.values().flat_map(FileStreams::iter);
        blobs.extend(old.filter_map(|stream| stream.content.blob));
        let nodes = self.nodes.iter().map(|(_, node)| node);
        for node in nodes.chain(self.unsynced.kept.values().map(|node| &**node)) {
            match &node.body {
                Body::File(streams) => {
                    blobs.extend(streams.iter().filter_map(|stream| stream.content.blob))
                }
                Body::Sealed { tree, .. } => {
                    if blobs.insert(*tree)
                        && let Some(tree) = out.trees.load(*tree, out.blobs)
                    {
                        blobs.extend(tree.blobs());
                    }
                }
                Body::Directory(_) => {}
            }
        }
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.next_node += 1;
        let id = NodeId(self.next_node);
        self.nodes.insert(id, Box::new(node));
        id
    }

    fn add_lock(&mut self, lock: Lock) -> FileLock {
        self.next_lock += 1;
        self.locks.insert(self.next_lock, lock);
        FileLock(self.next_lock)
    }
}

/// What a directory's names say of one of them.
fn child_of(children: &Children, name: &[u16]) -> Option<NodeId> {
    children.find(name).map(|child| child.node)
}

/// The contents of a file without bytes.
pub(crate) const EMPTY: ContentRef = ContentRef { blob: None, len: 0 };

impl Node {
    fn new(attributes: FileAttributes, now: FileTime, body: Body) -> Self {
        Self {
            attributes,
            created: now,
            accessed: now,
            written: now,
            security: None,
            reparse: None,
            extra: None,
            charged: 0,
            body,
        }
    }
}
