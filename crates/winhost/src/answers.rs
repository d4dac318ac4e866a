//! What a failed call of a DLL means, as an error of the host.

use wcow_hcs::Error;
use wcow_host::codes::{self, v1, v2, win32};
use wcow_host::{ComputeApi, HostError, Operation, Retry};
use wcow_ntmeta::Hresult;

use crate::pool::Unanswered;

/// The builds on which a listing can fail while a system is being torn down: 0105 or 0x5, and a moment later it works.
const LISTING_STUMBLES: std::ops::Range<u32> = 14_393..16_299;

/// A call that failed: its code, and the document that explains it. A DLL or a function that is missing is 0x8007007E or 0x8007007F.
pub(crate) fn failed(operation: Operation, object: &str, error: Error) -> HostError {
    HostError {
        document: error.document.filter(|document| !document.is_empty()),
        ..refused(operation, object, error.code)
    }
}

/// An error with a code alone.
pub(crate) fn refused(operation: Operation, object: &str, code: Hresult) -> HostError {
    HostError {
        retry: retry(code),
        ..HostError::new(operation, object, code)
    }
}

/// An answer that is no document, or not the one that was to come: 0x8007000D, with the answer as its document.
pub(crate) fn unreadable(operation: Operation, object: &str, answer: &str) -> HostError {
    HostError {
        document: Some(answer.to_owned()),
        ..refused(operation, object, win32::INVALID_DATA)
    }
}

/// A handle that is closed, or never was open.
pub(crate) fn closed(operation: Operation, object: &str) -> HostError {
    refused(operation, object, win32::INVALID_HANDLE)
}

/// A call that gave no answer. What was not begun has the code that says so; what runs may still take effect.
pub(crate) fn unanswered(operation: Operation, object: &str, why: Unanswered) -> HostError {
    let code = match why {
        Unanswered::NotBegun => win32::RPC_S_CALL_FAILED_DNE,
        Unanswered::Runs => win32::TIMEOUT,
        Unanswered::Panicked => codes::UNEXPECTED,
    };
    refused(operation, object, code)
}

/// The code of a call that was accepted and whose end did not come in time.
pub(crate) fn timed_out(api: ComputeApi) -> Hresult {
    match api {
        ComputeApi::V1 => win32::TIMEOUT,
        ComputeApi::V2 => v2::OPERATION_TIMEOUT,
    }
}

/// The code of a call that was accepted, and then the service was gone. Version 1 has none of its own.
pub(crate) fn disconnected(api: ComputeApi) -> Hresult {
    match api {
        ComputeApi::V1 => win32::RPC_S_CALL_FAILED,
        ComputeApi::V2 => v2::SERVICE_DISCONNECT,
    }
}

/// The same error, with what is known of listings on this build.
pub(crate) fn of_listing(build: u32, error: HostError) -> HostError {
    let stumbled = [v1::INVALID_STATE, win32::ACCESS_DENIED];
    let code = error.hresult();
    if LISTING_STUMBLES.contains(&build) && stumbled.iter().any(|known| Some(*known) == code) {
        HostError {
            retry: Retry::Soon,
            ..error
        }
    } else {
        error
    }
}

/// Whether the same call can succeed later: the service comes up again, the device is there in a moment.
fn retry(code: Hresult) -> Retry {
    const SOON: &[Hresult] = &[
        win32::NOT_READY,
        win32::DEVICE_NOT_CONNECTED,
        win32::RPC_S_SERVER_UNAVAILABLE,
        win32::RPC_S_CALL_FAILED,
        win32::RPC_S_CALL_FAILED_DNE,
        v2::SERVICE_DISCONNECT,
    ];
    if SOON.contains(&code) {
        Retry::Soon
    } else {
        Retry::No
    }
}
