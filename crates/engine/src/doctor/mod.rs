//! Why containers do not start: checks of a host, each with what was seen, the way out, and what can be set right.
//!
//! A diagnosis looks at the host once (`Seen::gather`), changes nothing, and hands what was seen to the checks, which are
//! plain functions. Whatever the host would not tell makes those checks that need it say that they cannot tell, and the others go
//! on. A [`Fix`] is named by the check that found the trouble, and done only when somebody asks for it.

mod containers;
mod fixes;
mod gather;
mod images;
mod layers;
mod nat;
mod networks;
mod ports;
mod previews;
mod services;
mod storage;
mod verdict;
mod windows;

use std::fmt;

use serde::Serialize;
use wcow_host::Host;
use wcow_host::failures::{FailureId, Hosts};

use crate::{Engine, EngineError};

pub use fixes::{Fix, Fixed};
pub use verdict::Outcome;

use gather::Seen;
use verdict::Verdict;

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// The Windows on the host, its features and policies, who asks.
    Windows,
    /// Services.
    Services,
    /// Disks and drivers.
    Storage,
    /// Scratch layers and the layers below them.
    Layers,
    /// Networks, NAT, adapters.
    Networks,
    /// Technical previews of Windows Server 2016.
    Previews,
    /// Containers, compute systems, records.
    Containers,
    /// Base images.
    Images,
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Windows => "windows",
            Self::Services => "services",
            Self::Storage => "storage",
            Self::Layers => "layers",
            Self::Networks => "networks",
            Self::Previews => "previews",
            Self::Containers => "containers",
            Self::Images => "images",
        })
    }
}

/// A check.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Check {
    /// Its stable id, in kebab case.
    pub id: &'static str,
    /// What is to be so, in one line.
    pub title: &'static str,
    /// What it is about.
    pub theme: Theme,
    /// Who asks for it.
    pub source: &'static str,
    /// The hosts it applies to.
    pub hosts: Hosts,
    /// Ids of the failures of the catalogue whose cause it can find.
    pub finds: &'static [&'static str],
    #[serde(skip)]
    run: fn(&Seen) -> Verdict,
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The check's id.
    pub id: &'static str,
    /// What is to be so.
    pub title: &'static str,
    /// What the check is about.
    pub theme: Theme,
    /// Who asks for it.
    pub source: &'static str,
    /// What it came to.
    pub outcome: Outcome,
    /// Why it does not apply, or cannot be told.
    pub reason: Option<String>,
    /// What was seen.
    pub evidence: Vec<String>,
    /// What to do, where something is wrong.
    pub way_out: Vec<String>,
    /// The failures of the catalogue whose cause was found.
    pub causes: Vec<FailureId>,
    /// What can be done by [`Engine::fix`].
    pub fixes: Vec<Fix>,
}

/// Microsoft's script for support.
const SCRIPT: &str = "Debug-ContainerHost.ps1";
/// What operators ask for in public threads.
const SUPPORT: &str = "support threads";

const ANY: Hosts = hosts("every host", 0, u32::MAX);
const PREVIEWS: Hosts = hosts(
    "technical previews 3 and 4 of Windows Server 2016",
    0,
    14299,
);
const FROM_TP5: Hosts = hosts(
    "build 14300 (Technical Preview 5) and later",
    14300,
    u32::MAX,
);
const FROM_2016: Hosts = hosts(
    "build 14393 (Windows Server 2016) and later",
    14393,
    u32::MAX,
);

const fn hosts(text: &'static str, first_build: u32, last_build: u32) -> Hosts {
    Hosts {
        text,
        first_build,
        last_build,
        class: None,
    }
}

/// Every check, by theme.
#[must_use]
pub fn checks() -> Vec<&'static Check> {
    [
        windows::CHECKS,
        services::CHECKS,
        storage::CHECKS,
        layers::CHECKS,
        networks::CHECKS,
        nat::CHECKS,
        ports::CHECKS,
        previews::CHECKS,
        containers::CHECKS,
        images::CHECKS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The check of this id.
#[must_use]
pub fn check(id: &str) -> Option<&'static Check> {
    checks().into_iter().find(|check| check.id == id)
}

impl<H: Host> Engine<H> {
    /// Looks at the host and carries out these checks, in their order. Nothing is changed.
    ///
    /// # Errors
    /// [`EngineError::Host`]: the host does not even say which Windows it is.
    pub async fn diagnose(&self, checks: &[&Check]) -> Result<Vec<CheckReport>, EngineError> {
        let seen = Seen::gather(self).await?;
        Ok(checks.iter().map(|check| check.report(&seen)).collect())
    }
}

impl Check {
    fn report(&self, seen: &Seen) -> CheckReport {
        let verdict = if self.hosts.contains(&seen.info) {
            (self.run)(seen)
        } else {
            Verdict::not_applicable(format!("it is about {}", self.hosts))
        };
        let Verdict {
            outcome,
            reason,
            evidence,
            way_out,
            causes,
            fixes,
        } = verdict;
        CheckReport {
            id: self.id,
            title: self.title,
            theme: self.theme,
            source: self.source,
            outcome,
            reason,
            evidence,
            way_out,
            causes,
            fixes,
        }
    }
}
