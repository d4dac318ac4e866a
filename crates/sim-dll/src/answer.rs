//! How outcomes become codes and documents.

use wcow_hcs_schema::schema2::ResultError;
use wcow_host::HostError;
use wcow_host::codes;
use wcow_host::era;
use wcow_ntmeta::Hresult;

use crate::abi::HRESULT;

pub(crate) const E_NOTIMPL: Hresult = codes::NOT_IMPLEMENTED;
pub(crate) const E_UNEXPECTED: Hresult = codes::UNEXPECTED;
pub(crate) const E_INVALIDARG: Hresult = Hresult(0x8007_0057);
pub(crate) const E_HANDLE: Hresult = Hresult(0x8007_0006);
pub(crate) const E_OUTOFMEMORY: Hresult = Hresult(0x8007_000E);
pub(crate) const E_ACCESSDENIED: Hresult = Hresult(0x8007_0005);
pub(crate) const NOT_SUPPORTED: Hresult = Hresult(0x8007_0032);
pub(crate) const RPC_UNAVAILABLE: Hresult = Hresult(0x8007_06BA);

/// A call that failed: the code, and the document that explains it if the host gave one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Hresult,
    pub(crate) document: Option<String>,
}

/// The outcome of a call.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// What a result document says of it.
    pub(crate) fn text(&self, build: u32) -> String {
        if let Some(document) = &self.document {
            return document.clone();
        }
        let error = ResultError {
            error: Some(self.code.as_i32()),
            error_message: codes::text(self.code, era::generation(build)).map(str::to_owned),
            ..ResultError::default()
        };
        json(&error)
    }
}

impl From<Hresult> for Failure {
    fn from(code: Hresult) -> Self {
        Self {
            code,
            document: None,
        }
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self {
            // No call that this library makes is a cmdlet's.
            code: error.hresult().unwrap_or(codes::FAIL),
            document: error.document,
        }
    }
}

/// A document as a text. Every document that is written here can be.
pub(crate) fn json(document: &impl serde::Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

/// The number of a code.
pub(crate) fn number(outcome: Result<(), Hresult>) -> HRESULT {
    match outcome {
        Ok(()) => 0,
        Err(code) => code.as_i32(),
    }
}
