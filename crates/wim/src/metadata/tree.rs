//! From directory entries to a tree of nodes.
//!
//! The metadata stays in memory as it is: a node says where its entry lies, and fields and names are read from there. That
//! takes 28 bytes a node, and 40 a stream, beside the metadata itself.
//!
//! Every list of children may be visited once, and all visited entries together may not be longer than the metadata: so the
//! tree is never larger than what describes it, and has no cycles. (A file of 5 KB could otherwise describe 2^22 entries.)

use std::collections::HashSet;

use wcow_ntmeta::SecurityDescriptor;

use crate::error::Warnings;
use crate::number::as_u64;
use crate::{ImageError, ImageIndex, Limits, Part};

use super::dentry::{Dentry, MIN_LEN};
use super::tagged::TaggedItems;
use super::{ImageStream, links, security, siblings, streams};

/// Value of a link for "no other names".
pub(super) const NO_LINK: u32 = u32::MAX;
/// Value of an entry's place for a root that the metadata does not have.
const NOWHERE: u32 = u32::MAX;
/// Bit of a reparse point's flags: its target was not rewritten.
pub(crate) const NOT_FIXED: u64 = 1 << 48;

/// What is wrong with the metadata, and where.
pub(super) struct Fault {
    offset: u64,
    what: What,
}

enum What {
    Damaged(String),
    SharedChildren,
    OverlappingChildren,
}

impl Fault {
    pub(super) fn new(offset: u64, what: impl FnOnce() -> String) -> Self {
        Self {
            offset,
            what: What::Damaged(what()),
        }
    }

    /// What it means for the image.
    pub(super) fn of_image(self, index: ImageIndex) -> ImageError {
        let offset = self.offset;
        match self.what {
            What::Damaged(what) => ImageError::Damaged {
                index,
                offset,
                what,
            },
            What::SharedChildren => ImageError::SharedChildren { index, offset },
            What::OverlappingChildren => ImageError::OverlappingChildren { index, offset },
        }
    }
}

/// All nodes of an image. Children lie side by side, and behind their parents; directories of one depth, too.
pub(super) struct Tree {
    data: Box<[u8]>,
    nodes: Vec<Node>,
    streams: Vec<ImageStream>,
    pub(super) descriptors: Vec<Option<SecurityDescriptor>>,
}

/// One file or directory.
pub(super) struct Node {
    /// Where its entry lies in the metadata.
    at: u32,
    pub(super) parent: u32,
    pub(super) first_child: u32,
    pub(super) child_count: u32,
    first_stream: u32,
    stream_count: u32,
    /// The first name of the same file, itself if it is the first of several.
    pub(super) link: u32,
}

/// Builds the tree of one image from its metadata.
pub(super) fn build(
    data: Vec<u8>,
    part: Part,
    limits: &Limits,
    warnings: &mut Warnings,
) -> Result<Tree, Fault> {
    // Places are kept in 32 bits.
    if u32::try_from(data.len()).is_err() {
        let len = data.len();
        return Err(Fault::new(0, || {
            format!("expected less than 4 GiB of metadata, found {len} bytes")
        }));
    }
    let security = security::parse(&data, part, warnings)?;
    // All entries of a small image have room. The lists of a large one grow as they are filled.
    let most = (data.len() / MIN_LEN).min(1024);
    let mut builder = Builder {
        data: &data,
        limits,
        log: Log { part, warnings },
        descriptors: security.descriptors.len(),
        visited: HashSet::new(),
        budget: data.len(),
        nodes: Vec::with_capacity(most),
        streams: Vec::with_capacity(most),
    };
    builder.root(security.end)?;
    builder.descend()?;
    let (mut nodes, mut streams) = (builder.nodes, builder.streams);
    nodes.shrink_to_fit();
    streams.shrink_to_fit();
    let mut tree = Tree {
        data: data.into_boxed_slice(),
        nodes,
        streams,
        descriptors: security.descriptors,
    };
    let directories = links::link(&mut tree);
    if directories > 0 {
        warnings.push(part, 0, || {
            format!("{directories} directories with a hard link group; ignored")
        });
    }
    Ok(tree)
}

/// Where warnings go.
pub(super) struct Log<'w> {
    part: Part,
    warnings: &'w mut Warnings,
}

impl Log<'_> {
    pub(super) fn warn(&mut self, at: usize, what: impl FnOnce() -> String) {
        self.warnings.push(self.part, as_u64(at), what);
    }
}

struct Builder<'a, 'w> {
    data: &'a [u8],
    limits: &'a Limits,
    log: Log<'w>,
    /// How many security descriptors there are.
    descriptors: usize,
    /// Offsets of lists that were read.
    visited: HashSet<u64>,
    /// Bytes of entries that may still be read.
    budget: usize,
    nodes: Vec<Node>,
    streams: Vec<ImageStream>,
}

impl Builder<'_, '_> {
    fn root(&mut self, at: usize) -> Result<(), Fault> {
        let Some(entry) = Dentry::parse(self.data, at)? else {
            self.log.warn(at, || {
                "the image is empty, it has no root directory".to_owned()
            });
            self.nodes.push(Node::new(NOWHERE, 0, 0, 0));
            return Ok(());
        };
        let attributes = entry.attributes();
        if !attributes.is_directory() || attributes.is_reparse_point() {
            let found = attributes.bits();
            return Err(Fault::new(as_u64(at), || {
                format!("expected a directory as the root, found attributes {found:#x}")
            }));
        }
        self.add(entry, at, 0)?;
        let name = entry.name();
        if !name.is_empty() {
            self.log
                .warn(at, || format!("the root has the name {name:?}; ignored"));
        }
        Ok(())
    }

    /// Reads the children of every node; nodes that this adds are reached in turn.
    fn descend(&mut self) -> Result<(), Fault> {
        let (mut depth, mut level_end) = (0_u32, self.nodes.len());
        let mut parent = 0;
        while let Some(node) = self.nodes.get(parent) {
            if parent == level_end {
                (depth, level_end) = (depth.saturating_add(1), self.nodes.len());
            }
            let entry = Dentry::at(self.data, position(node.at));
            if let Some(entry) = entry.filter(|entry| entry.children() != 0) {
                let at = usize::try_from(entry.children()).unwrap_or(usize::MAX);
                let attributes = entry.attributes();
                if attributes.is_directory() && !attributes.is_reparse_point() {
                    self.list(at, parent, depth)?;
                } else if matches!(Dentry::parse(self.data, at), Ok(Some(_))) {
                    self.log.warn(at, || {
                        "children of something that is no directory; ignored".to_owned()
                    });
                }
            }
            parent += 1;
        }
        Ok(())
    }

    /// Reads the list at `at`: the children of node `parent`.
    fn list(&mut self, at: usize, parent: usize, depth: u32) -> Result<(), Fault> {
        let first = self.nodes.len();
        let mut order = siblings::Order::default();
        let mut next = at;
        while let Some(entry) = Dentry::parse(self.data, next)? {
            // Empty lists are no danger, and may be shared.
            if next == at && !self.visited.insert(as_u64(at)) {
                return Err(Fault {
                    offset: as_u64(at),
                    what: What::SharedChildren,
                });
            }
            if depth >= self.limits.depth {
                let limit = self.limits.depth;
                return Err(Fault::new(as_u64(at), || {
                    format!("expected at most {limit} directories within each other, found more")
                }));
            }
            let end = self.add(entry, next, index(parent))?;
            self.budget = self.budget.checked_sub(end - next).ok_or(Fault {
                offset: as_u64(next),
                what: What::OverlappingChildren,
            })?;
            let name = entry.name();
            match siblings::name_fault(name) {
                Some((what, siblings::Fate::LeftOut)) => {
                    self.log
                        .warn(next, || format!("entry {name:?} {what}; left out"));
                    self.forget_last();
                }
                Some((what, siblings::Fate::Kept)) => {
                    self.log.warn(next, || format!("entry {name:?} {what}"));
                    order.add(name);
                }
                None => order.add(name),
            }
            next = end;
        }
        if !order.is_strict() {
            self.leave_out_doubles(first, at);
        }
        let count = index(self.nodes.len() - first);
        if let Some(node) = self.nodes.get_mut(parent) {
            (node.first_child, node.child_count) = (index(first), count);
        }
        Ok(())
    }

    /// Of siblings with equal names, from node `first` on, only the first stays.
    fn leave_out_doubles(&mut self, first: usize, at: usize) {
        let name = |node: &Node| {
            Dentry::at(self.data, position(node.at)).map_or_else(Default::default, Dentry::name)
        };
        let names = self.nodes.get(first..).unwrap_or_default().iter().map(name);
        let doubles = siblings::doubles(names);
        if doubles.is_empty() {
            return;
        }
        let mut doubles = doubles.into_iter().peekable();
        for (place, node) in self.nodes.split_off(first).into_iter().enumerate() {
            if doubles.next_if_eq(&place).is_none() {
                self.nodes.push(node);
                continue;
            }
            let name = Dentry::at(self.data, position(node.at)).map(Dentry::name);
            let name = name.unwrap_or_default();
            self.log.warn(at, || {
                format!("a second entry with the name {name:?} in one directory; left out")
            });
        }
    }

    /// Adds a node for `entry`, whose streams follow it. Returns where the next entry begins.
    fn add(&mut self, entry: Dentry<'_>, at: usize, parent: u32) -> Result<usize, Fault> {
        // An entry takes 104 bytes of less than 4 GiB, so nodes and streams are far fewer than 2^32.
        let first_stream = self.streams.len();
        let end = streams::read(self.data, entry, at, &mut self.streams, &mut self.log)?;
        let count = self.descriptors;
        if let Some(id) = entry.security_id()
            && usize::try_from(id).map_or(true, |id| id >= count)
        {
            self.log.warn(at, || {
                format!("security id {id} of {count} descriptors; taken as none")
            });
        }
        if !entry.tagged().is_empty() {
            self.check_tagged(entry, at);
        }
        let stream_count = self.streams.len() - first_stream;
        self.nodes.push(Node::new(
            index(at),
            parent,
            index(first_stream),
            index(stream_count),
        ));
        Ok(end)
    }

    fn forget_last(&mut self) {
        if let Some(node) = self.nodes.pop() {
            self.streams.truncate(position(node.first_stream));
        }
    }

    fn check_tagged(&mut self, entry: Dentry<'_>, at: usize) {
        let items = TaggedItems::new(entry.tagged());
        if let Some((len, rest)) = items.clone().damage() {
            self.log.warn(at + entry.len() - rest, || {
                format!("a tagged item of {len} bytes that does not fit its entry; ignored, with any behind it")
            });
        }
        if !items.extended_attributes().end_well() {
            self.log.warn(at, || {
                "extended attributes of which one does not fit; it and any behind it are not shown"
                    .to_owned()
            });
        }
    }
}

impl Tree {
    /// How many nodes there are.
    pub(super) fn len(&self) -> u32 {
        index(self.nodes.len())
    }

    pub(super) fn node(&self, id: u32) -> Option<&Node> {
        self.nodes.get(position(id))
    }

    pub(super) fn node_mut(&mut self, id: u32) -> Option<&mut Node> {
        self.nodes.get_mut(position(id))
    }

    /// The directory entry of a node.
    pub(super) fn entry(&self, id: u32) -> Option<Dentry<'_>> {
        match self.node(id)?.at {
            NOWHERE => Dentry::no_root(),
            at => Dentry::at(&self.data, position(at)),
        }
    }

    /// The streams of `node`.
    pub(super) fn streams_of(&self, node: &Node) -> &[ImageStream] {
        let first = position(node.first_stream);
        let count = position(node.stream_count);
        self.streams
            .get(first..first.saturating_add(count))
            .unwrap_or_default()
    }
}

impl Node {
    fn new(at: u32, parent: u32, first_stream: u32, stream_count: u32) -> Self {
        Self {
            at,
            parent,
            first_child: 0,
            child_count: 0,
            first_stream,
            stream_count,
            link: NO_LINK,
        }
    }
}

/// A position in the metadata or in a list of its parts, all of which are below 2^32.
fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

fn position(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
