//! What every container host must do, as tests that run against any host behind the traits.
//!
//! [`host_conformance!`] makes a module of tests, one per row of the legality matrix of compute systems and one per further rule,
//! about compute systems, processes, layers and networks ([`storage_conformance!`]: the last two alone), each with a name and a [`Provenance`](wcow_host::era::Provenance). A host comes to the suite as an [`Arm`]: how a fresh one is made, how a future is run on it,
//! and where its base image lies. The same suite runs against the simulated host, and against a real one.
//!
//! ```text
//!   host_conformance!(name, arm) ──> one #[test] per rule ──> Stage: image, scratch layer, compute system in a state
//!                                                              └──> the call, its answer, everything taken away again
//! ```
//!
//! What Hyper-V isolation makes is the container itself through version 1. Through version 2 it is a virtual machine, which the client
//! describes, and a container in it: there the rows of the matrix that need Hyper-V isolation are about the machine, and further rules about
//! both.
//!
//! Answers are compared to the bit: a host seen through version 1 answers 0xC037...., through version 2 0x8037..... Where facts
//! tell of several codes, each will do. A rule that nobody has shown (inferred) fails on a simulated host, and is only reported on a
//! real one: there the host is right.
#![forbid(unsafe_code)]

mod answer;
mod arm;
mod documents;
mod hosted;
mod layers;
mod machines;
mod matrix;
mod networks;
mod processes;
mod stage;
mod suite;
mod systems;

pub use arm::{Arm, Image};
pub use matrix::{Call, Expect, Row, State};
pub use stage::{Stage, Unlike};
pub use suite::{About, Case, Verdict, rules, run, verdict};
