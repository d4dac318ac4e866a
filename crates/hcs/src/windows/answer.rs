//! What a function returned, as a value or an error.

use wcow_ntmeta::Hresult;
use windows_sys::core::HRESULT;

use super::memory::{Allocator, OutText};
use crate::error::{Dll, Error};

/// `E_POINTER`: a function said that it went well, and gave no handle.
const E_POINTER: Hresult = Hresult(0x8000_4003);

/// An answer without a document.
pub(crate) fn plain(call: &'static str, dll: Dll, answer: HRESULT) -> Result<(), Error> {
    let code = Hresult::from_i32(answer);
    if code.is_failure() {
        Err(Error::answered(call, dll, code, None))
    } else {
        Ok(())
    }
}

/// An answer that a document explains if it is a failure. One beside a success says nothing more; it is only freed.
pub(crate) fn explained<A: Allocator>(
    call: &'static str,
    dll: Dll,
    answer: HRESULT,
    document: OutText<A>,
) -> Result<(), Error> {
    plain(call, dll, answer).map_err(|error| Error {
        document: document.into_text(),
        ..error
    })
}

/// An answer whose document is the result of a success, and explains a failure.
pub(crate) fn text<A: Allocator>(
    call: &'static str,
    dll: Dll,
    answer: HRESULT,
    document: OutText<A>,
) -> Result<Option<String>, Error> {
    match plain(call, dll, answer) {
        Ok(()) => Ok(document.into_text()),
        Err(error) => Err(Error {
            document: document.into_text(),
            ..error
        }),
    }
}

/// An answer of a function that returns a Win32 error number.
pub(crate) fn win32(call: &'static str, dll: Dll, answer: u32) -> Result<(), Error> {
    plain(call, dll, Hresult::from_win32(answer).as_i32())
}

/// A handle that has to be there after a success.
pub(crate) fn handle<T>(call: &'static str, dll: Dll, handle: Option<T>) -> Result<T, Error> {
    handle.ok_or_else(|| Error::answered(call, dll, E_POINTER, None))
}
