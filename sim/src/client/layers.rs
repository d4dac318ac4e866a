//! Layer storage, as a client sees it.

use std::future::Future;

use wcow_host::{BaseImage, HostError, LayerDescriptor, LayerStorage, SystemId};
use wcow_ntmeta::HostPath;

use super::{Face, RemoteHost};
use crate::call::LayersCall;

/// The same calls, whatever carries them.
macro_rules! layer_storage {
    ($face:ty) => {
        impl LayerStorage for $face {
            fn process_base(
                &self,
                layer: &HostPath,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(LayersCall::ProcessBase {
                    layer: layer.clone(),
                })
            }

            fn process_utility_vm(
                &self,
                utility_vm: &HostPath,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(LayersCall::ProcessUtilityVm {
                    utility_vm: utility_vm.clone(),
                })
            }

            fn exists(
                &self,
                layer: &HostPath,
            ) -> impl Future<Output = Result<bool, HostError>> + Send {
                self.call(LayersCall::Exists {
                    layer: layer.clone(),
                })
            }

            fn expand(
                &self,
                scratch: &HostPath,
                bytes: u64,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(LayersCall::Expand {
                    scratch: scratch.clone(),
                    bytes,
                })
            }

            fn import(
                &self,
                layer: &HostPath,
                folder: &HostPath,
                parents: &[LayerDescriptor],
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(LayersCall::Import {
                    layer: layer.clone(),
                    folder: folder.clone(),
                    parents: parents.to_vec(),
                })
            }

            fn export(
                &self,
                layer: &HostPath,
                folder: &HostPath,
                parents: &[LayerDescriptor],
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(LayersCall::Export {
                    layer: layer.clone(),
                    folder: folder.clone(),
                    parents: parents.to_vec(),
                })
            }

            fn base_images(
                &self,
            ) -> impl Future<Output = Result<Vec<BaseImage>, HostError>> + Send {
                self.call(LayersCall::BaseImages)
            }

            fn create_scratch(
                &self,
                scratch: &HostPath,
                parents: &[LayerDescriptor],
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(LayersCall::CreateScratch {
                    scratch: scratch.clone(),
                    parents: parents.to_vec(),
                })
            }

            fn activate(
                &self,
                scratch: &HostPath,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(LayersCall::Activate {
                    scratch: scratch.clone(),
                })
            }

            fn prepare(
                &self,
                scratch: &HostPath,
                parents: &[LayerDescriptor],
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(LayersCall::Prepare {
                    scratch: scratch.clone(),
                    parents: parents.to_vec(),
                })
            }

            fn mount_path(
                &self,
                scratch: &HostPath,
            ) -> impl Future<Output = Result<String, HostError>> + Send {
                self.call(LayersCall::MountPath {
                    scratch: scratch.clone(),
                })
            }

            fn unprepare(
                &self,
                scratch: &HostPath,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(LayersCall::Unprepare {
                    scratch: scratch.clone(),
                })
            }

            fn deactivate(
                &self,
                scratch: &HostPath,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(LayersCall::Deactivate {
                    scratch: scratch.clone(),
                })
            }

            fn grant_vm_access(
                &self,
                machine: &SystemId,
                file: &HostPath,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(LayersCall::GrantVmAccess {
                    machine: machine.clone(),
                    file: file.clone(),
                })
            }

            fn destroy(
                &self,
                layer: &HostPath,
            ) -> impl Future<Output = Result<(), HostError>> + Send {
                self.call(LayersCall::Destroy {
                    layer: layer.clone(),
                })
            }
        }
    };
}

layer_storage!(Face);
layer_storage!(RemoteHost);

impl RemoteHost {
    /// The folder of the scratch layer whose disk is attached as a volume, `\\?\Volume{GUID}` with a backslash at its end or without.
    /// `None` where there is none.
    ///
    /// # Errors
    /// The host cannot be reached.
    pub fn scratch_at(
        &self,
        volume: &str,
    ) -> impl Future<Output = Result<Option<HostPath>, HostError>> + Send + use<> {
        self.call(LayersCall::AtVolume {
            volume: volume.to_owned(),
        })
    }
}
