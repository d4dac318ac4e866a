//! Events of systems and processes.
#![expect(unsafe_code, reason = "is called by computecore.dll")]

use std::ffi::c_void;

use windows_sys::Win32::System::HostComputeSystem::HCS_EVENT;

use crate::mailbox::{Letter, Mailbox};
use crate::registry::Registry;
use crate::values::EventType;
use crate::windows::callback::{guarded, target};
use crate::windows::memory::read;

/// What the service tells about a system or a process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What it is about.
    pub kind: EventType,
    /// The document with it: of an exit its status.
    pub data: Option<String>,
}

impl Letter for Event {
    fn is_final(&self) -> bool {
        matches!(
            self.kind,
            EventType::SYSTEM_EXITED
                | EventType::PROCESS_EXITED
                | EventType::OPERATION_CALLBACK
                | EventType::SERVICE_DISCONNECT
        )
    }
}

/// Where callbacks of this kind find their mailboxes.
pub(super) static REGISTRY: Registry<Mailbox<Event>> = Registry::new();

/// What computecore.dll calls, on threads of its own.
///
/// # Safety
/// `event` is null or an event whose data is null or ends with a NUL; both stay as they are until this returns. `context` may be
/// anything.
pub(super) unsafe extern "system" fn happened(event: *const HCS_EVENT, context: *const c_void) {
    guarded(|| {
        let Some(mailbox) = target(&REGISTRY, context) else {
            return;
        };
        // SAFETY: the caller, a DLL, keeps the event until this returns.
        if let Some(event) = unsafe { event.as_ref() } {
            mailbox.post(Event {
                kind: EventType(event.Type),
                // SAFETY: as above, with its data.
                data: unsafe { read(event.EventData) },
            });
        }
    });
}
