//! Pipes of Windows, with the property that the service's have: the program's end is opened for overlapped I/O, which clients such as
//! go-winio rely on, and which plain reads work with too.
#![expect(unsafe_code, reason = "makes named pipes")]

use std::fs::File;
use std::io;
use std::os::windows::io::{FromRawHandle, IntoRawHandle, OwnedHandle};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, OPEN_EXISTING,
    PIPE_ACCESS_INBOUND, PIPE_ACCESS_OUTBOUND,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_WAIT,
};

use super::Theirs;
use crate::abi::HANDLE;

pub(super) type Owned = OwnedHandle;

/// The buffer of a pipe in bytes: as much as an anonymous pipe of Windows has.
const BUFFER: u32 = 4096;

pub(super) fn pair(theirs: Theirs) -> io::Result<(File, Owned)> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    let name = format!(r"\\.\pipe\wcow-sim-{}-{number}", std::process::id());
    let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
    let (ours, access) = match theirs {
        Theirs::Reads => (PIPE_ACCESS_OUTBOUND, GENERIC_READ),
        Theirs::Writes => (PIPE_ACCESS_INBOUND, GENERIC_WRITE),
    };
    // SAFETY: the name ends with a NUL and lives until the call returns; the last parameter may be null.
    let server = unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            ours | FILE_FLAG_FIRST_PIPE_INSTANCE,
            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
            1,
            BUFFER,
            BUFFER,
            0,
            ptr::null(),
        )
    };
    let server = owned(server)?;
    // SAFETY: as above; there is no template.
    let client = unsafe {
        CreateFileW(
            name.as_ptr(),
            access,
            0,
            ptr::null(),
            OPEN_EXISTING,
            FILE_FLAG_OVERLAPPED,
            ptr::null_mut(),
        )
    };
    Ok((server.into(), owned(client)?))
}

fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened just now, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

pub(super) fn into_handle(end: Owned) -> HANDLE {
    end.into_raw_handle()
}
