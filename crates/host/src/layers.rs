//! Image layers and scratch layers, as vmcompute's layer calls and their successors show them.

use std::future::Future;

use serde::{Deserialize, Serialize};
use wcow_ntmeta::{Guid, HostPath};

use crate::HostError;

/// A read-only layer under a scratch layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerDescriptor {
    /// The id that the service knows the layer by: derived from the folder's name, see [`crate::era::layer_id`].
    pub id: Guid,
    /// The folder of the layer on the host.
    pub path: HostPath,
}

/// Layer storage: base images made usable, scratch layers made, mounted and removed.
///
/// The order for a container is `create_scratch`, `activate`, `prepare`, `mount_path`; and back `unprepare`, `deactivate`,
/// `destroy`. Parents are given nearest first, base last.
pub trait LayerStorage: Send + Sync {
    /// Makes a folder that holds `files` and `hives` usable as a base layer (`ProcessBaseImage`; on technical previews the
    /// host's part of `Install-ContainerOSImage`).
    ///
    /// # Errors
    /// Files or hives are missing (0x3); the container package is missing (the cmdlet is not recognised, or 0x7E).
    fn process_base(&self, layer: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send;

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

    /// Attaches the scratch disk.
    ///
    /// # Errors
    /// It is attached elsewhere (0x20), missing (0x2).
    fn activate(&self, scratch: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Mounts the parents under the scratch layer.
    ///
    /// # Errors
    /// Not activated (0x37), a parent is missing (0x3).
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

    /// Undoes [`prepare`](Self::prepare).
    ///
    /// # Errors
    /// Not prepared (0x37), in use (0x20).
    fn unprepare(&self, scratch: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Undoes [`activate`](Self::activate).
    ///
    /// # Errors
    /// Not activated (0x37).
    fn deactivate(&self, scratch: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Deletes a layer, scratch or base, whatever its security descriptors say. Success does not prove that it is gone: look.
    ///
    /// # Errors
    /// It is in use (0x20); it does not exist (0x2).
    fn destroy(&self, layer: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send;
}
