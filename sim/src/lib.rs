//! A deterministic simulated Windows container host.
//!
//! A [`Sim`] is a host of some [`Profile`], made with a seed. [`Sim::client`] gives a client of it, which implements the traits
//! of `wcow-host`; [`Sim::run`] runs a future against it. Whatever a real host of that Windows refuses, it refuses, with the
//! same code. The same seed and the same calls give the same run to the last event, on every operating system, and
//! [`Sim::fingerprint`] proves it.
//!
//! ```text
//!  client future ── a method of a trait ──> Call ──> queue of events (virtual time, sequence)
//!       ^                                                     │ when nothing else can go on, time jumps to the next event
//!       └────────────── Reply or HostError <── answers ── World: machine, files, switches, networks, layers, systems
//!                                                             │
//!                                                             └─ every draw from Choice (seed), every event into the fingerprint
//! ```
//!
//! * **The world is data.** It has no closures, shared pointers or floats, so [`Sim::save`] writes all of it, and
//!   [`Sim::load`] goes on exactly there. Contents of files live beside it, by hash, in a [`BlobStore`].
//! * **Time jumps.** The clock is virtual; an hour without events costs nothing.
//! * **Choices, not randomness.** Every latency, GUID and the like is a draw with a label; each label has a stream of its own.
//! * **A call is a message.** It takes effect in one step at its time; what takes longer is answered by a later event. Dropping
//!   a future stops the waiting only; [`Sim::kill`] ends a client as a killed process ends.
//!
//! ```
//! use wcow_host::{Host, HostControl, SwitchService};
//! use wcow_sim::{Profile, Sim};
//!
//! let sim = Sim::new(Profile::nano_tp3(), 7);
//! let host = sim.client();
//! let info = sim.run(async { host.control().info().await }).unwrap().unwrap();
//! assert_eq!(info.build, 10514);
//!
//! let nats = sim.run(async { host.switches().nats().await }).unwrap();
//! assert!(nats.is_err(), "this Nano Server has no NetNat module");
//! ```
#![forbid(unsafe_code)]

mod blobs;
mod call;
mod check;
mod choice;
mod client;
mod deadline;
mod evidence;
mod executor;
mod faults;
mod fs;
pub mod hcn;
mod inner;
mod known;
mod op;
mod paced;
mod profile;
mod queue;
pub mod scenarios;
mod serial;
mod snapshot;
#[cfg(feature = "proptest")]
pub mod strategies;
mod tasks;
mod trace;
mod troubles;
mod world;

pub use blobs::{BlobId, BlobStore, BlobWriter, MemoryBlobs};
pub use call::{ClientId, OpId};
pub use check::{Check, CheckResult, Found, check};
pub use choice::{Choices, Draw, Draws, Exhaustive, Label, Recording};
pub use client::{Answer, Carried, Carrier, Face, RemoteHost, Request, SimHost, SimTree};
pub use evidence::Evidence;
pub use executor::{Ended, Sim, Stuck, Task};
pub use faults::{FaultHit, FaultPlan, FaultRule, What, When};
pub use fs::DiskModel;
pub use paced::Paced;
pub use profile::Profile;
pub use queue::{Order, Schedule};
pub use snapshot::{LoadError, SaveError};
pub use trace::{TraceEvent, TraceRecord};
pub use world::guest::{GuestCall, GuestNext, GuestProgram, GuestReply};
pub use world::power::PowerCut;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
