//! Runs of the engine on simulated hosts where things go wrong, and what they must not break.
//!
//! A [`RunSpec`] is data: a profile, where choices come from, in which order equal times are taken, what goes wrong, and what each
//! client does. [`RunSpec::from_seed`] makes all of it up from a number; [`RunSpec::run`] runs it and checks what the engine
//! promises. [`sweep`] runs many seeds, [`shrink`] makes a failing run small, a [`RunFile`] repeats it anywhere and for ever.
//!
//! ```
//! use wcow_campaign::RunSpec;
//! use wcow_scenario::wims::Shelf;
//!
//! let shelf = Shelf::build()?;
//! let report = RunSpec::from_seed(7).run(&shelf)?;
//! assert_eq!(report.violations, []);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | check | promise |
//! |---|---|
//! | `settles` | when nothing goes wrong any more, every command ends in bounded virtual time |
//! | `calls-end-once` | no call is answered twice |
//! | `errors-are-explained` | the catalogue has an entry for every error that a command ends with |
//! | `listed-images-are-complete` | an image that is listed passes its test |
//! | `acknowledged-survives` | what a client was told is there is there, and does what it was told, unless something came between |
//! | `removed-stays-removed` | what a client was told is gone is gone, unless somebody made it again |
//! | `failures-leave-nothing` | a command that fails by one fault leaves nothing of what it was making |
//! | `cut-off-work-is-taken-back` | when nothing goes wrong any more, whoever lists takes back what was left half-done |
//! | `what-runs-has-its-parts` | a container that runs has its compute system and its scratch layer |
//! | `commands-work-again` | when nothing goes wrong any more, everything can be listed, started and removed |
//! | `nothing-leaks` | when everything was removed, the host holds what it held before |
#![forbid(unsafe_code)]

mod canary;
mod care;
mod checks;
mod file;
mod fingerprints;
mod history;
mod log;
mod marks;
mod mutants;
mod perform;
mod plan;
mod run;
mod shrink;
mod step;
#[cfg(feature = "proptest")]
pub mod strategies;
mod sweep;
mod timeline;
mod violation;

pub use canary::canary;
pub use file::{ReplayError, RunFile, RunFileError, SCHEMA, divergence};
pub use fingerprints::{Astray, Fingerprint, fingerprints};
pub use history::{Allowed, Done, Ending, Thing, allowed, things};
pub use mutants::{Hunt, Mutant, UnknownMutant, hunt};
pub use perform::{Answer, StepError};
pub use plan::{ClientPlan, Plan};
pub use run::{Faults, Report, RunSpec, UnknownProfile};
pub use shrink::{Shrunk, shrink, shrink_while};
pub use step::{Step, Wishes};
pub use sweep::{MARKS, Sweep, sweep};
pub use timeline::{chrome_trace, page};
pub use violation::Violation;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
