//! Calls that block, on threads of their own.
//!
//! A function of a DLL may take minutes, or never come back when its service hangs. So it never runs on the caller's thread: it is
//! put into the queue of a pool with a limited number of threads, and the caller waits for its end as a task, with a time limit.
//! When the time is over, a call that was not begun is taken out of the queue again and has done nothing; one that runs is left
//! alone, and what it gives is dropped: a handle is closed then.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use crate::timer::within;

/// How long a thread stays without work.
const LINGER: Duration = Duration::from_secs(5);

/// How many calls wait for a thread at most. So many wait only when all threads hang.
const LONGEST_QUEUE: usize = 1024;

/// Threads for calls that block.
pub(crate) struct Pool {
    name: &'static str,
    most: usize,
    inner: Mutex<Inner>,
    work: Condvar,
}

struct Inner {
    queue: VecDeque<Box<dyn FnOnce() + Send>>,
    threads: usize,
    idle: usize,
}

/// Why a call gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Its turn did not come in time: it has done nothing, and will not.
    NotBegun,
    /// It still runs.
    Runs,
    /// It panicked.
    Panicked,
}

impl Pool {
    /// A pool of at most so many threads; none is started yet.
    pub(crate) fn new(name: &'static str, most: usize) -> Arc<Self> {
        Arc::new(Self {
            name,
            most,
            inner: Mutex::new(Inner {
                queue: VecDeque::new(),
                threads: 0,
                idle: 0,
            }),
            work: Condvar::new(),
        })
    }

    /// Runs `work` on a thread of the pool and waits for it, at most so long.
    pub(crate) async fn run_within<T: Send + 'static>(
        self: &Arc<Self>,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        let mut running = self.run(work);
        match within(limit, &mut running).await {
            Some(ended) => ended,
            None => running.give_up(),
        }
    }

    /// Runs `work` on a thread of the pool. Dropping the future takes it out of the queue, if it was not begun.
    pub(crate) fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Running<T> {
        let place = Arc::new(Place(Mutex::new(Progress::Queued(None))));
        let filled = Arc::clone(&place);
        let enqueued = self.enqueue(Box::new(move || {
            if !filled.begin() {
                return;
            }
            let ended = match catch_unwind(AssertUnwindSafe(work)) {
                Ok(value) => Progress::Ended(value),
                Err(payload) => {
                    // Dropping it may panic again.
                    std::mem::forget(payload);
                    Progress::Panicked
                }
            };
            filled.end(ended);
        }));
        if !enqueued {
            *place.lock() = Progress::Refused;
        }
        Running { place }
    }

    /// False if there is no room.
    fn enqueue(self: &Arc<Self>, job: Box<dyn FnOnce() + Send>) -> bool {
        let mut inner = self.lock();
        if inner.queue.len() >= LONGEST_QUEUE {
            return false;
        }
        inner.queue.push_back(job);
        if inner.idle < inner.queue.len() && inner.threads < self.most {
            let pool = Arc::clone(self);
            let started = thread::Builder::new()
                .name(self.name.to_owned())
                .spawn(move || pool.work());
            // Without a thread the job waits for one that is there, or until its caller gives it up.
            if started.is_ok() {
                inner.threads = inner.threads.saturating_add(1);
            }
        }
        drop(inner);
        self.work.notify_one();
        true
    }

    fn work(&self) {
        let mut inner = self.lock();
        loop {
            if let Some(job) = inner.queue.pop_front() {
                drop(inner);
                job();
                inner = self.lock();
                continue;
            }
            inner.idle = inner.idle.saturating_add(1);
            let (woken, waited) = self
                .work
                .wait_timeout(inner, LINGER)
                .unwrap_or_else(PoisonError::into_inner);
            inner = woken;
            inner.idle = inner.idle.saturating_sub(1);
            if waited.timed_out() && inner.queue.is_empty() {
                inner.threads = inner.threads.saturating_sub(1);
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that runs under this lock leaves it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call on a pool.
pub(crate) struct Running<T> {
    place: Arc<Place<T>>,
}

/// Where its end is put.
struct Place<T>(Mutex<Progress<T>>);

enum Progress<T> {
    Queued(Option<Waker>),
    Begun(Option<Waker>),
    Ended(T),
    Panicked,
    /// There was no room for it in the queue.
    Refused,
    /// Nobody waits for it any more.
    GivenUp,
}

impl<T> Place<T> {
    fn lock(&self) -> MutexGuard<'_, Progress<T>> {
        // Nothing that runs under this lock leaves it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False if it is not wanted any more.
    fn begin(&self) -> bool {
        let mut progress = self.lock();
        match &mut *progress {
            Progress::Queued(waker) => {
                *progress = Progress::Begun(waker.take());
                true
            }
            _ => false,
        }
    }

    fn end(&self, ended: Progress<T>) {
        let mut progress = self.lock();
        let before = match *progress {
            // What came too late is dropped, here and not under the lock.
            Progress::GivenUp => ended,
            _ => std::mem::replace(&mut *progress, ended),
        };
        drop(progress);
        if let Progress::Begun(Some(waker)) = before {
            wake(waker);
        }
    }
}

impl<T> Running<T> {
    /// Its end, if it has just come; otherwise nobody will hear of it.
    fn give_up(self) -> Result<T, Unanswered> {
        let before = std::mem::replace(&mut *self.place.lock(), Progress::GivenUp);
        match before {
            Progress::Ended(value) => Ok(value),
            Progress::Queued(_) | Progress::Refused => Err(Unanswered::NotBegun),
            Progress::Panicked => Err(Unanswered::Panicked),
            Progress::Begun(_) | Progress::GivenUp => Err(Unanswered::Runs),
        }
    }
}

impl<T> Future for Running<T> {
    type Output = Result<T, Unanswered>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut progress = self.place.lock();
        match &mut *progress {
            Progress::Queued(waker) | Progress::Begun(waker) => {
                let old = waker.replace(context.waker().clone());
                drop(progress);
                drop(old);
                return Poll::Pending;
            }
            Progress::Ended(_) | Progress::Panicked | Progress::Refused | Progress::GivenUp => {}
        }
        let ended = std::mem::replace(&mut *progress, Progress::GivenUp);
        drop(progress);
        Poll::Ready(match ended {
            Progress::Ended(value) => Ok(value),
            Progress::Refused => Err(Unanswered::NotBegun),
            _ => Err(Unanswered::Panicked),
        })
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        let before = std::mem::replace(&mut *self.place.lock(), Progress::GivenUp);
        drop(before);
    }
}

/// Wakes a task. Its waker is somebody else's code: a panic ends here.
pub(crate) fn wake(waker: Waker) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        std::mem::forget(payload);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{self, RecvTimeoutError};
    use std::sync::{Arc, Barrier};
    use std::time::Duration;

    use super::{Pool, Unanswered};
    use crate::block_on;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(1);

    #[test]
    fn what_work_gives_comes_back() {
        let pool = Pool::new("test", 2);
        assert_eq!(block_on(pool.run_within(LONG, || 7)), Ok(7));
        let name = || std::thread::current().name().map(str::to_owned);
        let name = block_on(pool.run_within(LONG, name));
        assert_eq!(name, Ok(Some("test".to_owned())));
    }

    #[test]
    fn as_many_run_at_once_as_there_may_be_threads_and_no_more() {
        let pool = Pool::new("test", 2);
        let (meet, most) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
        let now = Arc::new(AtomicUsize::new(0));
        let running: Vec<_> = (0..8)
            .map(|_| {
                let (meet, most, now) = (Arc::clone(&meet), Arc::clone(&most), Arc::clone(&now));
                pool.run(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    // Nobody comes past here unless two run at once.
                    meet.wait();
                    now.fetch_sub(1, Ordering::SeqCst);
                })
            })
            .collect();
        for one in running {
            assert_eq!(block_on(one), Ok(()));
        }
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    /// A call that hangs holds its thread; the next one is given up without having done anything.
    #[test]
    fn a_call_that_was_not_begun_is_taken_back() {
        let pool = Pool::new("test", 1);
        let (release, hold) = mpsc::channel::<()>();
        let (begun, begins) = mpsc::channel();
        let hanging = move || {
            let _ = begun.send(());
            hold.recv_timeout(LONG)
        };
        let waits = pool.run(hanging);
        assert_eq!(begins.recv_timeout(LONG), Ok(()));
        let ran = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&ran);
        let second = pool.run_within(SHORT, move || counts.fetch_add(1, Ordering::SeqCst));
        assert_eq!(block_on(second), Err(Unanswered::NotBegun));
        release.send(()).expect("it waits");
        assert_eq!(block_on(waits), Ok(Ok(())));
        assert_eq!(block_on(pool.run_within(LONG, || 1)), Ok(1));
        assert_eq!(ran.load(Ordering::SeqCst), 0);
    }

    /// What a call gives after its time is dropped: an open handle is closed.
    #[test]
    fn what_comes_too_late_is_dropped() {
        struct Handle(mpsc::Sender<()>);
        impl Drop for Handle {
            fn drop(&mut self) {
                let _ = self.0.send(());
            }
        }
        let pool = Pool::new("test", 1);
        let (release, hold) = mpsc::channel::<()>();
        let (closed, closes) = mpsc::channel();
        let (begun, begins) = mpsc::channel();
        let mut late = pool.run(move || {
            let _ = begun.send(());
            let _ = hold.recv_timeout(LONG);
            Handle(closed)
        });
        assert_eq!(begins.recv_timeout(LONG), Ok(()));
        assert!(block_on(crate::timer::within(SHORT, &mut late)).is_none());
        assert_eq!(late.give_up().err(), Some(Unanswered::Runs));
        assert_eq!(
            closes.recv_timeout(Duration::ZERO),
            Err(RecvTimeoutError::Timeout)
        );
        release.send(()).expect("it waits");
        assert_eq!(closes.recv_timeout(LONG), Ok(()));
    }

    #[test]
    fn a_panic_is_an_answer_and_leaves_the_thread() {
        let pool = Pool::new("test", 1);
        let broken = pool.run_within(LONG, || assert_eq!(1, 2));
        assert_eq!(block_on(broken), Err(Unanswered::Panicked));
        assert_eq!(block_on(pool.run_within(LONG, || 1)), Ok(1));
    }
}
