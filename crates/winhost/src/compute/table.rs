//! Handles as the traits have them: numbers. Each leads to a value until it is closed, and is not used again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Open handles of one kind.
pub(crate) struct Table<T> {
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    last: u64,
    open: BTreeMap<u64, Arc<T>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            inner: Mutex::new(Inner {
                last: 0,
                open: BTreeMap::new(),
            }),
        }
    }
}

impl<T> Table<T> {
    /// Opens a handle to a value.
    pub(crate) fn open(&self, value: Arc<T>) -> u64 {
        let mut inner = self.lock();
        // One number a nanosecond would take 580 years to come around.
        inner.last = inner.last.wrapping_add(1);
        let number = inner.last;
        let old = inner.open.insert(number, value);
        drop(inner);
        drop(old);
        number
    }

    /// What a handle leads to; none if it is closed. Who has it keeps it, also when the handle is closed meanwhile.
    pub(crate) fn find(&self, number: u64) -> Option<Arc<T>> {
        self.lock().open.get(&number).cloned()
    }

    /// Closes a handle. Of several at once, one gets the value.
    pub(crate) fn close(&self, number: u64) -> Option<Arc<T>> {
        self.lock().open.remove(&number)
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // Nothing that runs under this lock leaves it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::Table;

    #[test]
    fn a_closed_handle_leads_nowhere_and_does_not_come_again() {
        let table = Table::default();
        let first = table.open(Arc::new("first"));
        let kept = table.find(first).expect("it is open");
        assert_eq!(table.close(first).as_deref(), Some(&"first"));
        assert_eq!((table.find(first), table.close(first)), (None, None));
        assert_eq!(*kept, "first");
        let second = table.open(Arc::new("second"));
        assert_ne!(second, first);
        assert_eq!(table.find(second).as_deref(), Some(&"second"));
        assert_eq!((table.find(0), table.find(u64::MAX)), (None, None));
    }

    #[test]
    fn of_many_who_close_at_once_one_does() {
        let (table, start) = (Table::default(), Barrier::new(8));
        let handle = table.open(Arc::new(()));
        let closed = thread::scope(|scope| {
            let close = || {
                start.wait();
                table.close(handle).is_some()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(close)).collect();
            let closed = threads.into_iter().map(thread::ScopedJoinHandle::join);
            closed.filter(|closed| matches!(closed, Ok(true))).count()
        });
        assert_eq!(closed, 1);
    }
}
