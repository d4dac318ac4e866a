//! Undoing what was done, in reverse.

use std::fmt;
use std::future::Future;

use serde::{Deserialize, Serialize};
use wcow_host::codes::{self, hcn, v1, win32};
use wcow_host::{
    ComputeService, Host, HostError, LayerStorage, NetworkService, Precaution, SystemId,
};
use wcow_ntmeta::{Guid, HostPath, Hresult};

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
    pub async fn attempt<T>(
        &mut self,
        undo: Undo,
        call: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, HostError> {
        let answer = call.await;
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
        undo_all(self.host, self.steps).await
    }
}

/// Undoes steps that were done in this order, the last one first. A step that fails does not stop the others; one whose object is
/// already gone counts as done.
pub async fn undo_all<H: Host>(host: &H, steps: Vec<Undo>) -> Vec<UndoFailure> {
    let mut failures = Vec::new();
    for step in steps.into_iter().rev() {
        if let Err(error) = undo(host, &step).await
            && !already_gone(&step, &error)
        {
            failures.push(UndoFailure { step, error });
        }
    }
    failures
}

async fn undo<H: Host>(host: &H, step: &Undo) -> Result<(), HostError> {
    match step {
        Undo::DestroyLayer(layer) => destroy(host, layer).await,
        Undo::Deactivate(scratch) => host.layers().deactivate(scratch).await,
        Undo::Unprepare(scratch) => host.layers().unprepare(scratch).await,
        Undo::DeleteEndpoint(id) => host.network().delete_endpoint(*id).await,
        Undo::RemoveSystem(id) => host.compute().remove(id).await,
        Undo::Terminate(id) => {
            let system = host.compute().open(id).await?;
            let ended = host.compute().terminate(system).await;
            let closed = host.compute().close(system).await;
            ended.and(closed)
        }
    }
}

/// How often a layer may be attached when it is to be destroyed.
const MOST_ATTACHED: u32 = 8;

/// Destroys a layer. It may be attached although nothing is known of it: a call of a start that was cut off can come late.
async fn destroy<H: Host>(host: &H, layer: &HostPath) -> Result<(), HostError> {
    let layers = host.layers();
    for _ in 0..MOST_ATTACHED {
        match layers.destroy(layer).await {
            Err(error) if error.hresult() == Some(win32::SHARING_VIOLATION) => {
                let _ = layers.unprepare(layer).await;
                if layers.deactivate(layer).await.is_err() {
                    return Err(error);
                }
            }
            answer => return answer,
        }
    }
    layers.destroy(layer).await
}

/// After a restart of the host, attachments, endpoints and systems are gone; the codes that say so are no failures here.
fn already_gone(step: &Undo, error: &HostError) -> bool {
    let gone: &[Hresult] = match step {
        Undo::Deactivate(_) | Undo::Unprepare(_) | Undo::DestroyLayer(_) => &[
            win32::DEV_NOT_EXIST,
            win32::FILE_NOT_FOUND,
            win32::PATH_NOT_FOUND,
        ],
        Undo::DeleteEndpoint(_) => &[win32::NOT_FOUND, hcn::ENDPOINT_NOT_FOUND],
        Undo::Terminate(_) | Undo::RemoveSystem(_) => {
            &[v1::SYSTEM_NOT_FOUND, v1::SYSTEM_ALREADY_STOPPED]
        }
    };
    error
        .hresult()
        .is_some_and(|code| gone.iter().any(|known| codes::same(*known, code)))
}
