//! Calls that block, on a thread of their own, for callers that must not.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use wcow_host::{HostError, Operation};
use wcow_ntmeta::Hresult;

const E_UNEXPECTED: Hresult = Hresult(0x8000_FFFF);
/// `ERROR_NOT_ENOUGH_MEMORY`, as for a thread that cannot be made.
const NO_THREAD: Hresult = Hresult::from_win32(8);

/// Does a piece of work that blocks. It begins when the future is first polled, and goes on if the future is dropped: dropping
/// stops the waiting only.
///
/// The work must end by itself: every call in it has a limit of its own.
pub(crate) async fn on_thread<T: Send + 'static>(
    operation: Operation,
    object: &str,
    work: impl FnOnce() -> Result<T, HostError> + Send + 'static,
) -> Result<T, HostError> {
    let answer = Answer::default();
    let slot = Arc::clone(&answer.0);
    let body = move || {
        let result = catch_unwind(AssertUnwindSafe(work)).ok();
        let waker = {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.result = Some(result);
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    };
    let started = thread::Builder::new()
        .name(format!("wcow {operation}"))
        .spawn(body);
    if started.is_err() {
        return Err(HostError::new(operation, object, NO_THREAD));
    }
    answer
        .await
        .unwrap_or_else(|| Err(HostError::new(operation, object, E_UNEXPECTED)))
}

struct Slot<T> {
    /// What the work came to; inside, none if it panicked.
    result: Option<Option<T>>,
    waker: Option<Waker>,
}

struct Answer<T>(Arc<Mutex<Slot<T>>>);

impl<T> Default for Answer<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Slot {
            result: None,
            waker: None,
        })))
    }
}

impl<T> Future for Answer<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                slot.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
