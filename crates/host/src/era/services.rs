//! What calls answer while the service behind them does not run.

use wcow_ntmeta::Hresult;

use crate::codes::win32;
use crate::{ErrorCategory, PowerShellError, ServiceState};

/// What the compute service and the Host Network Service answer while they do not run.
///
/// A service that was stopped says that it has not been started (0x426, docker/for-win#8226). One that crashed is not there to be
/// called (0x6BA) until the service manager has started it again; that is standard for remote procedure calls, and inferred for
/// these services. The call that meets the crash itself answers 0x6BF or 0x6BE (docker/for-win#4554).
///
/// # Errors
/// The code.
pub fn service_answer(state: ServiceState) -> Result<(), Hresult> {
    match state {
        ServiceState::Running => Ok(()),
        ServiceState::Stopped => Err(win32::SERVICE_NOT_ACTIVE),
        ServiceState::Crashed => Err(win32::RPC_S_SERVER_UNAVAILABLE),
    }
}

/// What a cmdlet of the Hyper-V module answers while the service `vmms` does not run, stopped or crashed alike. The words are the
/// standard ones of that module, the id is inferred.
///
/// # Errors
/// `ObjectNotFound`, in the words of Hyper-V.
#[expect(
    clippy::result_large_err,
    reason = "the record is the answer, and errors are rare"
)]
pub fn switch_service_answer(
    state: ServiceState,
    computer: &str,
    cmdlet: &str,
) -> Result<(), PowerShellError> {
    if state == ServiceState::Running {
        return Ok(());
    }
    Err(PowerShellError {
        category: ErrorCategory::ObjectNotFound,
        target: String::new(),
        activity: cmdlet.to_owned(),
        exception: "VirtualizationException".to_owned(),
        id: format!(
            "ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.{}",
            cmdlet.replace('-', "")
        ),
        message: format!(
            "Hyper-V encountered an error trying to access an object on computer '{computer}' because the object was not found. The \
             object might have been deleted, or you might not have permission to perform the task. Verify that the Virtual Machine \
             Management service on the computer is running."
        ),
    })
}
