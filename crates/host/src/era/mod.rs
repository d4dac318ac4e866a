//! What differs between Windows generations: tables of builds, rules and verdicts, each with its source.
//!
//! The simulated host enforces these rules, the planner and the runtime predict from them. They stand nowhere else. [`RULES`]
//! lists them for people.

mod access;
mod generation;
mod hyperv;
mod images;
mod modules;
mod paths;
mod releases;
mod restart;
mod rules;
mod services;
mod switches;

pub use access::access;
pub use generation::{Generation, containers_persist, generation, has_hns, has_nat_switch};
pub use hyperv::{HyperVFacts, has_hyper_v, hyperv_verdict, hyperv_verdict_on};
pub use images::{
    ImageFacts, StableAbiRule, Stage, Verdict, build_allowed, build_fits, has_os_features,
    is_nano_edition, os_features, revision_matters, start_verdict, start_verdict_by,
};
pub use modules::{cmdlet, module_of, modules};
pub use paths::{image_root, layer_id, scratch_folder};
pub use releases::{insider_only, release};
pub use restart::reboot_needed;
pub use rules::{Provenance, RULES, Rule, rule};
pub use services::{service_answer, switch_service_answer};
pub use switches::{
    NatPrefixes, adapter_in_use, adapter_missing, hns_create_network, nat_prefixes, new_nat,
    new_switch,
};
