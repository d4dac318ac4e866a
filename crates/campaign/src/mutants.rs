//! Mutants: the engine with one of its precautions ignored. A campaign that does not find one has a check too few, or the precaution is
//! needless.

use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use wcow_host::Precaution;
use wcow_scenario::WimShelf;

use crate::run::RunSpec;
use crate::violation::Violation;

/// The engine without one precaution, which is its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub struct Mutant(Precaution);

impl Mutant {
    /// All mutants: one for each precaution of the image store, the engine and the runtime.
    pub fn all() -> impl Iterator<Item = Self> {
        wcow_image_store::PRECAUTIONS
            .into_iter()
            .chain(wcow_engine::PRECAUTIONS)
            .chain(wcow_runtime::PRECAUTIONS)
            .map(Self)
    }

    /// The name of the precaution that it ignores.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name()
    }

    /// The run of a seed with it.
    #[must_use]
    pub fn run_of(self, seed: u64) -> RunSpec {
        RunSpec {
            ignore: [self].into(),
            ..RunSpec::from_seed(seed)
        }
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Mutant> for &'static str {
    fn from(mutant: Mutant) -> Self {
        mutant.name()
    }
}

/// A name that no precaution has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no precaution is called {name:?}; there are {}", known())]
pub struct UnknownMutant {
    /// The name as given.
    pub name: String,
}

fn known() -> String {
    let names: Vec<&str> = Mutant::all().map(Mutant::name).collect();
    names.join(", ")
}

impl FromStr for Mutant {
    type Err = UnknownMutant;

    fn from_str(name: &str) -> Result<Self, UnknownMutant> {
        Self::all()
            .find(|mutant| mutant.name() == name)
            .ok_or_else(|| UnknownMutant {
                name: name.to_owned(),
            })
    }
}

impl TryFrom<String> for Mutant {
    type Error = UnknownMutant;

    fn try_from(name: String) -> Result<Self, UnknownMutant> {
        name.parse()
    }
}

/// What came of the hunt for a mutant. It does not depend on the number of workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunt {
    /// The mutant.
    pub mutant: Mutant,
    /// The first seed whose run broke a promise, and the first promise that it broke; nothing if the mutant survived.
    pub found: Option<(u64, Violation)>,
}

/// Runs seeds with a mutant, in their order, until one breaks a promise that it keeps without the mutant. Before each run `go_on` is asked; a
/// false answer ends the hunt.
#[must_use]
pub fn hunt(
    mutant: Mutant,
    seeds: Range<u64>,
    workers: NonZeroUsize,
    shelf: &(dyn WimShelf + Sync),
    go_on: &(dyn Fn() -> bool + Sync),
) -> Hunt {
    let next = AtomicU64::new(seeds.start);
    let ended = AtomicBool::new(false);
    let found: Mutex<Option<(u64, Violation)>> = Mutex::new(None);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            // Seeds are taken in their order: when one is found, all before it are being run.
            if seed >= seeds.end || ended.load(Ordering::Relaxed) || !go_on() {
                return;
            }
            let Ok(report) = mutant.run_of(seed).run(shelf) else {
                // Only profiles that exist are drawn.
                continue;
            };
            let Some(violation) = report.violations.into_iter().next() else {
                continue;
            };
            // What is broken anyway says nothing of the mutant.
            let whole = RunSpec::from_seed(seed).run(shelf);
            if whole.is_ok_and(|report| report.violations.is_empty()) {
                ended.store(true, Ordering::Relaxed);
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                if found.as_ref().is_none_or(|(before, _)| seed < *before) {
                    *found = Some((seed, violation));
                }
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers.get() {
            scope.spawn(work);
        }
        work();
    });
    Hunt {
        mutant,
        found: found.into_inner().unwrap_or_else(PoisonError::into_inner),
    }
}
