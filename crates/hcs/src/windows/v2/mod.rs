//! HCS of the second generation: computecore.dll, since Windows 10 1809 and Windows Server 2019.
//!
//! A call that takes time gives an [`Operation`]. The call has begun then; how it ends is the operation's result. An operation
//! belongs to one call, so "not started" and "already started" cannot happen here.

mod events;
mod operation;
mod process;
mod system;

pub use events::Event;
pub use operation::Operation;
pub use process::Process;
pub use system::{
    ComputeSystem, enumerate, grant_vm_access, modify_service, revoke_vm_access, service_properties,
};

use std::ffi::c_void;
use std::ptr;
use std::time::Duration;

use windows_sys::core::{PCWSTR, PWSTR};

use crate::error::{Dll, Error};
use crate::text::Wide;

/// The only access that systems and processes are opened with.
const GENERIC_ALL: u32 = 0x1000_0000;

/// A function that takes an open object, an operation and a document.
type Step =
    unsafe fn(*mut c_void, *mut c_void, PCWSTR) -> Result<windows_sys::core::HRESULT, Error>;

/// A function that waits for the end of an object.
type WaitForExit =
    unsafe fn(*mut c_void, u32, *mut PWSTR) -> Result<windows_sys::core::HRESULT, Error>;

fn wide(call: &'static str, text: &str) -> Result<Wide, Error> {
    Wide::new(call, Dll::ComputeCore, text)
}

/// A document that may be left out.
struct Optional(Option<Wide>);

impl Optional {
    fn new(call: &'static str, text: Option<&str>) -> Result<Self, Error> {
        text.map(|text| wide(call, text)).transpose().map(Self)
    }

    /// Null if it was left out. Good as long as the value lives.
    fn as_ptr(&self) -> PCWSTR {
        self.0.as_ref().map_or(ptr::null(), Wide::as_ptr)
    }
}

/// A time as the DLL takes it, rounded up. Longer ones become the longest there is, 49 days; "for ever" is never passed on.
fn milliseconds(time: Duration) -> u32 {
    let longest = u32::MAX - 1;
    u32::try_from(time.as_nanos().div_ceil(1_000_000)).map_or(longest, |ms| ms.min(longest))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::milliseconds;

    #[test]
    fn times_are_rounded_up_and_never_for_ever() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::from_secs(2)), 2000);
        assert_eq!(milliseconds(Duration::MAX), u32::MAX - 1);
        assert_eq!(
            milliseconds(Duration::from_millis(u64::from(u32::MAX))),
            u32::MAX - 1
        );
    }
}
