//! What a container runs, and when again; and which wishes can be met nowhere.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wcow_runtime::Processors;

use crate::{CreateContainer, EngineError};

/// What a container runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The command line of its main process. It ends when that ends; without one it runs until it is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The user of every program run in it; empty for the image's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// The main process has a standard input.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stdin: bool,
    /// The main process has a console.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub console: bool,
    /// Labels, for people.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// When it is started again by itself.
    #[serde(default)]
    pub restart: RestartPolicy,
    /// How long it gets to stop, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_seconds: Option<u32>,
}

/// When a container whose main process has ended is started again. There is no daemon that would do it: whoever
/// [supervises](crate::Engine::supervise) it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Never.
    #[default]
    No,
    /// When the exit code is not 0; so many times at most.
    OnFailure(Option<u32>),
    /// Always, unless somebody stopped it while it was supervised.
    Always,
    /// Unless somebody stopped it.
    UnlessStopped,
}

impl fmt::Display for RestartPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("no"),
            Self::OnFailure(None) => f.write_str("on-failure"),
            Self::OnFailure(Some(most)) => write!(f, "on-failure:{most}"),
            Self::Always => f.write_str("always"),
            Self::UnlessStopped => f.write_str("unless-stopped"),
        }
    }
}

impl FromStr for RestartPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown =
            || format!("expected no, on-failure[:N], always or unless-stopped, found {text:?}");
        match text.split_once(':') {
            None => match text {
                "no" => Ok(Self::No),
                "on-failure" => Ok(Self::OnFailure(None)),
                "always" => Ok(Self::Always),
                "unless-stopped" => Ok(Self::UnlessStopped),
                _ => Err(unknown()),
            },
            Some(("on-failure", most)) => most
                .parse()
                .map(|most| Self::OnFailure(Some(most)))
                .map_err(|_| unknown()),
            Some(_) => Err(unknown()),
        }
    }
}

/// Refuses what no host can do.
pub(crate) fn check(wanted: &CreateContainer) -> Result<(), EngineError> {
    let refused = |reason: String| Err(EngineError::Options { reason });
    if let Some(name) = &wanted.host_name {
        let fits = (1..=63).contains(&name.len())
            && !name.starts_with('-')
            && !name.ends_with('-')
            && name
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '-')
            && !name.chars().all(|character| character.is_ascii_digit());
        if !fits {
            return refused(format!(
                "{name:?} cannot be a host name: use letters, digits and `-`, at most 63, a letter or digit first and last, not digits alone"
            ));
        }
    }
    if wanted.memory_mib == Some(0) {
        return refused("a container needs 1 MiB of memory at least".to_owned());
    }
    match wanted.processors {
        Some(Processors::Count(0)) => {
            return refused("a container needs 1 processor at least".to_owned());
        }
        Some(Processors::Limit(share)) if !(1..=10_000).contains(&share) => {
            return refused(format!(
                "a processor limit is 1 to 10000 ten-thousandths, not {share}"
            ));
        }
        Some(Processors::Weight(weight)) if !(1..=10_000).contains(&weight) => {
            return refused(format!("a processor weight is 1 to 10000, not {weight}"));
        }
        _ => {}
    }
    for mount in &wanted.mounts {
        let inside = mount.container.as_bytes();
        let is_absolute =
            matches!(inside, [letter, b':', b'\\' | b'/', _, ..] if letter.is_ascii_alphabetic());
        if !is_absolute {
            return refused(format!(
                "{:?} is no folder in a container: give a path such as C:\\data, and not the root of a drive",
                mount.container
            ));
        }
    }
    Ok(())
}
