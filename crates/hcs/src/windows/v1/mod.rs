//! HCS of the first generation: vmcompute.dll, on every host since Windows Server 2016.
//!
//! Some calls end later than they return. They say so by [`Completion::Pending`], and a [`Notification`] tells the end. Those that
//! subscribe after a creation that is pending still get its notification: the service keeps it for them.
//!
//! A handle can be used by several threads at once. The service serves a kill and a signal through one handle one after the other;
//! a second handle of the system is not held up.

mod notifications;
mod process;
mod system;

pub use notifications::Notification;
pub use process::Process;
pub use system::{ComputeSystem, enumerate, modify_service, service_properties};

use wcow_ntmeta::Hresult;
use windows_sys::core::HRESULT;

use super::answer;
use super::memory::{CoTask, OutText};
use crate::error::{Dll, Error};
use crate::text::Wide;

/// `ERROR_VMCOMPUTE_OPERATION_PENDING`; v2 has no such code.
const PENDING: Hresult = Hresult(0xC037_0103);

/// Whether a call has ended when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Completion {
    /// It has.
    Done,
    /// It goes on; a notification will tell its end.
    Pending,
}

fn wide(call: &'static str, text: &str) -> Result<Wide, Error> {
    Wide::new(call, Dll::VmCompute, text)
}

/// An answer that may be "pending".
fn completion(
    call: &'static str,
    answer: HRESULT,
    result: OutText<CoTask>,
) -> Result<Completion, Error> {
    if Hresult::from_i32(answer) == PENDING {
        return Ok(Completion::Pending);
    }
    done(call, answer, result).map(|()| Completion::Done)
}

/// An answer that is final.
fn done(call: &'static str, answer: HRESULT, result: OutText<CoTask>) -> Result<(), Error> {
    answer::explained(call, Dll::VmCompute, answer, result)
}
