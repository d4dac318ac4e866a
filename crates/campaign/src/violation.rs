//! Promises that were broken, in words.

use std::fmt;

use wcow_engine::ContainerStatus;

use crate::history::Thing;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Nothing is left to happen, or time is up, and a client still waits.
    Unsettled {
        /// The calls that wait for an answer.
        waiting: Vec<String>,
    },
    /// An image is listed and is not whole.
    BrokenImage {
        /// Its full name.
        image: String,
        /// What is wrong with it.
        errors: Vec<String>,
    },
    /// Something is there that must be gone.
    Back {
        /// What it is.
        thing: Thing,
        /// Its name.
        name: String,
    },
    /// Something is gone that must be there.
    Lost {
        /// What it is.
        thing: Thing,
        /// Its name.
        name: String,
    },
    /// A container is doing something else than its client was told, and nothing has come between.
    OtherState {
        /// The container's name.
        container: String,
        /// What it was told to be doing.
        told: ContainerStatus,
        /// What it is doing.
        is: ContainerStatus,
    },
    /// A container runs without something that it needs.
    RunsWithout {
        /// The container's name.
        container: String,
        /// What is missing.
        missing: String,
    },
    /// Calls were answered that had been answered before.
    AnsweredAgain {
        /// How many.
        answers: u64,
    },
    /// A command ended with an error of which the catalogue of failures knows nothing.
    Unexplained {
        /// The error.
        error: String,
    },
    /// A command failed and left what it had made, although nothing kept it from taking that back.
    Left {
        /// What it is.
        what: String,
    },
    /// With nothing going wrong any more, what a command left that was cut off is not taken back.
    Unfinished {
        /// What it is.
        what: String,
    },
    /// With nothing going wrong any more, a command fails that cannot be refused.
    Refused {
        /// The command.
        command: String,
        /// The error.
        error: String,
    },
    /// Everything was removed, and something is left.
    Leaked {
        /// What it is.
        what: String,
    },
}

impl Violation {
    /// The id of the check.
    #[must_use]
    pub const fn check(&self) -> &'static str {
        match self {
            Self::Unsettled { .. } => "settles",
            Self::BrokenImage { .. } => "listed-images-are-complete",
            Self::Back { .. } => "removed-stays-removed",
            Self::Lost { .. } | Self::OtherState { .. } => "acknowledged-survives",
            Self::RunsWithout { .. } => "what-runs-has-its-parts",
            Self::AnsweredAgain { .. } => "calls-end-once",
            Self::Unexplained { .. } => "errors-are-explained",
            Self::Left { .. } => "failures-leave-nothing",
            Self::Unfinished { .. } => "cut-off-work-is-taken-back",
            Self::Refused { .. } => "commands-work-again",
            Self::Leaked { .. } => "nothing-leaks",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.check())?;
        match self {
            Self::Unsettled { waiting } if waiting.is_empty() => {
                f.write_str("the clients did not end, and no call of theirs is pending")
            }
            Self::Unsettled { waiting } => {
                write!(
                    f,
                    "the clients did not end; pending: {}",
                    waiting.join(", ")
                )
            }
            Self::BrokenImage { image, errors } => {
                write!(f, "image {image} is listed, but {}", errors.join("; "))
            }
            Self::Back { thing, name } => {
                write!(f, "{} {name} was removed and is there", thing.word())
            }
            Self::Lost { thing, name } => {
                write!(f, "{} {name} was made and is gone", thing.word())
            }
            Self::OtherState {
                container,
                told,
                is,
            } => {
                let (told, is) = (told.word(), is.word());
                write!(f, "container {container} was left {told} and is {is}")
            }
            Self::RunsWithout { container, missing } => {
                write!(f, "container {container} runs without {missing}")
            }
            Self::AnsweredAgain { answers } => write!(f, "{answers} calls were answered twice"),
            Self::Unexplained { error } => {
                write!(f, "the catalogue of failures has no entry for: {error}")
            }
            Self::Left { what } => write!(f, "a command failed, but {what} is left"),
            Self::Unfinished { what } => {
                write!(
                    f,
                    "nothing goes wrong any more, but {what} is still unfinished"
                )
            }
            Self::Refused { command, error } => {
                write!(
                    f,
                    "nothing goes wrong any more, but {command} fails: {error}"
                )
            }
            Self::Leaked { what } => write!(f, "everything was removed, but {what} is left"),
        }
    }
}
