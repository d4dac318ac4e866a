//! Compute systems.
#![expect(unsafe_code, reason = "calls computecore.dll")]

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use windows_sys::Win32::System::HostComputeSystem::HCS_SYSTEM;

use super::events::{Event, REGISTRY, happened};
use super::process::ProcessHandle;
use super::{GENERIC_ALL, Operation, Optional, Process, Step, WaitForExit, milliseconds, wide};
use crate::error::{Dll, Error};
use crate::raw::computecore as raw;
use crate::values::EventOptions;
use crate::windows::answer;
use crate::windows::callback::{Registration, Subscription};
use crate::windows::memory::{Local, OutText};

/// An open compute system. Clones share the handle; it is closed with the last of them and of its subscriptions.
#[derive(Clone, Debug)]
pub struct ComputeSystem {
    handle: Arc<SystemHandle>,
}

/// Lists the systems that a query asks for; the result is a JSON array.
///
/// # Errors
/// See [`Error`].
pub fn enumerate(query: Option<&str>) -> Result<Operation, Error> {
    const CALL: &str = "HcsEnumerateComputeSystems";
    let query = Optional::new(CALL, query)?;
    Operation::begin(CALL, |operation| {
        // SAFETY: the operation is open and new; the text lives until the call returns.
        unsafe { raw::HcsEnumerateComputeSystems(query.as_ptr(), operation) }
    })
}

/// What the service says of itself, as JSON.
///
/// # Errors
/// See [`Error`].
pub fn service_properties(query: Option<&str>) -> Result<String, Error> {
    const CALL: &str = "HcsGetServiceProperties";
    let query = Optional::new(CALL, query)?;
    let mut properties = OutText::<Local>::new();
    // SAFETY: the text and the place live until the call returns.
    let answer = unsafe { raw::HcsGetServiceProperties(query.as_ptr(), properties.place())? };
    answer::text(CALL, Dll::ComputeCore, answer, properties).map(Option::unwrap_or_default)
}

/// Changes settings of the service.
///
/// # Errors
/// See [`Error`].
pub fn modify_service(settings: &str) -> Result<Option<String>, Error> {
    const CALL: &str = "HcsModifyServiceSettings";
    let settings = wide(CALL, settings)?;
    let mut result = OutText::<Local>::new();
    // SAFETY: the text and the place live until the call returns.
    let answer = unsafe { raw::HcsModifyServiceSettings(settings.as_ptr(), result.place())? };
    answer::text(CALL, Dll::ComputeCore, answer, result)
}

/// Lets a virtual machine open a file.
///
/// # Errors
/// See [`Error`].
pub fn grant_vm_access(vm: &str, file: &str) -> Result<(), Error> {
    const CALL: &str = "HcsGrantVmAccess";
    let (vm, file) = (wide(CALL, vm)?, wide(CALL, file)?);
    // SAFETY: both texts live until the call returns.
    let answer = unsafe { raw::HcsGrantVmAccess(vm.as_ptr(), file.as_ptr())? };
    answer::plain(CALL, Dll::ComputeCore, answer)
}

/// Takes that back.
///
/// # Errors
/// See [`Error`].
pub fn revoke_vm_access(vm: &str, file: &str) -> Result<(), Error> {
    const CALL: &str = "HcsRevokeVmAccess";
    let (vm, file) = (wide(CALL, vm)?, wide(CALL, file)?);
    // SAFETY: both texts live until the call returns.
    let answer = unsafe { raw::HcsRevokeVmAccess(vm.as_ptr(), file.as_ptr())? };
    answer::plain(CALL, Dll::ComputeCore, answer)
}

impl ComputeSystem {
    /// Begins to create a system. The handle is good at once, for waiting and for subscribing.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn create(id: &str, configuration: &str) -> Result<(Self, Operation), Error> {
        const CALL: &str = "HcsCreateComputeSystem";
        let (id, configuration) = (wide(CALL, id)?, wide(CALL, configuration)?);
        let mut handle = ptr::null_mut();
        let begun = Operation::begin(CALL, |operation| {
            // SAFETY: the operation is open and new; the texts and the place live until the call returns; no security descriptor may
            // be given.
            unsafe {
                raw::HcsCreateComputeSystem(
                    id.as_ptr(),
                    configuration.as_ptr(),
                    operation,
                    ptr::null(),
                    &raw mut handle,
                )
            }
        });
        // Taken over before the answer is looked at, so that a handle beside a failure is closed too.
        let handle = SystemHandle::take(handle);
        let operation = begun?;
        Ok((Self::new(CALL, handle)?, operation))
    }

    /// Opens a system that exists.
    ///
    /// # Errors
    /// None by this id (0x8037010E); see [`Error`].
    pub fn open(id: &str) -> Result<Self, Error> {
        const CALL: &str = "HcsOpenComputeSystem";
        let id = wide(CALL, id)?;
        let mut handle = ptr::null_mut();
        // SAFETY: the text and the place live until the call returns.
        let answer =
            unsafe { raw::HcsOpenComputeSystem(id.as_ptr(), GENERIC_ALL, &raw mut handle)? };
        let handle = SystemHandle::take(handle);
        answer::plain(CALL, Dll::ComputeCore, answer)?;
        Self::new(CALL, handle)
    }

    fn new(call: &'static str, handle: Option<SystemHandle>) -> Result<Self, Error> {
        let handle = Arc::new(answer::handle(call, Dll::ComputeCore, handle)?);
        Ok(Self { handle })
    }

    /// Begins to start it.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn start(&self, options: Option<&str>) -> Result<Operation, Error> {
        self.step("HcsStartComputeSystem", raw::HcsStartComputeSystem, options)
    }

    /// Begins to shut it down. The operation ends when the guest was told; an event tells the exit.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn shut_down(&self, options: Option<&str>) -> Result<Operation, Error> {
        self.step(
            "HcsShutDownComputeSystem",
            raw::HcsShutDownComputeSystem,
            options,
        )
    }

    /// Begins to end it.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn terminate(&self, options: Option<&str>) -> Result<Operation, Error> {
        self.step(
            "HcsTerminateComputeSystem",
            raw::HcsTerminateComputeSystem,
            options,
        )
    }

    /// Begins to pause it.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn pause(&self, options: Option<&str>) -> Result<Operation, Error> {
        self.step("HcsPauseComputeSystem", raw::HcsPauseComputeSystem, options)
    }

    /// Begins to let it go on.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn resume(&self, options: Option<&str>) -> Result<Operation, Error> {
        self.step(
            "HcsResumeComputeSystem",
            raw::HcsResumeComputeSystem,
            options,
        )
    }

    /// Begins to save it, once it is paused.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn save(&self, options: Option<&str>) -> Result<Operation, Error> {
        self.step("HcsSaveComputeSystem", raw::HcsSaveComputeSystem, options)
    }

    /// Begins to crash it: virtual machines only.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn crash(&self, options: Option<&str>) -> Result<Operation, Error> {
        self.step("HcsCrashComputeSystem", raw::HcsCrashComputeSystem, options)
    }

    /// Asks for its properties; the result is their JSON.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn properties(&self, query: Option<&str>) -> Result<Operation, Error> {
        self.step(
            "HcsGetComputeSystemProperties",
            raw::HcsGetComputeSystemProperties,
            query,
        )
    }

    fn step(
        &self,
        call: &'static str,
        function: Step,
        document: Option<&str>,
    ) -> Result<Operation, Error> {
        let document = Optional::new(call, document)?;
        Operation::begin(call, |operation| {
            // SAFETY: every `Step` given here takes an open system, an operation and a text or null; all live until the call
            // returns.
            unsafe { function(self.handle.as_raw(), operation, document.as_ptr()) }
        })
    }

    /// Begins to change it.
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn modify(&self, configuration: &str) -> Result<Operation, Error> {
        const CALL: &str = "HcsModifyComputeSystem";
        let configuration = wide(CALL, configuration)?;
        Operation::begin(CALL, |operation| {
            // SAFETY: the system and the operation are open; the text lives until the call returns; a null identity is the caller's own.
            unsafe {
                raw::HcsModifyComputeSystem(
                    self.handle.as_raw(),
                    operation,
                    configuration.as_ptr(),
                    ptr::null_mut(),
                )
            }
        })
    }

    /// Begins to start a process in it. The operation's end hands out its streams ([`Operation::wait_for_process`]).
    ///
    /// # Errors
    /// It was not begun; see [`Error`].
    pub fn create_process(&self, parameters: &str) -> Result<(Process, Operation), Error> {
        const CALL: &str = "HcsCreateProcess";
        let parameters = wide(CALL, parameters)?;
        let mut handle = ptr::null_mut();
        let begun = Operation::begin(CALL, |operation| {
            // SAFETY: the system and the operation are open; the text and the place live until the call returns; no security descriptor
            // may be given.
            unsafe {
                raw::HcsCreateProcess(
                    self.handle.as_raw(),
                    parameters.as_ptr(),
                    operation,
                    ptr::null(),
                    &raw mut handle,
                )
            }
        });
        let handle = ProcessHandle::take(handle);
        let operation = begun?;
        Ok((Process::new(CALL, handle)?, operation))
    }

    /// Opens a process in it.
    ///
    /// # Errors
    /// None by this id (0x80070490); see [`Error`].
    pub fn open_process(&self, process_id: u32) -> Result<Process, Error> {
        const CALL: &str = "HcsOpenProcess";
        let mut handle = ptr::null_mut();
        // SAFETY: the system is open; the place lives until the call returns.
        let answer = unsafe {
            raw::HcsOpenProcess(
                self.handle.as_raw(),
                process_id,
                GENERIC_ALL,
                &raw mut handle,
            )?
        };
        let handle = ProcessHandle::take(handle);
        answer::plain(CALL, Dll::ComputeCore, answer)?;
        Process::new(CALL, handle)
    }

    /// Waits for its end on this thread; the document is its exit status.
    ///
    /// # Errors
    /// It did not end in time (0x80370118); see [`Error`].
    pub fn wait_for_exit(&self, timeout: Duration) -> Result<Option<String>, Error> {
        // SAFETY: the function is for systems, and this one is open.
        unsafe {
            wait_for_exit(
                "HcsWaitForComputeSystemExit",
                raw::HcsWaitForComputeSystemExit,
                self.handle.as_raw(),
                timeout,
            )
        }
    }

    /// What the service tells about it. A handle takes one registration, for good: when the subscription is dropped, later events go
    /// nowhere.
    ///
    /// With [`EventOptions::ENABLE_OPERATION_CALLBACKS`] the host refuses callbacks of operations, and so every further call through this
    /// handle that gives an [`Operation`] (0x80370119).
    ///
    /// # Errors
    /// The handle has a registration (0x80370119); see [`Error`].
    pub fn subscribe(&self, options: EventOptions) -> Result<Subscription<Event>, Error> {
        Subscription::new(&REGISTRY, |context| {
            // SAFETY: the system is open; the function is what the DLL expects, and takes any context.
            let answer = unsafe {
                raw::HcsSetComputeSystemCallback(
                    self.handle.as_raw(),
                    options.0,
                    context,
                    Some(happened),
                )?
            };
            answer::plain("HcsSetComputeSystemCallback", Dll::ComputeCore, answer)?;
            let owner = Arc::clone(&self.handle);
            Ok(Registration::with_owner(owner))
        })
    }
}

/// Waits for the end of a system or a process.
///
/// # Safety
/// `function` is for objects such as `handle`, which is open.
pub(super) unsafe fn wait_for_exit(
    call: &'static str,
    function: WaitForExit,
    handle: *mut c_void,
    timeout: Duration,
) -> Result<Option<String>, Error> {
    let mut status = OutText::<Local>::new();
    // SAFETY: the caller vouches for the handle; the place lives until the call returns.
    let answer = unsafe { function(handle, milliseconds(timeout), status.place())? };
    answer::text(call, Dll::ComputeCore, answer, status)
}

/// A system, open as long as this lives.
#[derive(Debug)]
struct SystemHandle(NonNull<c_void>);

// SAFETY: a handle of HCS is a number to the service; it belongs to no thread, and the service takes calls through it from several.
unsafe impl Send for SystemHandle {}
// SAFETY: as above.
unsafe impl Sync for SystemHandle {}

impl SystemHandle {
    /// Takes over what a function wrote; null is none.
    fn take(handle: HCS_SYSTEM) -> Option<Self> {
        NonNull::new(handle).map(Self)
    }

    fn as_raw(&self) -> HCS_SYSTEM {
        self.0.as_ptr()
    }
}

impl Drop for SystemHandle {
    fn drop(&mut self) {
        // SAFETY: it is open, and nobody uses it any more.
        let _ = unsafe { raw::HcsCloseComputeSystem(self.as_raw()) };
    }
}
