//! Directories that paths went through lately: most paths end in one of a few, and each is far from the root.
//!
//! What is found here is what a walk from the root would find. A directory that loses its name, and whatever changes names by itself,
//! forgets all of them.

use std::cell::RefCell;

use wcow_ntmeta::{HostPath, Hresult, WideName};

use super::{Fs, NodeId, Spot, is_plain};
use crate::world::Outside;

const KEPT: usize = 4;

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
    known: Known,
}

/// A directory that is known from lately.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    node: NodeId,
    /// Whether Win32 would create every name on the way to it.
    pub(super) plain: bool,
}

impl Clone for Recent {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Recent {
    /// The directory that the last name of a path is in.
    pub(super) fn find(&self, path: &HostPath) -> Option<Known> {
        let (_, above) = path.components().as_slice().split_last()?;
        let ring = self.0.borrow();
        ring.kept.iter().flatten().find_map(|kept| {
            let (_, names) = kept.path.components().as_slice().split_last()?;
            // The last names differ most often.
            let same = names.len() == above.len()
                && names.iter().rev().eq(above.iter().rev())
                && kept.path.drive() == path.drive();
            same.then_some(kept.known)
        })
    }

    /// A path to something in a directory was looked up.
    fn keep(&self, path: &HostPath, above: &[WideName], node: NodeId) {
        let mut ring = self.0.borrow_mut();
        let Ring { kept, next } = &mut *ring;
        if let Some(oldest) = kept.get_mut(*next) {
            *oldest = Some(Kept {
                path: path.clone(),
                known: Known {
                    node,
                    plain: above.iter().all(is_plain),
                },
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
        let names = path.components().as_slice();
        let above = names.split_last().map_or(names, |(_, above)| above);
        if let Some(Known { node, .. }) = self.recent.find(path) {
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
            self.recent.keep(path, above, node);
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
