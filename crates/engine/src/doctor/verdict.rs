//! How a check says what it found.

use serde::Serialize;
use wcow_host::HostError;
use wcow_host::failures::{self, FailureId};

use super::Fix;

/// What a check came to, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Something is wrong that containers fail by.
    Failure,
    /// Something is unusual, and may be why containers fail.
    Warning,
    /// The host would not say.
    CannotTell,
    /// Nothing is wrong.
    Ok,
    /// The check is not about this host.
    NotApplicable,
}

/// What a check found, while it looks.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) reason: Option<String>,
    pub(super) evidence: Vec<String>,
    pub(super) way_out: Vec<String>,
    pub(super) causes: Vec<FailureId>,
    pub(super) fixes: Vec<Fix>,
}

impl Verdict {
    /// Nothing is wrong so far.
    pub(super) fn ok() -> Self {
        Self::of(Outcome::Ok, None)
    }

    /// The check has nothing to look at here.
    pub(super) fn not_applicable(reason: impl Into<String>) -> Self {
        Self::of(Outcome::NotApplicable, Some(reason.into()))
    }

    /// The host did not answer what the check needs to know.
    pub(super) fn unanswered(error: &HostError) -> Self {
        Self::cannot_tell(answer(error))
    }

    /// It cannot be told, for this reason.
    pub(super) fn cannot_tell(reason: impl Into<String>) -> Self {
        Self::of(Outcome::CannotTell, Some(reason.into()))
    }

    fn of(outcome: Outcome, reason: Option<String>) -> Self {
        Self {
            outcome,
            reason,
            evidence: Vec::new(),
            way_out: Vec::new(),
            causes: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// Something that was seen, and is as it should be.
    pub(super) fn saw(mut self, what: impl Into<String>) -> Self {
        self.note(what);
        self
    }

    /// The same.
    pub(super) fn note(&mut self, what: impl Into<String>) {
        self.evidence.push(what.into());
    }

    /// Something that was seen, and that containers fail by.
    pub(super) fn fail(&mut self, what: impl Into<String>) -> &mut Self {
        self.worse(Outcome::Failure, what.into())
    }

    /// Something that was seen, and that is unusual.
    pub(super) fn warn(&mut self, what: impl Into<String>) -> &mut Self {
        self.worse(Outcome::Warning, what.into())
    }

    fn worse(&mut self, outcome: Outcome, what: String) -> &mut Self {
        self.outcome = self.outcome.min(outcome);
        self.evidence.push(what);
        self
    }

    /// It is the cause of this failure, as far as the catalogue has it.
    pub(super) fn cause(&mut self, id: &'static str) -> &mut Self {
        match failures::get(id) {
            Some(failure) => self.cause_id(failure.id),
            None => self,
        }
    }

    /// The same.
    pub(super) fn cause_id(&mut self, id: FailureId) -> &mut Self {
        if !self.causes.contains(&id) {
            self.causes.push(id);
        }
        self
    }

    /// What to do about it.
    pub(super) fn way_out(&mut self, what: impl Into<String>) -> &mut Self {
        let what = what.into();
        if !self.way_out.contains(&what) {
            self.way_out.push(what);
        }
        self
    }

    /// What can be done about it.
    pub(super) fn fix(&mut self, fix: Fix) -> &mut Self {
        if !self.fixes.contains(&fix) {
            self.fixes.push(fix);
        }
        self
    }
}

/// A failed call in a few words: the function and its code.
pub(super) fn answer(error: &HostError) -> String {
    if error.object.is_empty() {
        format!("{} failed: {}", error.operation, error.code)
    } else {
        error.to_string()
    }
}

/// What the host answered, or the verdict that it did not.
macro_rules! need {
    ($answer:expr) => {
        match &$answer {
            Ok(answer) => answer,
            Err(error) => return $crate::doctor::verdict::Verdict::unanswered(error),
        }
    };
}

pub(super) use need;
