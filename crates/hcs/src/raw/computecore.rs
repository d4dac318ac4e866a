//! computecore.dll: HCS of the second generation. Strings that it hands out are freed with `LocalFree`.
//!
//! windows-sys knows no live migration and no properties of operations: those came with the newest hosts.

#[cfg(windows)]
use {
    std::ffi::c_void,
    windows_sys::Win32::Foundation::HANDLE,
    windows_sys::Win32::Security::SECURITY_DESCRIPTOR,
    windows_sys::Win32::System::HostComputeSystem::{
        HCS_CREATE_OPTIONS, HCS_EVENT_CALLBACK, HCS_EVENT_OPTIONS, HCS_OPERATION,
        HCS_OPERATION_COMPLETION, HCS_OPERATION_OPTIONS, HCS_OPERATION_TYPE, HCS_PROCESS,
        HCS_PROCESS_INFORMATION, HCS_RESOURCE_TYPE, HCS_SYSTEM,
    },
    windows_sys::core::{HRESULT, PCWSTR, PWSTR},
};

exports! {
    ComputeCore;
    declared in windows_sys::Win32::System::HostComputeSystem {
        fn HcsAddResourceToOperation(operation: HCS_OPERATION, kind: HCS_RESOURCE_TYPE, uri: PCWSTR, handle: HANDLE) -> HRESULT;
        fn HcsCancelOperation(operation: HCS_OPERATION) -> HRESULT;
        fn HcsCloseComputeSystem(computesystem: HCS_SYSTEM) -> ();
        fn HcsCloseOperation(operation: HCS_OPERATION) -> ();
        fn HcsCloseProcess(process: HCS_PROCESS) -> ();
        fn HcsCrashComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsCreateComputeSystem(id: PCWSTR, configuration: PCWSTR, operation: HCS_OPERATION, securitydescriptor: *const SECURITY_DESCRIPTOR, computesystem: *mut HCS_SYSTEM) -> HRESULT;
        fn HcsCreateComputeSystemInNamespace(idnamespace: PCWSTR, id: PCWSTR, configuration: PCWSTR, operation: HCS_OPERATION, options: *const HCS_CREATE_OPTIONS, computesystem: *mut HCS_SYSTEM) -> HRESULT;
        fn HcsCreateEmptyGuestStateFile(gueststatefilepath: PCWSTR) -> HRESULT;
        fn HcsCreateEmptyRuntimeStateFile(runtimestatefilepath: PCWSTR) -> HRESULT;
        fn HcsCreateOperation(context: *const c_void, callback: HCS_OPERATION_COMPLETION) -> HCS_OPERATION;
        fn HcsCreateOperationWithNotifications(eventtypes: HCS_OPERATION_OPTIONS, context: *const c_void, callback: HCS_EVENT_CALLBACK) -> HCS_OPERATION;
        fn HcsCreateProcess(computesystem: HCS_SYSTEM, processparameters: PCWSTR, operation: HCS_OPERATION, securitydescriptor: *const SECURITY_DESCRIPTOR, process: *mut HCS_PROCESS) -> HRESULT;
        fn HcsEnumerateComputeSystems(query: PCWSTR, operation: HCS_OPERATION) -> HRESULT;
        fn HcsEnumerateComputeSystemsInNamespace(idnamespace: PCWSTR, query: PCWSTR, operation: HCS_OPERATION) -> HRESULT;
        fn HcsGetComputeSystemFromOperation(operation: HCS_OPERATION) -> HCS_SYSTEM;
        fn HcsGetComputeSystemProperties(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, propertyquery: PCWSTR) -> HRESULT;
        fn HcsGetOperationContext(operation: HCS_OPERATION) -> *mut c_void;
        fn HcsGetOperationId(operation: HCS_OPERATION) -> u64;
        fn HcsGetOperationResult(operation: HCS_OPERATION, resultdocument: *mut PWSTR) -> HRESULT;
        fn HcsGetOperationResultAndProcessInfo(operation: HCS_OPERATION, processinformation: *mut HCS_PROCESS_INFORMATION, resultdocument: *mut PWSTR) -> HRESULT;
        fn HcsGetOperationType(operation: HCS_OPERATION) -> HCS_OPERATION_TYPE;
        fn HcsGetProcessFromOperation(operation: HCS_OPERATION) -> HCS_PROCESS;
        fn HcsGetProcessInfo(process: HCS_PROCESS, operation: HCS_OPERATION) -> HRESULT;
        fn HcsGetProcessProperties(process: HCS_PROCESS, operation: HCS_OPERATION, propertyquery: PCWSTR) -> HRESULT;
        fn HcsGetProcessorCompatibilityFromSavedState(runtimefilename: PCWSTR, processorfeaturesstring: *mut PCWSTR) -> HRESULT;
        fn HcsGetServiceProperties(propertyquery: PCWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsGrantVmAccess(vmid: PCWSTR, filepath: PCWSTR) -> HRESULT;
        fn HcsGrantVmGroupAccess(filepath: PCWSTR) -> HRESULT;
        fn HcsModifyComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, configuration: PCWSTR, identity: HANDLE) -> HRESULT;
        fn HcsModifyProcess(process: HCS_PROCESS, operation: HCS_OPERATION, settings: PCWSTR) -> HRESULT;
        fn HcsModifyServiceSettings(settings: PCWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsOpenComputeSystem(id: PCWSTR, requestedaccess: u32, computesystem: *mut HCS_SYSTEM) -> HRESULT;
        fn HcsOpenComputeSystemInNamespace(idnamespace: PCWSTR, id: PCWSTR, requestedaccess: u32, computesystem: *mut HCS_SYSTEM) -> HRESULT;
        fn HcsOpenProcess(computesystem: HCS_SYSTEM, processid: u32, requestedaccess: u32, process: *mut HCS_PROCESS) -> HRESULT;
        fn HcsPauseComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsResumeComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsRevokeVmAccess(vmid: PCWSTR, filepath: PCWSTR) -> HRESULT;
        fn HcsRevokeVmGroupAccess(filepath: PCWSTR) -> HRESULT;
        fn HcsSaveComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsSetComputeSystemCallback(computesystem: HCS_SYSTEM, callbackoptions: HCS_EVENT_OPTIONS, context: *const c_void, callback: HCS_EVENT_CALLBACK) -> HRESULT;
        fn HcsSetOperationCallback(operation: HCS_OPERATION, context: *const c_void, callback: HCS_OPERATION_COMPLETION) -> HRESULT;
        fn HcsSetOperationContext(operation: HCS_OPERATION, context: *const c_void) -> HRESULT;
        fn HcsSetProcessCallback(process: HCS_PROCESS, callbackoptions: HCS_EVENT_OPTIONS, context: *const c_void, callback: HCS_EVENT_CALLBACK) -> HRESULT;
        fn HcsShutDownComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsSignalProcess(process: HCS_PROCESS, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsStartComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsSubmitWerReport(settings: PCWSTR) -> HRESULT;
        fn HcsTerminateComputeSystem(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsTerminateProcess(process: HCS_PROCESS, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsWaitForComputeSystemExit(computesystem: HCS_SYSTEM, timeoutms: u32, result: *mut PWSTR) -> HRESULT;
        fn HcsWaitForOperationResult(operation: HCS_OPERATION, timeoutms: u32, resultdocument: *mut PWSTR) -> HRESULT;
        fn HcsWaitForOperationResultAndProcessInfo(operation: HCS_OPERATION, timeoutms: u32, processinformation: *mut HCS_PROCESS_INFORMATION, resultdocument: *mut PWSTR) -> HRESULT;
        fn HcsWaitForProcessExit(computesystem: HCS_PROCESS, timeoutms: u32, result: *mut PWSTR) -> HRESULT;
    }
    undeclared {
        fn HcsGetOperationProperties(operation: HCS_OPERATION, options: PCWSTR, resultdocument: *mut PWSTR) -> HRESULT;
        fn HcsInitializeLiveMigrationOnSource(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsStartLiveMigrationOnSource(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsStartLiveMigrationTransfer(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsFinalizeLiveMigration(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
        fn HcsCancelLiveMigration(computesystem: HCS_SYSTEM, operation: HCS_OPERATION, options: PCWSTR) -> HRESULT;
    }
}
