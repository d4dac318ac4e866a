//! Directories that paths went through lately: most paths end in one of a few, and each is far from the root.
//!
//! What is found here is what a walk from the root would find. A directory that loses its name, and whatever changes names by itself,
//! forgets all of them.

use std::cell::RefCell;

use wcow_ntmeta::{HostPath, Hresult, WideName};

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
    /// The path of something in it.
    path: HostPath,
    node: NodeId,
    /// Whether Win32 would create every name on the way to it, if somebody has asked.
    plain: Option<bool>,
}

impl Kept {
    fn is_above(&self, path: &HostPath, above: &[WideName]) -> bool {
        let names = names_above(&self.path);
        // The last names differ most often.
        names.len() == above.len()
            && names.iter().rev().eq(above.iter().rev())
            && self.path.drive() == path.drive()
    }
}

/// All names of a path but the last.
fn names_above(path: &HostPath) -> &[WideName] {
    let names = path.components().as_slice();
    names.split_last().map_or(names, |(_, above)| above)
}

impl Clone for Recent {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Recent {
    /// The directory that the last name of a path is in.
    fn find(&self, path: &HostPath) -> Option<NodeId> {
        let above = names_above(path);
        let ring = self.0.borrow();
        let mut kept = ring.kept.iter().flatten();
        kept.find(|kept| kept.is_above(path, above))
            .map(|kept| kept.node)
    }

    /// Whether Win32 would create every name of a path.
    pub(super) fn is_plain(&self, path: &HostPath) -> bool {
        let above = names_above(path);
        let mut ring = self.0.borrow_mut();
        let mut kept = ring.kept.iter_mut().flatten();
        let all = || above.iter().all(is_plain);
        let above_is_plain = match kept.find(|kept| kept.is_above(path, above)) {
            Some(kept) => *kept.plain.get_or_insert_with(all),
            None => all(),
        };
        above_is_plain && path.file_name().is_none_or(is_plain)
    }

    /// A path to something in a directory was looked up.
    fn keep(&self, path: &HostPath, node: NodeId) {
        let mut ring = self.0.borrow_mut();
        let Ring { kept, next } = &mut *ring;
        if let Some(oldest) = kept.get_mut(*next) {
            *oldest = Some(Kept {
                path: path.clone(),
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
        let above = names_above(path);
        if let Some(node) = self.recent.find(path) {
            debug_assert!(matches!(
                self.find_from_root(path, above, out),
                Ok(Some(Spot::Node(found))) if found == node
            ));
            return Ok(Some(Spot::Node(node)));
        }
        let found = self.find_from_root(path, above, out)?;
        if let Some(Spot::Node(node)) = found
            && !above.is_empty()
            && self.is_directory(&Spot::Node(node))
        {
            self.recent.keep(path, node);
        }
        Ok(found)
    }

    fn find_from_root(
        &self,
        path: &HostPath,
        names: &[WideName],
        out: &mut Outside<'_>,
    ) -> Result<Option<Spot>, Hresult> {
        match self.root(path) {
            Some(root) => self.walk(Spot::Node(root), names, out),
            None => Ok(None),
        }
    }
}
