//! A value that comes once, and that threads and tasks wait for.

use std::future::poll_fn;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// A place for a value.
#[derive(Debug)]
pub(crate) struct Latch<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    wakers: Vec<Waker>,
    /// Whoever waited has left.
    left: bool,
}

impl<T> Default for Latch<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                value: None,
                wakers: Vec::new(),
                left: false,
            }),
            changed: Condvar::new(),
        }
    }
}

impl<T: Clone> Latch<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the value there; the first one stays. False if whoever waited for it has [left](Self::wait_or_leave).
    pub(crate) fn set(&self, value: T) -> bool {
        let (wakers, left) = {
            let mut state = self.lock();
            if state.value.is_none() {
                state.value = Some(value);
            }
            (std::mem::take(&mut state.wakers), state.left)
        };
        self.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
        !left
    }

    /// The value, if it comes in time; if not, whoever brings it learns that nobody waits any more.
    pub(crate) fn wait_or_leave(&self, timeout: Duration) -> Option<T> {
        let value = self.wait(Some(timeout));
        if value.is_some() {
            return value;
        }
        // It may have come in between.
        let mut state = self.lock();
        state.left = state.value.is_none();
        state.value.clone()
    }

    /// The value, if it has come.
    pub(crate) fn now(&self) -> Option<T> {
        self.lock().value.clone()
    }

    /// The value, if it comes in time; `None` for the time waits as long as it takes.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> Option<T> {
        // A time that the clock cannot show is as good as none.
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        loop {
            if let Some(value) = &state.value {
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
            if let Some(value) = &state.value {
                return Poll::Ready(value.clone());
            }
            state.wakers.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// The time that a caller gives in milliseconds; 0xFFFFFFFF has no end.
pub(crate) fn milliseconds(timeout: u32) -> Option<Duration> {
    (timeout != u32::MAX).then(|| Duration::from_millis(timeout.into()))
}
