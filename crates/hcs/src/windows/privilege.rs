//! Privileges of this program. Layer functions need some, and do not enable them for their caller.
#![expect(unsafe_code, reason = "calls advapi32.dll")]

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_NOT_ALL_ASSIGNED, GetLastError, LUID};
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, LUID_AND_ATTRIBUTES, LookupPrivilegeValueW, SE_PRIVILEGE_ENABLED,
    TOKEN_ADJUST_PRIVILEGES, TOKEN_PRIVILEGES, TOKEN_QUERY,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// `SeBackupPrivilege`: files are read whatever their security descriptors say.
pub const BACKUP: &str = "SeBackupPrivilege";
/// `SeRestorePrivilege`: files are written whatever their security descriptors say.
pub const RESTORE: &str = "SeRestorePrivilege";
/// `SeManageVolumePrivilege`: virtual disks are attached.
pub const MANAGE_VOLUME: &str = "SeManageVolumePrivilege";

/// Enables a privilege for the whole program, until it ends. False if its token does not have it: then it is not elevated.
///
/// # Errors
/// There is no privilege of this name (1313); the token cannot be opened.
pub fn enable(name: &str) -> io::Result<bool> {
    let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
    let mut id = LUID::default();
    // SAFETY: the name ends with a NUL; it and the place live until the call returns; null stands for this machine.
    let found = unsafe { LookupPrivilegeValueW(ptr::null(), name.as_ptr(), &raw mut id) };
    if found == 0 {
        return Err(io::Error::last_os_error());
    }
    let token = token()?;
    let wanted = TOKEN_PRIVILEGES {
        PrivilegeCount: 1,
        Privileges: [LUID_AND_ATTRIBUTES {
            Luid: id,
            Attributes: SE_PRIVILEGE_ENABLED,
        }],
    };
    // SAFETY: the token is open for this; the structure holds as many privileges as it says; the former state is not asked for.
    let (adjusted, code) = unsafe {
        let adjusted = AdjustTokenPrivileges(
            token.as_raw_handle(),
            0,
            &raw const wanted,
            0,
            ptr::null_mut(),
            ptr::null_mut(),
        );
        (adjusted, GetLastError())
    };
    if adjusted == 0 {
        return Err(io::Error::from_raw_os_error(code.cast_signed()));
    }
    // A success that did nothing says so by this code.
    Ok(code != ERROR_NOT_ALL_ASSIGNED)
}

fn token() -> io::Result<OwnedHandle> {
    let mut token = ptr::null_mut();
    // SAFETY: the place lives until the call returns; the handle of the process is none that has to be closed.
    let opened = unsafe {
        OpenProcessToken(
            GetCurrentProcess(),
            TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY,
            &raw mut token,
        )
    };
    if opened == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened, and is nobody else's.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}
