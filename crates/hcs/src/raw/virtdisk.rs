//! virtdisk.dll: virtual disks, as far as scratch disks need them. It returns Win32 error numbers.

#[cfg(windows)]
use {
    windows_sys::Win32::Foundation::{HANDLE, WIN32_ERROR},
    windows_sys::Win32::Security::PSECURITY_DESCRIPTOR,
    windows_sys::Win32::Storage::Vhd::{
        ATTACH_VIRTUAL_DISK_FLAG, ATTACH_VIRTUAL_DISK_PARAMETERS, CREATE_VIRTUAL_DISK_FLAG,
        CREATE_VIRTUAL_DISK_PARAMETERS, DETACH_VIRTUAL_DISK_FLAG, EXPAND_VIRTUAL_DISK_FLAG,
        EXPAND_VIRTUAL_DISK_PARAMETERS, GET_VIRTUAL_DISK_INFO, OPEN_VIRTUAL_DISK_FLAG,
        OPEN_VIRTUAL_DISK_PARAMETERS, VIRTUAL_DISK_ACCESS_MASK, VIRTUAL_STORAGE_TYPE,
    },
    windows_sys::Win32::System::IO::OVERLAPPED,
    windows_sys::core::{PCWSTR, PWSTR},
};

exports! {
    VirtDisk;
    declared in windows_sys::Win32::Storage::Vhd {
        fn AttachVirtualDisk(virtualdiskhandle: HANDLE, securitydescriptor: PSECURITY_DESCRIPTOR, flags: ATTACH_VIRTUAL_DISK_FLAG, providerspecificflags: u32, parameters: *const ATTACH_VIRTUAL_DISK_PARAMETERS, overlapped: *const OVERLAPPED) -> WIN32_ERROR;
        fn CreateVirtualDisk(virtualstoragetype: *const VIRTUAL_STORAGE_TYPE, path: PCWSTR, virtualdiskaccessmask: VIRTUAL_DISK_ACCESS_MASK, securitydescriptor: PSECURITY_DESCRIPTOR, flags: CREATE_VIRTUAL_DISK_FLAG, providerspecificflags: u32, parameters: *const CREATE_VIRTUAL_DISK_PARAMETERS, overlapped: *const OVERLAPPED, handle: *mut HANDLE) -> WIN32_ERROR;
        fn DetachVirtualDisk(virtualdiskhandle: HANDLE, flags: DETACH_VIRTUAL_DISK_FLAG, providerspecificflags: u32) -> WIN32_ERROR;
        fn ExpandVirtualDisk(virtualdiskhandle: HANDLE, flags: EXPAND_VIRTUAL_DISK_FLAG, parameters: *const EXPAND_VIRTUAL_DISK_PARAMETERS, overlapped: *const OVERLAPPED) -> WIN32_ERROR;
        fn GetVirtualDiskInformation(virtualdiskhandle: HANDLE, virtualdiskinfosize: *mut u32, virtualdiskinfo: *mut GET_VIRTUAL_DISK_INFO, sizeused: *mut u32) -> WIN32_ERROR;
        fn GetVirtualDiskPhysicalPath(virtualdiskhandle: HANDLE, diskpathsizeinbytes: *mut u32, diskpath: PWSTR) -> WIN32_ERROR;
        fn OpenVirtualDisk(virtualstoragetype: *const VIRTUAL_STORAGE_TYPE, path: PCWSTR, virtualdiskaccessmask: VIRTUAL_DISK_ACCESS_MASK, flags: OPEN_VIRTUAL_DISK_FLAG, parameters: *const OPEN_VIRTUAL_DISK_PARAMETERS, handle: *mut HANDLE) -> WIN32_ERROR;
    }
    undeclared {}
}
