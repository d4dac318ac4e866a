//! Files that somebody has open for themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::NodeId;
use crate::call::ClientId;

/// Somebody has a file open for themselves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lock {
    pub(super) node: NodeId,
    /// `None`: the host itself.
    pub(super) client: Option<ClientId>,
}

/// All locks, by number. Every file that is opened is looked for here, so they are kept by file too.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<u64, Lock>", into = "BTreeMap<u64, Lock>")]
pub(super) struct Locks {
    by_number: BTreeMap<u64, Lock>,
    by_node: BTreeSet<(NodeId, u64)>,
}

impl Locks {
    pub(super) fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    pub(super) fn get(&self, number: u64) -> Option<&Lock> {
        self.by_number.get(&number)
    }

    pub(super) fn insert(&mut self, number: u64, lock: Lock) {
        self.by_node.insert((lock.node, number));
        self.by_number.insert(number, lock);
    }

    pub(super) fn remove(&mut self, number: u64) {
        if let Some(lock) = self.by_number.remove(&number) {
            self.by_node.remove(&(lock.node, number));
        }
    }

    /// Whether somebody has this file.
    pub(super) fn is_held(&self, node: NodeId) -> bool {
        let mut held = self.by_node.range((node, 0)..=(node, u64::MAX));
        held.next().is_some()
    }

    /// Releases what a client has.
    pub(super) fn release_all_of(&mut self, client: ClientId) {
        let by_node = &mut self.by_node;
        self.by_number.retain(|number, lock| {
            let keep = lock.client != Some(client);
            if !keep {
                by_node.remove(&(lock.node, *number));
            }
            keep
        });
    }
}

impl From<BTreeMap<u64, Lock>> for Locks {
    fn from(by_number: BTreeMap<u64, Lock>) -> Self {
        let by_node = by_number
            .iter()
            .map(|(number, lock)| (lock.node, *number))
            .collect();
        Self { by_number, by_node }
    }
}

impl From<Locks> for BTreeMap<u64, Lock> {
    fn from(locks: Locks) -> Self {
        locks.by_number
    }
}
