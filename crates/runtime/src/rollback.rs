//! Undoing what was done, in reverse.

use std::fmt;
use std::future::Future;

use serde::{Deserialize, Serialize};
use wcow_host::codes::{self, hcn, win32};
use wcow_host::{Host, HostError, NetworkService, Precaution, SystemId};
use wcow_ntmeta::{Guid, HostPath};

/// One step that takes back one thing the runtime made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// Delete a scratch layer.
    DestroyLayer(HostPath),
    /// Detach a scratch layer.
    Deactivate(HostPath),
    /// Unmount the parents of a scratch layer.
    Unprepare(HostPath),
    /// Delete an HNS endpoint.
    DeleteEndpoint(Guid),
    /// End a compute system.
    Terminate(SystemId),
    /// Remove a persistent container (technical previews).
    RemoveSystem(SystemId),
}

impl fmt::Display for Undo {
    /// What the step takes back, with what state it is in as long as the step was not done.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DestroyLayer(layer) => write!(f, "scratch layer {layer}"),
            Self::Deactivate(layer) => write!(f, "attached disk of {layer}"),
            Self::Unprepare(layer) => write!(f, "mounted parents of {layer}"),
            Self::DeleteEndpoint(id) => write!(f, "endpoint {id}"),
            Self::Terminate(id) => write!(f, "running compute system {id}"),
            Self::RemoveSystem(id) => write!(f, "compute system {id}"),
        }
    }
}

/// An undo step that failed: what it should have taken back is still on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoFailure {
    /// The step.
    pub step: Undo,
    /// The host's answer.
    pub error: HostError,
}

/// A call that failed may have done something all the same, when it does not say. Without this that stays behind.
const ROLLBACK_UNANSWERED: Precaution = Precaution::new("rollback-unanswered");

/// The precautions of the runtime: what a failed operation has made is taken back, kind by kind.
pub const PRECAUTIONS: [Precaution; 7] = [
    ROLLBACK_UNANSWERED,
    Precaution::new("rollback-scratch-layer"),
    Precaution::new("rollback-attached-disk"),
    Precaution::new("rollback-mounted-parents"),
    Precaution::new("rollback-endpoint"),
    Precaution::new("rollback-running-system"),
    Precaution::new("rollback-kept-system"),
];

impl Undo {
    /// The precaution that it is when an operation fails.
    const fn precaution(&self) -> Precaution {
        let [_, scratch, disk, parents, endpoint, running, kept] = PRECAUTIONS;
        match self {
            Self::DestroyLayer(_) => scratch,
            Self::Deactivate(_) => disk,
            Self::Unprepare(_) => parents,
            Self::DeleteEndpoint(_) => endpoint,
            Self::Terminate(_) => running,
            Self::RemoveSystem(_) => kept,
        }
    }
}

/// The steps that undo what an operation has done so far. Every operation of the runtime that does more than one thing pushes onto one
/// of these, and runs it when a later step fails.
#[derive(Debug)]
pub struct Rollback<'h, H> {
    host: &'h H,
    steps: Vec<Undo>,
}

impl<'h, H: Host> Rollback<'h, H> {
    /// Nothing has been done yet.
    #[must_use]
    pub const fn new(host: &'h H) -> Self {
        Self {
            host,
            steps: Vec::new(),
        }
    }

    /// Remembers how to undo what was just done.
    pub fn push(&mut self, step: Undo) {
        self.steps.push(step);
    }

    /// Makes a call, and remembers how to undo what it did, or may have done although it failed.
    ///
    /// # Errors
    /// The call's own.
    pub async fn attempt<T, E: Into<HostError>>(
        &mut self,
        undo: Undo,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, HostError> {
        let answer = call.await.map_err(Into::into);
        match &answer {
            Ok(_) => self.push(undo),
            Err(error) => self.failed(error, undo),
        }
        answer
    }

    /// Remembers how to undo what a call may have done although it failed.
    pub fn failed(&mut self, error: &HostError, undo: Undo) {
        if error.is_ambiguous() && !self.host.ignores(ROLLBACK_UNANSWERED) {
            self.push(undo);
        }
    }

    /// The steps, in the order they were done: for keeping, once all is well.
    #[must_use]
    pub fn keep(self) -> Vec<Undo> {
        self.steps
    }

    /// Undoes everything, as [`undo_all`] does.
    pub async fn unwind(mut self) -> Vec<UndoFailure> {
        self.steps
            .retain(|step| !self.host.ignores(step.precaution()));
        undo_all(self.host, &self.steps).await
    }
}

/// Undoes steps that were done in this order, the last one first. A step that fails does not stop the others; one whose object is
/// already gone, as attachments, endpoints and systems are after a restart of the host, counts as done.
pub async fn undo_all<H: Host>(host: &H, steps: &[Undo]) -> Vec<UndoFailure> {
    let mut failures = Vec::new();
    for step in steps.iter().rev() {
        if let Err(error) = undo(host, step).await {
            let step = step.clone();
            failures.push(UndoFailure { step, error });
        }
    }
    failures
}

async fn undo<H: Host>(host: &H, step: &Undo) -> Result<(), HostError> {
    let client = crate::client(host);
    let undone = match step {
        Undo::DestroyLayer(layer) => client.destroy(layer).await,
        Undo::Deactivate(scratch) => client.deactivate(scratch).await,
        Undo::Unprepare(scratch) => client.unprepare(scratch).await,
        Undo::RemoveSystem(id) => client.remove(id).await,
        Undo::Terminate(id) => match client.find(id).await {
            Ok(Some(system)) => {
                let ended = system.terminate().await;
                let closed = system.close().await;
                ended.and(closed)
            }
            Ok(None) => Ok(()),
            Err(error) if error.is_stopped() => Ok(()),
            Err(error) => Err(error),
        },
        Undo::DeleteEndpoint(id) => return delete_endpoint(host, *id).await,
    };
    Ok(undone?)
}

async fn delete_endpoint<H: Host>(host: &H, id: Guid) -> Result<(), HostError> {
    let gone = [win32::NOT_FOUND, hcn::ENDPOINT_NOT_FOUND];
    let is_gone = |code| gone.iter().any(|known| codes::same(*known, code));
    match host.network().delete_endpoint(id).await {
        Err(error) if error.hresult().is_some_and(is_gone) => Ok(()),
        answer => answer,
    }
}
