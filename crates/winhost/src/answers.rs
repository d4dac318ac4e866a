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

#[cfg(test)]
mod tests {
    use wcow_host::codes::{self, v1, v2, win32};
    use wcow_host::{ComputeApi, HostError, Operation, Retry};
    use wcow_ntmeta::Hresult;

    use crate::pool::Unanswered;

    #[track_caller]
    fn check(error: &HostError, code: Hresult, retry: Retry, is_ambiguous: bool) {
        assert_eq!((error.hresult(), error.retry), (Some(code), retry));
        assert_eq!(error.is_ambiguous(), is_ambiguous, "{error}");
        assert!(codes::name(code).is_some(), "{error}");
    }

    /// Who asks again after a lost answer must know that the call may have been carried out, and who asks after a call that was not
    /// begun must know that it was not.
    #[test]
    fn a_call_without_an_answer_says_whether_it_may_have_taken_effect() {
        let unanswered = |why| super::unanswered(Operation::StartSystem, "one", why);
        let (begun, not) = (Unanswered::Runs, Unanswered::NotBegun);
        check(&unanswered(begun), win32::TIMEOUT, Retry::No, true);
        let code = win32::RPC_S_CALL_FAILED_DNE;
        check(&unanswered(not), code, Retry::Soon, false);
        let broken = unanswered(Unanswered::Panicked);
        check(&broken, codes::UNEXPECTED, Retry::No, false);
        for (api, late, gone) in [
            (ComputeApi::V1, win32::TIMEOUT, win32::RPC_S_CALL_FAILED),
            (
                ComputeApi::V2,
                v2::OPERATION_TIMEOUT,
                v2::SERVICE_DISCONNECT,
            ),
        ] {
            let error = |code| super::refused(Operation::StartSystem, "one", code);
            check(&error(super::timed_out(api)), late, Retry::No, true);
            check(&error(super::disconnected(api)), gone, Retry::Soon, true);
        }
    }

    #[test]
    fn listings_of_some_builds_are_worth_another_try() {
        let listing = |build, code| {
            let error = super::refused(Operation::EnumerateSystems, "", code);
            super::of_listing(build, error).retry
        };
        for code in [v1::INVALID_STATE, win32::ACCESS_DENIED] {
            assert_eq!(listing(14_393, code), Retry::Soon);
            assert_eq!(listing(16_299, code), Retry::No);
            assert_eq!(listing(14_300, code), Retry::No);
        }
        assert_eq!(listing(14_393, win32::MOD_NOT_FOUND), Retry::No);
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_kept() {
        let error = super::unreadable(Operation::QuerySystem, "one", "<html>");
        check(&error, win32::INVALID_DATA, Retry::No, false);
        assert_eq!(error.document.as_deref(), Some("<html>"));
    }
}
