//! What an answer may cost: memory always, time where a fuzzer runs.
//!
//! The promise is for files of 5 KB: an answer within 1 second and 160 MiB. A larger file may take memory in proportion.

use std::sync::{Mutex, PoisonError};

use peak_alloc::PeakAlloc;

/// Counts what is allocated, in every program that uses this library.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One answer at a time: what others allocate meanwhile would be counted too.
static TURN: Mutex<()> = Mutex::new(());

/// Bytes of memory that an answer on any small file may take.
const MEMORY_LIMIT: usize = 160 << 20;

/// Bytes that each byte of a larger file may take beside that.
const MEMORY_RATIO: usize = 2048;

/// A file of this size is small.
const SMALL: usize = 5 << 10;

/// Runs `work`, an answer about a file of `len` bytes.
///
/// # Panics
/// If the answer takes more memory or, under a fuzzer, more time than it may.
#[track_caller]
pub(crate) fn answer<T>(len: usize, what: &str, work: impl Fn() -> T) -> T {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let start = clock::now();
    let answer = work();
    let taken = MEMORY.peak_usage().saturating_sub(before);
    let late = clock::is_late(start, len);
    drop(turn);
    let limit = MEMORY_LIMIT.saturating_add(len.saturating_sub(SMALL).saturating_mul(MEMORY_RATIO));
    assert!(
        taken <= limit,
        "{what}: {taken} bytes of memory for a file of {len} bytes, where {limit} are allowed"
    );
    // Once may be bad luck on a busy machine.
    if late {
        let again = (0..3).all(|_| {
            let start = clock::now();
            work();
            clock::is_late(start, len)
        });
        assert!(
            !again,
            "{what}: more than a second for a file of {len} bytes"
        );
    }
    answer
}

#[cfg(feature = "fuzzer")]
mod clock {
    use std::time::{Duration, Instant};

    pub(super) fn now() -> Instant {
        Instant::now()
    }

    pub(super) fn is_late(start: Instant, len: usize) -> bool {
        len <= super::SMALL && start.elapsed() > Duration::from_secs(1)
    }
}

/// Tests have no clock: they would fail on a busy machine.
#[cfg(not(feature = "fuzzer"))]
mod clock {
    pub(super) fn now() {}

    pub(super) fn is_late((): (), _len: usize) -> bool {
        false
    }
}
