//! The calls as a program makes them that has nothing between itself and the DLLs.
#![expect(
    unsafe_code,
    reason = "calls Microsoft's DLLs, or what stands in for them"
)]

use std::ffi::c_void;
use std::ptr;
use std::sync::{Condvar, Mutex, PoisonError};

use wcow_hcs::Error;
use wcow_hcs::raw::vmcompute::DriverInfo;
use wcow_hcs::raw::{combase, computecore, vmcompute};
use windows_sys::Win32::Foundation::{GENERIC_ALL, LocalFree};
use windows_sys::Win32::System::HostComputeSystem::{HCS_EVENT, HCS_OPERATION, HCS_SYSTEM};
use windows_sys::core::{HRESULT, PCWSTR, PWSTR};

/// What a call of version 1 answers that goes on.
const PENDING: HRESULT = 0xC037_0103_u32.cast_signed();

/// A text with a NUL at its end.
pub(crate) struct Text(Vec<u16>);

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.encode_utf16().chain([0]).collect())
    }

    fn get(&self) -> PCWSTR {
        self.0.as_ptr()
    }
}

fn well(answer: HRESULT) {
    assert!(
        answer >= 0 || answer == PENDING,
        "a call failed: {answer:#x}"
    );
}

/// Frees a string of vmcompute.dll.
fn free(text: PWSTR) -> Result<(), Error> {
    // SAFETY: the DLL has handed it out, or it is null; it is freed once.
    unsafe { combase::CoTaskMemFree(text.cast_const().cast()) }
}

/// Lists compute systems by version 1.
pub(crate) fn enumerate(query: &Text) -> Result<(), Error> {
    let (mut systems, mut result) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the text and both places live until the call returns.
    let answer = unsafe {
        vmcompute::HcsEnumerateComputeSystems(query.get(), &raw mut systems, &raw mut result)?
    };
    well(answer);
    free(systems)?;
    free(result)
}

/// A request to the Host Network Service.
pub(crate) fn hns(method: &Text, path: &Text, request: &Text) -> Result<(), Error> {
    let mut response = ptr::null_mut();
    // SAFETY: the texts and the place live until the call returns.
    let answer =
        unsafe { vmcompute::HNSCall(method.get(), path.get(), request.get(), &raw mut response)? };
    well(answer);
    free(response)
}

/// Whether there is a layer.
pub(crate) fn layer_exists(path: &Text) -> Result<(), Error> {
    let empty = [0_u16];
    let driver = DriverInfo {
        flavour: 1,
        home: empty.as_ptr(),
    };
    let mut exists = 0;
    // SAFETY: all that is pointed to lives until the call returns.
    let answer = unsafe { vmcompute::LayerExists(&raw const driver, path.get(), &raw mut exists)? };
    well(answer);
    assert_eq!(exists, 1);
    Ok(())
}

/// The exit of the one system that is waited for.
static EXITED: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

fn tell_exit() {
    *EXITED.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
    EXITED.1.notify_one();
}

fn wait_for_exit() {
    let mut exited = EXITED.0.lock().unwrap_or_else(PoisonError::into_inner);
    while !std::mem::take(&mut *exited) {
        exited = EXITED
            .1
            .wait(exited)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

/// A system, through version 1.
pub(crate) struct First(HCS_SYSTEM);

impl First {
    pub(crate) fn open(id: &Text) -> Result<Self, Error> {
        let (mut system, mut result) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the text and both places live until the call returns.
        let answer =
            unsafe { vmcompute::HcsOpenComputeSystem(id.get(), &raw mut system, &raw mut result)? };
        well(answer);
        free(result)?;
        Ok(Self(system))
    }

    pub(crate) fn properties(&self, query: &Text) -> Result<(), Error> {
        let (mut properties, mut result) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the handle is open; the text and both places live until the call returns.
        let answer = unsafe {
            vmcompute::HcsGetComputeSystemProperties(
                self.0,
                query.get(),
                &raw mut properties,
                &raw mut result,
            )?
        };
        well(answer);
        free(properties)?;
        free(result)
    }

    /// Creates a system, hears of its end, ends it and closes it.
    pub(crate) fn live(id: &Text, configuration: &Text) -> Result<(), Error> {
        let (mut system, mut result) = (ptr::null_mut(), ptr::null_mut());
        let mut callback = ptr::null_mut();
        // SAFETY: texts and places live until the calls return; the handles are open until they are closed, the callback first; the
        // function is what the DLL expects.
        unsafe {
            well(vmcompute::HcsCreateComputeSystem(
                id.get(),
                configuration.get(),
                ptr::null_mut(),
                &raw mut system,
                &raw mut result,
            )?);
            free(result)?;
            well(vmcompute::HcsRegisterComputeSystemCallback(
                system,
                Some(notified),
                ptr::null(),
                &raw mut callback,
            )?);
            result = ptr::null_mut();
            let nothing = [0_u16];
            well(vmcompute::HcsTerminateComputeSystem(
                system,
                nothing.as_ptr(),
                &raw mut result,
            )?);
            free(result)?;
            wait_for_exit();
            well(vmcompute::HcsUnregisterComputeSystemCallback(callback)?);
            well(vmcompute::HcsCloseComputeSystem(system)?);
        }
        Ok(())
    }
}

impl Drop for First {
    fn drop(&mut self) {
        // SAFETY: it is open, and nobody uses it any more.
        let _ = unsafe { vmcompute::HcsCloseComputeSystem(self.0) };
    }
}

/// What vmcompute.dll calls.
///
/// # Safety
/// None: nothing is read through a pointer.
unsafe extern "system" fn notified(kind: u32, _: *const c_void, _: HRESULT, _: PCWSTR) {
    if kind == 1 {
        tell_exit();
    }
}

/// A system, through version 2.
pub(crate) struct Second(HCS_SYSTEM);

impl Second {
    pub(crate) fn open(id: &Text) -> Result<Self, Error> {
        let mut system = ptr::null_mut();
        // SAFETY: the text and the place live until the call returns.
        let answer =
            unsafe { computecore::HcsOpenComputeSystem(id.get(), GENERIC_ALL, &raw mut system)? };
        well(answer);
        Ok(Self(system))
    }

    pub(crate) fn properties(&self, query: &Text) -> Result<(), Error> {
        // SAFETY: both handles are open; the text lives until the call returns.
        operation(|operation| unsafe {
            computecore::HcsGetComputeSystemProperties(self.0, operation, query.get())
        })
    }

    /// Creates a system, hears of its end, ends it and closes it.
    pub(crate) fn live(id: &Text, configuration: &Text) -> Result<(), Error> {
        let mut system = ptr::null_mut();
        // SAFETY: the operation is open; texts and the place live until the call returns; no descriptor is the caller's own.
        operation(|operation| unsafe {
            computecore::HcsCreateComputeSystem(
                id.get(),
                configuration.get(),
                operation,
                ptr::null(),
                &raw mut system,
            )
        })?;
        // SAFETY: the system is open; the function is what the DLL expects.
        well(unsafe {
            computecore::HcsSetComputeSystemCallback(system, 0, ptr::null(), Some(happened))?
        });
        // SAFETY: both handles are open.
        operation(|operation| unsafe {
            computecore::HcsTerminateComputeSystem(system, operation, ptr::null())
        })?;
        wait_for_exit();
        // SAFETY: it is open, and nobody uses it any more.
        unsafe { computecore::HcsCloseComputeSystem(system) }
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        // SAFETY: it is open, and nobody uses it any more.
        let _ = unsafe { computecore::HcsCloseComputeSystem(self.0) };
    }
}

/// What computecore.dll calls.
///
/// # Safety
/// The event lives until this returns.
unsafe extern "system" fn happened(event: *const HCS_EVENT, _: *const c_void) {
    // SAFETY: the caller, a DLL, keeps it until this returns.
    if unsafe { (*event).Type } == 1 {
        tell_exit();
    }
}

/// Begins an operation and waits for its end.
fn operation(begin: impl FnOnce(HCS_OPERATION) -> Result<HRESULT, Error>) -> Result<(), Error> {
    let mut document = ptr::null_mut();
    // SAFETY: the operation is open until it is closed, once; the place lives until the call returns; the text is freed once.
    unsafe {
        let operation = computecore::HcsCreateOperation(ptr::null(), None)?;
        well(begin(operation)?);
        let forever = u32::MAX;
        well(computecore::HcsWaitForOperationResult(
            operation,
            forever,
            &raw mut document,
        )?);
        LocalFree(document.cast());
        computecore::HcsCloseOperation(operation)
    }
}
