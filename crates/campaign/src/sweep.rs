//! Sweeps: the runs of many seeds.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use wcow_scenario::WimShelf;

use crate::run::RunSpec;
use crate::violation::Violation;

/// What came of a sweep. It does not depend on the number of workers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// How many runs there were.
    pub runs: u64,
    /// How many calls clients made in all of them.
    pub calls: u64,
    /// The seeds whose runs broke promises, and which, in order.
    pub broken: BTreeMap<u64, Vec<Violation>>,
    /// Situations that came up, and how often. Those of [`MARKS`] that never did are here with 0.
    pub marks: BTreeMap<&'static str, u64>,
}

/// The situations that a sweep of some length must come upon: a sweep that never saw one of them has not tried it.
pub const MARKS: [&str; 23] = [
    "a command was cut off",
    "a command was refused",
    "a container was asked for with Hyper-V isolation, and started",
    "a container was created",
    "a container was frozen",
    "a container was removed",
    "a container was started",
    "a container was supervised to its end",
    "a creation failed",
    "a fault hit",
    "a log was read",
    "a main process was waited for",
    "a network could not be made",
    "a network was made",
    "a program ran",
    "a prune removed a container",
    "a start failed",
    "an image could not be removed because a container uses it",
    "an image was installed",
    "an install failed",
    "several clients worked",
    "the host was restarted",
    "the power went",
];

impl Sweep {
    /// The situations that never came up.
    #[must_use]
    pub fn missed(&self) -> Vec<&'static str> {
        self.marks
            .iter()
            .filter(|(_, count)| **count == 0)
            .map(|(mark, _)| *mark)
            .collect()
    }
}

/// Runs all seeds on so many threads. After each run `progress` is told how many there were; a false answer ends the sweep
/// when the runs that were begun are over.
#[must_use]
pub fn sweep(
    seeds: Range<u64>,
    workers: NonZeroUsize,
    shelf: &(dyn WimShelf + Sync),
    progress: &(dyn Fn(u64) -> bool + Sync),
) -> Sweep {
    let next = AtomicU64::new(seeds.start);
    let done = AtomicU64::new(0);
    let all = Mutex::new(Sweep {
        marks: MARKS.iter().map(|mark| (*mark, 0)).collect(),
        ..Sweep::default()
    });
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let Ok(report) = RunSpec::from_seed(seed).run(shelf) else {
                // Only profiles that exist are drawn.
                continue;
            };
            {
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                all.runs += 1;
                all.calls += report.calls;
                for (mark, count) in report.marks {
                    *all.marks.entry(mark).or_insert(0) += count;
                }
                if !report.violations.is_empty() {
                    all.broken.insert(seed, report.violations);
                }
            }
            if !progress(done.fetch_add(1, Ordering::Relaxed) + 1) {
                next.store(seeds.end, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers.get() {
            scope.spawn(work);
        }
        work();
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}
