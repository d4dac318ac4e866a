//! What came back from a step.

use wcow_engine::{EngineError, InstallWimError};
use wcow_host::failures::{self, Simulated};
use wcow_host::{Code, HostError, HostInfo, render};

/// What a step answered: text as a console of the time would show it, and the code if it failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What was shown.
    pub text: String,
    /// `None` for success. An HRESULT (`0x8000FFFF`), a FullyQualifiedErrorId, or one of the engine's own refusals:
    /// `not-found`, `conflict`, `refused`.
    pub code: Option<String>,
    /// The best candidate in the catalogue.
    pub failure: Option<&'static str>,
}

impl Answer {
    pub(crate) fn shown(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// A refusal, rendered as the console of its generation shows it.
    pub(crate) fn refused(
        error: &EngineError,
        host: &HostInfo,
        typed: &render::CommandLine,
        subject: Option<&render::Subject<'_>>,
    ) -> Self {
        match error.host_error() {
            Some(answer) => Self {
                text: render::answer(answer, host, typed, subject),
                code: Some(match &answer.code {
                    Code::Hresult(code) => code.to_string(),
                    Code::PowerShell(error) => error.id.clone(),
                }),
                failure: best(answer, host),
            },
            None => Self {
                text: with_causes(error),
                code: Some(
                    match error {
                        EngineError::NotFound { .. } => "not-found",
                        EngineError::Exists { .. }
                        | EngineError::InUse { .. }
                        | EngineError::Busy { .. }
                        | EngineError::State { .. } => "conflict",
                        _ => "refused",
                    }
                    .to_owned(),
                ),
                failure: None,
            },
        }
    }

    /// A WIM that could not be installed.
    pub(crate) fn not_installed(
        error: &InstallWimError,
        host: &HostInfo,
        typed: &render::CommandLine,
    ) -> Self {
        match error {
            InstallWimError::Engine(error) => Self::refused(error, host, typed, None),
            error => Self {
                text: with_causes(error),
                code: Some("refused".to_owned()),
                failure: None,
            },
        }
    }
}

/// The best candidate. Entries may have their codes and calls in common: a host that is simulated means one that such hosts raise.
fn best(answer: &HostError, host: &HostInfo) -> Option<&'static str> {
    let candidates = failures::candidates(answer, host);
    let raised = candidates
        .iter()
        .find(|entry| host.simulated.is_some() && entry.simulated == Simulated::Yes);
    raised.or(candidates.first()).map(|entry| entry.id.0)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    format!("{text}\n")
}
