//! vmcompute.dll: compute systems and processes of the first generation. Strings are freed with `CoTaskMemFree`.
//!
//! Creations, starts, pauses, resumptions and saves answer 0xC0370103 and end with a notification; what comes before anybody has
//! registered is kept for the first who does. A refusal that depends on no event, such as a wrong state, is the answer itself. Shutdowns
//! and terminations answer 0xC0370103 when they were accepted; the notification of the exit says that they are done.
#![expect(
    unsafe_code,
    non_snake_case,
    reason = "foreign functions, by their names"
)]

use std::ffi::c_void;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use wcow_hcs::values::NotificationType;
use wcow_host::codes::{self, v1, win32};
use wcow_host::{ComputeApi, ComputeService, SystemId};
use wcow_ntmeta::Hresult;

use crate::abi::{
    HANDLE, HCS_NOTIFICATION_CALLBACK, HCS_PROCESS, HCS_PROCESS_INFORMATION, HCS_SYSTEM, HRESULT,
    PCWSTR, PWSTR,
};
use crate::answer::{E_INVALIDARG, NOT_SUPPORTED, Outcome, number};
use crate::callbacks::{Hub, Notice};
use crate::documents;
use crate::exports::exports;
use crate::latch::Latch;
use crate::places::{empty, place_handle, register, unregister};
use crate::session::{Session, session};
use crate::strings::{self, Owner, required};
use crate::system::{Process, System};
use crate::table::{self, Object};

pub mod hns;
pub mod layers;

const API: ComputeApi = ComputeApi::V1;
const PENDING: Hresult = Hresult(0xC037_0103);
/// How long a call is looked at before it counts as pending: long enough for refusals, which take no time of the world.
const LOOK: Duration = Duration::from_millis(250);

/// Answers with a code, and hands the document out that explains a failure.
///
/// # Safety
/// The place is null or can be written.
pub(crate) unsafe fn answer(outcome: Outcome<Hresult>, result: *mut PWSTR) -> HRESULT {
    // SAFETY: the caller vouches for the place.
    unsafe { strings::clear(result) };
    match outcome {
        Ok(code) => code.as_i32(),
        Err(failure) => {
            if let Ok(session) = session() {
                let text = failure.text(session.facts.build);
                // SAFETY: the caller vouches for the place. Without memory there is no document.
                let _ = unsafe { strings::give(result, &text, Owner::CoTask) };
            }
            failure.code.as_i32()
        }
    }
}

/// Hands a text out.
///
/// # Safety
/// The place is null or can be written.
pub(crate) unsafe fn give(place: *mut PWSTR, text: &str) -> Outcome<Hresult> {
    // SAFETY: the caller vouches for the place.
    unsafe { strings::give(place, text, Owner::CoTask) }?;
    Ok(Hresult::S_OK)
}

/// Whether a refusal is known when the call comes, and so is its answer.
fn is_immediate(code: Hresult) -> bool {
    [
        v1::INVALID_STATE,
        v1::INVALID_JSON,
        v1::SYSTEM_NOT_FOUND,
        v1::SYSTEM_ALREADY_EXISTS,
        v1::SYSTEM_ALREADY_STOPPED,
        win32::INVALID_HANDLE,
        win32::ACCESS_DENIED,
        NOT_SUPPORTED,
        E_INVALIDARG,
    ]
    .into_iter()
    .any(|immediate| codes::same(code, immediate))
        || codes::same(code, wcow_host::codes::v2::ACCESS_DENIED)
}

/// Begins a call whose end is told by that notification, if by any.
fn begin(
    session: &'static Session,
    hub: &Arc<Hub>,
    told_by: Option<NotificationType>,
    call: impl Future<Output = Outcome<()>> + Send + 'static,
) -> Outcome<Hresult> {
    let begun = Arc::<Latch<Outcome<()>>>::default();
    let build = session.facts.build;
    let tell = {
        let hub = Arc::clone(hub);
        move |outcome: &Outcome<()>| {
            let Some(kind) = told_by else { return };
            hub.tell(Notice {
                kind: kind.0,
                status: outcome
                    .as_ref()
                    .err()
                    .map_or(Hresult::S_OK, |failure| failure.code),
                data: outcome.as_ref().err().map(|failure| failure.text(build)),
                operation: 0,
            });
        }
    };
    let (ours, tell_later) = (Arc::clone(&begun), tell.clone());
    session.runner.spawn(async move {
        let outcome = call.await;
        if !ours.set(outcome.clone()) {
            tell_later(&outcome);
        }
    });
    match begun.wait_or_leave(LOOK) {
        Some(Err(failure)) if told_by.is_none() || is_immediate(failure.code) => Err(failure),
        Some(outcome) => {
            tell(&outcome);
            Ok(PENDING)
        }
        None => Ok(PENDING),
    }
}

/// Begins a step in the life of a system.
fn step<F>(
    handle: HCS_SYSTEM,
    told_by: Option<NotificationType>,
    call: impl FnOnce(wcow_sim::RemoteHost, wcow_host::SystemHandle) -> F + Send + 'static,
) -> Outcome<Hresult>
where
    F: Future<Output = Result<(), wcow_host::HostError>> + Send + 'static,
{
    let session = session()?;
    let system = table::find(handle, table::system(API))?;
    begin(session, &system.hub, told_by, system.call(call))
}

exports! {
    VmCompute;

    /// Lists compute systems.
    "vmcompute_HcsEnumerateComputeSystems" fn HcsEnumerateComputeSystems(query: PCWSTR, computeSystems: *mut PWSTR, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { strings::clear(computeSystems) };
            let session = session()?;
            // SAFETY: as above.
            let query = unsafe { strings::read(query) }?;
            let host = session.host(API);
            let found = session.wait(async move { host.enumerate().await })?;
            let list = documents::systems(found, query.as_deref(), API)?;
            // SAFETY: as above.
            unsafe { give(computeSystems, &list) }
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, result) }
    }

    /// Creates a compute system.
    "vmcompute_HcsCreateComputeSystem" fn HcsCreateComputeSystem(id: PCWSTR, configuration: PCWSTR, identity: HANDLE, computeSystem: *mut HCS_SYSTEM, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { empty(computeSystem) }?;
            if !identity.is_null() {
                return Err(E_INVALIDARG.into());
            }
            let session = session()?;
            // SAFETY: as above.
            let (id, text) = unsafe { (required(id)?, required(configuration)?) };
            let document = documents::create(&text, API, session.facts.build)?;
            let (system, call) = System::create(session, API, SystemId(id), document);
            let code = begin(session, &system.hub, Some(NotificationType::SYSTEM_CREATE_COMPLETED), call)?;
            // A creation that has failed leaves no handle.
            if let Some(Err(failure)) = system.created() {
                return Err(failure);
            }
            // SAFETY: as above.
            unsafe { place_handle(computeSystem, Object::System(system)) }?;
            Ok(code)
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, result) }
    }

    /// Opens a compute system.
    "vmcompute_HcsOpenComputeSystem" fn HcsOpenComputeSystem(id: PCWSTR, computeSystem: *mut HCS_SYSTEM, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { empty(computeSystem) }?;
            let session = session()?;
            // SAFETY: as above.
            let id = SystemId(unsafe { required(id) }?);
            let system = System::open(session, API, id)?;
            // SAFETY: as above.
            unsafe { place_handle(computeSystem, Object::System(system)) }?;
            Ok(Hresult::S_OK)
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, result) }
    }

    /// Closes a handle.
    "vmcompute_HcsCloseComputeSystem" fn HcsCloseComputeSystem(computeSystem: HCS_SYSTEM) -> HRESULT {
        number(table::close(computeSystem, table::system(API)).map(|system| system.hub.close()))
    }

    /// Starts a compute system.
    "vmcompute_HcsStartComputeSystem" fn HcsStartComputeSystem(computeSystem: HCS_SYSTEM, options: PCWSTR, result: *mut PWSTR) -> HRESULT {
        let _ = options;
        let outcome = step(computeSystem, Some(NotificationType::SYSTEM_START_COMPLETED), |host, handle| async move { host.start(handle).await });
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(outcome, result) }
    }

    /// Asks a compute system to shut down.
    "vmcompute_HcsShutdownComputeSystem" fn HcsShutdownComputeSystem(computeSystem: HCS_SYSTEM, options: PCWSTR, result: *mut PWSTR) -> HRESULT {
        let _ = options;
        let outcome = step(computeSystem, None, |host, handle| async move { host.shutdown(handle).await });
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(outcome, result) }
    }

    /// Ends a compute system.
    "vmcompute_HcsTerminateComputeSystem" fn HcsTerminateComputeSystem(computeSystem: HCS_SYSTEM, options: PCWSTR, result: *mut PWSTR) -> HRESULT {
        let _ = options;
        let outcome = step(computeSystem, None, |host, handle| async move { host.terminate(handle).await });
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(outcome, result) }
    }

    /// Freezes a compute system.
    "vmcompute_HcsPauseComputeSystem" fn HcsPauseComputeSystem(computeSystem: HCS_SYSTEM, options: PCWSTR, result: *mut PWSTR) -> HRESULT {
        let _ = options;
        let outcome = step(computeSystem, Some(NotificationType::SYSTEM_PAUSE_COMPLETED), |host, handle| async move { host.pause(handle).await });
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(outcome, result) }
    }

    /// Lets a frozen compute system go on.
    "vmcompute_HcsResumeComputeSystem" fn HcsResumeComputeSystem(computeSystem: HCS_SYSTEM, options: PCWSTR, result: *mut PWSTR) -> HRESULT {
        let _ = options;
        let outcome = step(computeSystem, Some(NotificationType::SYSTEM_RESUME_COMPLETED), |host, handle| async move { host.resume(handle).await });
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(outcome, result) }
    }

    /// Saves a frozen compute system.
    "vmcompute_HcsSaveComputeSystem" fn HcsSaveComputeSystem(computeSystem: HCS_SYSTEM, options: PCWSTR, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            let options = unsafe { strings::read(options) }?;
            let save = documents::save(options.as_deref(), API)?;
            step(computeSystem, Some(NotificationType::SYSTEM_SAVE_COMPLETED), move |host, handle| async move { host.save(handle, save).await })
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, result) }
    }

    /// Tells what a compute system is.
    "vmcompute_HcsGetComputeSystemProperties" fn HcsGetComputeSystemProperties(computeSystem: HCS_SYSTEM, propertyQuery: PCWSTR, properties: *mut PWSTR, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { strings::clear(properties) };
            let session = session()?;
            let system = table::find(computeSystem, table::system(API))?;
            // SAFETY: as above.
            let query = unsafe { strings::read(propertyQuery) }?;
            let wanted = documents::query(query.as_deref(), API)?;
            let told = session.finish(system.call(|host, handle| async move { host.properties(handle, &wanted).await }))?;
            // SAFETY: as above.
            unsafe { give(properties, &crate::answer::json(&told)) }
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, result) }
    }

    /// Changes a compute system.
    "vmcompute_HcsModifyComputeSystem" fn HcsModifyComputeSystem(computeSystem: HCS_SYSTEM, configuration: PCWSTR, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            let session = session()?;
            let system = table::find(computeSystem, table::system(API))?;
            // SAFETY: the caller vouches for the pointers.
            let change = documents::modify(&unsafe { required(configuration) }?, API)?;
            session.finish(system.call(|host, handle| async move { host.modify(handle, &change).await }))?;
            Ok(Hresult::S_OK)
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, result) }
    }

    /// Changes the service: not simulated.
    "vmcompute_HcsModifyServiceSettings" fn HcsModifyServiceSettings(settings: PCWSTR, result: *mut PWSTR) -> HRESULT {
        let _ = settings;
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(Err(NOT_SUPPORTED.into()), result) }
    }

    /// Tells what the service is.
    "vmcompute_HcsGetServiceProperties" fn HcsGetServiceProperties(propertyQuery: PCWSTR, properties: *mut PWSTR, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { strings::clear(properties) };
            let session = session()?;
            // SAFETY: as above.
            let query = unsafe { strings::read(propertyQuery) }?;
            let told = documents::service(query.as_deref(), API, session.facts.build)?;
            // SAFETY: as above.
            unsafe { give(properties, &told) }
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, result) }
    }

    /// Registers a function for what happens to a compute system.
    "vmcompute_HcsRegisterComputeSystemCallback" fn HcsRegisterComputeSystemCallback(computeSystem: HCS_SYSTEM, callback: HCS_NOTIFICATION_CALLBACK, context: *const c_void, callbackHandle: *mut *mut c_void) -> HRESULT {
        let registered = table::find(computeSystem, table::system(API)).and_then(|system| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { register(&system.hub, callback, context, callbackHandle) }
        });
        number(registered)
    }

    /// Ends a registration; waits for a call that runs.
    "vmcompute_HcsUnregisterComputeSystemCallback" fn HcsUnregisterComputeSystemCallback(callbackHandle: *mut c_void) -> HRESULT {
        unregister(callbackHandle)
    }

    /// Creates a process.
    "vmcompute_HcsCreateProcess" fn HcsCreateProcess(computeSystem: HCS_SYSTEM, processParameters: PCWSTR, processInformation: *mut HCS_PROCESS_INFORMATION, process: *mut HCS_PROCESS, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { empty(process) }?;
            let session = session()?;
            let system = table::find(computeSystem, table::system(API))?;
            // SAFETY: as above.
            let parameters = documents::process(&unsafe { required(processParameters) }?, API)?;
            let made = Process::new(session, API);
            session.finish(made.create(session, &system, parameters))?;
            if !processInformation.is_null() {
                let information = made.information()?;
                // SAFETY: it is not null; the caller vouches for the rest.
                unsafe { processInformation.write_unaligned(information) };
            }
            // SAFETY: as above.
            unsafe { place_handle(process, Object::Process(made)) }?;
            Ok(Hresult::S_OK)
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, result) }
    }

    /// Opens a process.
    "vmcompute_HcsOpenProcess" fn HcsOpenProcess(computeSystem: HCS_SYSTEM, processId: u32, process: *mut HCS_PROCESS, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { empty(process) }?;
            let session = session()?;
            let system = table::find(computeSystem, table::system(API))?;
            let opened = Process::open(session, API, &system, processId)?;
            // SAFETY: as above.
            unsafe { place_handle(process, Object::Process(opened)) }?;
            Ok(Hresult::S_OK)
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, result) }
    }

    /// Closes a handle.
    "vmcompute_HcsCloseProcess" fn HcsCloseProcess(process: HCS_PROCESS) -> HRESULT {
        number(table::close(process, table::process(API)).map(|process| process.hub.close()))
    }

    /// Ends a process.
    "vmcompute_HcsTerminateProcess" fn HcsTerminateProcess(process: HCS_PROCESS, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            let session = session()?;
            let process = table::find(process, table::process(API))?;
            session.finish(process.call(|host, handle| async move { host.terminate_process(handle).await }))?;
            Ok(Hresult::S_OK)
        })();
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(outcome, result) }
    }

    /// Sends a signal to a process.
    "vmcompute_HcsSignalProcess" fn HcsSignalProcess(process: HCS_PROCESS, options: PCWSTR, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            let session = session()?;
            let process = table::find(process, table::process(API))?;
            // SAFETY: the caller vouches for the pointers.
            let options = unsafe { strings::read(options) }?;
            let signal = documents::signal(options.as_deref(), API)?;
            session.finish(process.call(move |host, handle| async move { host.signal_process(handle, signal).await }))?;
            Ok(Hresult::S_OK)
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, result) }
    }

    /// Tells the id of a process, and hands its streams out if nobody has them yet.
    "vmcompute_HcsGetProcessInfo" fn HcsGetProcessInfo(process: HCS_PROCESS, processInformation: *mut HCS_PROCESS_INFORMATION, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            let process = table::find(process, table::process(API))?;
            if processInformation.is_null() {
                return Err(E_INVALIDARG.into());
            }
            let information = process.information()?;
            // SAFETY: it is not null; the caller vouches for the rest.
            unsafe { processInformation.write_unaligned(information) };
            Ok(Hresult::S_OK)
        })();
        // SAFETY: the caller vouches for the pointers.
        unsafe { answer(outcome, result) }
    }

    /// Tells how a process is.
    "vmcompute_HcsGetProcessProperties" fn HcsGetProcessProperties(process: HCS_PROCESS, processProperties: *mut PWSTR, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { strings::clear(processProperties) };
            let session = session()?;
            let process = table::find(process, table::process(API))?;
            let status = session.finish(process.call(|host, handle| async move { host.process_status(handle).await }))?;
            // SAFETY: as above.
            unsafe { give(processProperties, &documents::process_status(&status)) }
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, result) }
    }

    /// Changes a process: the size of its console, the end of its input.
    "vmcompute_HcsModifyProcess" fn HcsModifyProcess(process: HCS_PROCESS, settings: PCWSTR, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            let session = session()?;
            let process = table::find(process, table::process(API))?;
            // SAFETY: the caller vouches for the pointers.
            let change = documents::process_change(&unsafe { required(settings) }?, API)?;
            session.finish(process.change(change))?;
            Ok(Hresult::S_OK)
        })();
        // SAFETY: as above.
        unsafe { answer(outcome, result) }
    }

    /// Registers a function for what happens to a process.
    "vmcompute_HcsRegisterProcessCallback" fn HcsRegisterProcessCallback(process: HCS_PROCESS, callback: HCS_NOTIFICATION_CALLBACK, context: *const c_void, callbackHandle: *mut *mut c_void) -> HRESULT {
        let registered = table::find(process, table::process(API)).and_then(|process| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { register(&process.hub, callback, context, callbackHandle) }
        });
        number(registered)
    }

    /// Ends a registration; waits for a call that runs.
    "vmcompute_HcsUnregisterProcessCallback" fn HcsUnregisterProcessCallback(callbackHandle: *mut c_void) -> HRESULT {
        unregister(callbackHandle)
    }
}
