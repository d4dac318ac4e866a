//! Plans container networks: which steps a network needs on a given host, and what the host will say to them.
//!
//! Nothing here calls a host. Whoever does reads the host's networking ([`HostNetworking`]), asks for a [`plan`], looks at
//! what is [predicted](NetworkPlan::predicted), and then carries the [steps](NetworkStep) out.
//!
//! ```text
//! NetworkSpec ────┐
//!                 ├─ plan ── NetworkPlan ── steps ──> the host
//! HostNetworking ─┘             └───────── predicted refusal, from the rules in wcow_host::era
//! ```
//!
//! # Generations
//! * Technical Preview 3 and 4: a network is a Hyper-V switch. A NAT network is two objects that must agree, a switch of type
//!   NAT and a NetNat object of the same prefix. The host takes the first address of the subnet.
//! * From Technical Preview 5 on: a network is one document for the Host Network Service.
//!
//! # Two kinds of no
//! A [`PlanError`] says that the request is wrong in itself: an unknown adapter, a gateway outside the subnet. Such a request
//! never reaches the host. A [`Prediction`] says that the request is fine and this host will refuse it all the same, with the
//! code it will give. The rules stand in [`wcow_host::era`], once, and the simulated host enforces the same ones.
//!
//! [`AddressPlan`] hands out addresses of a subnet, [`PortMapping`] is a published port.
#![forbid(unsafe_code)]

mod addresses;
mod plan;
mod ports;
mod predict;
mod spec;

pub use addresses::{AddressPlan, Exhausted};
pub use plan::{NAT_NAME, NetworkPlan, NetworkStep, PlanError, TP_NAT_SUBNET, plan};
pub use ports::{ParsePortMappingError, PortConflict, PortMapping, PublishedPorts};
pub use predict::Prediction;
pub use spec::{Driver, HostNetworking, LostNetwork, NetworkSpec, UnknownDriver};

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
