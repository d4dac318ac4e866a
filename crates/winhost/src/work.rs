//! Calls about the machine itself that block, for callers that must not.

use std::sync::{Arc, LazyLock};

use wcow_host::{HostError, Operation};

use crate::answers::unanswered;
use crate::pool::Pool;

/// Threads for them at most.
const THREADS: usize = 16;

static CALLS: LazyLock<Arc<Pool>> = LazyLock::new(|| Pool::new("wcow-machine", THREADS));

/// Does a piece of work that blocks, on a thread of a pool. Once begun it goes on if the future is dropped: dropping stops the waiting
/// only.
///
/// The work must end by itself: every call in it has a limit of its own.
pub(crate) async fn on_thread<T: Send + 'static>(
    operation: Operation,
    object: &str,
    work: impl FnOnce() -> Result<T, HostError> + Send + 'static,
) -> Result<T, HostError> {
    match CALLS.run(work).await {
        Ok(answer) => answer,
        Err(why) => Err(unanswered(operation, object, why)),
    }
}
