//! What can go wrong, sorted by what the user can do about it.

use std::fmt;

use wcow_host::failures::{self, Failure};
use wcow_host::{HostError, HostInfo};
use wcow_image_store::{InstallError, StoreError};
use wcow_network::{PlanError, PortConflict};
use wcow_runtime::RuntimeError;

/// A kind of named thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A base OS image.
    Image,
    /// A network.
    Network,
    /// A container.
    Container,
}

impl Kind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Network => "network",
            Self::Container => "container",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A command that could not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Nothing of that name.
    #[error("no {kind} {name:?}; {}", there_are(.kind, .existing))]
    NotFound {
        /// What was looked for.
        kind: Kind,
        /// The name as given.
        name: String,
        /// The names that there are.
        existing: Vec<String>,
    },
    /// The name is taken.
    #[error("a {kind} {name:?} exists already")]
    Exists {
        /// What it is.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// Something else needs it.
    #[error("{kind} {name:?} is in use by {by}")]
    InUse {
        /// What it is.
        kind: Kind,
        /// Its name.
        name: String,
        /// Who uses it.
        by: String,
    },
    /// Another command changes it, and did not end while this one waited.
    #[error("{kind} {name:?} is being changed by another command")]
    Busy {
        /// What it is.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// The container is not in the state that the command needs.
    #[error("container {name:?} is {is}, not {needed}")]
    State {
        /// Its name.
        name: String,
        /// Its state.
        is: &'static str,
        /// The state that the command needs.
        needed: &'static str,
    },
    /// A name that cannot be used.
    #[error(
        "{name:?} cannot be the name of a {kind}: use letters, digits, `_`, `.`, `-`, at most 63, a letter or digit first and last"
    )]
    BadName {
        /// What it was for.
        kind: Kind,
        /// The name as given.
        name: String,
    },
    /// A record of ours cannot be read.
    #[error("the record {path} is not usable: {reason}")]
    Record {
        /// Its path on the host.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The image could not be installed.
    #[error("image {name:?} could not be installed")]
    Install {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        error: Box<InstallError>,
    },
    /// The image store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network cannot be as asked for.
    #[error("network {name:?} could not be planned")]
    Plan {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        error: PlanError,
    },
    /// A network of ours is not on the host any more, and is of a kind that is not made again by itself.
    #[error("network {name:?} is not on the host any more: remove it and create it again")]
    NetworkGone {
        /// Its name.
        name: String,
    },
    /// Ports were to be published where nothing can publish them.
    #[error(
        "container {container:?} cannot publish ports, which takes a network of driver nat: {reason}"
    )]
    Publish {
        /// The container's name.
        container: String,
        /// What it is connected to instead.
        reason: String,
    },
    /// A port is published already.
    #[error("container {container:?} cannot publish its ports")]
    PortTaken {
        /// The container's name.
        container: String,
        /// Which port, and who has it.
        #[source]
        conflict: PortConflict,
    },
    /// A step of a container's life failed.
    #[error("{name}")]
    Container {
        /// What could not be done: `container "web" could not be started`.
        name: String,
        /// Why.
        #[source]
        error: Box<RuntimeError>,
    },
    /// A program could not be run in a container.
    #[error("{command:?} could not be run in container {container:?}")]
    Program {
        /// Its command line.
        command: String,
        /// The container's name.
        container: String,
        /// Why.
        #[source]
        error: Box<RuntimeError>,
    },
    /// A container has no main process.
    #[error("container {name:?} has no main process: it was created without a command")]
    NoProgram {
        /// Its name.
        name: String,
    },
    /// A container was to be created as none can be.
    #[error("{reason}")]
    Options {
        /// What is wrong, and what would not be.
        reason: String,
    },
    /// The host refused.
    #[error("could not {doing}{}", left(.left_behind))]
    Host {
        /// What was being done.
        doing: String,
        /// The host's answer.
        #[source]
        error: Box<HostError>,
        /// What could not be undone and is still there.
        left_behind: Vec<String>,
    },
}

impl EngineError {
    /// A refusal of the host with nothing left behind.
    pub(crate) fn host(doing: impl Into<String>, error: HostError) -> Self {
        Self::Host {
            doing: doing.into(),
            error: Box::new(error),
            left_behind: Vec::new(),
        }
    }

    /// The host's own answer, if it was the host that refused.
    #[must_use]
    pub fn host_error(&self) -> Option<&HostError> {
        match self {
            Self::Host { error, .. } => Some(error),
            Self::Container { error, .. } | Self::Program { error, .. } => error.host_error(),
            Self::Install { error, .. } => error.host_error(),
            Self::Store(error) => error.host_error(),
            _ => None,
        }
    }

    /// What a command that failed could not take back, as it says itself.
    #[must_use]
    pub fn left_behind(&self) -> Vec<String> {
        match self {
            Self::Host { left_behind, .. } => left_behind.clone(),
            Self::Container { error, .. } => {
                let left = error.left_behind().iter();
                left.map(|failure| failure.step.to_string()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The catalogue entry that explains it best on this host.
    #[must_use]
    pub fn failure(&self, host: &HostInfo) -> Option<&'static Failure> {
        self.host_error()
            .and_then(|error| failures::candidates(error, host).into_iter().next())
    }

    /// The exit code of a command that ends with it: 1 failed, 2 usage, 3 not found, 4 in use or a conflict, 5 not supported
    /// here, 6 integrity.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound { .. } | Self::NetworkGone { .. } => 3,
            Self::Exists { .. }
            | Self::InUse { .. }
            | Self::Busy { .. }
            | Self::State { .. }
            | Self::PortTaken { .. }
            | Self::NoProgram { .. }
            | Self::Plan {
                error: PlanError::NameTaken { .. } | PlanError::AdapterInUse { .. },
                ..
            } => 4,
            Self::BadName { .. }
            | Self::Plan { .. }
            | Self::Publish { .. }
            | Self::Options { .. } => 2,
            Self::Record { .. } => 6,
            Self::Install { error, .. } => error.exit_code(),
            Self::Store(error) => error.exit_code(),
            Self::Container { error, .. } | Self::Program { error, .. } => match **error {
                RuntimeError::Unsupported { .. } => 5,
                _ => 1,
            },
            Self::Host { .. } => 1,
        }
    }
}

fn there_are(kind: &Kind, existing: &[String]) -> String {
    if existing.is_empty() {
        format!("there is no {kind} yet")
    } else {
        format!("there are: {}", existing.join(", "))
    }
}

fn left(left_behind: &[String]) -> String {
    if left_behind.is_empty() {
        String::new()
    } else {
        format!(" (left behind: {})", left_behind.join(", "))
    }
}
