//! DLLs and functions, found when they are first called.
//!
//! Only `System32` is searched, so that no DLL beside the program or in the working directory is taken for one of Windows. What was
//! found is kept for good, and never unloaded: the services call back into these DLLs on threads of their own. What was not
//! found is looked for again at the next call, because a feature may be installed while a program runs.
#![expect(unsafe_code, reason = "loads DLLs")]

use std::ffi::{CStr, c_void};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use wcow_ntmeta::Hresult;
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::System::LibraryLoader::{
    GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW,
};

use crate::error::{Dll, Error};

/// Where one function is, once somebody has looked.
pub(crate) struct Slot {
    dll: Dll,
    call: &'static str,
    /// The name with a NUL at its end.
    export: &'static str,
    found: AtomicPtr<c_void>,
}

impl Slot {
    /// A function that nobody has looked for yet.
    pub(crate) const fn new(dll: Dll, call: &'static str, export: &'static str) -> Self {
        Self {
            dll,
            call,
            export,
            found: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Where the function is.
    pub(crate) fn address(&self) -> Result<NonNull<c_void>, Error> {
        if let Some(found) = NonNull::new(self.found.load(Ordering::Acquire)) {
            return Ok(found);
        }
        let name = CStr::from_bytes_with_nul(self.export.as_bytes())
            .map_err(|_| Error::argument(self.call, self.dll))?;
        let found = find(self.dll, self.call, name)?;
        // Two threads that look at once find the same.
        self.found.store(found.as_ptr(), Ordering::Release);
        Ok(found)
    }
}

/// Whether this host has the function. Loads the DLL.
pub fn is_there(dll: Dll, name: &CStr) -> bool {
    find(dll, "", name).is_ok()
}

/// Where an export of a DLL is. For functions that have no row in the tables; calling it needs its signature and unsafe code.
///
/// # Errors
/// The DLL or the function is not there.
pub fn address(dll: Dll, name: &'static CStr) -> Result<NonNull<c_void>, Error> {
    find(dll, name.to_str().unwrap_or("?"), name)
}

fn find(dll: Dll, call: &'static str, name: &CStr) -> Result<NonNull<c_void>, Error> {
    let module = module(dll).map_err(|code| Error::load(call, dll, code))?;
    export(module, name).map_err(|code| Error::find(call, dll, code))
}

/// The DLL, loaded once.
fn module(dll: Dll) -> Result<NonNull<c_void>, Hresult> {
    static LOADED: [AtomicPtr<c_void>; Dll::ALL.len()] =
        [const { AtomicPtr::new(ptr::null_mut()) }; Dll::ALL.len()];
    let slot = Dll::ALL
        .iter()
        .position(|known| *known == dll)
        .and_then(|index| LOADED.get(index));
    if let Some(loaded) = slot.and_then(|slot| NonNull::new(slot.load(Ordering::Acquire))) {
        return Ok(loaded);
    }
    // Two threads that load at once get the same module; Windows counts one reference more, which nothing ever gives back.
    let loaded = load(dll.file_name())?;
    if let Some(slot) = slot {
        slot.store(loaded.as_ptr(), Ordering::Release);
    }
    Ok(loaded)
}

fn load(file_name: &str) -> Result<NonNull<c_void>, Hresult> {
    let name: Vec<u16> = file_name.encode_utf16().chain([0]).collect();
    // SAFETY: the name ends with a NUL and lives until the call returns; the second parameter must be null. Code of the DLL
    // runs when it is loaded: it is Windows' own, since only System32 is searched.
    let module =
        unsafe { LoadLibraryExW(name.as_ptr(), ptr::null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32) };
    NonNull::new(module).ok_or_else(last_error)
}

fn export(module: NonNull<c_void>, name: &CStr) -> Result<NonNull<c_void>, Hresult> {
    // SAFETY: the module is loaded and stays so; the name ends with a NUL.
    let found = unsafe { GetProcAddress(module.as_ptr(), name.as_ptr().cast()) };
    found
        .and_then(|function| NonNull::new(function as *mut c_void))
        .ok_or_else(last_error)
}

fn last_error() -> Hresult {
    // SAFETY: reads a number that belongs to this thread.
    Hresult::from_win32(unsafe { GetLastError() })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use wcow_ntmeta::Hresult;

    use super::{export, load};

    #[test]
    fn a_dll_that_is_not_there_is_a_code() {
        assert_eq!(load("wcow-is-not-there.dll"), Err(Hresult(0x8007_007E)));
    }

    #[test]
    fn a_function_that_is_not_there_is_a_code() {
        let module = load("kernel32.dll").expect("every Windows has it");
        assert_eq!(export(module, c"WcowIsNotThere"), Err(Hresult(0x8007_007F)));
        assert!(export(module, c"GetTickCount").is_ok());
    }

    /// A DLL that lies beside the program, and in the working directory, is not taken.
    #[test]
    fn a_planted_dll_is_not_loaded() {
        let name = format!("wcow-planted-{}.dll", std::process::id());
        let system = PathBuf::from(std::env::var_os("SystemRoot").expect("Windows sets it"));
        let program = std::env::current_exe().expect("it has a path");
        let beside = program.with_file_name(&name);
        std::fs::copy(system.join("System32").join("version.dll"), &beside)
            .expect("a DLL can be copied");
        let loaded = load(&name);
        std::fs::remove_file(&beside).expect("it is not in use");
        assert_eq!(loaded, Err(Hresult(0x8007_007E)));
    }
}
