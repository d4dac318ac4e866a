//! The sink that collects a tree in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{MemoryTree, id, len};
use crate::{Entry, EntryId, SinkError, StreamEnd, StreamRef, TreeSink};

/// Collects a tree into a [`MemoryTree`], up to a limit.
#[derive(Debug)]
pub struct MemorySink {
    tree: MemoryTree,
    /// Where an id of the source stands in the tree.
    ids: BTreeMap<EntryId, usize>,
    open: Option<(usize, usize, Vec<u8>)>,
    left: u64,
}

impl MemorySink {
    /// How many bytes of contents are taken unless told otherwise: 1 GiB.
    pub const DEFAULT_LIMIT: u64 = 1 << 30;

    /// A sink with the default limit.
    pub fn new() -> Self {
        Self::with_limit(Self::DEFAULT_LIMIT)
    }

    /// A sink that gives up after this many bytes of contents.
    pub fn with_limit(bytes: u64) -> Self {
        Self {
            tree: MemoryTree::new(),
            ids: BTreeMap::new(),
            open: None,
            left: bytes,
        }
    }

    /// What was collected.
    pub fn finish(self) -> MemoryTree {
        self.tree
    }
}

impl Default for MemorySink {
    fn default() -> Self {
        Self::new()
    }
}

impl TreeSink for MemorySink {
    fn entry(&mut self, entry: &Entry) -> Result<(), SinkError> {
        let missing = |what, id: EntryId| {
            SinkError::message(format!(
                "entry {}: its {what} {} was not sent",
                entry.id.0, id.0
            ))
        };
        let Some(parent) = entry.parent else {
            if let Some(root) = self.tree.nodes.first_mut() {
                root.entry = Entry {
                    id: id(0),
                    ..entry.clone()
                };
                root.contents = vec![None; entry.streams.len()];
            }
            self.ids.insert(entry.id, 0);
            return Ok(());
        };
        let parent = *self
            .ids
            .get(&parent)
            .ok_or_else(|| missing("parent", parent))?;
        let mut copy = entry.clone();
        let mut contents = vec![None; entry.streams.len()];
        if let Some(link) = entry.link_to {
            let first = self
                .ids
                .get(&link)
                .map(|&at| self.tree.first_of(at))
                .ok_or_else(|| missing("first name", link))?;
            copy.link_to = Some(id(first));
            self.tree
                .links
                .entry(first)
                .or_default()
                .push(self.tree.nodes.len());
            contents = self
                .tree
                .nodes
                .get(first)
                .map(|node| node.contents.clone())
                .unwrap_or_default();
        }
        let at = self.tree.add(parent, copy, contents);
        self.ids.insert(entry.id, at);
        Ok(())
    }

    fn open_stream(&mut self, stream: StreamRef) -> Result<bool, SinkError> {
        let at = self.ids.get(&stream.entry).copied();
        let at = at.ok_or_else(|| {
            SinkError::message(format!("entry {}: a stream came before it", stream.entry.0))
        })?;
        self.open = Some((at, stream.index, Vec::new()));
        Ok(true)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.left = self
            .left
            .checked_sub(len(bytes))
            .ok_or_else(|| SinkError::message("the tree is too large for memory"))?;
        if let Some((.., buffer)) = &mut self.open {
            buffer.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn close_stream(&mut self, end: StreamEnd) -> Result<(), SinkError> {
        let Some((at, index, buffer)) = self.open.take() else {
            return Err(SinkError::message("a stream was closed that was not open"));
        };
        if end == StreamEnd::Damaged {
            return Ok(());
        }
        let bytes: Arc<[u8]> = buffer.into();
        let links = self.tree.links.get(&at).into_iter().flatten();
        for &name in std::iter::once(&at).chain(links) {
            let Some(node) = self.tree.nodes.get_mut(name) else {
                continue;
            };
            if let (Some(contents), Some(stream)) = (
                node.contents.get_mut(index),
                node.entry.streams.get_mut(index),
            ) {
                stream.len = len(&bytes);
                *contents = Some(bytes.clone());
            }
        }
        Ok(())
    }
}
