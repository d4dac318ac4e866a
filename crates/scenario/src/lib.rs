//! Scenarios as data: what is done to a host step by step, and what is expected of each step.
//!
//! A scenario is a TOML file: a story, what must be so before it begins, and steps. A step names an [`Action`], the PowerShell
//! command of the time, and what is [expected](Expect): success, or a code, a catalogue entry, words, or the host's answer to
//! the letter. [`Player`] plays it on any [`Host`](wcow_host::Host) through `wcow-engine` and says of each step what was seen
//! and whether that agrees. `cargo test` plays the files of `sim/scenarios/` on simulated hosts; `wcow tour` tells the same
//! steps as one story. Steps of [other callers](Step::caller) take a client of each ([`Player::with_caller`]). What a scenario needs of the host beyond its profile is its
//! [`Setup`], which whoever makes the host reads.
//!
//! [`wims`] builds the WIM files that the scenarios install: small, made in code, the same bytes every time. [`predict`] says
//! what to expect of any other.
#![forbid(unsafe_code)]

mod answer;
mod call;
mod model;
mod player;
pub mod predict;
pub mod wims;

pub use answer::Answer;
pub use call::Call;
pub use model::{Action, Elsewhere, Expect, Scenario, Setup, Source, Step};
pub use player::{Outcome, PlayError, Player, WimShelf};

/// Reads a scenario file.
///
/// # Errors
/// The text is not a scenario: the error says where.
pub fn parse(text: &str) -> Result<Scenario, ParseError> {
    toml::from_str(text).map_err(|error| ParseError(error.to_string()))
}

/// A scenario file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("not a scenario: {0}")]
pub struct ParseError(String);

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
