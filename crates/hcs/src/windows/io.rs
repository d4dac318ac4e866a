//! Reads and writes that another thread waits for.
#![expect(unsafe_code, reason = "calls kernel32.dll")]

use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr;

use windows_sys::Win32::System::IO::CancelIoEx;

/// Cuts off every read and write through this handle that a thread of this program waits for: each fails with
/// `ERROR_OPERATION_ABORTED`. One that begins later is not cut off. False if there was none.
pub fn cancel(handle: BorrowedHandle<'_>) -> bool {
    // SAFETY: the handle is open as long as it is borrowed; null stands for all requests.
    unsafe { CancelIoEx(handle.as_raw_handle(), ptr::null()) != 0 }
}
