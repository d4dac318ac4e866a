//! What a rule about layers or networks comes to, and the answers that it compares.

use wcow_host::{Code, HostError};
use wcow_ntmeta::Hresult;

use crate::stage::Unlike;

/// Why a rule ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The host does otherwise.
    Differs(Unlike),
    /// It could not be tried, and why.
    Skipped(String),
}

impl From<Unlike> for Stop {
    fn from(how: Unlike) -> Self {
        Self::Differs(how)
    }
}

/// What a rule comes to.
pub(crate) type Ruled = Result<(), Stop>;

/// That a call was refused with one of these codes.
///
/// # Errors
/// It was answered otherwise.
pub(crate) fn refused<T>(
    call: &str,
    answer: Result<T, HostError>,
    codes: &[Hresult],
) -> Result<(), Unlike> {
    let seen = match answer {
        Err(HostError {
            code: Code::Hresult(code),
            ..
        }) if codes.contains(&code) => return Ok(()),
        Err(error) => error.to_string(),
        Ok(_) => "success".to_owned(),
    };
    let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
    let codes = codes.join(" or ");
    Err(format!("{call}: expected {codes}, seen {seen}"))
}
