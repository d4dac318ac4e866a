//! vmcompute.dll: HCS of the first generation, `HNSCall`, and the classic layer functions.
//!
//! No header of it is public. The signatures are those that public clients call it by (hcsshim 7c9ff7f); strings that it hands
//! out are freed with `CoTaskMemFree`. The names of v2 are partly the same: `HcsShutdownComputeSystem` is spelled so here only.

#[cfg(windows)]
use {
    std::ffi::c_void,
    windows_sys::Win32::Foundation::HANDLE,
    windows_sys::Win32::System::HostComputeSystem::{
        HCS_NOTIFICATION_CALLBACK, HCS_PROCESS, HCS_PROCESS_INFORMATION, HCS_SYSTEM,
    },
    windows_sys::core::{GUID, HRESULT, PCWSTR, PWSTR},
};

/// What a layer function is told of the driver: always the same.
#[cfg(windows)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DriverInfo {
    /// 1, the filter driver. 0 was a differencing driver.
    pub flavour: i32,
    /// The folder that layer ids are relative to; empty where ids are whole paths.
    pub home: PCWSTR,
}

/// A parent of a layer.
#[cfg(windows)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LayerDescriptor {
    /// What `NameToGuid` makes of the name of its folder.
    pub id: GUID,
    /// Bit 31: it was not closed well.
    pub flags: u32,
    /// Its folder.
    pub path: PCWSTR,
}

exports! {
    VmCompute;
    undeclared {
        fn HcsEnumerateComputeSystems(query: PCWSTR, computeSystems: *mut PWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsCreateComputeSystem(id: PCWSTR, configuration: PCWSTR, identity: HANDLE, computeSystem: *mut HCS_SYSTEM, result: *mut PWSTR) -> HRESULT;
        fn HcsOpenComputeSystem(id: PCWSTR, computeSystem: *mut HCS_SYSTEM, result: *mut PWSTR) -> HRESULT;
        fn HcsCloseComputeSystem(computeSystem: HCS_SYSTEM) -> HRESULT;
        fn HcsStartComputeSystem(computeSystem: HCS_SYSTEM, options: PCWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsShutdownComputeSystem(computeSystem: HCS_SYSTEM, options: PCWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsTerminateComputeSystem(computeSystem: HCS_SYSTEM, options: PCWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsPauseComputeSystem(computeSystem: HCS_SYSTEM, options: PCWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsResumeComputeSystem(computeSystem: HCS_SYSTEM, options: PCWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsSaveComputeSystem(computeSystem: HCS_SYSTEM, options: PCWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsGetComputeSystemProperties(computeSystem: HCS_SYSTEM, propertyQuery: PCWSTR, properties: *mut PWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsModifyComputeSystem(computeSystem: HCS_SYSTEM, configuration: PCWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsModifyServiceSettings(settings: PCWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsGetServiceProperties(propertyQuery: PCWSTR, properties: *mut PWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsRegisterComputeSystemCallback(computeSystem: HCS_SYSTEM, callback: HCS_NOTIFICATION_CALLBACK, context: *const c_void, callbackHandle: *mut *mut c_void) -> HRESULT;
        fn HcsUnregisterComputeSystemCallback(callbackHandle: *mut c_void) -> HRESULT;
        fn HcsCreateProcess(computeSystem: HCS_SYSTEM, processParameters: PCWSTR, processInformation: *mut HCS_PROCESS_INFORMATION, process: *mut HCS_PROCESS, result: *mut PWSTR) -> HRESULT;
        fn HcsOpenProcess(computeSystem: HCS_SYSTEM, processId: u32, process: *mut HCS_PROCESS, result: *mut PWSTR) -> HRESULT;
        fn HcsCloseProcess(process: HCS_PROCESS) -> HRESULT;
        fn HcsTerminateProcess(process: HCS_PROCESS, result: *mut PWSTR) -> HRESULT;
        fn HcsSignalProcess(process: HCS_PROCESS, options: PCWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsGetProcessInfo(process: HCS_PROCESS, processInformation: *mut HCS_PROCESS_INFORMATION, result: *mut PWSTR) -> HRESULT;
        fn HcsGetProcessProperties(process: HCS_PROCESS, processProperties: *mut PWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsModifyProcess(process: HCS_PROCESS, settings: PCWSTR, result: *mut PWSTR) -> HRESULT;
        fn HcsRegisterProcessCallback(process: HCS_PROCESS, callback: HCS_NOTIFICATION_CALLBACK, context: *const c_void, callbackHandle: *mut *mut c_void) -> HRESULT;
        fn HcsUnregisterProcessCallback(callbackHandle: *mut c_void) -> HRESULT;

        fn HNSCall(method: PCWSTR, path: PCWSTR, request: PCWSTR, response: *mut PWSTR) -> HRESULT;

        fn NameToGuid(name: PCWSTR, id: *mut GUID) -> HRESULT;
        fn CreateLayer(info: *const DriverInfo, id: PCWSTR, parentId: PCWSTR) -> HRESULT;
        fn CreateSandboxLayer(info: *const DriverInfo, id: PCWSTR, parent: usize, descriptors: *const LayerDescriptor, count: usize) -> HRESULT;
        fn ExpandSandboxSize(info: *const DriverInfo, id: PCWSTR, size: u64) -> HRESULT;
        fn ActivateLayer(info: *const DriverInfo, id: PCWSTR) -> HRESULT;
        fn PrepareLayer(info: *const DriverInfo, id: PCWSTR, descriptors: *const LayerDescriptor, count: usize) -> HRESULT;
        fn GetLayerMountPath(info: *const DriverInfo, id: PCWSTR, length: *mut usize, buffer: PWSTR) -> HRESULT;
        fn UnprepareLayer(info: *const DriverInfo, id: PCWSTR) -> HRESULT;
        fn DeactivateLayer(info: *const DriverInfo, id: PCWSTR) -> HRESULT;
        fn DestroyLayer(info: *const DriverInfo, id: PCWSTR) -> HRESULT;
        fn LayerExists(info: *const DriverInfo, id: PCWSTR, exists: *mut u32) -> HRESULT;
        fn ImportLayer(info: *const DriverInfo, id: PCWSTR, folder: PCWSTR, descriptors: *const LayerDescriptor, count: usize) -> HRESULT;
        fn ExportLayer(info: *const DriverInfo, id: PCWSTR, folder: PCWSTR, descriptors: *const LayerDescriptor, count: usize) -> HRESULT;
        fn ProcessBaseImage(path: PCWSTR) -> HRESULT;
        fn ProcessUtilityImage(path: PCWSTR) -> HRESULT;
        fn GrantVmAccess(vmId: PCWSTR, file: PCWSTR) -> HRESULT;
        fn GetBaseImages(images: *mut PWSTR) -> HRESULT;
    }
}
