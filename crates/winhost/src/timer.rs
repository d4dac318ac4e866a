//! Time limits: one thread wakes those who have waited long enough.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// What a future gave; none if that took longer than `limit`.
pub(crate) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut alarm = Alarm::after(limit);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => alarm.poll(context).map(|()| None),
    })
    .await
}

/// A moment that is waited for. Dropping it ends that.
struct Alarm {
    /// None for one that never comes.
    at: Option<Instant>,
    number: Option<u64>,
}

impl Alarm {
    fn after(limit: Duration) -> Self {
        Self {
            at: Instant::now().checked_add(limit),
            number: None,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else {
            return Poll::Pending;
        };
        if Instant::now() >= at {
            return Poll::Ready(());
        }
        match TIMER.set(at, self.number, context.waker()) {
            Some(number) => {
                self.number = Some(number);
                Poll::Pending
            }
            // Nobody would wake the task: better too early than never.
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let (Some(at), Some(number)) = (self.at, self.number) {
            let waker = TIMER.lock().alarms.remove(&(at, number));
            drop(waker);
        }
    }
}

static TIMER: Timer = Timer {
    inner: Mutex::new(Inner {
        last: 0,
        alarms: BTreeMap::new(),
        runs: false,
        sleep: Sleep::No,
    }),
    changed: Condvar::new(),
};

struct Timer {
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    last: u64,
    alarms: BTreeMap<(Instant, u64), Waker>,
    /// Whether the thread was started. It stays.
    runs: bool,
    sleep: Sleep,
}

/// What the thread does. One that sleeps long enough is not woken for an alarm: most are gone long before their time, and a wake for
/// each would cost more than the call that it watches.
#[derive(Clone, Copy)]
enum Sleep {
    /// It is awake, and looks at the alarms before it sleeps.
    No,
    Until(Instant),
    /// There was no alarm.
    Forever,
}

impl Sleep {
    /// Whether an alarm at that moment would be slept over.
    fn is_longer(self, at: Instant) -> bool {
        match self {
            Self::No => false,
            Self::Until(until) => at < until,
            Self::Forever => true,
        }
    }
}

impl Timer {
    /// Sets an alarm or gives an old one another waker; none if no thread can be had.
    fn set(&'static self, at: Instant, number: Option<u64>, waker: &Waker) -> Option<u64> {
        let mut inner = self.lock();
        if !inner.runs {
            let run = move || self.run();
            thread::Builder::new()
                .name("wcow-timer".to_owned())
                .spawn(run)
                .ok()?;
            inner.runs = true;
        }
        let number = number.unwrap_or_else(|| {
            inner.last = inner.last.wrapping_add(1);
            inner.last
        });
        let old = inner.alarms.insert((at, number), waker.clone());
        let oversleeps = inner.sleep.is_longer(at);
        drop(inner);
        drop(old);
        if oversleeps {
            self.changed.notify_one();
        }
        Some(number)
    }

    fn run(&self) {
        let mut inner = self.lock();
        loop {
            let now = Instant::now();
            let first = inner.alarms.first_key_value().map(|((at, _), _)| *at);
            inner = match first {
                None => {
                    inner.sleep = Sleep::Forever;
                    self.changed
                        .wait(inner)
                        .unwrap_or_else(PoisonError::into_inner)
                }
                Some(at) if at > now => {
                    inner.sleep = Sleep::Until(at);
                    self.changed
                        .wait_timeout(inner, at.saturating_duration_since(now))
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                Some(_) => {
                    let due = inner.alarms.pop_first();
                    drop(inner);
                    if let Some((_, waker)) = due {
                        crate::pool::wake(waker);
                    }
                    self.lock()
                }
            };
            inner.sleep = Sleep::No;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that runs under this lock leaves it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::time::Duration;

    use super::within;
    use crate::block_on;

    #[test]
    fn what_is_ready_has_time() {
        assert_eq!(block_on(within(Duration::ZERO, ready(7))), Some(7));
    }

    #[test]
    fn what_never_comes_is_given_up() {
        let limit = Duration::from_millis(1);
        assert_eq!(block_on(within(limit, pending::<()>())), None);
        assert_eq!(block_on(within(Duration::ZERO, pending::<()>())), None);
        // One limit inside of another, and several on one thread.
        let both = within(
            Duration::from_secs(3600),
            within(limit, within(Duration::MAX, pending::<()>())),
        );
        assert_eq!(block_on(both), Some(None));
    }

    /// The thread sleeps until the moment of an alarm that is gone; one that is due earlier wakes it.
    #[test]
    fn an_earlier_alarm_is_not_slept_over() {
        let hour = Duration::from_secs(3600);
        let limit = Duration::from_millis(1);
        let mut polled = false;
        let twice = std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            if std::mem::replace(&mut polled, true) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        });
        assert_eq!(block_on(within(hour, twice)), Some(()));
        assert_eq!(block_on(within(limit, pending::<()>())), None);
        assert_eq!(block_on(within(limit, pending::<()>())), None);
    }
}
