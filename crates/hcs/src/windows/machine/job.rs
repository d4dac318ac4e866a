//! Job objects: processes that end together.
#![expect(unsafe_code, reason = "foreign functions")]

use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation,
    SetInformationJobObject, TerminateJobObject,
};

use super::check_bool;

/// A set of processes. What they start belongs to it too. All of them end with this value.
#[derive(Debug)]
pub struct Job(OwnedHandle);

impl Job {
    /// A set with nothing in it.
    ///
    /// # Errors
    /// Windows has no room for one.
    pub fn new() -> io::Result<Self> {
        // SAFETY: neither a security descriptor nor a name is given.
        let handle = unsafe { CreateJobObjectW(ptr::null(), ptr::null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is open and nobody else's.
        let job = Self(unsafe { OwnedHandle::from_raw_handle(handle) });
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        let size = u32::try_from(size_of_val(&limits)).unwrap_or(0);
        // SAFETY: the handle is open; the structure is the one of that class, and as long as said.
        check_bool(unsafe {
            SetInformationJobObject(
                handle,
                JobObjectExtendedLimitInformation,
                (&raw const limits).cast(),
                size,
            )
        })?;
        Ok(job)
    }

    /// Adds a process.
    ///
    /// # Errors
    /// It has ended; or it belongs to a set already, on a Windows before 8.
    pub fn add(&self, process: BorrowedHandle<'_>) -> io::Result<()> {
        // SAFETY: both handles are open.
        check_bool(unsafe {
            AssignProcessToJobObject(self.0.as_raw_handle(), process.as_raw_handle())
        })
    }

    /// Ends every process in the set, with this exit code.
    ///
    /// # Errors
    /// Windows does not let it.
    pub fn end(&self, exit_code: u32) -> io::Result<()> {
        // SAFETY: the handle is open.
        check_bool(unsafe { TerminateJobObject(self.0.as_raw_handle(), exit_code) })
    }
}
