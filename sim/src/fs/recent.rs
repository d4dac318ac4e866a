//! Directories that paths went through lately: most paths end in one of a few, and each is far from the root.
//!
//! What is found here is what a walk from the root would find. A directory that loses its name, and whatever changes names by itself,
//! forgets all of them.

use std::cell::RefCell;

use wcow_ntmeta::{HostPath, Hresult};

use super::{Fs, NodeId, Spot, is_plain};
use crate::world::Outside;

const KEPT: usize = 8;

/// Directories that have nodes. A clone knows none.
#[derive(Debug, Default)]
pub(super) struct Recent(RefCell<Ring>);

#[derive(Debug, Default)]
struct Ring {
    kept: [Option<Kept>; KEPT],
    next: usize,
}

#[derive(Debug)]
struct Kept {
    directory: HostPath,
    node: NodeId,
    /// Whether Win32 would create every name on the way to it, if somebody has asked.
    plain: Option<bool>,
}

impl Clone for Recent {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Recent {
    fn find(&self, wanted: impl Fn(&HostPath) -> bool) -> Option<NodeId> {
        let ring = self.0.borrow();
        let mut kept = ring.kept.iter().flatten();
        kept.find(|kept| wanted(&kept.directory))
            .map(|kept| kept.node)
    }

    /// Whether Win32 would create every name of a path.
    pub(super) fn is_plain(&self, path: &HostPath) -> bool {
        let mut ring = self.0.borrow_mut();
        let mut kept = ring.kept.iter_mut().flatten();
        match kept.find(|kept| path.is_in(&kept.directory)) {
            Some(Kept {
                directory, plain, ..
            }) => {
                let all = || directory.components().all(is_plain);
                *plain.get_or_insert_with(all) && path.file_name().is_none_or(is_plain)
            }
            None => path.components().all(is_plain),
        }
    }

    /// A directory was looked up.
    fn keep(&self, directory: HostPath, node: NodeId) {
        let mut ring = self.0.borrow_mut();
        let Ring { kept, next } = &mut *ring;
        if let Some(oldest) = kept.get_mut(*next) {
            *oldest = Some(Kept {
                directory,
                node,
                plain: None,
            });
        }
        *next = (*next + 1) % KEPT;
    }

    /// What was found may be somewhere else now.
    pub(super) fn forget(&mut self) {
        self.0.get_mut().kept = Default::default();
    }
}

impl Fs {
    /// What holds the last name of a path, if it is there; the root for a root.
    pub(super) fn find_parent(
        &self,
        path: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<Option<Spot>, Hresult> {
        if let Some(node) = self.recent.find(|directory| path.is_in(directory)) {
            debug_assert!(path.parent().is_some_and(|directory| matches!(
                self.find_from_root(&directory, out),
                Ok(Some(Spot::Node(found))) if found == node
            )));
            return Ok(Some(Spot::Node(node)));
        }
        let Some(directory) = path.parent() else {
            return Ok(self.root(path).map(Spot::Node));
        };
        let found = self.find_from_nearest(&directory, out)?;
        if let Some(Spot::Node(node)) = found
            && !directory.is_root()
            && self.is_directory(&Spot::Node(node))
        {
            self.recent.keep(directory, node);
        }
        Ok(found)
    }

    /// What is at a path, found from the nearest directory above it that was met lately.
    fn find_from_nearest(
        &self,
        path: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<Option<Spot>, Hresult> {
        let mut above = path.parent();
        while let Some(directory) = above {
            if let Some(node) = self.recent.find(|kept| *kept == directory) {
                return self.walk(Spot::Node(node), path.components_below(&directory), out);
            }
            above = directory.parent();
        }
        self.find_from_root(path, out)
    }

    fn find_from_root(
        &self,
        path: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<Option<Spot>, Hresult> {
        match self.root(path) {
            Some(root) => self.walk(Spot::Node(root), path.components(), out),
            None => Ok(None),
        }
    }
}
