//! Finding paths as Windows does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use wcow_ntmeta::upcase::upcase_unit;
use wcow_ntmeta::{RelPath, WideName};

use super::{Image, NodeId};

/// Directories with up to so many children are searched from front to back.
const SHORT: usize = 64;

/// Names of long directories by hash, made when something is first looked up in one of them.
#[derive(Default)]
pub(super) struct Indexes(Mutex<BTreeMap<u32, Arc<Index>>>);

/// Hashes of upcased names and short names with the nodes that have them, in order.
type Index = [(u32, NodeId)];

/// The best match so far.
#[derive(Default)]
struct Found {
    other_case: Option<NodeId>,
    short: Option<NodeId>,
}

impl Image {
    /// Finds a path as Windows does: upper and lower case are alike, but the exact name wins; a short name is found too.
    #[must_use]
    pub fn lookup(&self, path: &RelPath) -> Option<NodeId> {
        let mut names = path.components().iter();
        names.try_fold(self.root(), |directory, name| self.child(directory, name))
    }

    /// Finds a name in a directory, by the rules of [`lookup`](Self::lookup).
    #[must_use]
    pub fn child(&self, directory: NodeId, name: &WideName) -> Option<NodeId> {
        let children = self.children(directory);
        if children.len() <= SHORT {
            return self.best(children, name);
        }
        let index = self.index_of(directory);
        let wanted = hash(name.units().iter().copied());
        let first = index.partition_point(|(hash, _)| *hash < wanted);
        let same = index.get(first..).unwrap_or_default();
        let same = same.iter().take_while(|(hash, _)| *hash == wanted);
        self.best(same.map(|(_, id)| *id), name)
    }

    fn best(&self, mut nodes: impl Iterator<Item = NodeId>, name: &WideName) -> Option<NodeId> {
        let mut found = Found::default();
        let exact = nodes.find(|id| {
            let own = self.name(*id);
            if own.eq_ignore_case(name) {
                found.other_case.get_or_insert(*id);
                return own == *name;
            }
            if found.short.is_none()
                && self
                    .short_name(*id)
                    .is_some_and(|short| short.eq_ignore_case(name))
            {
                found.short = Some(*id);
            }
            false
        });
        exact.or(found.other_case).or(found.short)
    }

    fn index_of(&self, directory: NodeId) -> Arc<Index> {
        // Nothing panics while the lock is held, and a map is never half changed.
        let lock = || {
            self.read
                .indexes
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(index) = lock().get(&directory.0) {
            return Arc::clone(index);
        }
        let mut index: Vec<(u32, NodeId)> = Vec::with_capacity(self.children(directory).len());
        for id in self.children(directory) {
            index.push((hash(self.name(id).units()), id));
            index.extend(self.short_name(id).map(|short| (hash(short.units()), id)));
        }
        index.sort_unstable();
        let index: Arc<Index> = index.into();
        Arc::clone(lock().entry(directory.0).or_insert(index))
    }
}

/// FNV-1a over the upcased units. Names that are made to collide make a search as slow as without an index.
fn hash(units: impl Iterator<Item = u16>) -> u32 {
    units.fold(0x811C_9DC5, |hash, unit| {
        (hash ^ u32::from(upcase_unit(unit))).wrapping_mul(0x0100_0193)
    })
}
