//! Image layers and scratch layers, as vmcompute's layer calls and their successors show them.

use std::future::Future;

use serde::{Deserialize, Serialize};
use wcow_ntmeta::{FileTime, Guid, HostPath};

use crate::{HostError, SystemId};

/// A read-only layer under a scratch layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerDescriptor {
    /// The id that the service knows the layer by: derived from the folder's name, see [`crate::era::layer_id`].
    pub id: Guid,
    /// The folder of the layer on the host.
    pub path: HostPath,
}

/// A base image of the store that all users of a host share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseImage {
    /// Its name: `WindowsServerCore`.
    pub name: String,
    /// Its version, four numbers: `10.0.10514.0`.
    pub version: String,
    /// Its folder.
    pub path: HostPath,
    /// The size that its metadata gives, in bytes.
    pub size: u64,
    /// When it was made, if its metadata says so.
    pub created: Option<FileTime>,
}

/// Layer storage: base images made usable, scratch layers made, mounted and removed.
///
/// The order for a container is `create_scratch`, `expand` if its disk is to be larger, `activate`, `prepare`, `mount_path`; and
/// back `unprepare`, `deactivate`, `destroy`. Parents are given nearest first, base last.
///
/// Who may do what stands in [`crate::era::access`]. Each rule below says how it is known.
pub trait LayerStorage: Send + Sync {
    /// Makes a folder that holds `files` and `hives` usable as a base layer (`ProcessBaseImage`; on technical previews the
    /// host's part of `Install-ContainerOSImage`).
    ///
    /// # Errors
    /// Files or hives are missing (0x3); the container package is missing (the cmdlet is not recognised, or 0x7E).
    fn process_base(&self, layer: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Makes the folder `UtilityVM` of a base layer usable for Hyper-V isolation (`ProcessUtilityImage`): the disks that utility
    /// virtual machines boot from.
    ///
    /// # Errors
    /// The boot files (`Files\EFI\Microsoft\Boot\BCD`) are missing (0x3, verbatim); its boot configuration is no registry hive
    /// (0x3F8, verbatim); there is no such function (0x7F, inferred: Technical Preview 3,
    /// which has no Hyper-V isolation).
    fn process_utility_vm(
        &self,
        utility_vm: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Whether the folder of a layer is there. An empty folder is enough (documented), so an import that was cut off is not found
    /// out like that.
    ///
    /// # Errors
    /// The host cannot be reached.
    fn exists(&self, layer: &HostPath) -> impl Future<Output = Result<bool, HostError>> + Send;

    /// Creates a scratch layer: the writable disk of one container.
    ///
    /// # Errors
    /// A parent is missing (0x3), the scratch exists (0xB7), the disk is full (0x70); on a technical preview that was not
    /// restarted since the container package came, `0x8000FFFF`.
    fn create_scratch(
        &self,
        scratch: &HostPath,
        parents: &[LayerDescriptor],
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Makes the disk of a scratch layer larger: `bytes` is its new size. One that has it already stays as it is.
    ///
    /// # Errors
    /// No such scratch layer (0x2); it is activated (0x20, inferred); it would shrink (0x57, inferred); there is no such function
    /// (0x7F, inferred: before Windows Server 2016). On version 1903 more than 20 GB is taken here, and refused by
    /// [`prepare`](Self::prepare).
    fn expand(
        &self,
        scratch: &HostPath,
        bytes: u64,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Makes a layer with parents out of a folder in the form in which layers travel (`ImportLayer`): `Files`, `Hives`,
    /// `tombstones.txt`, each file below `Files` with its attributes and backup streams.
    ///
    /// The work is done in the caller's process: one that is killed meanwhile leaves part of a layer behind, which
    /// [`exists`](Self::exists), and cannot be mounted.
    ///
    /// # Errors
    /// No parents (0x57, inferred: base layers are not imported); a parent, the files or the hives are missing (0x3, verbatim); the
    /// hives of the base image are empty ones (0x3F1, verbatim); the folder of the layer is there and not empty (0xB7, verbatim); the
    /// disk is full (0x70, verbatim); the folder is not in that form (0xD, inferred).
    fn import(
        &self,
        layer: &HostPath,
        folder: &HostPath,
        parents: &[LayerDescriptor],
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Writes what was changed in a scratch layer to a folder, in the form that [`import`](Self::import) takes (`ExportLayer`).
    /// The layer must have been prepared once, and not be now.
    ///
    /// # Errors
    /// No parents (0x57, measured); no such layer, or never prepared (0x2, inferred); prepared (0x20, inferred); the folder is there
    /// and not empty (0xB7, inferred); the disk is full (0x70, verbatim); on Technical Preview 3 always 0x7B (verbatim).
    fn export(
        &self,
        layer: &HostPath,
        folder: &HostPath,
        parents: &[LayerDescriptor],
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// The base images of the store that all users share (`GetBaseImages`), by folder. On Technical Previews 3 and 4 those that were
    /// there when the Virtual Machine Management service was started last (documented).
    ///
    /// # Errors
    /// There is no such function (0x7F, inferred: after Windows Server 2016, where images belong to clients).
    fn base_images(&self) -> impl Future<Output = Result<Vec<BaseImage>, HostError>> + Send;

    /// Attaches the scratch disk. Counted: as many calls of [`deactivate`](Self::deactivate) detach it.
    ///
    /// # Errors
    /// It is attached elsewhere, or open (0x20, verbatim); there is no such layer (0x2, inferred).
    fn activate(&self, scratch: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Mounts the parents under the scratch layer. Counted, as [`activate`](Self::activate) is.
    ///
    /// # Errors
    /// Not activated (0x37, measured); a parent is missing (0x3, verbatim) or part of it (0x2, documented for an import that was cut
    /// off); a disk of more than 20 GB on version 1903 (0x57, verbatim); another layer is prepared at the same time on build 17763
    /// (0x15 or 0x48F, verbatim: try again).
    fn prepare(
        &self,
        scratch: &HostPath,
        parents: &[LayerDescriptor],
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// The volume of a prepared scratch layer: `\\?\Volume{GUID}`, without a trailing backslash.
    ///
    /// # Errors
    /// Not activated (0x37).
    fn mount_path(
        &self,
        scratch: &HostPath,
    ) -> impl Future<Output = Result<String, HostError>> + Send;

    /// Undoes [`prepare`](Self::prepare). After a restart of the host nothing is left to undo.
    ///
    /// # Errors
    /// Not prepared (0x37, documented); no such layer any more (0x2, documented); in use (0x20).
    fn unprepare(&self, scratch: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Undoes [`activate`](Self::activate). After a restart of the host nothing is left to undo.
    ///
    /// # Errors
    /// Not activated (0x37, documented); no such layer any more (0x2, documented); still prepared (0x20).
    fn deactivate(&self, scratch: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Deletes a layer, scratch or base, whatever its security descriptors say. Success does not prove that it is gone: look.
    ///
    /// # Errors
    /// It is in use (0x20); it does not exist (0x2).
    fn destroy(&self, layer: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Lets a virtual machine open a file (`GrantVmAccess`). The machine need not be there yet.
    ///
    /// # Errors
    /// There is no such file (0x2, inferred); there is no such function (0x7F, inferred: before Windows Server 2016).
    fn grant_vm_access(
        &self,
        machine: &SystemId,
        file: &HostPath,
    ) -> impl Future<Output = Result<(), HostError>> + Send;
}
