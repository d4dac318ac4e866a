//! A queue that callbacks put things into, and that one reader takes them from: by waiting, by looking, or as a task.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// How many letters wait at most. A system sends a few in its life; only progress comes in numbers.
const CAPACITY: usize = 1024;

/// What can be put into a mailbox.
pub(crate) trait Letter {
    /// Whether it says that something is over. Such a letter is never given up for room.
    fn is_final(&self) -> bool;
}

/// The queue.
pub(crate) struct Mailbox<T> {
    inner: Mutex<Inner<T>>,
    arrived: Condvar,
}

struct Inner<T> {
    letters: VecDeque<T>,
    lost: u64,
    waker: Option<Waker>,
}

impl<T> Mailbox<T> {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                letters: VecDeque::new(),
                lost: 0,
                waker: None,
            }),
            arrived: Condvar::new(),
        }
    }

    /// The next letter, if one is there.
    pub(crate) fn take(&self) -> Option<T> {
        self.lock().letters.pop_front()
    }

    /// The next letter, waited for.
    pub(crate) fn take_within(&self, timeout: Duration) -> Option<T> {
        let started = Instant::now();
        let mut inner = self.lock();
        loop {
            if let Some(letter) = inner.letters.pop_front() {
                return Some(letter);
            }
            let left = timeout.checked_sub(started.elapsed())?;
            inner = self
                .arrived
                .wait_timeout(inner, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(inner, _)| inner);
        }
    }

    /// The next letter, for a task. The task of the latest call is woken, no other.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<T> {
        let mut inner = self.lock();
        match inner.letters.pop_front() {
            Some(letter) => Poll::Ready(letter),
            None => {
                let old = inner.waker.replace(context.waker().clone());
                drop(inner);
                drop(old);
                Poll::Pending
            }
        }
    }

    /// How many letters were given up for room.
    pub(crate) fn lost(&self) -> u64 {
        self.lock().lost
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // Nothing that runs under this lock leaves it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Letter> Mailbox<T> {
    /// Puts a letter in. When there is no room, the oldest one that is not final goes.
    pub(crate) fn post(&self, letter: T) {
        let mut inner = self.lock();
        if inner.letters.len() >= CAPACITY {
            inner.lost = inner.lost.saturating_add(1);
            match inner.letters.iter().position(|letter| !letter.is_final()) {
                Some(oldest) => drop(inner.letters.remove(oldest)),
                // Only ends are waiting: one more of them tells nothing.
                None => return,
            }
        }
        inner.letters.push_back(letter);
        let waker = inner.waker.take();
        drop(inner);
        self.arrived.notify_all();
        wake(waker);
    }
}

/// Wakes a task. Its waker is somebody else's code, on a thread of a DLL: a panic ends here.
pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker
        && let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake()))
    {
        // Dropping it may panic again.
        std::mem::forget(payload);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake, Waker};
    use std::time::Duration;

    use super::{CAPACITY, Letter, Mailbox};

    #[derive(Debug, PartialEq)]
    enum Event {
        Progress(usize),
        Exit(usize),
    }

    impl Letter for Event {
        fn is_final(&self) -> bool {
            matches!(self, Self::Exit(_))
        }
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn letters_come_in_order_and_wake_the_task() {
        let mailbox = Mailbox::new();
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut context = Context::from_waker(&waker);
        assert!(mailbox.poll(&mut context).is_pending());
        mailbox.post(Event::Progress(1));
        mailbox.post(Event::Exit(2));
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(mailbox.poll(&mut context), Poll::Ready(Event::Progress(1)));
        assert_eq!(mailbox.take(), Some(Event::Exit(2)));
        assert_eq!(mailbox.take(), None);
    }

    #[test]
    fn a_waker_that_panics_does_not_reach_the_caller() {
        struct Angry;
        impl Wake for Angry {
            fn wake(self: Arc<Self>) {
                std::panic::resume_unwind(Box::new("angry"));
            }
        }
        let mailbox = Mailbox::new();
        let waker = Waker::from(Arc::new(Angry));
        assert!(mailbox.poll(&mut Context::from_waker(&waker)).is_pending());
        mailbox.post(Event::Exit(1));
        assert_eq!(mailbox.take(), Some(Event::Exit(1)));
    }

    #[test]
    fn without_room_the_oldest_progress_goes_and_no_end() {
        let mailbox = Mailbox::new();
        mailbox.post(Event::Exit(0));
        for number in 0..CAPACITY + 9 {
            mailbox.post(Event::Progress(number));
        }
        assert_eq!(mailbox.lost(), 10);
        assert_eq!(mailbox.take(), Some(Event::Exit(0)));
        assert_eq!(mailbox.take(), Some(Event::Progress(10)));
        assert_eq!(std::iter::from_fn(|| mailbox.take()).count(), CAPACITY - 2);
    }

    #[test]
    fn ends_alone_are_bounded_too() {
        let mailbox = Mailbox::new();
        (0..CAPACITY + 5).for_each(|number| mailbox.post(Event::Exit(number)));
        assert_eq!(mailbox.lost(), 5);
        assert_eq!(mailbox.take(), Some(Event::Exit(0)));
    }

    #[test]
    fn waiting_ends_with_a_letter_or_without() {
        let mailbox = Mailbox::new();
        assert_eq!(mailbox.take_within(Duration::ZERO), None);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| mailbox.take_within(Duration::from_secs(3600)));
            mailbox.post(Event::Exit(7));
            assert_eq!(reader.join().ok().flatten(), Some(Event::Exit(7)));
        });
    }
}
