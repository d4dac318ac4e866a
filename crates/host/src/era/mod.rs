//! What differs between Windows generations: tables of builds, rules and verdicts, each with its source.
//!
//! The simulated host enforces these rules, the planner and the runtime predict from them. They stand nowhere else. [`RULES`]
//! lists them for people.

mod generation;
mod hyperv;
mod images;
mod modules;
mod paths;
mod restart;
mod rules;
mod switches;

pub use generation::{Generation, containers_persist, generation, has_hns, has_nat_switch};
pub use hyperv::hyperv_verdict;
pub use images::{
    ImageFacts, StableAbiRule, Stage, Verdict, build_allowed, revision_matters, start_verdict,
};
pub use modules::{cmdlet, module_of, modules};
pub use paths::{image_root, layer_id, scratch_folder};
pub use restart::reboot_needed;
pub use rules::{Provenance, RULES, Rule, rule};
pub use switches::{
    NatPrefixes, adapter_in_use, adapter_missing, hns_create_network, nat_prefixes, new_nat,
    new_switch,
};
