//! The version of an image.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The version of a Windows image, such as `10.0.10514.0`. In serde it is that text.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct ImageVersion {
    /// 10 for everything that has containers.
    pub major: u32,
    /// 0 for everything that has containers.
    pub minor: u32,
    /// Build number.
    pub build: u32,
    /// Update build revision.
    pub revision: u32,
}

/// A text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a version of four numbers such as 10.0.10514.0, found {found:?}")]
pub struct ParseVersionError {
    /// The text as given.
    pub found: String,
}

impl fmt::Display for ImageVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}.{}",
            self.major, self.minor, self.build, self.revision
        )
    }
}

impl FromStr for ImageVersion {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        let number = |part: &str| {
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u32>().ok().filter(|_| digits)
        };
        let parts: Option<Vec<u32>> = text.split('.').map(number).collect();
        match parts.as_deref() {
            Some(&[major, minor, build, revision]) => Ok(Self {
                major,
                minor,
                build,
                revision,
            }),
            _ => Err(ParseVersionError {
                found: text.to_owned(),
            }),
        }
    }
}

impl TryFrom<String> for ImageVersion {
    type Error = ParseVersionError;

    fn try_from(text: String) -> Result<Self, ParseVersionError> {
        text.parse()
    }
}

impl From<ImageVersion> for String {
    fn from(version: ImageVersion) -> Self {
        version.to_string()
    }
}
