//! Lists that are handed out and taken back by a function of ours: the list of reserved ports.
//!
//! Each is kept here until then, so that one that is taken back twice, or is none, does no harm.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::abi::HCN_PORT_RANGE_ENTRY;

type Lists = BTreeMap<usize, Vec<HCN_PORT_RANGE_ENTRY>>;

static LISTS: Mutex<Lists> = Mutex::new(BTreeMap::new());

fn lists() -> MutexGuard<'static, Lists> {
    LISTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands a list out: where its first entry lies, or null if it has none.
pub(crate) fn hand_out(mut entries: Vec<HCN_PORT_RANGE_ENTRY>) -> *mut HCN_PORT_RANGE_ENTRY {
    if entries.is_empty() {
        return std::ptr::null_mut();
    }
    let first = entries.as_mut_ptr();
    // The entries stay where they are when their owner moves.
    lists().insert(first.addr(), entries);
    first
}

/// Takes a list back.
pub(crate) fn take_back(first: *mut HCN_PORT_RANGE_ENTRY) {
    lists().remove(&first.addr());
}

/// How many are handed out.
pub(crate) fn count() -> u64 {
    lists().len() as u64
}
