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
    let start = clock::Start::now();
    let answer = work();
    let taken = MEMORY.peak_usage().saturating_sub(before);
    let late = start.is_late(len);
    drop(turn);
    let limit = MEMORY_LIMIT.saturating_add(len.saturating_sub(SMALL).saturating_mul(MEMORY_RATIO));
    assert!(
        taken <= limit,
        "{what}: {taken} bytes of memory for a file of {len} bytes, where {limit} are allowed"
    );
    // Once may be bad luck on a busy machine.
    if late {
        let again = (0..3).all(|_| {
            let start = clock::Start::exact();
            work();
            start.is_late(len)
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

    /// When an answer was asked for.
    pub(super) struct Start {
        instant: Instant,
        ticks: Option<u64>,
    }

    impl Start {
        pub(super) fn now() -> Self {
            Self {
                instant: Instant::now(),
                ticks: None,
            }
        }

        /// As [`now`](Self::now), and counts the time of the processor: others have it too.
        pub(super) fn exact() -> Self {
            Self {
                ticks: ticks(),
                ..Self::now()
            }
        }

        pub(super) fn is_late(&self, len: usize) -> bool {
            if len > super::SMALL || self.instant.elapsed() <= Duration::from_secs(1) {
                return false;
            }
            match self.ticks.zip(ticks()) {
                Some((start, now)) => now.saturating_sub(start) > 100,
                None => true,
            }
        }
    }

    /// Time that this process has had, in hundredths of a second; `None` where there is no `/proc`.
    fn ticks() -> Option<u64> {
        let text = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The name before the last parenthesis may hold spaces; behind it, the 12th and 13th field are user and system time.
        let (_, fields) = text.rsplit_once(')')?;
        let mut times = fields.split_whitespace().skip(11);
        let user: u64 = times.next()?.parse().ok()?;
        let system: u64 = times.next()?.parse().ok()?;
        Some(user + system)
    }
}

/// Tests have no clock: they would fail on a busy machine.
#[cfg(not(feature = "fuzzer"))]
mod clock {
    pub(super) struct Start;

    impl Start {
        pub(super) fn now() -> Self {
            Self
        }

        pub(super) fn exact() -> Self {
            Self
        }

        pub(super) fn is_late(&self, _len: usize) -> bool {
            false
        }
    }
}
