//! A value that comes once, and that threads and tasks wait for.

use std::future::poll_fn;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// A place for a value.
#[derive(Debug)]
pub(crate) struct Latch<T> {
    state: Mutex<(Option<T>, Vec<Waker>)>,
    changed: Condvar,
}

impl<T> Default for Latch<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new((None, Vec::new())),
            changed: Condvar::new(),
        }
    }
}

impl<T: Clone> Latch<T> {
    fn lock(&self) -> MutexGuard<'_, (Option<T>, Vec<Waker>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the value there; the first one stays.
    pub(crate) fn set(&self, value: T) {
        let wakers = {
            let mut state = self.lock();
            if state.0.is_none() {
                state.0 = Some(value);
            }
            std::mem::take(&mut state.1)
        };
        self.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The value, if it has come.
    pub(crate) fn now(&self) -> Option<T> {
        self.lock().0.clone()
    }

    /// The value, if it comes in time; `None` for the time waits as long as it takes.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> Option<T> {
        // A time that the clock cannot show is as good as none.
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        loop {
            if let Some(value) = &state.0 {
                return Some(value.clone());
            }
            state = match until {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    self.changed
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }

    /// The value, when it comes.
    pub(crate) async fn come(&self) -> T {
        poll_fn(|context| {
            let mut state = self.lock();
            if let Some(value) = &state.0 {
                return Poll::Ready(value.clone());
            }
            state.1.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// The time that a caller gives in milliseconds; 0xFFFFFFFF has no end.
pub(crate) fn milliseconds(timeout: u32) -> Option<Duration> {
    (timeout != u32::MAX).then(|| Duration::from_millis(timeout.into()))
}
