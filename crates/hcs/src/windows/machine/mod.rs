//! What this machine is and what runs on it, by functions that every Windows has: kernel32, advapi32, iphlpapi.
//!
//! Errors are those of the operating system, by number (`std::io::Error::raw_os_error`). Nothing here needs more rights than any
//! user has.

mod hardware;
mod job;
mod network;
mod processes;
mod token;
mod volumes;

use std::io;

use wcow_ntmeta::Guid;

use crate::Error;
use crate::raw::combase;

pub use hardware::{Hardware, hardware};
pub use job::Job;
pub use network::{Interface, Route, interfaces, routes, sockets};
pub use processes::{Process, processes};
pub use token::{BuiltinGroup, is_member_of};
pub use volumes::{Volume, volumes};

/// A new GUID (`CoCreateGuid`).
///
/// # Errors
/// combase.dll or the function is not there; the function's own.
pub fn new_guid() -> Result<Guid, Error> {
    const CALL: &str = "CoCreateGuid";
    let mut guid = windows_sys::core::GUID::from_u128(0);
    #[expect(unsafe_code, reason = "a foreign function")]
    // SAFETY: the function writes one GUID.
    let answer = unsafe { combase::CoCreateGuid(&raw mut guid) }?;
    if answer < 0 {
        let code = wcow_ntmeta::Hresult::from_i32(answer);
        return Err(Error::answered(CALL, combase::DLL, code, None));
    }
    let [a, b, c] = [
        u128::from(guid.data1) << 96,
        u128::from(guid.data2) << 80,
        u128::from(guid.data3) << 64,
    ];
    Ok(Guid::from_u128(
        a | b | c | u128::from(u64::from_be_bytes(guid.data4)),
    ))
}

/// What a function says that returns a Win32 error number.
fn check(error: u32) -> io::Result<()> {
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error.cast_signed())),
    }
}

/// What a function says that returns whether it worked.
fn check_bool(worked: i32) -> io::Result<()> {
    if worked == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The text up to the first NUL of a buffer.
fn text_of(buffer: &[u16]) -> String {
    let units = buffer.split(|unit| *unit == 0).next().unwrap_or_default();
    crate::text::from_units(units)
}
