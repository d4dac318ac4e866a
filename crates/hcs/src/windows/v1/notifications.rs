//! Notifications of systems and processes.
#![expect(unsafe_code, reason = "is called by vmcompute.dll")]

use std::ffi::c_void;

use wcow_ntmeta::Hresult;
use windows_sys::core::{HRESULT, PCWSTR};

use crate::mailbox::{Letter, Mailbox};
use crate::registry::Registry;
use crate::values::NotificationType;
use crate::windows::callback::{guarded, target};
use crate::windows::memory::read;

/// What the service tells about a system or a process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// What it is about.
    pub kind: NotificationType,
    /// How that went.
    pub status: Hresult,
    /// The document with it: of an exit its status, of a failure the error.
    pub data: Option<String>,
}

impl Letter for Notification {
    fn is_final(&self) -> bool {
        matches!(
            self.kind,
            NotificationType::SYSTEM_EXITED
                | NotificationType::SYSTEM_CREATE_COMPLETED
                | NotificationType::SYSTEM_START_COMPLETED
                | NotificationType::SYSTEM_PAUSE_COMPLETED
                | NotificationType::SYSTEM_RESUME_COMPLETED
                | NotificationType::SYSTEM_SAVE_COMPLETED
                | NotificationType::SYSTEM_SHUTDOWN_FAILED
                | NotificationType::SYSTEM_GET_PROPERTIES_COMPLETED
                | NotificationType::SYSTEM_MODIFY_COMPLETED
                | NotificationType::SYSTEM_OPERATION_COMPLETION
                | NotificationType::PROCESS_EXITED
                | NotificationType::SERVICE_DISCONNECT
        )
    }
}

/// Where callbacks of this kind find their mailboxes.
pub(super) static REGISTRY: Registry<Mailbox<Notification>> = Registry::new();

/// What vmcompute.dll calls, on threads of its own.
///
/// # Safety
/// `data` is null or ends with a NUL, and stays as it is until this returns. `context` may be anything.
pub(super) unsafe extern "system" fn notified(
    kind: u32,
    context: *const c_void,
    status: HRESULT,
    data: PCWSTR,
) {
    guarded(|| {
        if let Some(mailbox) = target(&REGISTRY, context) {
            mailbox.post(Notification {
                kind: NotificationType(kind),
                status: Hresult::from_i32(status),
                // SAFETY: the caller, a DLL, keeps the string until this returns.
                data: unsafe { read(data) },
            });
        }
    });
}
