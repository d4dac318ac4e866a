//! The catalogue of failures: what goes wrong on container hosts, how to recognise it, what to do.
//!
//! Every entry has a stable id, the real codes, the hosts it occurs on, its trigger, the way out, and a public source. A simulated
//! host raises them; [`candidates`] finds the ones that explain an answer.

mod catalogue;
mod explain;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use wcow_ntmeta::Hresult;

use crate::era::Provenance;
use crate::{Code, EditionClass, HostError, HostInfo, Operation};

pub use catalogue::CATALOGUE;
pub use explain::{Explanation, explain};

/// The stable id of an entry of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct FailureId(pub &'static str);

impl fmt::Display for FailureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<'de> Deserialize<'de> for FailureId {
    /// Only ids of the catalogue are taken.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        get(&id)
            .map(|failure| failure.id)
            .ok_or_else(|| D::Error::custom(format!("expected the id of a failure, found {id:?}")))
    }
}

/// One way in which a host fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Its stable id.
    pub id: FailureId,
    /// What it is, in one line.
    pub title: &'static str,
    /// The codes that it shows itself by.
    pub codes: &'static [FailureCode],
    /// Where it occurs.
    pub hosts: Hosts,
    /// The calls that fail. Empty if it is none of those that this crate knows: a call of other clients, or the exit of a program.
    pub operations: &'static [Operation],
    /// What causes it.
    pub trigger: &'static str,
    /// What to do about it.
    pub way_out: &'static str,
    /// A public source.
    pub source: &'static str,
    /// How it is known.
    pub provenance: Provenance,
    /// Its places in the list of the sixty failures that users of container hosts report most, 1 being the most frequent; empty if
    /// it is none of them. Causes that the list does not tell apart share a place.
    pub reported: &'static [u8],
    /// Whether its cause stays on the host.
    pub cause: Cause,
    /// Whether the simulated host raises it.
    pub simulated: Simulated,
}

/// How a failure shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureCode {
    /// An HRESULT.
    Hresult(u32),
    /// A FullyQualifiedErrorId of PowerShell.
    PowerShellId(&'static str),
    /// The exit code of a program or service, an NTSTATUS.
    ExitCode(u32),
    /// Words of a log, where a client fails by itself or the host gives no code.
    Text(&'static str),
    /// Nothing fails: the effect is missing.
    Silent,
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hresult(code) | Self::ExitCode(code) => write!(f, "{}", Hresult(*code)),
            Self::PowerShellId(id) => f.write_str(id),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Silent => f.write_str("none: it is silent"),
        }
    }
}

/// Whether the cause of a failure stays on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It does, and whoever looks for it finds it also when nothing fails: a service that is off, a left-over object, a full disk.
    Lasting,
    /// It does not: it is a matter of the call, or of the moment.
    Passing,
}

/// The hosts on which a failure occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hosts {
    /// The hosts in words.
    pub text: &'static str,
    /// First build.
    pub first_build: u32,
    /// Last build.
    pub last_build: u32,
    /// The kind of installation, if only one is affected.
    pub class: Option<EditionClass>,
}

impl Hosts {
    /// Whether the failure can occur on this host.
    #[must_use]
    pub fn contains(&self, host: &HostInfo) -> bool {
        (self.first_build..=self.last_build).contains(&host.build)
            && self.class.is_none_or(|class| class == host.class)
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// Whether the simulated host raises a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Simulated {
    /// It does.
    Yes,
    /// It does not, and why.
    No(&'static str),
}

/// The entry with this id.
#[must_use]
pub fn get(id: &str) -> Option<&'static Failure> {
    CATALOGUE.iter().find(|failure| failure.id.0 == id)
}

/// The entries that explain an answer of a host, best first.
///
/// An entry must know the code; and the call too, if the code is one that many calls answer with (a Win32 error, a command that
/// is not recognised). Those that know call and host come first, then those that know the call, then those that know the host;
/// entries of the same rank in the order of the catalogue.
#[must_use]
pub fn candidates(error: &HostError, host: &HostInfo) -> Vec<&'static Failure> {
    let known = by_code().get(&match &error.code {
        Code::Hresult(code) => (code.0, ""),
        Code::PowerShell(error) => (0, error.id.as_str()),
    });
    let mut found: Vec<&Failure> = known
        .into_iter()
        .flatten()
        .copied()
        .filter(|failure| failure.operations.contains(&error.operation) || is_telling(&error.code))
        .collect();
    found.sort_by_key(|failure| {
        let call = failure.operations.contains(&error.operation);
        let place = failure.hosts.contains(host);
        (!(call && place), !call, !place)
    });
    found
}

/// The entries of each HRESULT and of each FullyQualifiedErrorId, in their order.
fn by_code<'a>() -> &'a BTreeMap<(u32, &'a str), Vec<&'static Failure>> {
    static KNOWN: LazyLock<BTreeMap<(u32, &str), Vec<&Failure>>> = LazyLock::new(|| {
        let mut known: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for failure in CATALOGUE {
            for code in failure.codes {
                match *code {
                    FailureCode::Hresult(code) => {
                        known.entry((code, "")).or_default().push(failure)
                    }
                    FailureCode::PowerShellId(id) => {
                        known.entry((0, id)).or_default().push(failure)
                    }
                    _ => {}
                }
            }
        }
        known
    });
    &KNOWN
}

/// Whether a code says by itself what is wrong: one of a container service.
fn is_telling(code: &Code) -> bool {
    const COMPUTE: u16 = 0x37;
    const NETWORK: u16 = 0x3B;
    match code {
        Code::Hresult(code) => matches!(code.facility(), COMPUTE | NETWORK),
        Code::PowerShell(_) => false,
    }
}
