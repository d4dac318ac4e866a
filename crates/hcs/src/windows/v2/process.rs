//! Processes in compute systems.
#![expect(unsafe_code, reason = "calls computecore.dll")]

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use windows_sys::Win32::System::HostComputeSystem::HCS_PROCESS;

use super::events::{Event, REGISTRY, happened};
use super::system::wait_for_exit;
use super::{Operation, Optional, Step};
use crate::error::{Dll, Error};
use crate::raw::computecore as raw;
use crate::values::EventOptions;
use crate::windows::answer;
use crate::windows::callback::{Registration, Subscription};

/// An open process. Clones share the handle; it is closed with the last of them and of its subscriptions.
#[derive(Clone, Debug)]
pub struct Process {
    handle: Arc<ProcessHandle>,
}

impl Process {
    pub(super) fn new(call: &'static str, handle: Option<ProcessHandle>) -> Result<Self, Error> {
        let handle = Arc::new(answer::handle(call, Dll::ComputeCore, handle)?);
        Ok(Self { handle })
    }

    /// Begins to end it. Its children live on.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn terminate(&self, options: Option<&str>) -> Result<Operation, Error> {
        self.step("HcsTerminateProcess", raw::HcsTerminateProcess, options)
    }

    /// Begins to send it a signal.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn signal(&self, options: Option<&str>) -> Result<Operation, Error> {
        self.step("HcsSignalProcess", raw::HcsSignalProcess, options)
    }

    /// Begins to change it: the size of its console, or which of its streams are closed.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn modify(&self, settings: &str) -> Result<Operation, Error> {
        self.step("HcsModifyProcess", raw::HcsModifyProcess, Some(settings))
    }

    /// Asks for its properties; the result is their JSON.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn properties(&self, query: Option<&str>) -> Result<Operation, Error> {
        self.step(
            "HcsGetProcessProperties",
            raw::HcsGetProcessProperties,
            query,
        )
    }

    /// Asks for its id and those of its streams that were not handed out yet ([`Operation::wait_for_process`]).
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn information(&self) -> Result<Operation, Error> {
        Operation::begin("HcsGetProcessInfo", |operation| {
            // SAFETY: the process and the operation are open.
            unsafe { raw::HcsGetProcessInfo(self.handle.as_raw(), operation) }
        })
    }

    fn step(
        &self,
        call: &'static str,
        function: Step,
        document: Option<&str>,
    ) -> Result<Operation, Error> {
        let document = Optional::new(call, document)?;
        Operation::begin(call, |operation| {
            // SAFETY: every `Step` given here takes an open process, an operation and a text or null; all live until the call
            // returns.
            unsafe { function(self.handle.as_raw(), operation, document.as_ptr()) }
        })
    }

    /// Waits for its end on this thread; the document is its exit status.
    ///
    /// # Errors
    /// It did not end in time (0x80370118); see [`Error`].
    pub fn wait_for_exit(&self, timeout: Duration) -> Result<Option<String>, Error> {
        // SAFETY: the function is for processes, and this one is open.
        unsafe {
            wait_for_exit(
                "HcsWaitForProcessExit",
                raw::HcsWaitForProcessExit,
                self.handle.as_raw(),
                timeout,
            )
        }
    }

    /// What the service tells about it; as [`super::ComputeSystem::subscribe`].
    ///
    /// # Errors
    /// The handle has a registration (0x80370119); see [`Error`].
    pub fn subscribe(&self, options: EventOptions) -> Result<Subscription<Event>, Error> {
        Subscription::new(&REGISTRY, |context| {
            // SAFETY: the process is open; the function is what the DLL expects, and takes any context.
            let answer = unsafe {
                raw::HcsSetProcessCallback(
                    self.handle.as_raw(),
                    options.0,
                    context,
                    Some(happened),
                )?
            };
            answer::plain("HcsSetProcessCallback", Dll::ComputeCore, answer)?;
            let owner = Arc::clone(&self.handle);
            Ok(Registration::with_owner(owner))
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
        // SAFETY: it is open, and nobody uses it any more.
        let _ = unsafe { raw::HcsCloseProcess(self.as_raw()) };
    }
}
