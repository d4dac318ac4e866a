//! The host's clock.

use std::collections::BTreeMap;
use std::future::{self, Future};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wcow_host::Clock;
use wcow_ntmeta::FileTime;

/// The clock may be set while somebody sleeps: it is looked at again after this time.
const LONGEST_NAP: Duration = Duration::from_secs(1);

/// The clock of this machine. Clones share the one thread that wakes sleepers; it is there while somebody sleeps.
#[derive(Clone, Debug, Default)]
pub struct WinClock {
    sleepers: Arc<Sleepers>,
}

#[derive(Debug, Default)]
struct Sleepers {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// By the time to be woken at, and a number that tells those apart who want the same time.
    waiting: BTreeMap<(FileTime, u64), Waker>,
    next: u64,
    has_thread: bool,
}

impl WinClock {
    /// The clock of this machine.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Clock for WinClock {
    fn now(&self) -> FileTime {
        now()
    }

    fn sleep_until(&self, time: FileTime) -> impl Future<Output = ()> + Send {
        let mut nap = Nap {
            sleepers: Arc::clone(&self.sleepers),
            time,
            id: None,
        };
        future::poll_fn(move |context| {
            if now() >= time {
                return Poll::Ready(());
            }
            nap.wait(context.waker());
            Poll::Pending
        })
    }
}

fn now() -> FileTime {
    // Before 1970 or beyond what a FileTime holds, the clock is wrong in any case.
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    FileTime::from_unix(seconds, since.subsec_nanos()).unwrap_or(FileTime::from_ticks(u64::MAX))
}

/// One sleeper's place in the list; it is given back with this value.
struct Nap {
    sleepers: Arc<Sleepers>,
    time: FileTime,
    id: Option<u64>,
}

impl Nap {
    fn wait(&mut self, waker: &Waker) {
        let mut state = self.sleepers.lock();
        let id = *self.id.get_or_insert_with(|| {
            state.next += 1;
            state.next
        });
        state.waiting.insert((self.time, id), waker.clone());
        if !state.has_thread {
            let sleepers = Arc::downgrade(&self.sleepers);
            let body = move || wake_sleepers(&sleepers);
            let started = thread::Builder::new()
                .name("wcow-clock".to_owned())
                .spawn(body);
            state.has_thread = started.is_ok();
            if started.is_err() {
                // Nobody else would: the sleeper looks at the clock itself, again and again.
                waker.wake_by_ref();
            }
        }
        drop(state);
        self.sleepers.changed.notify_all();
    }
}

impl Drop for Nap {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.sleepers.lock().waiting.remove(&(self.time, id));
        }
    }
}

impl Sleepers {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes whoever's time has come, until nobody sleeps.
fn wake_sleepers(sleepers: &Weak<Sleepers>) {
    while let Some(sleepers) = sleepers.upgrade() {
        let mut state = sleepers.lock();
        let now = now();
        let mut due = Vec::new();
        while let Some(first) = state.waiting.first_entry() {
            if first.key().0 > now {
                break;
            }
            due.push(first.remove());
        }
        let Some(&(next, _)) = state.waiting.keys().next() else {
            state.has_thread = false;
            drop(state);
            due.into_iter().for_each(Waker::wake);
            return;
        };
        if due.is_empty() {
            let left =
                Duration::from_nanos(next.ticks().saturating_sub(now.ticks()).saturating_mul(100));
            // Woken early or not, the clock is looked at again.
            let waited = sleepers
                .changed
                .wait_timeout(state, left.min(LONGEST_NAP))
                .unwrap_or_else(PoisonError::into_inner);
            drop(waited);
        } else {
            drop(state);
            due.into_iter().for_each(Waker::wake);
        }
    }
}
