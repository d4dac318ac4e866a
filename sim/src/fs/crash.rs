//! What a power loss leaves of the file system: the durable side, and any part of the rest that the disk model allows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use wcow_ntmeta::WideName;

use super::durable::{NameOp, Unsynced};
use super::{
    BlobId, Body, Child, ContentRef, DiskModel, EMPTY, FileStreams, Fs, Node, NodeId, SealedTree,
    TreeId,
};
use crate::choice::{Choice, Label};
use crate::world::Outside;

/// The longest file that is torn in units, in bytes; a longer one is left old, new, empty or zeros.
const LONGEST_TORN: u64 = 64 << 20;

/// How much of what was not synced survived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Survived {
    /// Operations on names that were not synced.
    pub(crate) unsynced_names: usize,
    /// Those of them that survived.
    pub(crate) names: usize,
    /// Files whose contents were not synced and whose names survived.
    pub(crate) contents: usize,
}

impl Fs {
    /// The power goes. `writing` are the trees that were being written, with what was sent of each.
    pub(crate) fn power_loss(
        &mut self,
        writing: Vec<(TreeId, Arc<SealedTree>)>,
        choice: &mut Choice,
        out: &mut Outside<'_>,
    ) -> Survived {
        self.recent.forget_all();
        let size = self.charged().saturating_add(self.free);
        for (tree, sent) in writing {
            if let Some(root) = self.building.remove(&tree) {
                self.tear_tree(root, &sent, choice, out);
            }
        }
        for (root, content) in std::mem::take(&mut self.unsynced.trees) {
            // One that was written to since is left as it is.
            let is_whole = |node: &Node| matches!(&node.body, Body::Sealed { tree, entry: 0 } if *tree == content);
            if let Some(charged) = self
                .nodes
                .get(root)
                .filter(|node| is_whole(node))
                .map(|node| node.charged)
                && let Some(sent) = out.trees.load(content, out.blobs)
            {
                self.free = self.free.saturating_add(charged);
                self.tear_tree(root, &sent, choice, out);
            }
        }
        self.everybody_gone();
        let model = self.unsynced.model;
        let Unsynced {
            names,
            contents,
            kept,
            ..
        } = std::mem::replace(&mut self.unsynced, Unsynced::new(model));
        self.nodes.extend(kept);
        let survived = survivors(&names, model, choice);
        self.apply(&names, &survived);
        self.remove_in_part(&names, &survived, model, choice);
        self.settle_names();
        let mut torn = 0;
        for (node, old) in contents {
            torn += usize::from(self.tear_file(node, &old, model, choice, out));
        }
        self.free = size.saturating_sub(self.charged());
        Survived {
            unsynced_names: names.len(),
            names: survived.iter().filter(|survived| **survived).count(),
            contents: torn,
        }
    }

    /// What all files take of the volume, in bytes.
    fn charged(&self) -> u64 {
        self.nodes
            .iter()
            .map(|(_, node)| node)
            .fold(0, |sum, node| sum.saturating_add(node.charged))
    }

    /// Any part of a tree that was being written is there.
    fn tear_tree(
        &mut self,
        root: NodeId,
        sent: &SealedTree,
        choice: &mut Choice,
        out: &mut Outside<'_>,
    ) {
        let torn = Arc::new(sent.torn(choice));
        // What does not fit, or cannot be kept, is not there: the directory stays empty.
        if torn.bytes_below(0) <= self.free
            && let Ok(blob) = out.blobs.put(&torn.encode())
        {
            self.unsynced.replaced(root);
            if let Some(node) = self.nodes.get_mut(root) {
                *node = super::ops::sealed_node(&torn, blob, 0);
            }
            out.trees.keep(blob, torn);
        }
    }

    /// Gives every name that was not settled what the operations that survived say.
    fn apply(&mut self, names: &VecDeque<NameOp>, survived: &[bool]) {
        let mut values: BTreeMap<(NodeId, WideName), &Option<Child>> = BTreeMap::new();
        for (op, survived) in names.iter().zip(survived) {
            for change in op.changes() {
                let value = values
                    .entry((change.directory, change.name().upcased()))
                    .or_insert(&change.before);
                if *survived {
                    *value = &change.after;
                }
            }
        }
        for ((directory, name), value) in values {
            let Some(Body::Directory(children)) =
                self.nodes.get_mut(directory).map(|node| &mut node.body)
            else {
                continue;
            };
            match value {
                Some(child) => {
                    children.insert(child.clone());
                }
                None => {
                    children.remove(name.units());
                }
            }
        }
    }

    /// Of a directory tree whose removal did not survive, any part may be gone: it is removed piece by piece.
    fn remove_in_part(
        &mut self,
        names: &VecDeque<NameOp>,
        survived: &[bool],
        model: DiskModel,
        choice: &mut Choice,
    ) {
        let has = |index: usize| survived.get(index) == Some(&true);
        for (index, op) in names.iter().enumerate() {
            if has(index) {
                continue;
            }
            let begun = op.needs_among(names).all(has);
            if let (None, None, Some(tree)) = (&op.second, &op.first.after, &op.first.before)
                && begun
                && self.is_directory(&super::Spot::Node(tree.node))
                && choice.draw(Label::Power, 2) == 1
            {
                let mut left = vec![tree.node];
                while let Some(id) = left.pop() {
                    if let Some(Body::Directory(children)) =
                        self.nodes.get_mut(id).map(|node| &mut node.body)
                    {
                        children.retain(|_| choice.draw(Label::Power, 2) == 1);
                        left.extend(children.values().map(|child| child.node));
                    }
                }
            }
            if model.names_keep_their_order {
                break;
            }
        }
    }

    /// Removes what no name leads to. A file that has two names becomes two files, a directory loses its second name: only a
    /// disk on which a rename is no single operation has such.
    fn settle_names(&mut self) {
        let mut named: BTreeSet<NodeId> = self.volumes.values().copied().collect();
        let mut left: Vec<NodeId> = named.iter().copied().collect();
        while let Some(directory) = left.pop() {
            let Some(Body::Directory(children)) = self.nodes.get(directory).map(|node| &node.body)
            else {
                continue;
            };
            for child in children.clone().values() {
                let name = child.name.units();
                let Some(node) = self.nodes.get(child.node) else {
                    self.forget_name(directory, name);
                    continue;
                };
                if named.insert(child.node) {
                    left.push(child.node);
                } else if let Body::File(_) = node.body {
                    let copy = self.add(node.clone());
                    named.insert(copy);
                    if let Some(Body::Directory(children)) =
                        self.nodes.get_mut(directory).map(|node| &mut node.body)
                        && let Some(child) = children.get_mut(name)
                    {
                        child.node = copy;
                    }
                } else {
                    self.forget_name(directory, name);
                }
            }
        }
        self.nodes.retain(|id| named.contains(&id));
    }

    fn forget_name(&mut self, directory: NodeId, name: &[u16]) {
        if let Some(Body::Directory(children)) =
            self.nodes.get_mut(directory).map(|node| &mut node.body)
        {
            children.remove(name);
        }
    }

    /// Tears the contents of a file that were not synced; false if the file is gone. `old` is empty for a new file.
    fn tear_file(
        &mut self,
        id: NodeId,
        old: &FileStreams,
        model: DiskModel,
        choice: &mut Choice,
        out: &mut Outside<'_>,
    ) -> bool {
        let Some(node) = self.nodes.get_mut(id) else {
            return false;
        };
        let Body::File(streams) = &mut node.body else {
            return false;
        };
        if let Some(stream) = streams.first_mut() {
            let old = old.first().map(|stream| stream.content);
            let torn = torn(old, stream.content, model, choice, out);
            node.charged = node
                .charged
                .saturating_sub(stream.content.len)
                .saturating_add(torn.len);
            stream.content = torn;
        }
        true
    }
}

impl SealedTree {
    /// Any part of the tree: some of its directories and files, some files empty or zeros.
    fn torn(&self, choice: &mut Choice) -> Self {
        let all = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let left = u32::try_from(choice.draw(Label::Power, u64::from(all)) + 1).unwrap_or(all);
        let mut entries = Vec::with_capacity(left as usize);
        for entry in self.entries.iter().take(left as usize) {
            let mut entry = entry.clone();
            let end = entry
                .first_child
                .saturating_add(entry.child_count)
                .min(left);
            entry.child_count = end.saturating_sub(entry.first_child);
            entry.link_to = entry.link_to.filter(|file| *file < left);
            for stream in entry.streams.iter_mut() {
                match choice.draw(Label::Power, 4) {
                    0 => stream.content = EMPTY,
                    1 => stream.content.blob = None,
                    _ => {}
                }
            }
            entries.push(entry);
        }
        Self::new(self.security.clone(), entries)
    }
}

/// Which operations survive. One survives only with those that it needs.
fn survivors(names: &VecDeque<NameOp>, model: DiskModel, choice: &mut Choice) -> Vec<bool> {
    if names.is_empty() {
        return Vec::new();
    }
    // Nothing and everything are the cases that most often matter.
    match choice.draw(Label::Power, 4) {
        0 => return vec![false; names.len()],
        1 => return vec![true; names.len()],
        _ => {}
    }
    if model.names_keep_their_order {
        let first = choice.draw(Label::Power, names.len() as u64 + 1);
        return (0..names.len() as u64).map(|index| index < first).collect();
    }
    let mut survived: Vec<bool> = Vec::with_capacity(names.len());
    for op in names {
        let can = op
            .needs_among(names)
            .all(|index| survived.get(index) == Some(&true));
        survived.push(can && choice.draw(Label::Power, 2) == 1);
    }
    survived
}

/// What is left of contents that were not synced; `old` is `None` for a new file.
fn torn(
    old: Option<ContentRef>,
    new: ContentRef,
    model: DiskModel,
    choice: &mut Choice,
    out: &mut Outside<'_>,
) -> ContentRef {
    let before = old.unwrap_or(EMPTY);
    if !model.contents_come_late {
        let is_old = old.is_some() && choice.draw(Label::Power, 2) == 0;
        return if is_old { before } else { new };
    }
    match choice.draw(Label::Power, 5) {
        0 => return before,
        1 => return new,
        2 => return EMPTY,
        _ => {}
    }
    let len = [before.len, new.len][usize::from(choice.draw(Label::Power, 2) == 1)];
    let zeros = ContentRef { blob: None, len };
    if len > LONGEST_TORN || (before.blob.is_none() && new.blob.is_none()) {
        return zeros;
    }
    let read = |blob: Option<BlobId>| blob.and_then(|blob| out.blobs.get(blob).ok().flatten());
    let sources = [read(before.blob), read(new.blob)];
    let unit = model.torn_unit.max(1) as usize;
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    for (index, piece) in bytes.chunks_mut(unit).enumerate() {
        let source = match choice.draw(Label::Power, 3) {
            0 => continue,
            1 => &sources[0],
            _ => &sources[1],
        };
        let from = source
            .as_deref()
            .and_then(|source| source.get(index.saturating_mul(unit)..))
            .unwrap_or_default();
        for (to, from) in piece.iter_mut().zip(from) {
            *to = *from;
        }
    }
    match out.blobs.put(&bytes) {
        Ok(blob) => ContentRef {
            blob: Some(blob),
            len,
        },
        Err(_) => zeros,
    }
}
