//! The typed client that people use: the traits of this crate with the quirks of real hosts handled.
//!
//! * Every wait has an end. What a service does not answer in [`Times::answer`] is a [`ClientError::TimedOut`], which names the call.
//! * The end of a system or a process is noticed although its notification is late or lost, or the service was restarted.
//! * Ending what has ended is no error, whichever of its codes a build gives.
//! * A process is ended through a handle of its own, because the service serves the calls on one handle one after the other.
//! * Calls that fail on some builds while something else is torn down or set up are tried again, so often as Microsoft's own
//!   clients do.
//!
//! A [`Client`] holds nothing but a reference to the host. No `Drop` touches the host: what was opened is closed by `close`, or with
//! the client's process.

mod error;
mod process;
mod race;
mod system;

use std::future::Future;

use wcow_ntmeta::{FileTime, HostPath};

use crate::codes::{self, v1, win32};
use crate::{
    Clock, ComputeService, CreateDocument, Host, HostControl, HostError, LayerDescriptor,
    LayerStorage, Operation, SystemId, SystemState, SystemSummary,
};

pub use error::ClientError;
pub use process::{Process, ProcessExit};
pub use race::{Winner, race};
pub use system::{System, SystemExit};

/// Ticks of 100 ns in a millisecond.
const MILLISECOND: u64 = 10_000;

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
        let handle = self.answered(Operation::CreateSystem, &id.0, call).await?;
        Ok(System::new(*self, id.clone(), handle))
    }

    /// Opens a compute system.
    ///
    /// # Errors
    /// There is none of this id (010E), or none answers in time.
    pub async fn open(&self, id: &SystemId) -> Result<System<'h, H>, ClientError> {
        let call = self.host.compute().open(id);
        let handle = self.answered(Operation::OpenSystem, &id.0, call).await?;
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

    /// Lists the compute systems; a state that the host leaves out is filled in.
    ///
    /// While a system is being torn down, builds up to 15063 refuse to list any (0105, 0x5): it is tried again, 500 times 10 ms.
    ///
    /// # Errors
    /// The host's answer, or none in time.
    pub async fn list(&self) -> Result<Vec<(SystemSummary, SystemState)>, ClientError> {
        const STUMBLES: [wcow_ntmeta::Hresult; 2] = [v1::INVALID_STATE, win32::ACCESS_DENIED];
        let systems = self
            .again(500, 10 * MILLISECOND, &STUMBLES, async || {
                let call = self.host.compute().enumerate();
                self.answered(Operation::EnumerateSystems, "", call).await
            })
            .await?;
        let known = |system: SystemSummary| {
            let state = system.known_state();
            (system, state)
        };
        Ok(systems.into_iter().map(known).collect())
    }

    /// Attaches a scratch layer and mounts its parents; gives the volume.
    ///
    /// Build 17763 answers that a device is not ready (0x15, 0x48F) while another layer is being mounted: each step is tried again,
    /// five times 100 ms. A layer that cannot be mounted is detached again.
    ///
    /// # Errors
    /// The host's answer to the step that failed, or none in time.
    pub async fn mount(
        &self,
        scratch: &HostPath,
        parents: &[LayerDescriptor],
    ) -> Result<String, ClientError> {
        const NOT_YET: [wcow_ntmeta::Hresult; 2] = [win32::NOT_READY, win32::DEVICE_NOT_CONNECTED];
        let layers = self.host.layers();
        let name = scratch.to_string();
        let build = self.build().await?;
        let times = if build == 17763 { 5 } else { 0 };
        self.again(times, 100 * MILLISECOND, &NOT_YET, async || {
            let call = layers.activate(scratch);
            self.answered(Operation::ActivateLayer, &name, call).await
        })
        .await?;
        let prepared = self
            .again(times, 100 * MILLISECOND, &NOT_YET, async || {
                let call = layers.prepare(scratch, parents);
                self.answered(Operation::PrepareLayer, &name, call).await
            })
            .await;
        let volume = match prepared {
            Ok(()) => {
                let call = layers.mount_path(scratch);
                self.answered(Operation::LayerMountPath, &name, call).await
            }
            Err(error) => Err(error),
        };
        match volume {
            Ok(volume) => Ok(volume),
            Err(error) => {
                // The first error is the one to tell.
                let _ = self.unmount(scratch).await;
                Err(error)
            }
        }
    }

    /// Undoes [`mount`](Self::mount). What is not mounted (0x37), or gone (0x2, 0x3), counts as done, as after a restart.
    ///
    /// # Errors
    /// It is in use (0x20), or another answer of the host's; both steps are tried.
    pub async fn unmount(&self, scratch: &HostPath) -> Result<(), ClientError> {
        let layers = self.host.layers();
        let name = scratch.to_string();
        let call = layers.unprepare(scratch);
        let unprepared = self.answered(Operation::UnprepareLayer, &name, call).await;
        let call = layers.deactivate(scratch);
        let deactivated = self.answered(Operation::DeactivateLayer, &name, call).await;
        unless_gone(unprepared).and(unless_gone(deactivated))
    }

    async fn build(&self) -> Result<u32, ClientError> {
        let call = self.host.control().info();
        let info = self.answered(Operation::HostInfo, "", call).await?;
        Ok(info.build)
    }

    /// The answer to a call, if it comes in time.
    async fn answered<T>(
        &self,
        operation: Operation,
        object: &str,
        call: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, ClientError> {
        match race(call, self.sleep(self.times.answer)).await {
            Winner::First(answer) => Ok(answer?),
            Winner::Second(()) => Err(ClientError::TimedOut {
                operation,
                object: object.to_owned(),
                seconds: self.times.answer / (1_000 * MILLISECOND),
            }),
        }
    }

    /// Tries a call again, at most so many times, while it is answered with one of these codes.
    async fn again<T, F: Future<Output = Result<T, ClientError>>>(
        &self,
        times: u32,
        pause: u64,
        passing: &[wcow_ntmeta::Hresult],
        call: impl Fn() -> F,
    ) -> Result<T, ClientError> {
        let mut left = times;
        loop {
            match call().await {
                Err(error) if left > 0 && error.is_one_of(passing) => {
                    left -= 1;
                    self.sleep(pause).await;
                }
                answer => return answer,
            }
        }
    }

    fn sleep(&self, ticks: u64) -> impl Future<Output = ()> + Send + use<'h, H> {
        let clock = self.host.clock();
        let until = FileTime::from_ticks(clock.now().ticks().saturating_add(ticks));
        clock.sleep_until(until)
    }
}

fn unless_gone(answer: Result<(), ClientError>) -> Result<(), ClientError> {
    const GONE: [wcow_ntmeta::Hresult; 3] = [
        win32::DEV_NOT_EXIST,
        win32::FILE_NOT_FOUND,
        win32::PATH_NOT_FOUND,
    ];
    match answer {
        Err(error) if error.is_one_of(&GONE) => Ok(()),
        answer => answer,
    }
}

/// Whether a code is one of these, in either spelling.
fn is_one_of(code: wcow_ntmeta::Hresult, known: &[wcow_ntmeta::Hresult]) -> bool {
    known.iter().any(|known| codes::same(*known, code))
}
