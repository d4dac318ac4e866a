//! One thing that happens once, and whoever waits for it as a task.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::mailbox::wake;

/// Not given yet, or given for good.
#[derive(Default)]
pub(crate) struct Signal {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    given: bool,
    waker: Option<Waker>,
}

impl Signal {
    /// Gives it. Giving it again changes nothing.
    pub(crate) fn give(&self) {
        let mut inner = self.lock();
        inner.given = true;
        let waker = inner.waker.take();
        drop(inner);
        wake(waker);
    }

    /// Ready once it was given. The task of the latest call is woken, no other.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.lock();
        if inner.given {
            return Poll::Ready(());
        }
        let old = inner.waker.replace(context.waker().clone());
        drop(inner);
        drop(old);
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that runs under this lock leaves it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::Signal;

    #[test]
    fn a_signal_is_given_for_good() {
        let signal = Signal::default();
        let mut context = Context::from_waker(Waker::noop());
        assert!(signal.poll(&mut context).is_pending());
        signal.give();
        signal.give();
        assert!(signal.poll(&mut context).is_ready());
        assert!(signal.poll(&mut context).is_ready());
    }
}
