//! Why a container could not be brought where it was wanted.

use wcow_host::{HostError, SystemId};

use crate::UndoFailure;

/// A life-cycle step that failed. What had been done before it was undone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The host refused a step.
    #[error("container {container} could not {doing}{}{}", sides(.mismatch), left(.left_behind))]
    Host {
        /// The container's id.
        container: SystemId,
        /// What was being done: `be created`, `be started`, ...
        doing: &'static str,
        /// Both sides of a version or edition mismatch, where the host's code means one.
        mismatch: Option<String>,
        /// The host's answer.
        #[source]
        error: Box<HostError>,
        /// Steps that could not be undone: what they made is still there.
        left_behind: Vec<UndoFailure>,
    },
    /// The document cannot be made from this specification for this host.
    #[error("container {container} does not fit this host: {reason}")]
    Unsupported {
        /// The container's id.
        container: SystemId,
        /// What does not fit, and what would.
        reason: String,
    },
}

impl RuntimeError {
    /// The host's answer, if it was the host that refused.
    #[must_use]
    pub fn host_error(&self) -> Option<&HostError> {
        match self {
            Self::Host { error, .. } => Some(error),
            Self::Unsupported { .. } => None,
        }
    }

    /// The steps that could not be undone: what they made is still there.
    #[must_use]
    pub fn left_behind(&self) -> &[UndoFailure] {
        match self {
            Self::Host { left_behind, .. } => left_behind,
            Self::Unsupported { .. } => &[],
        }
    }
}

fn sides(mismatch: &Option<String>) -> String {
    mismatch
        .as_ref()
        .map_or_else(String::new, |sides| format!(": {sides}"))
}

fn left(failures: &[UndoFailure]) -> String {
    if failures.is_empty() {
        return String::new();
    }
    let steps: Vec<String> = failures
        .iter()
        .map(|failure| failure.step.to_string())
        .collect();
    format!(" (left behind: {})", steps.join(", "))
}
