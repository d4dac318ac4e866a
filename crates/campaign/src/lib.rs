//! Runs of the engine on simulated hosts where things go wrong, and what they must not break.
#![forbid(unsafe_code)]

mod checks;
mod history;
mod plan;
mod run;

pub use checks::Violation;
pub use history::{Allowed, Done, Ending, Thing, allowed, things};
pub use plan::{ClientPlan, Plan, Step};
pub use run::{Faults, Report, RunSpec, UnknownProfile};
