//! Clients that are somewhere else: calls and answers as values that can be written down, and a host whose calls somebody carries.
//!
//! ```text
//!  RemoteHost ── Request ──> Carrier ── whatever lies between ──> SimHost::perform
//!       ^                                                              │
//!       └─────────────────────── Answer <──────────────────────────────┘
//! ```

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wcow_host::codes::{self, win32};
use wcow_host::{ComputeApi, HostError};

use super::SimHost;
use crate::call::{Call, FromReply, Reply};

/// A call to a simulated host. It is written in a form of this version of the simulator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Request(Call);

impl Request {
    /// Whether its answer may never come although nothing is wrong: it waits for an event, for a process, for output.
    #[must_use]
    pub fn waits_for_others(&self) -> bool {
        self.0.waits_for_others()
    }

    /// Its refusal, with that code.
    #[must_use]
    pub fn refused(&self, code: wcow_ntmeta::Hresult) -> HostError {
        HostError::new(self.0.kind().1, self.0.object(), code)
    }

    /// Whether it can come from outside: contents of files travel beside calls, and are left out.
    fn can_travel(&self) -> bool {
        !matches!(self.0, Call::Files(_) | Call::SleepUntil(_))
    }
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answer(Result<Reply, HostError>);

impl From<HostError> for Answer {
    fn from(error: HostError) -> Self {
        Self(Err(error))
    }
}

impl SimHost {
    /// Performs a call that comes from outside, as a call of this client. Calls that concern files are refused (0x32).
    pub fn perform(&self, request: Request) -> impl Future<Output = Answer> + Send + use<> {
        let refused = (!request.can_travel()).then(|| request.refused(win32::NOT_SUPPORTED));
        let host = self.clone();
        async move {
            match refused {
                Some(error) => error.into(),
                None => Answer(host.face.call::<Reply>(request.0).await),
            }
        }
    }
}

/// An answer on its way.
pub type Carried = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What brings the calls of one client to a simulated host, and answers back.
pub trait Carrier: Send + Sync {
    /// The surface of the compute service that the client sees.
    fn api(&self) -> ComputeApi;

    /// Brings a call there. Where that fails, the answer is an error that says so.
    fn carry(&self, request: Request) -> Carried;
}

/// A client of a simulated host that is somewhere else: compute service, layers and networks. Clones are the same client.
#[derive(Clone)]
pub struct RemoteHost {
    carrier: Arc<dyn Carrier>,
}

impl RemoteHost {
    /// A client whose calls are carried so.
    #[must_use]
    pub fn new(carrier: Arc<dyn Carrier>) -> Self {
        Self { carrier }
    }

    pub(super) fn surface(&self) -> ComputeApi {
        self.carrier.api()
    }

    pub(crate) fn call<T: FromReply + 'static>(
        &self,
        call: impl Into<Call>,
    ) -> Pin<Box<dyn Future<Output = Result<T, HostError>> + Send>> {
        let request = Request(call.into());
        let (operation, object) = (request.0.kind().1, request.0.object());
        let carried = self.carrier.carry(request);
        Box::pin(async move {
            let reply = carried.await.0?;
            // A reply of another type: who answers is not what it says it is.
            T::from_reply(reply).ok_or_else(|| HostError::new(operation, object, codes::UNEXPECTED))
        })
    }
}

impl fmt::Debug for RemoteHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteHost").finish_non_exhaustive()
    }
}
