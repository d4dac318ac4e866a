//! The thread that polls futures, and lets the time of a world pass between.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

/// The longest sleep of the thread when it knows of nothing to do.
const IDLE: Duration = Duration::from_secs(1);

/// What lets time pass. Asked when no future can go on.
pub(crate) trait Time: Send {
    /// Lets happen what is due. `None` if more may be due at once, else how long nothing will be.
    fn pass(&mut self) -> Option<Duration>;
}

/// Nothing has a time of its own: for futures that only wait for a socket.
pub(crate) struct Timeless;

impl Time for Timeless {
    fn pass(&mut self) -> Option<Duration> {
        Some(IDLE)
    }
}

/// A thread that polls futures. Clones are the same thread; it ends with [`stop`](Self::stop).
#[derive(Clone)]
pub struct Runner {
    shared: Arc<Shared>,
}

/// A future did not end in the time that its caller had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Late {
    /// It goes on, and nobody hears how it ends.
    #[error("the simulated host did not answer in time")]
    TimedOut,
    /// It panicked, or the thread was stopped.
    #[error("the simulated host is gone")]
    Gone,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Arc<Job>>,
    stopped: bool,
}

type BoxedFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Job {
    future: Mutex<Option<BoxedFuture>>,
    queued: AtomicBool,
    shared: Arc<Shared>,
}

impl Runner {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(name: &str, mut time: impl Time + 'static) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let ours = Arc::clone(&shared);
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || ours.run(&mut time))?;
        Ok(Self { shared })
    }

    /// Polls a future to its end, on the thread. Futures that are spawned in an order are first polled in it.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let job = Arc::new(Job {
            future: Mutex::new(Some(Box::pin(future))),
            queued: AtomicBool::new(false),
            shared: Arc::clone(&self.shared),
        });
        job.wake();
    }

    /// Polls a future on the thread and waits for it on this one; `timeout` absent waits as long as it takes.
    ///
    /// # Errors
    /// It did not end in time; the thread was stopped.
    pub fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
        timeout: Option<Duration>,
    ) -> Result<T, Late> {
        let (sender, receiver) = sync_channel(1);
        self.spawn(async move {
            // Whoever waited may have gone.
            let _ = sender.send(future.await);
        });
        match timeout {
            None => receiver.recv().map_err(|_| Late::Gone),
            Some(timeout) => receiver.recv_timeout(timeout).map_err(|error| match error {
                RecvTimeoutError::Timeout => Late::TimedOut,
                RecvTimeoutError::Disconnected => Late::Gone,
            }),
        }
    }

    /// Ends the thread. Futures that it still had never end.
    pub fn stop(&self) {
        let left = {
            let mut state = self.shared.lock();
            state.stopped = true;
            std::mem::take(&mut state.ready)
        };
        self.shared.changed.notify_all();
        // Outside of the lock: a future may spawn another one when it is dropped.
        for job in left {
            job.take();
        }
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, time: &mut impl Time) {
        loop {
            let next = {
                let mut state = self.lock();
                if state.stopped {
                    return;
                }
                state.ready.pop_front()
            };
            if let Some(job) = next {
                job.poll();
                continue;
            }
            let Some(longest) = time.pass() else {
                continue;
            };
            let state = self.lock();
            drop(
                self.changed
                    .wait_timeout_while(state, longest, |state| {
                        state.ready.is_empty() && !state.stopped
                    })
                    .unwrap_or_else(PoisonError::into_inner),
            );
        }
    }
}

impl Job {
    fn poll(self: Arc<Self>) {
        self.queued.store(false, Ordering::SeqCst);
        let Some(mut future) = self.take() else {
            return;
        };
        let waker = Waker::from(Arc::clone(&self));
        let polled = catch_unwind(AssertUnwindSafe(|| {
            future.as_mut().poll(&mut Context::from_waker(&waker))
        }));
        // A future that panicked is over; whoever waits for it finds that nobody will answer.
        if polled.is_ok_and(|polled| polled.is_pending()) {
            *self.future.lock().unwrap_or_else(PoisonError::into_inner) = Some(future);
        }
    }

    fn take(&self) -> Option<BoxedFuture> {
        self.future
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Wake for Job {
    fn wake(self: Arc<Self>) {
        if self.queued.swap(true, Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let stopped = {
            let mut state = shared.lock();
            if !state.stopped {
                state.ready.push_back(Arc::clone(&self));
            }
            state.stopped
        };
        if stopped {
            // Nobody will poll it: whoever waits for it is to know.
            self.take();
        }
        shared.changed.notify_all();
    }
}
