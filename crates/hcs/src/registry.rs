//! Where callbacks find what they are for.
//!
//! A DLL keeps one word of context with a callback. A pointer there would be wrong from the moment its target is freed until the
//! DLL has forgotten it, and when that is depends on the DLL: `HcsUnregister…Callback` waits for callbacks that run,
//! `HcsCloseOperation` and the handles of v2 promise nothing. So the word is a number that is used once, and the target is
//! found here, or not any more. Whoever finds it holds an `Arc`, so it outlives the callback too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The targets of one kind of callback.
pub(crate) struct Registry<T> {
    entries: Mutex<Entries<T>>,
}

struct Entries<T> {
    /// The number that was given last; no number is given twice.
    last: usize,
    targets: BTreeMap<usize, Arc<T>>,
}

impl<T> Registry<T> {
    /// An empty one.
    pub(crate) const fn new() -> Self {
        Self {
            entries: Mutex::new(Entries {
                last: 0,
                targets: BTreeMap::new(),
            }),
        }
    }

    /// Adds a target, for as long as the ticket lives.
    pub(crate) fn enter(&'static self, target: Arc<T>) -> Ticket<T> {
        let mut entries = self.lock();
        // One number a nanosecond would take 580 years to come around; where words have 32 bits, taken numbers are passed over.
        loop {
            entries.last = entries.last.wrapping_add(1);
            let number = entries.last;
            if number != 0 && !entries.targets.contains_key(&number) {
                entries.targets.insert(number, target);
                return Ticket {
                    registry: self,
                    number,
                };
            }
        }
    }

    /// The target with this number, if its ticket still lives.
    pub(crate) fn find(&self, number: usize) -> Option<Arc<T>> {
        self.lock().targets.get(&number).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Entries<T>> {
        // Nothing that runs under this lock leaves the map half changed.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to be found. Dropping it ends that.
pub(crate) struct Ticket<T: 'static> {
    registry: &'static Registry<T>,
    number: usize,
}

impl<T> Ticket<T> {
    /// The number to give to a DLL. Never 0.
    pub(crate) fn number(&self) -> usize {
        self.number
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        // The target may do anything when it is dropped, so it is dropped after the lock.
        let target = self.registry.lock().targets.remove(&self.number);
        drop(target);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Registry;

    #[test]
    fn a_target_is_found_while_its_ticket_lives() {
        static REGISTRY: Registry<&str> = Registry::new();
        let first = REGISTRY.enter(Arc::new("first"));
        let second = REGISTRY.enter(Arc::new("second"));
        assert_ne!(first.number(), second.number());
        let number = first.number();
        assert_eq!(REGISTRY.find(number).as_deref(), Some(&"first"));
        drop(first);
        assert_eq!(REGISTRY.find(number), None);
        assert_eq!(REGISTRY.find(second.number()).as_deref(), Some(&"second"));
        let third = REGISTRY.enter(Arc::new("third"));
        assert!(third.number() > second.number(), "a number was given twice");
    }

    #[test]
    fn who_found_a_target_keeps_it() {
        static REGISTRY: Registry<String> = Registry::new();
        let ticket = REGISTRY.enter(Arc::new("kept".to_owned()));
        let found = REGISTRY.find(ticket.number());
        drop(ticket);
        assert_eq!(found.as_deref().map(String::as_str), Some("kept"));
    }
}
