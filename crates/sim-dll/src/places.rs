//! Places that callers have for handles, and registrations as every DLL takes them.
#![expect(
    unsafe_code,
    reason = "writes the memory of callers, who vouch for their pointers"
)]

use std::ffi::c_void;
use std::sync::Arc;

use wcow_ntmeta::Hresult;

use crate::abi::{HANDLE, HCS_NOTIFICATION_CALLBACK, HRESULT};
use crate::answer::{E_INVALIDARG, number};
use crate::callbacks::{Function, Hub};
use crate::table::{self, Object};

/// Hands a new handle out.
///
/// # Errors
/// The place is null.
///
/// # Safety
/// The place is null or can be written.
pub(crate) unsafe fn place_handle(place: *mut HANDLE, object: Object) -> Result<(), Hresult> {
    if place.is_null() {
        return Err(E_INVALIDARG);
    }
    let handle = table::open(object);
    // SAFETY: it is not null; the caller vouches for the rest.
    unsafe { place.write_unaligned(handle) };
    Ok(())
}

/// Writes null to a place for a handle, so that nobody closes what a failed call left there.
///
/// # Errors
/// The place is null.
///
/// # Safety
/// The place is null or can be written.
pub(crate) unsafe fn empty(place: *mut HANDLE) -> Result<(), Hresult> {
    if place.is_null() {
        return Err(E_INVALIDARG);
    }
    // SAFETY: it is not null; the caller vouches for the rest.
    unsafe { place.write_unaligned(std::ptr::null_mut()) };
    Ok(())
}

/// Adds a registration that has a handle of its own.
///
/// # Errors
/// There is no function, or no place for the handle.
///
/// # Safety
/// The place is null or can be written.
pub(crate) unsafe fn register(
    hub: &Arc<Hub>,
    callback: HCS_NOTIFICATION_CALLBACK,
    context: *const c_void,
    place: *mut HANDLE,
) -> Result<(), Hresult> {
    // SAFETY: the caller vouches for the place.
    unsafe { empty(place) }?;
    if callback.is_none() {
        return Err(E_INVALIDARG);
    }
    let registration = hub.register(Function::Notification(callback), context);
    // SAFETY: as above.
    unsafe { place_handle(place, Object::Callback(registration)) }
}

/// Ends a registration by its handle; waits for a call that runs.
pub(crate) fn unregister(handle: HANDLE) -> HRESULT {
    number(table::close(handle, table::callback).map(|registration| registration.end()))
}
