//! computecore.dll: compute systems and processes of the second generation. Strings are freed with `LocalFree`.
//!
//! A call that fails at once, because a handle, a pointer or a document is not valid, does not begin; everything else is told by its
//! operation. A handle that a creation gives is good at once: calls with it wait until the system is there.
#![expect(
    unsafe_code,
    non_snake_case,
    reason = "foreign functions, by their names"
)]

use std::ffi::c_void;
use std::future::Future;
use std::sync::Arc;

use wcow_hcs::values::{EventOptions, OperationType};
use wcow_host::codes::v2;
use wcow_host::{ComputeApi, ComputeService, HostError, SystemHandle, SystemId};
use wcow_ntmeta::Hresult;
use wcow_sim::RemoteHost;

use crate::abi::{
    HANDLE, HCS_CREATE_OPTIONS, HCS_EVENT_CALLBACK, HCS_EVENT_OPTIONS, HCS_OPERATION, HCS_PROCESS,
    HCS_SYSTEM, HRESULT, PCWSTR, PWSTR, SECURITY_DESCRIPTOR,
};
use crate::answer::{E_ACCESSDENIED, E_INVALIDARG, Failure, NOT_SUPPORTED, Outcome, json, number};
use crate::callbacks::{Function, Hub};
use crate::documents;
use crate::exports::exports;
use crate::latch::{Latch, milliseconds};
use crate::places::{empty, place_handle};
use crate::session::session;
use crate::strings::{self, Owner, required};
use crate::system::{Process, System};
use crate::table::{self, Object};
use operation::{Ended, Operation, Subject, without_document};

pub mod operation;

const API: ComputeApi = ComputeApi::V2;
/// The only access that may be asked for.
const GENERIC_ALL: u32 = 0x1000_0000;

/// The code of a call that begins, or does not.
fn code(outcome: Outcome<()>) -> HRESULT {
    number(outcome.map_err(|failure| failure.code))
}

/// Hands a text out, or the document of a failure; the answer is the code.
///
/// # Safety
/// The place is null or can be written.
unsafe fn told(outcome: Outcome<String>, place: *mut PWSTR) -> HRESULT {
    // SAFETY: the caller vouches for the place.
    unsafe { strings::clear(place) };
    let (code, text) = match outcome {
        Ok(text) => (Hresult::S_OK, text),
        Err(failure) => {
            let build = session()
                .map(|session| session.facts.build)
                .unwrap_or_default();
            (failure.code, failure.text(build))
        }
    };
    // SAFETY: the caller vouches for the place.
    match unsafe { strings::give(place, &text, Owner::Local) } {
        Ok(()) => code.as_i32(),
        Err(code) => code.as_i32(),
    }
}

/// Sets the one function of a handle; none takes it away.
fn listen(
    hub: &Arc<Hub>,
    context: *const c_void,
    callback: HCS_EVENT_CALLBACK,
) -> Result<(), Hresult> {
    if callback.is_none() {
        hub.close();
        return Ok(());
    }
    if hub.register_alone(Function::Event(callback), context) {
        Ok(())
    } else {
        Err(v2::OPERATION_SYSTEM_CALLBACK_ALREADY_SET)
    }
}

/// Waits for an end, and hands out how it was.
///
/// # Safety
/// The place is null or can be written.
unsafe fn exit<T: Clone>(
    exited: Result<Arc<Latch<Option<T>>>, Hresult>,
    timeout: u32,
    document: impl FnOnce(&T) -> String,
    place: *mut PWSTR,
) -> HRESULT {
    // SAFETY: the caller vouches for the place.
    unsafe { strings::clear(place) };
    let exited = exited.and_then(|exited| {
        let ended = exited.wait(milliseconds(timeout));
        ended.ok_or(v2::OPERATION_TIMEOUT)
    });
    match exited {
        // SAFETY: as above.
        Ok(Some(how)) => unsafe { told(Ok(document(&how)), place) },
        Ok(None) => v2::SERVICE_DISCONNECT.as_i32(),
        Err(code) => code.as_i32(),
    }
}

/// What is told of the ends of operations on a system, if that was asked for.
fn subject(system: &Arc<System>, handle: HCS_SYSTEM) -> Subject {
    Subject {
        system: handle.addr(),
        listener: system.hears_operations().then(|| Arc::clone(system)),
        ..Subject::default()
    }
}

/// Begins a step in the life of a system.
fn step<F>(
    handle: HCS_SYSTEM,
    operation: HCS_OPERATION,
    kind: OperationType,
    call: impl FnOnce(RemoteHost, SystemHandle) -> F + Send + 'static,
) -> Outcome<()>
where
    F: Future<Output = Result<(), HostError>> + Send + 'static,
{
    let session = session()?;
    let system = table::find(handle, table::system(API))?;
    let operation = table::find(operation, table::operation)?;
    let call = without_document(system.call(call));
    Ok(operation.begin(session, kind, subject(&system, handle), call)?)
}

/// Begins a call about a process.
fn process_step(
    handle: HCS_PROCESS,
    operation: HCS_OPERATION,
    kind: OperationType,
    call: impl FnOnce(Arc<Process>) -> Outcome<CallOfProcess>,
) -> Outcome<()> {
    let session = session()?;
    let process = table::find(handle, table::process(API))?;
    let operation = table::find(operation, table::operation)?;
    let subject = Subject {
        process: handle.addr(),
        streams: Some(Arc::clone(&process)),
        ..Subject::default()
    };
    Ok(operation.begin(session, kind, subject, call(process)?)?)
}

type CallOfProcess = std::pin::Pin<Box<dyn Future<Output = Ended> + Send>>;

/// Creates a system.
///
/// # Safety
/// The pointers are null or good for what is read and written.
unsafe fn create(
    id: PCWSTR,
    configuration: PCWSTR,
    operation: HCS_OPERATION,
    security: *const SECURITY_DESCRIPTOR,
    place: *mut HCS_SYSTEM,
) -> Outcome<()> {
    // SAFETY: the caller vouches for the pointers.
    unsafe { empty(place) }?;
    if !security.is_null() {
        return Err(E_INVALIDARG.into());
    }
    let session = session()?;
    // SAFETY: as above.
    let (id, text) = unsafe { (required(id)?, required(configuration)?) };
    let document = documents::create(&text, API, session.facts.build)?;
    let operation: Arc<Operation> = table::find(operation, table::operation)?;
    let (system, call) = System::create(session, API, SystemId(id), document);
    let handle = table::open(Object::System(Arc::clone(&system)));
    let begun = operation.begin(
        session,
        OperationType::CREATE,
        subject(&system, handle),
        without_document(call),
    );
    if let Err(code) = begun {
        let _ = table::close(handle, table::system(API));
        return Err(code.into());
    }
    // SAFETY: it is not null, or `empty` had refused it; the caller vouches for the rest.
    unsafe { place.write_unaligned(handle) };
    Ok(())
}

/// Opens a system.
///
/// # Safety
/// The pointers are null or good for what is read and written.
unsafe fn open(id: PCWSTR, access: u32, place: *mut HCS_SYSTEM) -> Outcome<()> {
    // SAFETY: the caller vouches for the pointers.
    unsafe { empty(place) }?;
    if access != GENERIC_ALL {
        return Err(E_ACCESSDENIED.into());
    }
    let session = session()?;
    // SAFETY: as above.
    let id = SystemId(unsafe { required(id) }?);
    let system = System::open(session, API, id)?;
    // SAFETY: as above.
    Ok(unsafe { place_handle(place, Object::System(system)) }?)
}

/// Lists systems.
///
/// # Safety
/// The pointer is null or good for reading.
unsafe fn enumerate(query: PCWSTR, operation: HCS_OPERATION) -> Outcome<()> {
    let session = session()?;
    let operation = table::find(operation, table::operation)?;
    // SAFETY: the caller vouches for the pointer.
    let query = unsafe { strings::read(query) }?;
    let host = session.host(API);
    let call = async move {
        let found = host.enumerate().await?;
        documents::systems(found, query.as_deref(), API).map(Some)
    };
    Ok(operation.begin(session, OperationType::ENUMERATE, Subject::default(), call)?)
}

/// Refuses a namespace of ids: there is the one without a name.
///
/// # Safety
/// The pointer is null or good for reading.
unsafe fn no_namespace(namespace: PCWSTR) -> Result<(), Hresult> {
    // SAFETY: the caller vouches for the pointer.
    match unsafe { strings::read(namespace) }?.as_deref() {
        None | Some("") => Ok(()),
        Some(_) => Err(NOT_SUPPORTED),
    }
}

exports! {
    ComputeCore;

    /// Lists compute systems.
    "computecore_HcsEnumerateComputeSystems" fn HcsEnumerateComputeSystems(query: PCWSTR, operation: HCS_OPERATION) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        code(unsafe { enumerate(query, operation) })
    }

    /// Lists compute systems of the namespace without a name.
    "computecore_HcsEnumerateComputeSystemsInNamespace" fn HcsEnumerateComputeSystemsInNamespace(idnamespace: PCWSTR, query: PCWSTR, operation: HCS_OPERATION) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        code(unsafe { no_namespace(idnamespace) }.map_err(Failure::from).and_then(|()| unsafe { enumerate(query, operation) }))
    }

    /// Creates a compute system.
    "computecore_HcsCreateComputeSystem" fn HcsCreateComputeSystem(id: PCWSTR, configuration: PCWSTR, operation: HCS_OPERATION, securitydescriptor: *const SECURITY_DESCRIPTOR, computesystem: *mut HCS_SYSTEM) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        code(unsafe { create(id, configuration, operation, securitydescriptor, computesystem) })
    }

    /// Creates a compute system in the namespace without a name. Options are not looked into.
    "computecore_HcsCreateComputeSystemInNamespace" fn HcsCreateComputeSystemInNamespace(idnamespace: PCWSTR, id: PCWSTR, configuration: PCWSTR, operation: HCS_OPERATION, options: *const HCS_CREATE_OPTIONS, computesystem: *mut HCS_SYSTEM) -> HRESULT {
        let _ = options;
        // SAFETY: the caller vouches for the pointers.
        code(unsafe { no_namespace(idnamespace) }.map_err(Failure::from).and_then(|()| unsafe { create(id, configuration, operation, std::ptr::null(), computesystem) }))
    }

    /// Opens a compute system.
    "computecore_HcsOpenComputeSystem" fn HcsOpenComputeSystem(id: PCWSTR, requestedaccess: u32, computesystem: *mut HCS_SYSTEM) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        code(unsafe { open(id, requestedaccess, computesystem) })
    }

    /// Opens a compute system of the namespace without a name.
    "computecore_HcsOpenComputeSystemInNamespace" fn HcsOpenComputeSystemInNamespace(idnamespace: PCWSTR, id: PCWSTR, requestedaccess: u32, computesystem: *mut HCS_SYSTEM) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        code(unsafe { no_namespace(idnamespace) }.map_err(Failure::from).and_then(|()| unsafe { open(id, requestedaccess, computesystem) }))
    }

    /// Closes a handle; waits for a function that is called about it.
    "computecore_HcsCloseComputeSystem" fn HcsCloseComputeSystem(computesystem: HCS_SYSTEM) -> () {
        if let Ok(system) = table::close(computesystem, table::system(API)) {
            system.hub.close();
        }
    }

    /// Starts a compute system.
    "computecore_HcsStartComputeSystem" fn HcsStartComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT {
        let _ = options;
        code(step(computesystem, operation, OperationType::START, |host, handle| async move { host.start(handle).await }))
    }

    /// Asks a compute system to shut down.
    "computecore_HcsShutDownComputeSystem" fn HcsShutDownComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT {
        let _ = options;
        code(step(computesystem, operation, OperationType::SHUTDOWN, |host, handle| async move { host.shutdown(handle).await }))
    }

    /// Ends a compute system.
    "computecore_HcsTerminateComputeSystem" fn HcsTerminateComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT {
        let _ = options;
        code(step(computesystem, operation, OperationType::TERMINATE, |host, handle| async move { host.terminate(handle).await }))
    }

    /// Crashes a virtual machine: there are none of their own.
    "computecore_HcsCrashComputeSystem" fn HcsCrashComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT {
        let _ = options;
        number(table::find(computesystem, table::system(API)).and_then(|_| table::find(operation, table::operation)).and(Err(NOT_SUPPORTED)))
    }

    /// Freezes a compute system.
    "computecore_HcsPauseComputeSystem" fn HcsPauseComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT {
        let _ = options;
        code(step(computesystem, operation, OperationType::PAUSE, |host, handle| async move { host.pause(handle).await }))
    }

    /// Lets a frozen compute system go on.
    "computecore_HcsResumeComputeSystem" fn HcsResumeComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT {
        let _ = options;
        code(step(computesystem, operation, OperationType::RESUME, |host, handle| async move { host.resume(handle).await }))
    }

    /// Saves a frozen compute system.
    "computecore_HcsSaveComputeSystem" fn HcsSaveComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let options = unsafe { strings::read(options) }?;
            let save = documents::save(options.as_deref(), API)?;
            step(computesystem, operation, OperationType::SAVE, move |host, handle| async move { host.save(handle, save).await })
        })())
    }

    /// Tells what a compute system is.
    "computecore_HcsGetComputeSystemProperties" fn HcsGetComputeSystemProperties(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, propertyquery: PCWSTR) -> HRESULT {
        code((|| {
            let session = session()?;
            let system = table::find(computesystem, table::system(API))?;
            let operation = table::find(operation, table::operation)?;
            // SAFETY: the caller vouches for the pointers.
            let query = unsafe { strings::read(propertyquery) }?;
            let wanted = documents::query(query.as_deref(), API)?;
            let told = system.call(|host, handle| async move { host.properties(handle, &wanted).await });
            let call = async move { Ok(Some(json(&told.await?))) };
            Ok(operation.begin(session, OperationType::GET_PROPERTIES, subject(&system, computesystem), call)?)
        })())
    }

    /// Changes a compute system.
    "computecore_HcsModifyComputeSystem" fn HcsModifyComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, configuration: PCWSTR, identity: HANDLE) -> HRESULT {
        let _ = identity;
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            let change = documents::modify(&unsafe { required(configuration) }?, API)?;
            step(computesystem, operation, OperationType::MODIFY, |host, handle| async move { host.modify(handle, &change).await })
        })())
    }

    /// Waits for the end of a compute system, and tells how it was.
    "computecore_HcsWaitForComputeSystemExit" fn HcsWaitForComputeSystemExit(computesystem: HCS_SYSTEM, timeoutms: u32, result: *mut PWSTR) -> HRESULT {
        let system = table::find(computesystem, table::system(API));
        // SAFETY: the caller vouches for the place.
        unsafe { exit(system.map(|system| Arc::clone(&system.exited)), timeoutms, Clone::clone, result) }
    }

    /// Sets the function that is called about a compute system; null takes it away.
    "computecore_HcsSetComputeSystemCallback" fn HcsSetComputeSystemCallback(computesystem: HCS_SYSTEM, callbackoptions: HCS_EVENT_OPTIONS, context: *const c_void, callback: HCS_EVENT_CALLBACK) -> HRESULT {
        number(table::find(computesystem, table::system(API)).and_then(|system| {
            listen(&system.hub, context, callback)?;
            let hears = callback.is_some() && callbackoptions & EventOptions::ENABLE_OPERATION_CALLBACKS.0 != 0;
            system.hear_operations(hears);
            Ok(())
        }))
    }

    /// Creates a process.
    "computecore_HcsCreateProcess" fn HcsCreateProcess(computesystem: HCS_SYSTEM, processparameters: PCWSTR, operation: HCS_OPERATION, securitydescriptor: *const SECURITY_DESCRIPTOR, process: *mut HCS_PROCESS) -> HRESULT {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { empty(process) }?;
            if !securitydescriptor.is_null() {
                return Err(E_INVALIDARG.into());
            }
            let session = session()?;
            let system = table::find(computesystem, table::system(API))?;
            let operation: Arc<Operation> = table::find(operation, table::operation)?;
            // SAFETY: as above.
            let parameters = documents::process(&unsafe { required(processparameters) }?, API)?;
            let made = Process::new(session, API);
            let call = without_document(made.create(session, &system, parameters));
            let handle = table::open(Object::Process(Arc::clone(&made)));
            let subject = Subject {
                process: handle.addr(),
                streams: Some(made),
                ..subject(&system, computesystem)
            };
            if let Err(code) = operation.begin(session, OperationType::CREATE_PROCESS, subject, call) {
                let _ = table::close(handle, table::process(API));
                return Err(code.into());
            }
            // SAFETY: it is not null, or `empty` had refused it; the caller vouches for the rest.
            unsafe { process.write_unaligned(handle) };
            Ok(())
        })())
    }

    /// Opens a process.
    "computecore_HcsOpenProcess" fn HcsOpenProcess(computesystem: HCS_SYSTEM, processid: u32, requestedaccess: u32, process: *mut HCS_PROCESS) -> HRESULT {
        code((|| {
            // SAFETY: the caller vouches for the pointers.
            unsafe { empty(process) }?;
            if requestedaccess != GENERIC_ALL {
                return Err(E_ACCESSDENIED.into());
            }
            let session = session()?;
            let system = table::find(computesystem, table::system(API))?;
            let opened = Process::open(session, API, &system, processid)?;
            // SAFETY: as above.
            Ok(unsafe { place_handle(process, Object::Process(opened)) }?)
        })())
    }

    /// Closes a handle; waits for a function that is called about it.
    "computecore_HcsCloseProcess" fn HcsCloseProcess(process: HCS_PROCESS) -> () {
        if let Ok(process) = table::close(process, table::process(API)) {
            process.hub.close();
        }
    }

    /// Ends a process.
    "computecore_HcsTerminateProcess" fn HcsTerminateProcess(process: HCS_PROCESS, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT {
        let _ = options;
        // The facts give no number of its own for this.
        code(process_step(process, operation, OperationType::SIGNAL_PROCESS, |process| {
            Ok(Box::pin(without_document(process.call(|host, handle| async move { host.terminate_process(handle).await }))))
        }))
    }

    /// Sends a signal to a process.
    "computecore_HcsSignalProcess" fn HcsSignalProcess(process: HCS_PROCESS, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT {
        code(process_step(process, operation, OperationType::SIGNAL_PROCESS, |process| {
            // SAFETY: the caller vouches for the pointers.
            let options = unsafe { strings::read(options) }?;
            let signal = documents::signal(options.as_deref(), API)?;
            Ok(Box::pin(without_document(process.call(move |host, handle| async move { host.signal_process(handle, signal).await }))))
        }))
    }

    /// Asks for the id and the streams of a process.
    "computecore_HcsGetProcessInfo" fn HcsGetProcessInfo(process: HCS_PROCESS, operation: HCS_OPERATION) -> HRESULT {
        code(process_step(process, operation, OperationType::GET_PROCESS_INFO, |process| {
            Ok(Box::pin(without_document(process.call(|_, _| async { Ok(()) }))))
        }))
    }

    /// Tells how a process is.
    "computecore_HcsGetProcessProperties" fn HcsGetProcessProperties(process: HCS_PROCESS, operation: HCS_OPERATION, propertyquery: PCWSTR) -> HRESULT {
        let _ = propertyquery;
        code(process_step(process, operation, OperationType::GET_PROCESS_PROPERTIES, |process| {
            let told = process.call(|host, handle| async move { host.process_status(handle).await });
            Ok(Box::pin(async move { Ok(Some(documents::process_status(&told.await?))) }))
        }))
    }

    /// Changes a process: the size of its console, the end of its input.
    "computecore_HcsModifyProcess" fn HcsModifyProcess(process: HCS_PROCESS, operation: HCS_OPERATION, settings: PCWSTR) -> HRESULT {
        code(process_step(process, operation, OperationType::MODIFY_PROCESS, |process| {
            // SAFETY: the caller vouches for the pointers.
            let change = documents::process_change(&unsafe { required(settings) }?, API)?;
            Ok(Box::pin(without_document(process.change(change))))
        }))
    }

    /// Sets the function that is called about a process; null takes it away.
    "computecore_HcsSetProcessCallback" fn HcsSetProcessCallback(process: HCS_PROCESS, callbackoptions: HCS_EVENT_OPTIONS, context: *const c_void, callback: HCS_EVENT_CALLBACK) -> HRESULT {
        let _ = callbackoptions;
        number(table::find(process, table::process(API)).and_then(|process| listen(&process.hub, context, callback)))
    }

    /// Waits for the end of a process, and tells how it was.
    "computecore_HcsWaitForProcessExit" fn HcsWaitForProcessExit(computesystem: HCS_PROCESS, timeoutms: u32, result: *mut PWSTR) -> HRESULT {
        let process = table::find(computesystem, table::process(API));
        // SAFETY: the caller vouches for the place.
        unsafe { exit(process.map(|process| Arc::clone(&process.exited)), timeoutms, documents::process_status, result) }
    }

    /// Tells what the service is.
    "computecore_HcsGetServiceProperties" fn HcsGetServiceProperties(propertyquery: PCWSTR, result: *mut PWSTR) -> HRESULT {
        let outcome = (|| {
            let session = session()?;
            // SAFETY: the caller vouches for the pointers.
            let query = unsafe { strings::read(propertyquery) }?;
            documents::service(query.as_deref(), API, session.facts.build)
        })();
        // SAFETY: as above.
        unsafe { told(outcome, result) }
    }

    /// Changes the service: not simulated.
    "computecore_HcsModifyServiceSettings" fn HcsModifyServiceSettings(settings: PCWSTR, result: *mut PWSTR) -> HRESULT {
        let _ = settings;
        // SAFETY: the caller vouches for the pointers.
        unsafe { told(Err(NOT_SUPPORTED.into()), result) }
    }

    /// Sends a crash report: there is nobody to send it to.
    "computecore_HcsSubmitWerReport" fn HcsSubmitWerReport(settings: PCWSTR) -> HRESULT {
        let _ = settings;
        NOT_SUPPORTED.as_i32()
    }

    /// Makes a file for the state of a virtual machine: not simulated.
    "computecore_HcsCreateEmptyGuestStateFile" fn HcsCreateEmptyGuestStateFile(gueststatefilepath: PCWSTR) -> HRESULT {
        let _ = gueststatefilepath;
        NOT_SUPPORTED.as_i32()
    }

    /// Makes a file for the state of a virtual machine: not simulated.
    "computecore_HcsCreateEmptyRuntimeStateFile" fn HcsCreateEmptyRuntimeStateFile(runtimestatefilepath: PCWSTR) -> HRESULT {
        let _ = runtimestatefilepath;
        NOT_SUPPORTED.as_i32()
    }

    /// Lets a virtual machine use a file.
    "computecore_HcsGrantVmAccess" fn HcsGrantVmAccess(vmid: PCWSTR, filepath: PCWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        unsafe { crate::v1::layers::grant(vmid, filepath) }
    }

    /// Takes a file from a virtual machine: on the simulated host nothing comes of it.
    "computecore_HcsRevokeVmAccess" fn HcsRevokeVmAccess(vmid: PCWSTR, filepath: PCWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        number(unsafe { required(vmid).and(required(filepath)) }.map(|_| ()))
    }

    /// Lets all virtual machines use a file: not simulated, and so each has to be let.
    "computecore_HcsGrantVmGroupAccess" fn HcsGrantVmGroupAccess(filepath: PCWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        number(unsafe { required(filepath) }.map(|_| ()))
    }

    /// Takes a file from virtual machines: on the simulated host nothing comes of it.
    "computecore_HcsRevokeVmGroupAccess" fn HcsRevokeVmGroupAccess(filepath: PCWSTR) -> HRESULT {
        // SAFETY: the caller vouches for the pointers.
        number(unsafe { required(filepath) }.map(|_| ()))
    }
}
