//! Codes of the host and their texts.
use wcow_ntmeta::Hresult;
/// The symbolic name of a code, if it has a public one.
#[must_use]
pub fn name(_code: Hresult) -> Option<&'static str> {
    None
}
