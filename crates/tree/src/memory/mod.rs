//! Trees in memory: built in code, or collected from any source; they can be sent again and compared.

pub use sink::MemorySink;

use std::collections::BTreeMap;
use std::sync::Arc;

use sha1::{Digest as _, Sha1};
use wcow_ntmeta::{FileAttributes, RelPath, ReparsePoint, SecurityDescriptor, WideName};

use crate::{
    Digest, Entry, EntryId, Extra, SendError, Stream, StreamEnd, StreamKind, StreamRef, Times,
    TreeSink, TreeSource,
};

mod sink;

/// A tree with all its contents in memory.
///
/// Built call by call; directories on the way are made as needed, and a second call for the same path changes what the
/// first one made. Two trees are equal if they hold the same paths with the same metadata, contents and hard links;
/// the order of entries, their ids and the digests do not count.
///
/// ```
/// use wcow_tree::memory::MemoryTree;
///
/// let mut tree = MemoryTree::new()
///     .dir(r"Windows\System32")
///     .file(r"Windows\win.ini", "[fonts]")
///     .stream(r"Windows\win.ini", "Zone.Identifier", "ZoneId=3")
///     .hard_link(r"Windows\System32\win.ini", r"Windows\win.ini");
/// assert_eq!(tree.contents(r"windows\SYSTEM32\win.ini"), Some(&b"[fonts]"[..]));
///
/// let copy = MemoryTree::collect(&mut tree.clone())?;
/// assert_eq!(copy, tree);
/// # Ok::<(), wcow_tree::SendError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MemoryTree {
    nodes: Vec<Node>,
    /// The first node of each path.
    index: BTreeMap<RelPath, usize>,
    /// The further names of each file that has some, by its first name.
    links: BTreeMap<usize, Vec<usize>>,
}

/// One entry with its contents. Its id is its position.
#[derive(Clone, Debug)]
struct Node {
    path: RelPath,
    entry: Entry,
    /// One for each of the entry's streams; `None` until the bytes came, and if they were damaged.
    contents: Vec<Option<Arc<[u8]>>>,
}

impl MemoryTree {
    /// A tree of an empty root directory.
    pub fn new() -> Self {
        let root = Node {
            path: RelPath::root(),
            entry: blank(FileAttributes::DIRECTORY),
            contents: Vec::new(),
        };
        Self {
            nodes: vec![root],
            index: BTreeMap::from([(RelPath::root(), 0)]),
            links: BTreeMap::new(),
        }
    }

    /// Everything that a source sends.
    ///
    /// # Errors
    /// The source fails, or sends more than [`MemorySink::DEFAULT_LIMIT`] bytes.
    pub fn collect(source: &mut dyn TreeSource) -> Result<Self, SendError> {
        let mut sink = MemorySink::new();
        source.send(&mut sink)?;
        Ok(sink.finish())
    }

    /// Adds a directory.
    #[must_use]
    pub fn dir(mut self, path: impl Into<RelPath>) -> Self {
        self.make(&path.into(), FileAttributes::DIRECTORY);
        self
    }

    /// Adds a file with these contents, or replaces the contents of one.
    #[must_use]
    pub fn file(self, path: impl Into<RelPath>, bytes: impl AsRef<[u8]>) -> Self {
        self.stream(path, "", bytes)
    }

    /// Adds an alternate data stream; with an empty name, the contents themselves.
    #[must_use]
    pub fn stream(
        mut self,
        path: impl Into<RelPath>,
        name: impl Into<WideName>,
        bytes: impl AsRef<[u8]>,
    ) -> Self {
        let at = self.make(&path.into(), FileAttributes::ARCHIVE);
        let at = self.first_of(at);
        let (name, bytes) = (name.into(), bytes.as_ref());
        if let Some(node) = self.nodes.get_mut(at) {
            node.set_stream(name, bytes);
        }
        self.copy_to_links(at);
        self
    }

    /// Adds a further name of a file. A missing file is made, empty. Directories have one name only: if either is one,
    /// there is no link.
    #[must_use]
    pub fn hard_link(mut self, path: impl Into<RelPath>, existing: impl Into<RelPath>) -> Self {
        let at = self.make(&path.into(), FileAttributes::ARCHIVE);
        let first = self.make(&existing.into(), FileAttributes::ARCHIVE);
        let first = self.first_of(first);
        let is_directory = |at: usize| {
            self.nodes
                .get(at)
                .is_some_and(|node| node.entry.is_directory())
        };
        if at == first || is_directory(at) || is_directory(first) {
            return self;
        }
        // Whoever shared the file that this name had goes along.
        let mut moved = self.links.remove(&at).unwrap_or_default();
        moved.push(at);
        for &moving in &moved {
            let node = self.nodes.get_mut(moving);
            if let Some(old) = node.and_then(|node| node.entry.link_to.replace(id(first))) {
                self.links
                    .entry(position(old))
                    .or_default()
                    .retain(|other| *other != moving);
            }
        }
        let names = self.links.entry(first).or_default();
        names.extend(moved);
        names.sort_unstable();
        names.dedup();
        self.copy_to_links(first);
        self
    }

    /// Sets the attributes of an entry, made as a file if it is not there. `DIRECTORY` is kept as it is.
    #[must_use]
    pub fn attributes(self, path: impl Into<RelPath>, attributes: FileAttributes) -> Self {
        self.change(path, |entry| {
            let directory = entry.is_directory();
            entry.attributes = attributes;
            entry.attributes.remove(FileAttributes::DIRECTORY);
            if directory {
                entry.attributes.insert(FileAttributes::DIRECTORY);
            }
        })
    }

    /// Sets the times of an entry, made as a file if it is not there.
    #[must_use]
    pub fn times(self, path: impl Into<RelPath>, times: Times) -> Self {
        self.change(path, |entry| entry.times = times)
    }

    /// Sets the security descriptor of an entry, made as a file if it is not there.
    #[must_use]
    pub fn security(self, path: impl Into<RelPath>, security: SecurityDescriptor) -> Self {
        self.change(path, |entry| entry.security = Some(security))
    }

    /// Sets the 8.3 name of an entry, made as a file if it is not there.
    #[must_use]
    pub fn short_name(self, path: impl Into<RelPath>, name: impl Into<WideName>) -> Self {
        let name = name.into();
        self.change(path, |entry| entry.short_name = name)
    }

    /// Makes an entry a reparse point; it is made as a file if it is not there.
    #[must_use]
    pub fn reparse(self, path: impl Into<RelPath>, reparse: ReparsePoint) -> Self {
        self.change(path, |entry| {
            entry.attributes.insert(FileAttributes::REPARSE_POINT);
            entry.reparse = Some(reparse);
        })
    }

    /// Adds an entry as it is under a directory, with contents for its streams in their order. Nothing is checked or
    /// merged, so this makes the trees of hostile sources too: any name, a name twice. Its id, its parent and its links
    /// are set here; the lengths of its streams follow the contents.
    #[must_use]
    pub fn entry(
        mut self,
        parent: impl Into<RelPath>,
        mut entry: Entry,
        contents: Vec<Vec<u8>>,
    ) -> Self {
        let parent = self.make(&parent.into(), FileAttributes::DIRECTORY);
        entry.link_to = None;
        for (stream, bytes) in entry.streams.iter_mut().zip(&contents) {
            stream.len = len(bytes);
        }
        let mut contents: Vec<_> = contents
            .into_iter()
            .map(|bytes| Some(bytes.into()))
            .collect();
        contents.resize(entry.streams.len(), None);
        self.add(parent, entry, contents);
        self
    }

    /// The entry at a path; the exact spelling is preferred to one that differs in case.
    pub fn get(&self, path: impl Into<RelPath>) -> Option<&Entry> {
        self.find(&path.into()).map(|node| &node.entry)
    }

    /// The contents of the file at a path; `None` if there is no such file, or its contents were damaged.
    pub fn contents(&self, path: impl Into<RelPath>) -> Option<&[u8]> {
        self.stream_contents(path, "")
    }

    /// The contents of one stream of the file at a path; names of streams compare without case.
    pub fn stream_contents(
        &self,
        path: impl Into<RelPath>,
        name: impl Into<WideName>,
    ) -> Option<&[u8]> {
        let (node, name) = (self.find(&path.into())?, name.into());
        let at = node
            .entry
            .streams
            .iter()
            .position(|stream| stream.name.eq_ignore_case(&name))?;
        node.contents.get(at)?.as_deref()
    }

    /// All entries with their paths, the root first, every entry after its parent.
    pub fn entries(&self) -> impl Iterator<Item = (&RelPath, &Entry)> {
        self.nodes.iter().map(|node| (&node.path, &node.entry))
    }

    /// All paths, in exact order, without the root.
    pub fn paths(&self) -> Vec<RelPath> {
        let mut paths: Vec<_> = self
            .nodes
            .iter()
            .skip(1)
            .map(|node| node.path.clone())
            .collect();
        paths.sort();
        paths
    }

    /// What differs from another tree, one line for each difference, in the order of paths; empty if they are equal.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let (ours, theirs) = (self.by_path(), other.by_path());
        let mut lines = Vec::new();
        for (path, nodes) in &ours {
            match theirs.get(path) {
                Some(others) if nodes.len() == others.len() => {
                    for (node, other_node) in nodes.iter().zip(others) {
                        self.compare(node, other, other_node, &mut lines);
                    }
                }
                Some(others) => lines.push(format!(
                    "{path}: {} times here, {} times there",
                    nodes.len(),
                    others.len()
                )),
                None => lines.push(format!("{path}: only here")),
            }
        }
        let only_there = theirs.keys().filter(|path| !ours.contains_key(*path));
        lines.extend(only_there.map(|path| format!("{path}: only there")));
        lines.sort();
        lines
    }

    fn by_path(&self) -> BTreeMap<&RelPath, Vec<&Node>> {
        let mut map: BTreeMap<&RelPath, Vec<&Node>> = BTreeMap::new();
        for node in &self.nodes {
            map.entry(&node.path).or_default().push(node);
        }
        map
    }

    fn compare(&self, node: &Node, other: &Self, other_node: &Node, lines: &mut Vec<String>) {
        let (ours, theirs) = (&node.entry, &other_node.entry);
        let mut note = |what: &str, ours: String, theirs: String| {
            if ours != theirs {
                lines.push(format!(
                    "{}: {what}: {ours} here, {theirs} there",
                    node.path
                ));
            }
        };
        note(
            "short name",
            format!("{:?}", ours.short_name),
            format!("{:?}", theirs.short_name),
        );
        note(
            "attributes",
            ours.attributes.to_string(),
            theirs.attributes.to_string(),
        );
        note(
            "times",
            format!("{:?}", ours.times),
            format!("{:?}", theirs.times),
        );
        note(
            "security",
            format!("{:?}", ours.security),
            format!("{:?}", theirs.security),
        );
        note(
            "reparse point",
            format!("{:?}", ours.reparse),
            format!("{:?}", theirs.reparse),
        );
        note(
            "extra",
            format!("{:?}", ours.extra),
            format!("{:?}", theirs.extra),
        );
        note(
            "hard links",
            format!("{:?}", self.names_of(node)),
            format!("{:?}", other.names_of(other_node)),
        );
        note(
            "streams",
            node.describe_streams(),
            other_node.describe_streams(),
        );
        if node.sorted_contents() != other_node.sorted_contents() {
            lines.push(format!("{}: contents differ", node.path));
        }
    }

    /// All paths of the file that a node is a name of.
    fn names_of<'a>(&'a self, node: &'a Node) -> Vec<&'a RelPath> {
        let first = position(node.entry.link_to.unwrap_or(node.entry.id));
        let others = self.links.get(&first).into_iter().flatten();
        let nodes = std::iter::once(&first)
            .chain(others)
            .filter_map(|at| self.nodes.get(*at));
        let mut paths: Vec<_> = nodes.map(|node| &node.path).collect();
        paths.sort();
        paths
    }

    fn find(&self, path: &RelPath) -> Option<&Node> {
        match self.index.get(path) {
            Some(&at) => self.nodes.get(at),
            None => self
                .nodes
                .iter()
                .find(|node| node.path.eq_ignore_case(path)),
        }
    }

    fn change(mut self, path: impl Into<RelPath>, change: impl FnOnce(&mut Entry)) -> Self {
        let at = self.make(&path.into(), FileAttributes::ARCHIVE);
        let at = self.first_of(at);
        if let Some(node) = self.nodes.get_mut(at) {
            change(&mut node.entry);
        }
        self.copy_to_links(at);
        self
    }

    /// The node of a path. If there is none it is made with these attributes, and its parents as directories.
    fn make(&mut self, path: &RelPath, attributes: FileAttributes) -> usize {
        if let Some(&at) = self.index.get(path) {
            if attributes.is_directory() {
                self.make_directory(at);
            }
            return at;
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return 0;
        };
        let parent = self.make(&parent, FileAttributes::DIRECTORY);
        let mut entry = Entry {
            name: name.clone(),
            ..blank(attributes)
        };
        let mut contents = Vec::new();
        if !attributes.is_directory() {
            entry.streams.push(stream(WideName::new(), &[]));
            contents.push(Some(Arc::from([])));
        }
        self.add(parent, entry, contents)
    }

    /// Turns a file that gets children into a directory.
    fn make_directory(&mut self, at: usize) {
        if let Some(node) = self
            .nodes
            .get_mut(at)
            .filter(|node| !node.entry.is_directory())
        {
            node.entry.attributes.remove(FileAttributes::ARCHIVE);
            node.entry.attributes.insert(FileAttributes::DIRECTORY);
            let old = node.entry.link_to.take();
            let unnamed = node
                .entry
                .streams
                .iter()
                .position(|stream| stream.name.is_empty());
            if let Some(at) = unnamed.filter(|at| *at < node.contents.len()) {
                node.entry.streams.remove(at);
                node.contents.remove(at);
            }
            if let Some(old) = old {
                self.links
                    .entry(position(old))
                    .or_default()
                    .retain(|other| *other != at);
            }
            self.promote_links(at);
        }
    }

    /// Gives the further names of a file that no longer is one to the first of them.
    fn promote_links(&mut self, at: usize) {
        let mut names = self.links.remove(&at).unwrap_or_default().into_iter();
        let Some(first) = names.next() else {
            return;
        };
        let others: Vec<usize> = names.collect();
        for (name, link_to) in
            std::iter::once((first, None)).chain(others.iter().map(|name| (*name, Some(id(first)))))
        {
            if let Some(node) = self.nodes.get_mut(name) {
                node.entry.link_to = link_to;
            }
        }
        self.links.insert(first, others);
    }

    fn add(&mut self, parent: usize, mut entry: Entry, contents: Vec<Option<Arc<[u8]>>>) -> usize {
        let at = self.nodes.len();
        let path = self
            .nodes
            .get(parent)
            .map(|node| node.path.join(&entry.name))
            .unwrap_or_default();
        (entry.id, entry.parent) = (id(at), Some(id(parent)));
        self.index.entry(path.clone()).or_insert(at);
        self.nodes.push(Node {
            path,
            entry,
            contents,
        });
        at
    }

    /// The node that holds the contents of a file with several names.
    fn first_of(&self, at: usize) -> usize {
        self.nodes
            .get(at)
            .and_then(|node| node.entry.link_to)
            .map_or(at, position)
    }

    /// Repeats the metadata of a file at its other names.
    fn copy_to_links(&mut self, first: usize) {
        let Some(Node {
            entry, contents, ..
        }) = self.nodes.get(first).cloned()
        else {
            return;
        };
        for at in self.links.get(&first).into_iter().flatten() {
            let Some(node) = self.nodes.get_mut(*at) else {
                continue;
            };
            let own = node.entry.clone();
            node.entry = Entry {
                id: own.id,
                parent: own.parent,
                name: own.name,
                short_name: own.short_name,
                link_to: own.link_to,
                ..entry.clone()
            };
            node.contents.clone_from(&contents);
        }
    }

    /// The order to send in: a first name before its further names, everything after its parent.
    fn sending_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        // Parents and first names may have been made later than what hangs on them only through links.
        order.sort_by_key(|&at| {
            let node = self.nodes.get(at);
            (node.is_some_and(|node| node.entry.link_to.is_some()), at)
        });
        order
    }
}

impl Default for MemoryTree {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for MemoryTree {
    fn eq(&self, other: &Self) -> bool {
        self.differences(other).is_empty()
    }
}

impl Eq for MemoryTree {}

impl TreeSource for MemoryTree {
    fn send(&mut self, sink: &mut dyn TreeSink) -> Result<(), SendError> {
        for at in self.sending_order() {
            let Some(node) = self.nodes.get(at) else {
                continue;
            };
            sink.entry(&node.entry)?;
            if node.entry.link_to.is_some() {
                continue;
            }
            for (index, contents) in node.contents.iter().enumerate() {
                if !sink.open_stream(StreamRef {
                    entry: node.entry.id,
                    index,
                })? {
                    continue;
                }
                match contents {
                    Some(bytes) => {
                        if !bytes.is_empty() {
                            sink.write(bytes)?;
                        }
                        sink.close_stream(StreamEnd::Complete)?;
                    }
                    None => sink.close_stream(StreamEnd::Damaged)?,
                }
            }
        }
        Ok(())
    }
}

impl Node {
    fn set_stream(&mut self, name: WideName, bytes: &[u8]) {
        let at = self
            .entry
            .streams
            .iter()
            .position(|stream| stream.name == name);
        let described = stream(name, bytes);
        match at.and_then(|at| Some((self.entry.streams.get_mut(at)?, self.contents.get_mut(at)?)))
        {
            Some((stream, contents)) => (*stream, *contents) = (described, Some(bytes.into())),
            None => {
                self.entry.streams.push(described);
                self.contents.push(Some(bytes.into()));
            }
        }
    }

    fn sorted_contents(&self) -> Vec<(&WideName, Option<&[u8]>)> {
        let names = self.entry.streams.iter().map(|stream| &stream.name);
        let mut all: Vec<_> = names
            .zip(self.contents.iter().map(Option::as_deref))
            .collect();
        all.sort();
        all
    }

    fn describe_streams(&self) -> String {
        let mut all: Vec<_> = self
            .entry
            .streams
            .iter()
            .map(|stream| format!("{:?} {:?} {}", stream.name, stream.kind, stream.len))
            .collect();
        all.sort();
        all.join(", ")
    }
}

/// An entry without a name, with nothing but attributes.
fn blank(attributes: FileAttributes) -> Entry {
    Entry {
        id: EntryId(0),
        parent: None,
        name: WideName::new(),
        short_name: WideName::new(),
        attributes,
        times: Times::default(),
        security: None,
        reparse: None,
        link_to: None,
        streams: Vec::new(),
        extra: Extra::default(),
    }
}

fn stream(name: WideName, bytes: &[u8]) -> Stream {
    Stream {
        name,
        kind: StreamKind::Data,
        len: len(bytes),
        digest: Some(Digest(Sha1::digest(bytes).into())),
    }
}

/// A tree of 2^32 entries does not fit into memory.
fn id(at: usize) -> EntryId {
    EntryId(u32::try_from(at).unwrap_or(u32::MAX))
}

fn position(id: EntryId) -> usize {
    usize::try_from(id.0).unwrap_or(usize::MAX)
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
