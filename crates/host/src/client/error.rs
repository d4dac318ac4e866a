//! What goes wrong for a client.

use wcow_ntmeta::Hresult;

use super::is_one_of;
use crate::codes::{v1, v2, win32};
use crate::{HostError, Operation, Retry};

/// Why a client's call did not work.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The host refused.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The host did not answer. What was asked for may still happen.
    #[error("{operation} of {object}: the host did not answer in {seconds} s")]
    TimedOut {
        /// The call.
        operation: Operation,
        /// What it was about.
        object: String,
        /// How long it was waited for.
        seconds: u64,
    },
}

impl ClientError {
    /// The host's code, if the host answered with an HRESULT.
    #[must_use]
    pub fn hresult(&self) -> Option<Hresult> {
        match self {
            Self::Host(error) => error.hresult(),
            Self::TimedOut { .. } => None,
        }
    }

    /// Whether it says that there is no such system or process: 010E, 0x490.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.is_one_of(&[v1::SYSTEM_NOT_FOUND, win32::NOT_FOUND])
    }

    /// Whether it says that the system has ended already: 0110, or as [`is_not_found`](Self::is_not_found), because an ended system
    /// is as one that never was.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.is_not_found() || self.is_one_of(&[v1::SYSTEM_ALREADY_STOPPED])
    }

    /// Whether it says that the process has exited already: builds answer 0105, 010E, 0110, 0x490 or 0x8037011F.
    #[must_use]
    pub fn is_exited(&self) -> bool {
        self.is_stopped() || self.is_one_of(&[v1::INVALID_STATE, v2::PROCESS_ALREADY_STOPPED])
    }

    /// Whether the service went away under the call: 0x8037011E, 0x6BA, 0x6BE, 0x6BF; or took the handle with it (0x6).
    #[must_use]
    pub fn is_disconnected(&self) -> bool {
        self.is_one_of(&[
            v2::SERVICE_DISCONNECT,
            win32::RPC_S_SERVER_UNAVAILABLE,
            win32::RPC_S_CALL_FAILED,
            win32::RPC_S_CALL_FAILED_DNE,
            win32::INVALID_HANDLE,
        ])
    }

    /// Whether the call may have taken effect all the same: its answer was lost, or did not come in time.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Self::Host(error) => error.is_ambiguous(),
            Self::TimedOut { .. } => true,
        }
    }

    /// Whether the host's code is one of these, in either spelling.
    #[must_use]
    pub fn is_one_of(&self, codes: &[Hresult]) -> bool {
        self.hresult().is_some_and(|code| is_one_of(code, codes))
    }
}

impl From<ClientError> for HostError {
    /// The host's answer. Where there is none, the code with which the host's own functions say so to those who wait for it:
    /// 0x80370118 of compute systems and processes, 0x5B4 of all else.
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Host(error) => error,
            ClientError::TimedOut {
                operation, object, ..
            } => {
                let code = if operation.is_compute() {
                    v2::OPERATION_TIMEOUT
                } else {
                    win32::TIMEOUT
                };
                Self {
                    retry: Retry::Soon,
                    ..Self::new(operation, object, code)
                }
            }
        }
    }
}
