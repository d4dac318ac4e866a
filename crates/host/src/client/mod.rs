//! The typed client that people use: the traits of this crate with the quirks of real hosts handled.
//!
//! * Every wait has an end. What a service does not answer in [`Times::answer`] is a [`ClientError::TimedOut`], which names the call.
//! * The end of a system or a process is noticed although its notification is late or lost, or the service was restarted.
//! * Ending what has ended is no error, whichever of its codes a build gives.
//! * A process is ended through a handle of its own, because the service serves the calls on one handle one after the other.
//! * What a program reads is given to it piece by piece while its output is read ([`beside`]).
//! * Calls that fail on some builds while something else is torn down or set up are tried again, so often as Microsoft's own
//!   clients do.
//!
//! A [`Client`] holds nothing but a reference to the host. No `Drop` touches the host: what was opened is closed by `close`, or with
//! the client's process.

mod error;
mod isolated;
mod layers;
mod process;
mod race;
mod system;

use std::fmt;
use std::future::Future;

use wcow_ntmeta::{FileTime, Hresult};

use crate::codes::{self, v1, win32};
use crate::{
    Clock, ComputeService, CreateDocument, Host, HostControl, HostError, Operation, SystemHandle,
    SystemId, SystemState, SystemSummary,
};

pub use error::ClientError;
pub use process::{Process, ProcessExit};
pub use race::{Winner, beside, race};
pub use system::{System, SystemExit};

/// Ticks of 100 ns in a millisecond.
const MILLISECOND: u64 = 10_000;
/// The last build that does not list compute systems while one is being torn down.
const LAST_TO_STUMBLE: u32 = 15063;

/// How long a client waits, in ticks of 100 ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// For the answer to a call. Microsoft's clients: four minutes.
    pub answer: u64,
    /// For the notification of an exit, once a call has told that the process has exited. Microsoft's clients: one second.
    pub grace: u64,
    /// Until a client that waits for an exit looks for itself whether it has happened.
    pub look: u64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            answer: 240_000 * MILLISECOND,
            grace: 1_000 * MILLISECOND,
            look: 10_000 * MILLISECOND,
        }
    }
}

/// A host's compute and layer services, as a careful client uses them.
#[derive(Debug)]
pub struct Client<'h, H: Host> {
    host: &'h H,
    times: Times,
}

impl<H: Host> Clone for Client<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H: Host> Copy for Client<'_, H> {}

impl<'h, H: Host> Client<'h, H> {
    /// A client with the usual patience.
    #[must_use]
    pub fn new(host: &'h H) -> Self {
        Self::with_times(host, Times::default())
    }

    /// A client with a patience of its own.
    #[must_use]
    pub fn with_times(host: &'h H, times: Times) -> Self {
        Self { host, times }
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &'h H {
        self.host
    }

    /// Creates a compute system.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn create(
        &self,
        id: &SystemId,
        document: &CreateDocument,
    ) -> Result<System<'h, H>, ClientError> {
        let call = self.host.compute().create(id, document);
        let handle = self.answered(Operation::CreateSystem, id, call).await?;
        Ok(System::new(*self, id.clone(), handle))
    }

    /// Opens a compute system.
    ///
    /// # Errors
    /// There is none of this id (010E), or none answers in time.
    pub async fn open(&self, id: &SystemId) -> Result<System<'h, H>, ClientError> {
        let call = self.host.compute().open(id);
        let handle = self.answered(Operation::OpenSystem, id, call).await?;
        Ok(System::new(*self, id.clone(), handle))
    }

    /// Opens a compute system, if there is one of this id.
    ///
    /// # Errors
    /// The host's other answers, or none in time.
    pub async fn find(&self, id: &SystemId) -> Result<Option<System<'h, H>>, ClientError> {
        match self.open(id).await {
            Ok(system) => Ok(Some(system)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A compute system behind a handle that is open already, and stays so until the answer is closed.
    #[must_use]
    pub fn system(&self, id: SystemId, handle: SystemHandle) -> System<'h, H> {
        System::new(*self, id, handle)
    }

    /// Removes a compute system that persists (technical previews). One that is not there is no error.
    ///
    /// # Errors
    /// It runs (0105), another answer of the host's, or none in time.
    pub async fn remove(&self, id: &SystemId) -> Result<(), ClientError> {
        let call = self.host.compute().remove(id);
        match self.answered(Operation::RemoveSystem, id, call).await {
            Err(error) if error.is_stopped() => Ok(()),
            answer => answer,
        }
    }

    /// Lists the compute systems; a state that the host leaves out is filled in.
    ///
    /// While a system is being torn down, builds up to 15063 refuse to list any (0105, 0x5): it is tried again, 500 times 10 ms.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn list(&self) -> Result<Vec<(SystemSummary, SystemState)>, ClientError> {
        let mut again = Again {
            codes: &[v1::INVALID_STATE, win32::ACCESS_DENIED],
            on: |build| build <= LAST_TO_STUMBLE,
            times: 500,
            pause: 10 * MILLISECOND,
        };
        let systems = loop {
            let call = self.host.compute().enumerate();
            match self.answered(Operation::EnumerateSystems, &"", call).await {
                Ok(systems) => break systems,
                Err(error) => again.or_fail(self, error).await?,
            }
        };
        let known = |system: SystemSummary| {
            let state = system.known_state();
            (system, state)
        };
        Ok(systems.into_iter().map(known).collect())
    }

    async fn build(&self) -> Result<u32, ClientError> {
        let call = self.host.control().info();
        let info = self.answered(Operation::HostInfo, &"", call).await?;
        Ok(info.build)
    }

    /// The answer to a call, if it comes in time.
    async fn answered<T>(
        &self,
        operation: Operation,
        object: &(impl fmt::Display + Sync),
        call: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, ClientError> {
        let clock = self.host.clock();
        let late = clock.deadline(self.later(self.times.answer));
        match race(call, late).await {
            Winner::First(answer) => Ok(answer?),
            Winner::Second(()) => Err(ClientError::TimedOut {
                operation,
                object: object.to_string(),
                seconds: self.times.answer / (1_000 * MILLISECOND),
            }),
        }
    }

    /// So many ticks from now.
    fn later(&self, ticks: u64) -> FileTime {
        FileTime::from_ticks(self.host.clock().now().ticks().saturating_add(ticks))
    }
}

/// Asks a host again that refuses a call in passing, on builds that do.
struct Again {
    /// What it answers meanwhile.
    codes: &'static [Hresult],
    /// Which builds those are. It matters only when a call was refused.
    on: fn(u32) -> bool,
    /// How often it may still be asked.
    times: u32,
    /// The pause before it is, in ticks of 100 ns.
    pause: u64,
}

impl Again {
    /// Waits until it is time to ask again.
    ///
    /// # Errors
    /// The one given, if it is one that stays.
    async fn or_fail<H: Host>(
        &mut self,
        client: &Client<'_, H>,
        error: ClientError,
    ) -> Result<(), ClientError> {
        if self.times == 0 || !error.is_one_of(self.codes) {
            return Err(error);
        }
        // A host that does not say what it is is none of those.
        if !client.build().await.is_ok_and(self.on) {
            return Err(error);
        }
        self.times -= 1;
        let later = client.later(self.pause);
        client.host.clock().sleep_until(later).await;
        Ok(())
    }
}

/// Whether a code is one of these, in either spelling.
fn is_one_of(code: Hresult, known: &[Hresult]) -> bool {
    known.iter().any(|known| codes::same(*known, code))
}
