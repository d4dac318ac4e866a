//! A new process: its id and its standard streams.
#![expect(unsafe_code, reason = "takes over handles")]

use std::os::windows::io::{FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::HostComputeSystem::HCS_PROCESS_INFORMATION;

/// What a host hands out with a process, to its creator and once. The streams are pipes; each is closed when it is dropped.
#[derive(Debug)]
#[non_exhaustive]
pub struct ProcessInformation {
    /// Its id inside of the system.
    pub process_id: u32,
    /// What is written there, the process reads; none if it was created without.
    pub stdin: Option<OwnedHandle>,
    /// What the process writes.
    pub stdout: Option<OwnedHandle>,
    /// What it writes as errors.
    pub stderr: Option<OwnedHandle>,
}

impl ProcessInformation {
    /// Takes over what a function filled in.
    ///
    /// # Safety
    /// Each handle is null, invalid, or open and nobody else's.
    pub(crate) unsafe fn take(filled: HCS_PROCESS_INFORMATION) -> Self {
        // SAFETY: the caller vouches for the three handles.
        let [stdin, stdout, stderr] =
            [filled.StdInput, filled.StdOutput, filled.StdError].map(|one| unsafe { owned(one) });
        Self {
            process_id: filled.ProcessId,
            stdin,
            stdout,
            stderr,
        }
    }
}

/// # Safety
/// The handle is null, invalid, or open and nobody else's.
unsafe fn owned(handle: HANDLE) -> Option<OwnedHandle> {
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return None;
    }
    // SAFETY: it is open and nobody else's, as the caller says.
    Some(unsafe { OwnedHandle::from_raw_handle(handle) })
}
