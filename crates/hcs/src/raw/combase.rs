//! combase.dll: the allocator that strings of vmcompute.dll and computenetwork.dll come from, and GUIDs.

#[cfg(windows)]
use {
    std::ffi::c_void,
    windows_sys::core::{GUID, HRESULT},
};

exports! {
    ComBase;
    declared in windows_sys::Win32::System::Com {
        fn CoCreateGuid(pguid: *mut GUID) -> HRESULT;
        fn CoTaskMemFree(memory: *const c_void) -> ();
    }
    undeclared {}
}
