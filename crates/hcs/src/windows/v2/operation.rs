//! Operations: calls that end later.
#![expect(unsafe_code, reason = "calls computecore.dll")]

use std::ffi::c_void;
use std::future::poll_fn;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use wcow_ntmeta::Hresult;
use windows_sys::Win32::System::HostComputeSystem::{HCS_OPERATION, HCS_PROCESS_INFORMATION};
use windows_sys::core::HRESULT;

use super::milliseconds;
use crate::error::{Dll, Error};
use crate::raw::computecore as raw;
use crate::registry::{Registry, Ticket};
use crate::signal::Signal;
use crate::values::OperationType;
use crate::windows::answer;
use crate::windows::callback::{context, guarded, target};
use crate::windows::memory::{Local, OutText};
use crate::windows::process_info::ProcessInformation;

const E_OUTOFMEMORY: Hresult = Hresult(0x8007_000E);

/// Where completions find whom to tell.
static REGISTRY: Registry<Signal> = Registry::new();

/// A call that has begun.
///
/// Dropping it stops nothing: the host goes on, and nobody hears how it ends. Errors carry the name of the call that began it, and
/// the document that the host gives with a failure.
pub struct Operation {
    call: &'static str,
    handle: OperationHandle,
    _ticket: Ticket<Signal>,
    finished: Arc<Signal>,
}

impl Operation {
    /// Begins a call: `begin` is given a new operation to pass on.
    pub(super) fn begin(
        call: &'static str,
        begin: impl FnOnce(HCS_OPERATION) -> Result<HRESULT, Error>,
    ) -> Result<Self, Error> {
        let finished = Arc::new(Signal::default());
        let ticket = REGISTRY.enter(Arc::clone(&finished));
        // SAFETY: the function is what the DLL expects, and takes any context.
        let handle = unsafe { raw::HcsCreateOperation(context(&ticket), Some(completed))? };
        let handle = NonNull::new(handle).map(OperationHandle).ok_or_else(|| {
            Error::answered("HcsCreateOperation", Dll::ComputeCore, E_OUTOFMEMORY, None)
        })?;
        let answer = begin(handle.as_raw())?;
        answer::plain(call, Dll::ComputeCore, answer)?;
        Ok(Self {
            call,
            handle,
            _ticket: ticket,
            finished,
        })
    }

    /// How it ended, and the document that it ended with, without waiting.
    ///
    /// # Errors
    /// It still runs (0x80370117); it failed; see [`Error`].
    pub fn result(&self) -> Result<Option<String>, Error> {
        let mut document = OutText::new();
        // SAFETY: the operation is open; the place lives until the call returns.
        let answer = unsafe { raw::HcsGetOperationResult(self.handle.as_raw(), document.place())? };
        self.ended(answer, document)
    }

    /// As [`Operation::result`], after waiting for the end on this thread.
    ///
    /// # Errors
    /// It did not end in time (0x80370118), and can be waited for again; it failed; see [`Error`].
    pub fn wait(&self, timeout: Duration) -> Result<Option<String>, Error> {
        let mut document = OutText::new();
        // SAFETY: the operation is open; the place lives until the call returns.
        let answer = unsafe {
            raw::HcsWaitForOperationResult(
                self.handle.as_raw(),
                milliseconds(timeout),
                document.place(),
            )?
        };
        self.ended(answer, document)
    }

    /// As [`Operation::wait`], with the process that was created or asked for. Its streams are handed out once.
    ///
    /// # Errors
    /// The operation is of another type (0x80070057), or the streams were handed out (0x8037011D); as [`Operation::wait`].
    pub fn wait_for_process(
        &self,
        timeout: Duration,
    ) -> Result<(ProcessInformation, Option<String>), Error> {
        let mut document = OutText::new();
        let mut filled = HCS_PROCESS_INFORMATION::default();
        // SAFETY: the operation is open; both places live until the call returns.
        let answer = unsafe {
            raw::HcsWaitForOperationResultAndProcessInfo(
                self.handle.as_raw(),
                milliseconds(timeout),
                &raw mut filled,
                document.place(),
            )?
        };
        // SAFETY: the function hands the streams over to its caller; what it did not fill in is null.
        let information = unsafe { ProcessInformation::take(filled) };
        Ok((information, self.ended(answer, document)?))
    }

    fn ended(&self, answer: HRESULT, document: OutText<Local>) -> Result<Option<String>, Error> {
        answer::text(self.call, Dll::ComputeCore, answer, document)
    }

    /// Ready once it has ended, however that was; ask for the result then. It waits for ever if the service dies: race it
    /// against a clock.
    pub async fn finished(&self) {
        poll_fn(|context| self.poll_finished(context)).await;
    }

    /// As [`Operation::finished`], for those who write futures. The task is woken on a thread of the service.
    pub fn poll_finished(&self, context: &mut Context<'_>) -> Poll<()> {
        self.finished.poll(context)
    }

    /// Asks the host to stop it. Hosts so far answer that they do not implement this (0x80004001).
    ///
    /// # Errors
    /// See [`Error`].
    pub fn cancel(&self) -> Result<(), Error> {
        // SAFETY: the operation is open.
        let answer = unsafe { raw::HcsCancelOperation(self.handle.as_raw())? };
        answer::plain("HcsCancelOperation", Dll::ComputeCore, answer)
    }

    /// What it does.
    ///
    /// # Errors
    /// The host has no such function.
    pub fn kind(&self) -> Result<OperationType, Error> {
        // SAFETY: the operation is open.
        unsafe { raw::HcsGetOperationType(self.handle.as_raw()) }.map(OperationType)
    }

    /// The number that the host knows it by.
    ///
    /// # Errors
    /// The host has no such function.
    pub fn id(&self) -> Result<u64, Error> {
        // SAFETY: the operation is open.
        unsafe { raw::HcsGetOperationId(self.handle.as_raw()) }
    }
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation")
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

/// What computecore.dll calls when an operation has ended, on a thread of its own.
///
/// # Safety
/// None: nothing is read through either pointer.
unsafe extern "system" fn completed(_operation: HCS_OPERATION, context: *const c_void) {
    guarded(|| {
        if let Some(finished) = target(&REGISTRY, context) {
            finished.give();
        }
    });
}

/// An operation, open as long as this lives.
struct OperationHandle(NonNull<c_void>);

// SAFETY: an operation belongs to no thread; the DLL takes calls about it from several, and ends it on one of its own.
unsafe impl Send for OperationHandle {}
// SAFETY: as above.
unsafe impl Sync for OperationHandle {}

impl OperationHandle {
    fn as_raw(&self) -> HCS_OPERATION {
        self.0.as_ptr()
    }
}

impl Drop for OperationHandle {
    fn drop(&mut self) {
        // SAFETY: it is open, and nobody uses it any more.
        let _ = unsafe { raw::HcsCloseOperation(self.as_raw()) };
    }
}
