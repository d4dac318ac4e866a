//! Progress and cancellation of operations that take long.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// How far a verification or an extraction is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes done: raw ones for an integrity table, then uncompressed ones.
    pub done: u64,
    /// Bytes in all, as far as the file tells the truth.
    pub total: u64,
}

/// Whom to tell, and whom to ask whether to go on.
#[derive(Default)]
pub(crate) struct Control<'a> {
    pub(crate) progress: Option<&'a mut (dyn FnMut(Progress) + Send)>,
    pub(crate) cancel: Option<&'a AtomicBool>,
    pub(crate) state: Progress,
}

impl Control<'_> {
    /// Counts `bytes` more, and says whether to go on.
    pub(crate) fn advance(&mut self, bytes: u64) -> ControlFlow<()> {
        self.state.done = self.state.done.saturating_add(bytes);
        if let Some(progress) = &mut self.progress {
            progress(self.state);
        }
        if self.is_cancelled() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// True if it is to stop.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel
            .is_some_and(|cancel| cancel.load(Ordering::Relaxed))
    }

    /// Adds to what there is to do.
    pub(crate) fn add_total(&mut self, bytes: impl IntoIterator<Item = u64>) {
        self.state.total = bytes
            .into_iter()
            .fold(self.state.total, u64::saturating_add);
    }
}
