//! Directories that paths went through lately: most paths end in one of a few, and each is far from the root.
//!
//! What is found here is what a walk from the root would find. With a directory that loses its name, or whose seal is opened, all are
//! forgotten whose way goes through it; whatever changes names by itself forgets all.

use std::cell::RefCell;

use wcow_ntmeta::{HostPath, Hresult};

use super::durable::Marks;
use super::{Fs, NodeId, Spot, is_plain};
use crate::world::Outside;

/// How many are kept at most; each has one place where it can be.
const PLACES: usize = 64;

/// So many units at the end of a path say where it is kept; those before them are much the same in all.
const TAIL: usize = 32;

/// Directories. A clone knows none.
#[derive(Debug, Default)]
pub(super) struct Recent(RefCell<Places>);

#[derive(Debug, Default)]
struct Places {
    kept: Vec<Option<Kept>>,
    /// Where the directory is that was found last: a path is asked about several times in a row.
    last: usize,
}

#[derive(Debug)]
struct Kept {
    directory: HostPath,
    spot: Spot,
    /// The directories with nodes on the way to it, and itself.
    way: Marks,
    /// Whether Win32 would create every name on the way to it, if somebody has asked.
    plain: Option<bool>,
}

impl Clone for Recent {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Recent {
    /// What is known of the directory that the last name of a path is in.
    fn find<T>(&self, path: &HostPath, ask: impl FnOnce(&mut Kept) -> T) -> Option<T> {
        let wanted = path.parent_units()?;
        let Places { kept, last } = &mut *self.0.borrow_mut();
        let is_wanted = |kept: &&mut Kept| kept.directory.units() == wanted;
        if let Some(kept) = kept.get_mut(*last)?.as_mut().filter(is_wanted) {
            return Some(ask(kept));
        }
        let place = place(wanted);
        let found = kept.get_mut(place)?.as_mut().filter(is_wanted)?;
        *last = place;
        Some(ask(found))
    }

    /// Whether Win32 would create every name of a path.
    pub(super) fn is_plain(&self, path: &HostPath) -> bool {
        let above = self.find(path, |kept| {
            let all = || kept.directory.components().all(is_plain);
            *kept.plain.get_or_insert_with(all)
        });
        match above {
            Some(plain) => plain && path.file_name().is_none_or(is_plain),
            None => path.components().all(is_plain),
        }
    }

    /// A directory was looked up.
    fn keep(&self, directory: HostPath, spot: Spot, way: Marks) {
        let Places { kept, last } = &mut *self.0.borrow_mut();
        if kept.is_empty() {
            kept.resize_with(PLACES, || None);
        }
        let place = place(directory.units());
        if let Some(kept) = kept.get_mut(place) {
            *last = place;
            *kept = Some(Kept {
                directory,
                spot,
                way,
                plain: None,
            });
        }
    }

    /// What was found through a directory may be somewhere else now.
    pub(super) fn forget(&mut self, directory: NodeId) {
        let gone = Marks::of_node(directory);
        for kept in &mut self.0.get_mut().kept {
            if kept.as_ref().is_some_and(|kept| kept.way.meet(gone)) {
                *kept = None;
            }
        }
    }

    /// What was found may be somewhere else now.
    pub(super) fn forget_all(&mut self) {
        self.0.get_mut().kept.fill_with(|| None);
    }
}

/// Where a path can be kept: a quick hash of its last units.
fn place(units: &[u16]) -> usize {
    let tail = units.get(units.len().saturating_sub(TAIL)..);
    let (fours, rest) = tail.unwrap_or_default().as_chunks();
    // Lossless: no slice is longer than 2^63 bytes.
    let hash = units.len() as u64;
    let hash = fours.iter().fold(hash, |hash, &[a, b, c, d]| {
        // In this order they are one load from memory, almost everywhere.
        let [b, c, d] = [u64::from(b) << 16, u64::from(c) << 32, u64::from(d) << 48];
        mix(hash, u64::from(a) | b | c | d)
    });
    let hash = rest.iter().fold(hash, |hash, &unit| mix(hash, unit.into()));
    usize::try_from(hash >> 32).unwrap_or_default() % PLACES
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Fs {
    /// What holds the last name of a path, if it is there; the root for a root.
    pub(super) fn find_parent(
        &self,
        path: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<Option<Spot>, Hresult> {
        if let Some(spot) = self.recent.find(path, |kept| kept.spot.clone()) {
            debug_assert!(path.parent().is_some_and(|directory| {
                let found = self.find_from_root(&directory, out);
                matches!(found, Ok((Some(found), _)) if found.is_same(&spot))
            }));
            return Ok(Some(spot));
        }
        let Some(directory) = path.parent() else {
            return Ok(self.root(path).map(Spot::Node));
        };
        let known = |kept: &mut Kept| (kept.spot.clone(), kept.way);
        let above = self.recent.find(&directory, known);
        let (found, way) = match above {
            Some((above, mut way)) => {
                let note = |node| way = way.or(Marks::of_node(node));
                let found = self.walk_noting(above, directory.file_name(), out, note)?;
                (found, way)
            }
            None => self.find_from_root(&directory, out)?,
        };
        if let Some(spot) = &found
            && self.is_directory(spot)
        {
            self.recent.keep(directory, spot.clone(), way);
        }
        Ok(found)
    }

    /// What is at a path, and the way to it.
    fn find_from_root(
        &self,
        path: &HostPath,
        out: &mut Outside<'_>,
    ) -> Result<(Option<Spot>, Marks), Hresult> {
        let Some(root) = self.root(path) else {
            return Ok((None, Marks::default()));
        };
        let mut way = Marks::of_node(root);
        let note = |node| way = way.or(Marks::of_node(node));
        let found = self.walk_noting(Spot::Node(root), path.components(), out, note)?;
        Ok((found, way))
    }
}
