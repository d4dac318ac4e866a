//! From directory entries to a tree of nodes.
//!
//! Every list of children may be visited once, and all visited entries together may not be longer than the metadata: so the
//! tree is never larger than what describes it, and has no cycles. (A file of 5 KB could otherwise describe 2^22 entries.)

use std::collections::{BTreeMap, BTreeSet};

use wcow_ntmeta::{FileAttributes, SecurityDescriptor, WideName};
use wcow_tree::{Digest, Extra, TaggedItem, Times};

use crate::bytes::u32_at;
use crate::error::Warnings;
use crate::number::as_u64;
use crate::{Limits, Part};

use super::dentry::{Dentry, StreamEntry};
use super::{ImageStream, StreamRole, security};

const TAG_OBJECT_ID: u32 = 1;
const TAG_EXTENDED_ATTRIBUTES: u32 = 2;
/// Value of a link for "no other names".
pub(super) const NO_LINK: u32 = u32::MAX;
/// Bit of a reparse point's flags: its target was not rewritten.
pub(crate) const NOT_FIXED: u64 = 1 << 48;

/// What is wrong with the metadata, and where.
pub(super) struct Fault {
    pub(super) offset: u64,
    pub(super) what: String,
}

impl Fault {
    pub(super) fn new(offset: u64, what: impl FnOnce() -> String) -> Self {
        Self {
            offset,
            what: what(),
        }
    }
}

/// All nodes of an image. Children lie side by side, and behind their parents.
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) streams: Vec<ImageStream>,
    pub(super) tagged: BTreeMap<u32, Extra>,
    pub(super) descriptors: Vec<Option<SecurityDescriptor>>,
}

/// One file or directory.
pub(super) struct Node {
    pub(super) name: WideName,
    pub(super) short_name: Option<WideName>,
    pub(super) parent: u32,
    pub(super) first_child: u32,
    pub(super) child_count: u32,
    pub(super) depth: u32,
    pub(super) attributes: FileAttributes,
    pub(super) security_id: u32,
    pub(super) times: Times,
    pub(super) slot: u64,
    pub(super) reserved: u32,
    pub(super) first_stream: u32,
    pub(super) stream_count: u32,
    /// The first name of the same file, itself if it is the first of several.
    pub(super) link: u32,
    /// Offset of the list of children, 0 for none.
    children: u64,
    tagged: Option<Box<Extra>>,
}

/// Builds the tree of one image from its metadata.
pub(super) fn build(
    data: &[u8],
    part: Part,
    limits: &Limits,
    warnings: &mut Warnings,
) -> Result<Tree, Fault> {
    let security = security::parse(data, part, warnings)?;
    let mut builder = Builder {
        data,
        part,
        limits,
        warnings,
        visited: BTreeSet::new(),
        budget: data.len(),
        tree: Tree {
            nodes: Vec::new(),
            streams: Vec::new(),
            tagged: BTreeMap::new(),
            descriptors: security.descriptors,
        },
    };
    builder.root(security.end)?;
    builder.descend()?;
    builder.link();
    Ok(builder.tree)
}

struct Builder<'a, 'w> {
    data: &'a [u8],
    part: Part,
    limits: &'a Limits,
    warnings: &'w mut Warnings,
    /// Offsets of lists that were read.
    visited: BTreeSet<u64>,
    /// Bytes of entries that may still be read.
    budget: usize,
    tree: Tree,
}

impl Builder<'_, '_> {
    fn root(&mut self, at: usize) -> Result<(), Fault> {
        let mut root = match Dentry::parse(self.data, at)? {
            Some(entry) => self.node(&entry, at, 0, 0)?.0,
            None => {
                self.warn(at, || {
                    "the image is empty, it has no root directory".to_owned()
                });
                Node::empty_root()
            }
        };
        if !root.attributes.is_directory() || root.attributes.is_reparse_point() {
            let found = root.attributes.bits();
            return Err(Fault::new(as_u64(at), || {
                format!("expected a directory as the root, found attributes {found:#x}")
            }));
        }
        if !root.name.is_empty() {
            let name = std::mem::take(&mut root.name);
            self.warn(at, || format!("the root has the name {name:?}; ignored"));
        }
        self.push(root)
    }

    /// Reads the children of every node; nodes that this adds are reached in turn.
    fn descend(&mut self) -> Result<(), Fault> {
        let mut siblings = Vec::new();
        let mut parent = 0;
        while let Some(node) = self.tree.nodes.get(parent) {
            let (children, depth, attributes) = (node.children, node.depth, node.attributes);
            if children != 0 {
                let at = usize::try_from(children).unwrap_or(usize::MAX);
                if attributes.is_directory() && !attributes.is_reparse_point() {
                    self.list(at, index(parent), depth, &mut siblings)?;
                    self.adopt(parent, &mut siblings)?;
                } else {
                    self.foreign_children(at);
                }
            }
            parent += 1;
        }
        Ok(())
    }

    /// Reads the list of children at `at`.
    fn list(
        &mut self,
        at: usize,
        parent: u32,
        depth: u32,
        siblings: &mut Vec<Node>,
    ) -> Result<(), Fault> {
        let mut next = at;
        while let Some(entry) = Dentry::parse(self.data, next)? {
            // Empty lists are no danger, and may be shared.
            if next == at && !self.visited.insert(as_u64(at)) {
                return Err(Fault::new(as_u64(at), || {
                    "expected a list of children that belongs to one directory, found a second one that uses it".to_owned()
                }));
            }
            if depth >= self.limits.depth {
                let limit = self.limits.depth;
                return Err(Fault::new(as_u64(at), || {
                    format!("expected at most {limit} directories within each other, found more")
                }));
            }
            let (node, end) = self.node(&entry, next, parent, depth + 1)?;
            self.budget = self.budget.checked_sub(end - next).ok_or_else(|| {
                Fault::new(as_u64(next), || "expected lists of children that do not overlap, found more entries than the metadata has room for".to_owned())
            })?;
            match name_fault(node.name.units()) {
                Some((what, true)) => {
                    self.warn(next, || format!("entry {:?} {what}; left out", node.name))
                }
                Some((what, false)) => {
                    self.warn(next, || format!("entry {:?} {what}", node.name));
                    siblings.push(node);
                }
                None => siblings.push(node),
            }
            next = end;
        }
        Ok(())
    }

    /// Adds `siblings` as the children of `parent`; of equal names the first one stays.
    fn adopt(&mut self, parent: usize, siblings: &mut Vec<Node>) -> Result<(), Fault> {
        let mut names: BTreeSet<WideName> = BTreeSet::new();
        let mut doubles = Vec::new();
        siblings.retain(|node| {
            let first = names.insert(node.name.clone());
            if !first {
                doubles.push(node.name.clone());
            }
            first
        });
        let at = self
            .tree
            .nodes
            .get(parent)
            .map_or(0, |node| usize::try_from(node.children).unwrap_or(0));
        for name in doubles {
            self.warn(at, || {
                format!("a second entry with the name {name:?} in one directory; left out")
            });
        }
        let first = self.tree.nodes.len();
        let count = siblings.len();
        if let Some(node) = self.tree.nodes.get_mut(parent) {
            node.first_child = index(first);
            node.child_count = index(count);
        }
        siblings.drain(..).try_for_each(|node| self.push(node))
    }

    fn foreign_children(&mut self, at: usize) {
        if matches!(Dentry::parse(self.data, at), Ok(Some(_))) {
            self.warn(at, || {
                "children of something that is no directory; ignored".to_owned()
            });
        }
    }

    fn push(&mut self, mut node: Node) -> Result<(), Fault> {
        // One below the value for "no link"; 2^32 entries would need 416 GiB of metadata.
        let id = u32::try_from(self.tree.nodes.len())
            .ok()
            .filter(|id| *id < NO_LINK)
            .ok_or_else(|| {
                Fault::new(0, || {
                    "expected fewer than 4294967295 entries, found more".to_owned()
                })
            })?;
        if let Some(extra) = node.tagged.take() {
            self.tree.tagged.insert(id, *extra);
        }
        self.tree.nodes.push(node);
        Ok(())
    }

    /// Makes a node of `entry`, whose streams follow it. Returns where the next entry begins.
    fn node(
        &mut self,
        entry: &Dentry<'_>,
        at: usize,
        parent: u32,
        depth: u32,
    ) -> Result<(Node, usize), Fault> {
        let attributes = FileAttributes::from_bits(entry.attributes);
        let first_stream = self.tree.streams.len();
        let end = self.streams(entry, at, attributes)?;
        if entry.security_id != u32::MAX && self.descriptor_is_missing(entry.security_id) {
            let (id, count) = (entry.security_id, self.tree.descriptors.len());
            self.warn(at, || {
                format!("security id {id} of {count} descriptors; taken as none")
            });
        }
        let node = Node {
            name: wide(entry.name),
            short_name: (!entry.short_name.is_empty()).then(|| wide(entry.short_name)),
            parent,
            first_child: 0,
            child_count: 0,
            depth,
            attributes,
            security_id: entry.security_id,
            times: entry.times,
            slot: entry.slot,
            reserved: entry.reserved,
            first_stream: index(first_stream),
            stream_count: index(self.tree.streams.len() - first_stream),
            link: NO_LINK,
            children: entry.children,
            tagged: self.tagged(entry),
        };
        Ok((node, end))
    }

    fn descriptor_is_missing(&self, id: u32) -> bool {
        usize::try_from(id)
            .ok()
            .is_none_or(|id| id >= self.tree.descriptors.len())
    }

    /// Finds out which stream is which, and adds them to the tree's list: unnamed data first.
    ///
    /// The format has no stream types. The main digest and the unnamed stream entries stand for, in this order: the reparse
    /// data of a reparse point, then the file's data; or, in an encrypted file, only its raw backup.
    fn streams(
        &mut self,
        entry: &Dentry<'_>,
        at: usize,
        attributes: FileAttributes,
    ) -> Result<usize, Fault> {
        let mut next = entry.end;
        let mut unnamed = [None::<Digest>; 3];
        let mut unnamed_count = 0;
        let first_named = self.tree.streams.len();
        let mut add = |digest| {
            if let Some(place) = unnamed.get_mut(unnamed_count) {
                *place = Some(digest);
            }
            unnamed_count += 1;
        };
        if !entry.digest.is_zero() {
            add(entry.digest);
        }
        for _ in 0..entry.stream_count {
            let stream = StreamEntry::parse(self.data, next)?;
            if stream.name.is_empty() {
                add(stream.digest);
            } else {
                let name = Some(wide(stream.name));
                self.tree.streams.push(ImageStream {
                    name,
                    role: StreamRole::Named,
                    digest: stream.digest,
                });
            }
            next = stream.end;
        }
        let mut unnamed_streams = unnamed.into_iter().flatten();
        let mut found = Vec::with_capacity(2);
        if attributes.contains(FileAttributes::ENCRYPTED) {
            found.extend(
                unnamed_streams
                    .find(|digest| !digest.is_zero())
                    .map(|digest| (StreamRole::EncryptedRaw, digest)),
            );
        } else {
            if attributes.is_reparse_point() {
                found.push((
                    StreamRole::Reparse,
                    unnamed_streams.next().unwrap_or(Digest::ZERO),
                ));
            }
            let data = unnamed_streams.next().unwrap_or(Digest::ZERO);
            if !attributes.is_directory() {
                found.insert(0, (StreamRole::Data, data));
            } else if !data.is_zero() {
                self.warn(at, || {
                    "a directory with data; the data is ignored".to_owned()
                });
            }
        }
        let found = found.into_iter().map(|(role, digest)| ImageStream {
            name: None,
            role,
            digest,
        });
        self.tree.streams.splice(first_named..first_named, found);
        Ok(next)
    }

    fn tagged(&mut self, entry: &Dentry<'_>) -> Option<Box<Extra>> {
        let mut extra = Extra::default();
        let mut rest = entry.tagged;
        while let (Some(tag), Some(len)) = (u32_at(rest, 0), u32_at(rest, 4)) {
            if tag == 0 && len == 0 {
                break;
            }
            let data = usize::try_from(len)
                .ok()
                .and_then(|len| rest.get(8..len.checked_add(8)?));
            let Some(data) = data else {
                let at = entry.tagged_at + (entry.tagged.len() - rest.len());
                self.warn(at, || format!("a tagged item of {len} bytes that does not fit its entry; ignored, with any behind it"));
                break;
            };
            match tag {
                TAG_OBJECT_ID if (16..=64).contains(&data.len()) && extra.object_id.is_empty() => {
                    extra.object_id = data.to_vec()
                }
                TAG_EXTENDED_ATTRIBUTES if extra.extended_attributes.is_empty() => {
                    extra.extended_attributes = data.to_vec()
                }
                _ => extra.unknown.push(TaggedItem {
                    tag,
                    data: data.to_vec(),
                }),
            }
            let len = (8 + data.len()).next_multiple_of(8);
            rest = rest.get(len..).unwrap_or_default();
        }
        (extra != Extra::default()).then(|| Box::new(extra))
    }

    /// Finds the names of the same file: same group, same data. (Windows 7 images use a group again for other files.)
    fn link(&mut self) {
        let mut groups: BTreeMap<(u64, Digest), (u32, bool)> = BTreeMap::new();
        let mut directories = 0_u64;
        for id in 0..self.tree.nodes.len() {
            let Some(node) = self.tree.nodes.get(id) else {
                break;
            };
            if node.slot == 0 || node.attributes.is_reparse_point() {
                continue;
            }
            if node.attributes.is_directory() {
                directories += 1;
                continue;
            }
            let data = self.tree.data_digest(node);
            let (first, several) = groups
                .entry((node.slot, data))
                .or_insert((index(id), false));
            if *first == index(id) {
                continue;
            }
            let first = *first;
            if !*several {
                *several = true;
                if let Some(node) = self
                    .tree
                    .nodes
                    .get_mut(usize::try_from(first).unwrap_or(usize::MAX))
                {
                    node.link = first;
                }
            }
            if let Some(node) = self.tree.nodes.get_mut(id) {
                node.link = first;
            }
        }
        if directories > 0 {
            self.warn(0, || {
                format!("{directories} directories with a hard link group; ignored")
            });
        }
    }

    fn warn(&mut self, at: usize, what: impl FnOnce() -> String) {
        self.warnings.push(self.part, as_u64(at), what);
    }
}

impl Tree {
    /// The streams of `node`.
    pub(super) fn streams_of(&self, node: &Node) -> &[ImageStream] {
        let range = usize::try_from(node.first_stream)
            .ok()
            .zip(usize::try_from(node.stream_count).ok());
        range
            .and_then(|(first, count)| self.streams.get(first..first.checked_add(count)?))
            .unwrap_or_default()
    }

    fn data_digest(&self, node: &Node) -> Digest {
        self.streams_of(node)
            .first()
            .filter(|stream| stream.name.is_none())
            .map_or(Digest::ZERO, |stream| stream.digest)
    }
}

impl Node {
    fn empty_root() -> Self {
        Self {
            name: WideName::new(),
            short_name: None,
            parent: 0,
            first_child: 0,
            child_count: 0,
            depth: 0,
            attributes: FileAttributes::DIRECTORY,
            security_id: u32::MAX,
            times: Times::default(),
            slot: 0,
            reserved: 0,
            first_stream: 0,
            stream_count: 0,
            link: NO_LINK,
            children: 0,
            tagged: None,
        }
    }
}

/// What is wrong with a name, and whether an entry with it is left out.
fn name_fault(units: &[u16]) -> Option<(&'static str, bool)> {
    const DOT: u16 = b'.' as u16;
    match units {
        [] => Some(("has no name", true)),
        [DOT] | [DOT, DOT] => Some(("would lead out of its directory", true)),
        _ if units.contains(&0) => Some(("has a NUL in its name", true)),
        _ if units
            .iter()
            .any(|unit| *unit == u16::from(b'/') || *unit == u16::from(b'\\')) =>
        {
            Some(("has a path separator in its name", false))
        }
        _ => None,
    }
}

/// A name of an even number of bytes, as [`Dentry::parse`] has checked.
fn wide(bytes: &[u8]) -> WideName {
    WideName::from_le_bytes(bytes).unwrap_or_default()
}

/// A position in a list that [`Builder::push`] keeps below 2^32; every stream belongs to an entry of 104 bytes or takes 40.
fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}
