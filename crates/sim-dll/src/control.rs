//! Functions of our own, for tests of programs: what is open, and where the base image of the world lies. They are exported by the
//! names that stand here.
#![expect(
    unsafe_code,
    non_snake_case,
    reason = "foreign functions, by their names"
)]

use crate::abi::{HRESULT, PWSTR};
use crate::answer::{E_INVALIDARG, NOT_SUPPORTED, json, number};
use crate::guard::guarded;
use crate::session::session;
use crate::strings::{self, Owner};
use crate::{callbacks, stdio, table};

/// What is open, what was handed out, what was done.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WcowSimCounters {
    /// Handles to compute systems that are open.
    pub systems: u64,
    /// Handles to processes that are open.
    pub processes: u64,
    /// Operations that are open.
    pub operations: u64,
    /// Registrations that have a handle of their own and were not ended.
    pub callbacks: u64,
    /// Handles to networks, endpoints, other objects of HCN and reserved ports that are open.
    pub networks: u64,
    /// Calls with a handle that was null, of another kind, or closed.
    pub bad_handles: u64,
    /// Texts that were handed out so far.
    pub strings: u64,
    /// Texts of these that nobody has freed, and lists of reserved ports.
    pub live_strings: u64,
    /// Calls of registered functions so far.
    pub calls: u64,
    /// Standard streams that are pumped.
    pub streams: u64,
}

/// Writes the counts.
///
/// # Safety
/// The place is null or can be written.
#[unsafe(export_name = "WcowSimCount")]
pub unsafe extern "system" fn WcowSimCount(place: *mut WcowSimCounters) -> HRESULT {
    guarded("WcowSimCount", || {
        if place.is_null() {
            return E_INVALIDARG.as_i32();
        }
        let open = table::counts();
        let (strings, live_strings) = strings::counts();
        let counters = WcowSimCounters {
            systems: open.systems,
            processes: open.processes,
            operations: open.operations,
            callbacks: open.callbacks,
            networks: open.networks,
            bad_handles: open.bad,
            strings,
            live_strings: live_strings + crate::blocks::count(),
            calls: callbacks::calls(),
            streams: stdio::pumps(),
        };
        // SAFETY: it is not null; the caller vouches for the rest.
        unsafe { place.write_unaligned(counters) };
        0
    })
}

/// Hands out what the world is: `{"Profile","Build","Revision","Image","ImageId","ScratchRoot"}`, the last three only of an own world.
/// The text is freed as those of vmcompute.dll.
///
/// # Safety
/// The place is null or can be written.
#[unsafe(export_name = "WcowSimDescribe")]
pub unsafe extern "system" fn WcowSimDescribe(place: *mut PWSTR) -> HRESULT {
    guarded("WcowSimDescribe", || {
        number(session().and_then(|session| {
            let mut told = serde_json::json!({
                "Profile": session.facts.profile,
                "Build": session.facts.build,
                "Revision": session.facts.revision,
            });
            if let (Some(image), Some(fields)) = (&session.image, told.as_object_mut()) {
                let layer = image.layers.first().map(|layer| layer.id.to_string());
                fields.insert("Image".to_owned(), image.path.to_string().into());
                fields.insert("ImageId".to_owned(), layer.into());
                let scratch = image.scratch_root.to_string();
                fields.insert("ScratchRoot".to_owned(), scratch.into());
            }
            // SAFETY: the caller vouches for the place.
            unsafe { strings::give(place, &json(&told), Owner::CoTask) }
        }))
    })
}

/// Frees a text that was handed out, on systems without the functions of Windows for that.
///
/// # Errors
/// It is none (0x80070057), or was freed; on Windows the function is not there (0x80070032): `LocalFree` and `CoTaskMemFree` are.
///
/// # Safety
/// The text is not used any more.
#[unsafe(export_name = "WcowSimFree")]
pub unsafe extern "system" fn WcowSimFree(text: PWSTR) -> HRESULT {
    #[cfg(not(windows))]
    if strings::release(text.cast()) {
        return 0;
    }
    let _ = text;
    if cfg!(windows) {
        NOT_SUPPORTED
    } else {
        E_INVALIDARG
    }
    .as_i32()
}
