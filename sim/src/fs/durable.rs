//! The durable side: what the disk has where it differs from what everybody sees.
//!
//! [`Fs`] is the volatile view. Beside it stands a list of the operations on names that are not synced, in their order, and the
//! contents that the disk has of files whose present ones are not synced. With nothing in either, the two sides are one, and no
//! call pays for the difference.
//!
//! * An operation is a change of one name, or of two for a rename. It *needs* the earlier ones that touch the same name or the same
//!   file: a disk that has it has those too. A removal of a directory needs everything that happened in it. A move needs the
//!   moves of the directories that it goes into, and, if what is moved had a durable name, their creations too: so nothing that was durable is lost by
//!   being moved.
//! * Syncing a directory settles the operations on its names, and what they need. It does not settle the name of the directory itself.
//! * What has lost its last name is kept as long as an operation that is not settled names it.
//! * Opening the seal of a directory changes nothing that needs a sync.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use wcow_ntmeta::upcase::upcase_unit;
use wcow_ntmeta::{HostPath, Hresult, WideName};

use super::directory::upcased_head;
use super::{BlobId, Body, Child, DiskModel, FileStreams, Fs, Node, NodeId, Spot, code};
use crate::world::Outside;

/// There are rarely more operations at a time that are not synced.
const USUAL: usize = 32;

/// What is seen and not on the disk.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Unsynced {
    pub(super) model: DiskModel,
    /// By id, which is their order.
    pub(super) names: VecDeque<NameOp>,
    next: u64,
    /// What the disk has of files whose contents are not synced; nothing of those that are new.
    pub(super) contents: BTreeMap<NodeId, FileStreams>,
    /// What has no name any more and may have one on the disk.
    pub(super) kept: BTreeMap<NodeId, Box<Node>>,
    /// Finished trees whose durable step was ignored.
    #[serde(default)]
    pub(super) trees: BTreeMap<NodeId, BlobId>,
}

/// An operation on names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct NameOp {
    id: u64,
    #[serde(skip)]
    marks: Marks,
    /// Earlier operations that the disk has if it has this one; those that are settled may be among them.
    needs: Vec<u64>,
    pub(super) first: NameChange,
    /// The other name of a rename.
    pub(super) second: Option<NameChange>,
    /// It goes in this moment.
    #[serde(skip)]
    settled: bool,
}

/// A change of what a name in a directory stands for, in whatever case. Something had the name, or has it now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct NameChange {
    pub(super) directory: NodeId,
    pub(super) before: Option<Child>,
    pub(super) after: Option<Child>,
}

/// One bit for each file, out of few, and for each name: two operations, for example, without one in common touch nothing that is the
/// same. Most are told apart by that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks(u64);

impl Marks {
    pub(super) fn of_node(node: NodeId) -> Self {
        Self(1 << (node.0 % u64::BITS))
    }

    fn of(change: &NameChange) -> Self {
        let units = change.name().units();
        let head = upcased_head(units) ^ u64::from(change.directory.0);
        let last = units.last().copied().map(upcase_unit).map(u64::from);
        let hash = head
            .wrapping_add(last.unwrap_or_default() << 8)
            .wrapping_add(units.len() as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The highest bits are those that all of it went into.
        let nodes = change.nodes().map(Self::of_node);
        nodes.fold(Self(1 << (hash >> 58)), Self::or)
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Those of an operation that was saved: anything.
impl Default for Marks {
    fn default() -> Self {
        Self(u64::MAX)
    }
}

impl NameOp {
    pub(super) fn changes(&self) -> impl Iterator<Item = &NameChange> {
        std::iter::once(&self.first).chain(&self.second)
    }

    /// The earlier operations, among those that are not settled, that this one needs.
    pub(super) fn needs_among<'a>(
        &'a self,
        names: &'a VecDeque<NameOp>,
    ) -> impl Iterator<Item = usize> + 'a {
        self.needs
            .iter()
            .filter_map(|id| names.binary_search_by_key(id, |op| op.id).ok())
    }

    /// Whether a node gets another name by it.
    fn moves(&self, node: NodeId) -> bool {
        self.second.is_some() && self.links(node)
    }

    /// Whether a node gets a name by it.
    fn links(&self, node: NodeId) -> bool {
        let is_given = |change: &NameChange| {
            let after = change.after.as_ref();
            after.is_some_and(|child| child.node == node)
        };
        self.marks.meet(Marks::of_node(node)) && self.changes().any(is_given)
    }

    /// Whether a node has or had a name by it.
    fn names(&self, node: NodeId) -> bool {
        self.marks.meet(Marks::of_node(node))
            && self
                .changes()
                .any(|change| change.before_and_after().contains(&Some(node)))
    }

    fn touches(&self, other: &NameChange) -> bool {
        let theirs = other.before_and_after();
        let touches = |change: &NameChange| {
            let [before, after] = change.before_and_after();
            let is_theirs =
                |node: Option<NodeId>| node.is_some_and(|node| theirs.contains(&Some(node)));
            change.has_the_name_of(other) || is_theirs(before) || is_theirs(after)
        };
        touches(&self.first) || self.second.as_ref().is_some_and(touches)
    }
}

impl NameChange {
    /// The name, in the case of one of those that had or have it.
    pub(super) fn name(&self) -> &WideName {
        const NO_NAME: &WideName = &WideName::new();
        let child = self.before.as_ref().or(self.after.as_ref());
        child.map_or(NO_NAME, |child| &child.name)
    }

    /// Whether both change the same name in the same directory.
    fn has_the_name_of(&self, other: &Self) -> bool {
        self.directory == other.directory && self.name().eq_ignore_case(other.name())
    }

    /// What had or has the name.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.before_and_after().into_iter().flatten()
    }

    fn before_and_after(&self) -> [Option<NodeId>; 2] {
        let node = |child: &Option<Child>| child.as_ref().map(|child| child.node);
        [node(&self.before), node(&self.after)]
    }
}

impl Unsynced {
    pub(super) fn new(model: DiskModel) -> Self {
        Self {
            model,
            ..Self::default()
        }
    }

    /// A name was given or taken. `removed` is the directory tree that went with it, in order.
    pub(super) fn changed(&mut self, change: NameChange, removed: &[NodeId]) {
        let needs = self.needs(&change, removed);
        self.push(needs, change, None);
    }

    /// Something was moved. `needs` are operations on the way to its new name.
    pub(super) fn moved(&mut self, taken: NameChange, given: NameChange, needs: Vec<u64>) {
        if taken.has_the_name_of(&given) {
            // The name changed its case.
            let renamed = NameChange {
                before: taken.before,
                ..given
            };
            return self.changed(renamed, &[]);
        }
        let mut given_needs = self.needs(&given, &[]);
        given_needs.extend(needs);
        let taken_needs = self.needs(&taken, &[]);
        if self.model.rename_is_one_operation {
            given_needs.extend(taken_needs);
            self.push(given_needs, taken, Some(given));
        } else {
            self.push(given_needs, given, None);
            self.push(taken_needs, taken, None);
        }
    }

    /// The contents of a file changed, which were `old`; nothing if it is new.
    pub(super) fn rewritten(&mut self, node: NodeId, old: impl FnOnce() -> FileStreams) {
        self.contents.entry(node).or_insert_with(old);
    }

    pub(super) fn sync_file(&mut self, node: NodeId) {
        self.contents.remove(&node);
    }

    pub(super) fn sync_dir(&mut self, directory: NodeId) {
        self.settle(|op| op.changes().any(|change| change.directory == directory));
    }

    /// A directory holds something else altogether now, which is durable.
    pub(super) fn replaced(&mut self, directory: NodeId) {
        self.settle(|op| op.changes().any(|change| change.directory == directory));
    }

    /// The disk has everything.
    pub(super) fn settle_all(&mut self) {
        self.names.clear();
        self.contents.clear();
        self.kept.clear();
        self.trees.clear();
    }

    /// The id of the next operation, for [`settle_since`](Self::settle_since).
    pub(super) fn mark(&self) -> u64 {
        self.next
    }

    /// The operations since a mark are durable, and the contents of the files that got a name by them.
    pub(super) fn settle_since(&mut self, mark: u64) {
        for op in self.names.iter().rev().take_while(|op| op.id >= mark) {
            for node in op.changes().filter_map(|change| change.after.as_ref()) {
                self.contents.remove(&node.node);
            }
        }
        self.settle(|op| op.id >= mark);
    }

    /// The operations that a move into these directories needs: the moves among those that gave them their names, and if
    /// what is moved is durable the others too.
    fn on_the_way(&self, directories: &[NodeId], durable: bool) -> Vec<u64> {
        let names = self.names.iter().filter(|op| {
            directories
                .iter()
                .any(|node| op.moves(*node) || (durable && op.links(*node)))
        });
        names.map(|op| op.id).collect()
    }

    /// Whether the disk knows what these names, from the root down, lead to; or something durable was moved below it.
    fn is_durable(&self, chain: &[NodeId]) -> bool {
        self.names
            .iter()
            .filter(|op| chain.iter().any(|node| op.links(*node)))
            .all(|link| {
                self.names
                    .iter()
                    .any(|op| op.second.is_some() && op.needs.contains(&link.id))
            })
    }

    fn needs(&self, change: &NameChange, removed: &[NodeId]) -> Vec<u64> {
        let inside = |op: &NameOp| {
            op.changes()
                .any(|change| removed.binary_search(&change.directory).is_ok())
        };
        let marks = Marks::of(change);
        debug_assert!(
            self.names
                .iter()
                .all(|op| op.marks.meet(marks) || !op.touches(change))
        );
        self.names
            .iter()
            .filter(|op| {
                (op.marks.meet(marks) && op.touches(change)) || (!removed.is_empty() && inside(op))
            })
            .map(|op| op.id)
            .collect()
    }

    fn push(&mut self, needs: Vec<u64>, first: NameChange, second: Option<NameChange>) {
        while self.names.len() >= self.model.most_unsynced_names as usize {
            let Some(oldest) = self.names.pop_front() else {
                break;
            };
            self.forget_nodes_of(&oldest);
        }
        let id = self.next;
        self.next += 1;
        if self.names.capacity() == 0 {
            self.names.reserve(USUAL);
        }
        self.names.push_back(NameOp {
            id,
            marks: second.iter().fold(Marks::of(&first), |marks, change| {
                marks.or(Marks::of(change))
            }),
            needs,
            first,
            second,
            settled: false,
        });
    }

    /// Settles the operations that are asked for, and what they need.
    fn settle(&mut self, wanted: impl Fn(&NameOp) -> bool) {
        let Some(last) = self.names.iter().rposition(&wanted) else {
            return;
        };
        // On a disk that keeps the order, everything before is there with it.
        let all = self.model.names_keep_their_order;
        for index in (0..=last).rev() {
            let needs = match self.names.get_mut(index) {
                Some(op) if all || op.settled || wanted(op) => {
                    op.settled = true;
                    std::mem::take(&mut op.needs)
                }
                _ => continue,
            };
            for need in needs {
                if let Ok(needed) = self.names.binary_search_by_key(&need, |op| op.id)
                    && let Some(op) = self.names.get_mut(needed)
                {
                    op.settled = true;
                }
            }
        }
        let mut gone = Vec::new();
        let kept = &self.kept;
        self.names.retain(|op| {
            if op.settled && !kept.is_empty() {
                let nodes = op.changes().flat_map(NameChange::nodes);
                gone.extend(nodes.filter(|node| kept.contains_key(node)));
            }
            !op.settled
        });
        self.forget_nodes(gone);
    }

    /// What only a settled operation named is gone for good.
    fn forget_nodes_of(&mut self, settled: &NameOp) {
        if !self.kept.is_empty() {
            self.forget_nodes(settled.changes().flat_map(NameChange::nodes).collect());
        }
    }

    fn forget_nodes(&mut self, mut left: Vec<NodeId>) {
        while let Some(id) = left.pop() {
            if self.kept.contains_key(&id) && !self.names.iter().any(|op| op.names(id)) {
                self.contents.remove(&id);
                if let Some(node) = self.kept.remove(&id)
                    && let Body::Directory(children) = node.body
                {
                    left.extend(children.values().map(|child| child.node));
                }
            }
        }
    }
}

impl Fs {
    /// A file's contents are durable; nothing is if the step is ignored.
    pub(crate) fn sync_file(
        &mut self,
        path: &HostPath,
        durable: bool,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        match self.find(path, out)? {
            Some(spot) if !self.is_directory(&spot) => {
                if let Spot::Node(file) = spot
                    && durable
                {
                    self.unsynced.sync_file(file);
                }
                Ok(())
            }
            _ => Err(code::FILE_NOT_FOUND),
        }
    }

    /// A directory's names are durable; nothing is if the step is ignored.
    pub(crate) fn sync_dir(
        &mut self,
        path: &HostPath,
        durable: bool,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        match self.find(path, out)? {
            Some(spot) if self.is_directory(&spot) => {
                if let Spot::Node(directory) = spot
                    && durable
                {
                    self.unsynced.sync_dir(directory);
                }
                Ok(())
            }
            _ => Err(code::PATH_NOT_FOUND),
        }
    }

    /// The machine was shut down in order: the disk has everything.
    pub(crate) fn sync_all(&mut self) {
        self.unsynced.settle_all();
    }

    /// Where [`services_wrote`](Self::services_wrote) will begin.
    pub(crate) fn mark(&self) -> u64 {
        self.unsynced.mark()
    }

    /// What a service of the host wrote since the mark is durable, if this disk's host promises that.
    pub(crate) fn services_wrote(&mut self, mark: u64) {
        if self.unsynced.model.services_write_through {
            self.unsynced.settle_since(mark);
        }
    }

    /// What a move between two paths, which may be in the same directory, needs.
    pub(super) fn needs_of_move(&self, from: &HostPath, to: &HostPath, same: bool) -> Vec<u64> {
        if self.unsynced.names.is_empty() {
            return Vec::new();
        }
        let mut chain = self.chain(from);
        let durable = self.unsynced.is_durable(&chain);
        if same {
            // What has the new name is no directory on the way to it.
            chain.pop();
        } else {
            chain = self.chain(to);
        }
        self.unsynced.on_the_way(&chain, durable)
    }

    /// The directories and the file that a path leads over, as far as they are there and not sealed, without the root.
    fn chain(&self, path: &HostPath) -> Vec<NodeId> {
        let mut chain = Vec::with_capacity(path.components().count());
        let mut next = self.root(path);
        for name in path.components() {
            next = next.and_then(|directory| self.child_node(directory, name));
            chain.extend(next);
        }
        chain
    }
}
