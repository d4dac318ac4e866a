//! Processes in compute systems.
#![expect(unsafe_code, reason = "calls vmcompute.dll")]

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use windows_sys::Win32::System::HostComputeSystem::{HCS_PROCESS, HCS_PROCESS_INFORMATION};

use super::notifications::{Notification, REGISTRY, notified};
use super::{done, wide};
use crate::error::{Dll, Error};
use crate::raw::vmcompute as raw;
use crate::windows::answer;
use crate::windows::callback::{Registration, Subscription};
use crate::windows::memory::{CoTask, OutText};
use crate::windows::process_info::ProcessInformation;

/// An open process. Clones share the handle; it is closed with the last of them and of its subscriptions.
#[derive(Clone, Debug)]
pub struct Process {
    handle: Arc<ProcessHandle>,
}

impl Process {
    pub(super) fn new(call: &'static str, handle: Option<ProcessHandle>) -> Result<Self, Error> {
        let handle = Arc::new(answer::handle(call, Dll::VmCompute, handle)?);
        Ok(Self { handle })
    }

    /// Ends it; `ProcessExited` tells the end. Its children live on.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn terminate(&self) -> Result<(), Error> {
        let mut result = OutText::new();
        // SAFETY: the process is open; the place lives until the call returns.
        let answer = unsafe { raw::HcsTerminateProcess(self.handle.as_raw(), result.place())? };
        done("HcsTerminateProcess", answer, result)
    }

    /// Sends it a signal. Hosts before 1809 do not have this.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn signal(&self, options: &str) -> Result<(), Error> {
        const CALL: &str = "HcsSignalProcess";
        let options = wide(CALL, options)?;
        let mut result = OutText::new();
        // SAFETY: the process is open; the text and the place live until the call returns.
        let answer = unsafe {
            raw::HcsSignalProcess(self.handle.as_raw(), options.as_ptr(), result.place())?
        };
        done(CALL, answer, result)
    }

    /// Changes it: the size of its console, or which of its streams are closed.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn modify(&self, settings: &str) -> Result<(), Error> {
        const CALL: &str = "HcsModifyProcess";
        let settings = wide(CALL, settings)?;
        let mut result = OutText::new();
        // SAFETY: the process is open; the text and the place live until the call returns.
        let answer = unsafe {
            raw::HcsModifyProcess(self.handle.as_raw(), settings.as_ptr(), result.place())?
        };
        done(CALL, answer, result)
    }

    /// Its properties, as JSON.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn properties(&self) -> Result<String, Error> {
        let (mut properties, mut result) = (OutText::<CoTask>::new(), OutText::new());
        // SAFETY: the process is open; both places live until the call returns.
        let answer = unsafe {
            raw::HcsGetProcessProperties(self.handle.as_raw(), properties.place(), result.place())?
        };
        done("HcsGetProcessProperties", answer, result)?;
        Ok(properties.into_text().unwrap_or_default())
    }

    /// Its id, and those of its streams that were not handed out yet.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn information(&self) -> Result<ProcessInformation, Error> {
        let mut filled = HCS_PROCESS_INFORMATION::default();
        let mut result = OutText::new();
        // SAFETY: the process is open; both places live until the call returns.
        let answer = unsafe {
            raw::HcsGetProcessInfo(self.handle.as_raw(), &raw mut filled, result.place())?
        };
        // SAFETY: the function hands the streams over to its caller; what it did not fill in is null.
        let information = unsafe { ProcessInformation::take(filled) };
        done("HcsGetProcessInfo", answer, result)?;
        Ok(information)
    }

    /// What the service tells about it from now on.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn subscribe(&self) -> Result<Subscription<Notification>, Error> {
        const CALL: &str = "HcsRegisterProcessCallback";
        Subscription::new(&REGISTRY, |context| {
            let mut callback = ptr::null_mut();
            // SAFETY: the process is open; the place lives until the call returns; the function is what the DLL expects, and takes any
            // context.
            let answer = unsafe {
                raw::HcsRegisterProcessCallback(
                    self.handle.as_raw(),
                    Some(notified),
                    context,
                    &raw mut callback,
                )?
            };
            answer::plain(CALL, Dll::VmCompute, answer)?;
            let owner = Arc::clone(&self.handle);
            // SAFETY: this callback was just registered, and is unregistered so.
            Ok(unsafe {
                Registration::with_handle(raw::HcsUnregisterProcessCallback, callback, Some(owner))
            })
        })
    }
}

/// A process, open as long as this lives.
#[derive(Debug)]
pub(super) struct ProcessHandle(NonNull<c_void>);

// SAFETY: a handle of HCS is a number to the service; it belongs to no thread, and the service takes calls through it from several.
unsafe impl Send for ProcessHandle {}
// SAFETY: as above.
unsafe impl Sync for ProcessHandle {}

impl ProcessHandle {
    /// Takes over what a function wrote; null is none.
    pub(super) fn take(handle: HCS_PROCESS) -> Option<Self> {
        NonNull::new(handle).map(Self)
    }

    fn as_raw(&self) -> HCS_PROCESS {
        self.0.as_ptr()
    }
}

impl Drop for ProcessHandle {
    fn drop(&mut self) {
        // SAFETY: it is open, and nobody uses it any more. There is nobody to tell what the answer is.
        let _ = unsafe { raw::HcsCloseProcess(self.as_raw()) };
    }
}
