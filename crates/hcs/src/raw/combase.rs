//! combase.dll: the allocator that strings of vmcompute.dll and computenetwork.dll come from.

#[cfg(windows)]
use std::ffi::c_void;

exports! {
    ComBase;
    declared in windows_sys::Win32::System::Com {
        fn CoTaskMemFree(memory: *const c_void) -> ();
    }
    undeclared {}
}
