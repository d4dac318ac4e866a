//! Files that are deleted while somebody has them open.
//!
//! A program such as a scanner opens a file so that others may read, write, rename and delete it. A file that is deleted meanwhile
//! keeps its name until the program closes it: nothing can be opened or made under that name, its directory is not empty. Then it is
//! gone.

use serde::{Deserialize, Serialize};
use wcow_ntmeta::{FileTime, HostPath, Hresult, WideName};

use super::{Body, Fs, NodeId, Spot, TreeId, code};
use crate::world::Outside;

/// A program has a file open, and lets others do what they want with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OpenElsewhere {
    /// When it closes the file.
    until: FileTime,
    /// The name that goes then, if the file was deleted meanwhile.
    deleted: Option<(NodeId, WideName)>,
}

impl Fs {
    /// A program opens a file until some time.
    pub(crate) fn open_elsewhere(
        &mut self,
        path: &HostPath,
        until: FileTime,
        out: &mut Outside<'_>,
    ) -> Result<(), Hresult> {
        let (directory, name) = self.parent_node(path, out)?;
        match self.child_node(directory, name) {
            Some(node) if !self.is_directory(&Spot::Node(node)) => {
                let open = OpenElsewhere {
                    until,
                    deleted: None,
                };
                self.open_elsewhere.entry(node).or_insert(open).until = until;
                Ok(())
            }
            _ => Err(code::FILE_NOT_FOUND),
        }
    }

    /// What time has closed is closed.
    pub(crate) fn close_until(&mut self, now: FileTime) {
        if self.open_elsewhere.is_empty() {
            return;
        }
        let mut gone = Vec::new();
        self.open_elsewhere.retain(|node, open| {
            let closed = open.until <= now;
            if closed && let Some(name) = open.deleted.take() {
                gone.push((*node, name));
            }
            !closed
        });
        for (node, (directory, name)) in gone {
            // It may have been moved away with its directory, but not out of it.
            if self.child_node(directory, name.units()) == Some(node) {
                self.remove(directory, name.units(), node, now);
            }
        }
    }

    /// Deletes a file later, if somebody has it open; false if nobody does.
    pub(super) fn delete_later(&mut self, node: NodeId, directory: NodeId, name: &[u16]) -> bool {
        match self.open_elsewhere.get_mut(&node) {
            Some(open) => {
                open.deleted = Some((directory, name.into()));
                true
            }
            None => false,
        }
    }

    /// Removes what is below a directory except what somebody has open, which is deleted later, and the directories that it is in.
    pub(super) fn remove_around_open(&mut self, directory: NodeId, now: FileTime) {
        let Some(Body::Directory(children)) = self.node(directory).map(|node| &node.body) else {
            return;
        };
        for child in children.clone().values() {
            if self.delete_later(child.node, directory, child.name.units()) {
                continue;
            }
            if self.is_open_elsewhere_below(child.node) {
                self.remove_around_open(child.node, now);
            } else {
                self.remove(directory, child.name.units(), child.node, now);
            }
        }
    }

    /// Whether somebody has a file below a directory open that could be deleted.
    pub(super) fn is_open_elsewhere_below(&self, directory: NodeId) -> bool {
        if self.open_elsewhere.is_empty() {
            return false;
        }
        let mut left = vec![directory];
        while let Some(id) = left.pop() {
            if self.open_elsewhere.contains_key(&id) {
                return true;
            }
            if let Some(Body::Directory(children)) = self.node(id).map(|node| &node.body) {
                left.extend(children.values().map(|child| child.node));
            }
        }
        false
    }

    /// Whether a tree that is being written is at a path or below it.
    pub(crate) fn is_tree_below(&self, tree: TreeId, path: &HostPath) -> bool {
        let Some(&tree) = self.building.get(&tree) else {
            return false;
        };
        let mut left: Vec<NodeId> = path
            .components()
            .try_fold(self.root(path), |directory, name| {
                directory.map(|directory| self.child_node(directory, name))
            })
            .flatten()
            .into_iter()
            .collect();
        while let Some(id) = left.pop() {
            if id == tree {
                return true;
            }
            if let Some(Body::Directory(children)) = self.node(id).map(|node| &node.body) {
                left.extend(children.values().map(|child| child.node));
            }
        }
        false
    }

    /// Whether a file is deleted and still there.
    pub(super) fn is_delete_pending(&self, node: NodeId) -> bool {
        !self.open_elsewhere.is_empty()
            && self
                .open_elsewhere
                .get(&node)
                .is_some_and(|open| open.deleted.is_some())
    }

    /// Whether somebody has a file open that could be deleted.
    pub(super) fn is_open_elsewhere(&self, node: NodeId) -> bool {
        !self.open_elsewhere.is_empty() && self.open_elsewhere.contains_key(&node)
    }
}
