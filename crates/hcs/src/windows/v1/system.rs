//! Compute systems.
#![expect(unsafe_code, reason = "calls vmcompute.dll")]

use std::ptr::{self, NonNull};
use std::sync::Arc;

use windows_sys::Win32::System::HostComputeSystem::{HCS_PROCESS_INFORMATION, HCS_SYSTEM};
use windows_sys::core::{HRESULT, PCWSTR, PWSTR};

use super::notifications::{Notification, REGISTRY, notified};
use super::process::ProcessHandle;
use super::{Completion, Process, completion, done, wide};
use crate::error::{Dll, Error};
use crate::raw::vmcompute as raw;
use crate::windows::answer;
use crate::windows::callback::{Registration, Subscription};
use crate::windows::memory::{CoTask, OutText};
use crate::windows::process_info::ProcessInformation;

/// An open compute system. Clones share the handle; it is closed with the last of them and of its subscriptions.
#[derive(Clone, Debug)]
pub struct ComputeSystem {
    handle: Arc<SystemHandle>,
}

/// Lists the systems that a query asks for, as a JSON array. `{}` or nothing asks for all.
///
/// # Errors
/// See [`Error`].
pub fn enumerate(query: &str) -> Result<String, Error> {
    const CALL: &str = "HcsEnumerateComputeSystems";
    let query = wide(CALL, query)?;
    let (mut systems, mut result) = (OutText::<CoTask>::new(), OutText::new());
    // SAFETY: the text and both places live until the call returns.
    let answer = unsafe {
        raw::HcsEnumerateComputeSystems(query.as_ptr(), systems.place(), result.place())?
    };
    done(CALL, answer, result)?;
    Ok(systems.into_text().unwrap_or_default())
}

/// What the service says of itself, as JSON.
///
/// # Errors
/// See [`Error`].
pub fn service_properties(query: &str) -> Result<String, Error> {
    const CALL: &str = "HcsGetServiceProperties";
    let query = wide(CALL, query)?;
    let (mut properties, mut result) = (OutText::<CoTask>::new(), OutText::new());
    // SAFETY: the text and both places live until the call returns.
    let answer = unsafe {
        raw::HcsGetServiceProperties(query.as_ptr(), properties.place(), result.place())?
    };
    done(CALL, answer, result)?;
    Ok(properties.into_text().unwrap_or_default())
}

/// Changes settings of the service.
///
/// # Errors
/// See [`Error`].
pub fn modify_service(settings: &str) -> Result<(), Error> {
    const CALL: &str = "HcsModifyServiceSettings";
    let settings = wide(CALL, settings)?;
    let mut result = OutText::new();
    // SAFETY: the text and the place live until the call returns.
    let answer = unsafe { raw::HcsModifyServiceSettings(settings.as_ptr(), result.place())? };
    done(CALL, answer, result)
}

impl ComputeSystem {
    /// Creates a system. If that is pending, `SystemCreateCompleted` tells its end; subscribe, then wait for it.
    ///
    /// # Errors
    /// See [`Error`]; nothing is left open.
    pub fn create(id: &str, configuration: &str) -> Result<(Self, Completion), Error> {
        const CALL: &str = "HcsCreateComputeSystem";
        let (id, configuration) = (wide(CALL, id)?, wide(CALL, configuration)?);
        let (mut handle, mut result) = (ptr::null_mut(), OutText::new());
        // SAFETY: the texts and both places live until the call returns; a null identity is the caller's own.
        let answer = unsafe {
            raw::HcsCreateComputeSystem(
                id.as_ptr(),
                configuration.as_ptr(),
                ptr::null_mut(),
                &raw mut handle,
                result.place(),
            )?
        };
        // Taken over before the answer is looked at, so that a handle beside a failure is closed too.
        let handle = SystemHandle::take(handle);
        let completion = completion(CALL, answer, result)?;
        Self::new(CALL, handle).map(|system| (system, completion))
    }

    /// Opens a system that exists.
    ///
    /// # Errors
    /// None by this id (0xC037010E); see [`Error`].
    pub fn open(id: &str) -> Result<Self, Error> {
        const CALL: &str = "HcsOpenComputeSystem";
        let id = wide(CALL, id)?;
        let (mut handle, mut result) = (ptr::null_mut(), OutText::new());
        // SAFETY: the text and both places live until the call returns.
        let answer =
            unsafe { raw::HcsOpenComputeSystem(id.as_ptr(), &raw mut handle, result.place())? };
        let handle = SystemHandle::take(handle);
        done(CALL, answer, result)?;
        Self::new(CALL, handle)
    }

    fn new(call: &'static str, handle: Option<SystemHandle>) -> Result<Self, Error> {
        let handle = Arc::new(answer::handle(call, Dll::VmCompute, handle)?);
        Ok(Self { handle })
    }

    /// Starts it; `SystemStartCompleted` tells the end.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn start(&self, options: &str) -> Result<Completion, Error> {
        self.step("HcsStartComputeSystem", raw::HcsStartComputeSystem, options)
    }

    /// Asks it to shut down; `SystemExited` tells the end.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn shutdown(&self, options: &str) -> Result<Completion, Error> {
        self.step(
            "HcsShutdownComputeSystem",
            raw::HcsShutdownComputeSystem,
            options,
        )
    }

    /// Ends it; `SystemExited` tells the end.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn terminate(&self, options: &str) -> Result<Completion, Error> {
        self.step(
            "HcsTerminateComputeSystem",
            raw::HcsTerminateComputeSystem,
            options,
        )
    }

    /// Pauses it; `SystemPauseCompleted` tells the end.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn pause(&self, options: &str) -> Result<Completion, Error> {
        self.step("HcsPauseComputeSystem", raw::HcsPauseComputeSystem, options)
    }

    /// Lets it go on; `SystemResumeCompleted` tells the end.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn resume(&self, options: &str) -> Result<Completion, Error> {
        self.step(
            "HcsResumeComputeSystem",
            raw::HcsResumeComputeSystem,
            options,
        )
    }

    /// Saves it, once it is paused; `SystemSaveCompleted` tells the end.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn save(&self, options: &str) -> Result<Completion, Error> {
        self.step("HcsSaveComputeSystem", raw::HcsSaveComputeSystem, options)
    }

    /// Changes it; that has ended when this returns.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn modify(&self, configuration: &str) -> Result<(), Error> {
        self.step(
            "HcsModifyComputeSystem",
            raw::HcsModifyComputeSystem,
            configuration,
        )
        .map(|_| ())
    }

    fn step(&self, call: &'static str, function: Step, options: &str) -> Result<Completion, Error> {
        let options = wide(call, options)?;
        let mut result = OutText::new();
        // SAFETY: every `Step` takes an open system, a text and a place; all three live until the call returns.
        let answer = unsafe { function(self.handle.as_raw(), options.as_ptr(), result.place())? };
        completion(call, answer, result)
    }

    /// Its properties, as JSON; `{}` or nothing asks for the usual ones.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn properties(&self, query: &str) -> Result<String, Error> {
        const CALL: &str = "HcsGetComputeSystemProperties";
        let query = wide(CALL, query)?;
        let (mut properties, mut result) = (OutText::<CoTask>::new(), OutText::new());
        // SAFETY: the system is open; the text and both places live until the call returns.
        let answer = unsafe {
            raw::HcsGetComputeSystemProperties(
                self.handle.as_raw(),
                query.as_ptr(),
                properties.place(),
                result.place(),
            )?
        };
        done(CALL, answer, result)?;
        Ok(properties.into_text().unwrap_or_default())
    }

    /// Starts a process in it.
    ///
    /// # Errors
    /// See [`Error`]; nothing is left open.
    pub fn create_process(&self, parameters: &str) -> Result<(Process, ProcessInformation), Error> {
        const CALL: &str = "HcsCreateProcess";
        let parameters = wide(CALL, parameters)?;
        let (mut handle, mut result) = (ptr::null_mut(), OutText::new());
        let mut filled = HCS_PROCESS_INFORMATION::default();
        // SAFETY: the system is open; the text and the three places live until the call returns.
        let answer = unsafe {
            raw::HcsCreateProcess(
                self.handle.as_raw(),
                parameters.as_ptr(),
                &raw mut filled,
                &raw mut handle,
                result.place(),
            )?
        };
        // SAFETY: the function hands the streams over to its caller; what it did not fill in is null.
        let information = unsafe { ProcessInformation::take(filled) };
        let handle = ProcessHandle::take(handle);
        done(CALL, answer, result)?;
        Ok((Process::new(CALL, handle)?, information))
    }

    /// Opens a process in it. Its streams belong to its creator.
    ///
    /// # Errors
    /// None by this id (0x80070490); see [`Error`].
    pub fn open_process(&self, process_id: u32) -> Result<Process, Error> {
        const CALL: &str = "HcsOpenProcess";
        let (mut handle, mut result) = (ptr::null_mut(), OutText::new());
        // SAFETY: the system is open; both places live until the call returns.
        let answer = unsafe {
            raw::HcsOpenProcess(
                self.handle.as_raw(),
                process_id,
                &raw mut handle,
                result.place(),
            )?
        };
        let handle = ProcessHandle::take(handle);
        done(CALL, answer, result)?;
        Process::new(CALL, handle)
    }

    /// What the service tells about it from now on, and of its creation.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn subscribe(&self) -> Result<Subscription<Notification>, Error> {
        const CALL: &str = "HcsRegisterComputeSystemCallback";
        Subscription::new(&REGISTRY, |context| {
            let mut callback = ptr::null_mut();
            // SAFETY: the system is open; the place lives until the call returns; the function is what the DLL expects, and takes any
            // context.
            let answer = unsafe {
                raw::HcsRegisterComputeSystemCallback(
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
                Registration::with_handle(
                    raw::HcsUnregisterComputeSystemCallback,
                    callback,
                    Some(owner),
                )
            })
        })
    }
}

/// A function that takes a system, a document, and a place for what it says.
type Step = unsafe fn(HCS_SYSTEM, PCWSTR, *mut PWSTR) -> Result<HRESULT, Error>;

/// A system, open as long as this lives.
#[derive(Debug)]
struct SystemHandle(NonNull<std::ffi::c_void>);

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
        // SAFETY: it is open, and nobody uses it any more. There is nobody to tell what the answer is.
        let _ = unsafe { raw::HcsCloseComputeSystem(self.as_raw()) };
    }
}
