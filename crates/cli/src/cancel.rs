//! Ctrl+C: the first asks a command to stop where nothing is left half done, the second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether somebody wants the command to stop.
pub(crate) struct Cancel {
    asked: Arc<AtomicBool>,
    /// The signal that asked.
    signal: Arc<AtomicUsize>,
}

impl Cancel {
    /// Listens from now on, until the program ends.
    ///
    /// On Unix, a file that grows beyond the limit of the process (`ulimit -f`) no longer ends the program either: writing to it
    /// fails, which can be told.
    pub(crate) fn listen() -> Self {
        let cancel = Self {
            asked: Arc::default(),
            signal: Arc::default(),
        };
        for signal in [SIGINT, SIGTERM] {
            // A system that does not let us listen ends the program as it always does.
            let _ = cancel.listen_to(signal);
        }
        #[cfg(unix)]
        let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
        cancel
    }

    /// True when it was asked to stop.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.asked
    }

    /// The exit code of a command that was stopped: 128 and the number of the signal, as shells have it.
    pub(crate) fn exit(&self) -> u8 {
        code(self.signal.load(Ordering::SeqCst))
    }

    fn listen_to(&self, signal: i32) -> std::io::Result<()> {
        let number = usize::try_from(signal).unwrap_or_default();
        let asked = || Arc::clone(&self.asked);
        // In this order: the first signal finds that nobody has asked yet.
        flag::register_conditional_shutdown(signal, code(number).into(), asked())?;
        flag::register_usize(signal, Arc::clone(&self.signal), number)?;
        flag::register(signal, asked())?;
        Ok(())
    }
}

fn code(signal: usize) -> u8 {
    u8::try_from(signal).unwrap_or_default().saturating_add(128)
}
