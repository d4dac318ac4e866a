//! Layers over vmcompute.dll, which every container host has.
//!
//! The successors in computestorage.dll are not needed: hosts that have them kept these functions, and clients use them to this day.
//!
//! * Layers are prepared one after the other: build 17763 fails with 0x15 or 0x48F otherwise. That counts for this program; another
//!   one may still be in the way, and the error says then that the call can be tried again.
//! * Some calls need privileges that they do not enable for their caller. They are enabled for this program when such a call is made
//!   first; where the token does not have them, the host refuses by its own code (0x522).

use std::sync::Arc;

use wcow_hcs::Error;
use wcow_hcs::layers::{self, Parent};
use wcow_host::codes::win32;
use wcow_host::{BaseImage, HostError, LayerDescriptor, LayerStorage, Operation, SystemId};
use wcow_ntmeta::{Guid, HostPath};

use crate::CallLimits;
use crate::answers::{failed, refused, unanswered, unreadable};
use crate::images::images;
use crate::pool::Pool;

/// How many calls run at once at most: each keeps a disk busy.
const THREADS: usize = 4;

/// The layer storage of this machine.
pub struct WinLayers {
    limits: CallLimits,
    calls: Arc<Pool>,
    /// One thread, for [`LayerStorage::prepare`].
    one_at_a_time: Arc<Pool>,
}

/// A parent that a thread of a pool can keep.
type Kept = (Guid, String);

impl WinLayers {
    /// The layer storage of this machine.
    #[must_use]
    pub fn new(limits: CallLimits) -> Self {
        Self {
            limits,
            calls: Pool::new("wcow-layers", THREADS),
            one_at_a_time: Pool::new("wcow-prepare", 1),
        }
    }

    async fn call<T: Send + 'static>(
        &self,
        operation: Operation,
        object: &str,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, HostError> {
        self.call_on(&self.calls, operation, object, work).await
    }

    async fn call_on<T: Send + 'static>(
        &self,
        pool: &Arc<Pool>,
        operation: Operation,
        object: &str,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, HostError> {
        match pool.run_within(self.limits.layer, work).await {
            Ok(answer) => answer.map_err(|error| failed(operation, object, error)),
            Err(why) => Err(unanswered(operation, object, why)),
        }
    }

    /// A call about one folder.
    async fn about<T: Send + 'static>(
        &self,
        operation: Operation,
        layer: &HostPath,
        work: impl FnOnce(&str) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, HostError> {
        let path = text(operation, layer)?;
        let object = path.clone();
        self.call(operation, &object, move || work(&path)).await
    }
}

/// A path as the functions take it. One with half of a surrogate pair cannot be passed on (0x7B).
fn text(operation: Operation, path: &HostPath) -> Result<String, HostError> {
    let text = path.to_wide().to_utf8();
    text.ok_or_else(|| refused(operation, &path.to_string(), win32::INVALID_NAME))
}

fn kept(operation: Operation, parents: &[LayerDescriptor]) -> Result<Vec<Kept>, HostError> {
    let kept = |parent: &LayerDescriptor| Ok((parent.id, text(operation, &parent.path)?));
    parents.iter().map(kept).collect()
}

fn borrowed(parents: &[Kept]) -> Vec<Parent<'_>> {
    parents
        .iter()
        .map(|(id, path)| Parent { id: *id, path })
        .collect()
}

/// Enables what the host wants of whoever works on files. What is missing is not told here: the host refuses what it does not
/// want done, and knows better.
fn privileged() {
    for name in [
        "SeBackupPrivilege",
        "SeRestorePrivilege",
        "SeManageVolumePrivilege",
    ] {
        let _ = wcow_win32::enable_privilege(name);
    }
}

impl LayerStorage for WinLayers {
    async fn process_base(&self, layer: &HostPath) -> Result<(), HostError> {
        let work = |path: &str| {
            privileged();
            layers::process_base(path)
        };
        self.about(Operation::ProcessBase, layer, work).await
    }

    async fn process_utility_vm(&self, utility_vm: &HostPath) -> Result<(), HostError> {
        let work = |path: &str| {
            privileged();
            layers::process_utility_vm(path)
        };
        self.about(Operation::ProcessUtilityVm, utility_vm, work)
            .await
    }

    async fn exists(&self, layer: &HostPath) -> Result<bool, HostError> {
        self.about(Operation::LayerExists, layer, layers::exists)
            .await
    }

    async fn create_scratch(
        &self,
        scratch: &HostPath,
        parents: &[LayerDescriptor],
    ) -> Result<(), HostError> {
        let operation = Operation::CreateScratch;
        let parents = kept(operation, parents)?;
        let work = move |path: &str| layers::create_scratch(path, &borrowed(&parents));
        self.about(operation, scratch, work).await
    }

    async fn expand(&self, scratch: &HostPath, bytes: u64) -> Result<(), HostError> {
        let work = move |path: &str| {
            privileged();
            layers::expand_scratch(path, bytes)
        };
        self.about(Operation::ExpandScratch, scratch, work).await
    }

    async fn import(
        &self,
        layer: &HostPath,
        folder: &HostPath,
        parents: &[LayerDescriptor],
    ) -> Result<(), HostError> {
        let operation = Operation::ImportLayer;
        let (folder, parents) = (text(operation, folder)?, kept(operation, parents)?);
        let work = move |path: &str| {
            privileged();
            layers::import(path, &folder, &borrowed(&parents))
        };
        self.about(operation, layer, work).await
    }

    async fn export(
        &self,
        layer: &HostPath,
        folder: &HostPath,
        parents: &[LayerDescriptor],
    ) -> Result<(), HostError> {
        let operation = Operation::ExportLayer;
        let (folder, parents) = (text(operation, folder)?, kept(operation, parents)?);
        let work = move |path: &str| {
            privileged();
            layers::export(path, &folder, &borrowed(&parents))
        };
        self.about(operation, layer, work).await
    }

    async fn base_images(&self) -> Result<Vec<BaseImage>, HostError> {
        let operation = Operation::BaseImages;
        let answer = self.call(operation, "", layers::base_images).await?;
        images(&answer).ok_or_else(|| unreadable(operation, "", &answer))
    }

    async fn activate(&self, scratch: &HostPath) -> Result<(), HostError> {
        let work = |path: &str| {
            privileged();
            layers::activate(path)
        };
        self.about(Operation::ActivateLayer, scratch, work).await
    }

    async fn prepare(
        &self,
        scratch: &HostPath,
        parents: &[LayerDescriptor],
    ) -> Result<(), HostError> {
        let operation = Operation::PrepareLayer;
        let (path, parents) = (text(operation, scratch)?, kept(operation, parents)?);
        let object = path.clone();
        let work = move || {
            privileged();
            layers::prepare(&path, &borrowed(&parents))
        };
        self.call_on(&self.one_at_a_time, operation, &object, work)
            .await
    }

    async fn mount_path(&self, scratch: &HostPath) -> Result<String, HostError> {
        self.about(Operation::LayerMountPath, scratch, layers::mount_path)
            .await
    }

    async fn unprepare(&self, scratch: &HostPath) -> Result<(), HostError> {
        self.about(Operation::UnprepareLayer, scratch, layers::unprepare)
            .await
    }

    async fn deactivate(&self, scratch: &HostPath) -> Result<(), HostError> {
        self.about(Operation::DeactivateLayer, scratch, layers::deactivate)
            .await
    }

    async fn destroy(&self, layer: &HostPath) -> Result<(), HostError> {
        let work = |path: &str| {
            privileged();
            layers::destroy(path)
        };
        self.about(Operation::DestroyLayer, layer, work).await
    }

    async fn grant_vm_access(&self, machine: &SystemId, file: &HostPath) -> Result<(), HostError> {
        let machine = machine.0.clone();
        let work = move |path: &str| layers::grant_vm_access(&machine, path);
        self.about(Operation::GrantVmAccess, file, work).await
    }
}
