//! Layer storage, as a client sees it.

use std::future::Future;

use wcow_host::{HostError, LayerDescriptor, LayerStorage};
use wcow_ntmeta::HostPath;

use super::Face;
use crate::call::LayersCall;

impl LayerStorage for Face {
    fn process_base(&self, layer: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(LayersCall::ProcessBase {
            layer: layer.clone(),
        })
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

    fn activate(&self, scratch: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send {
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

    fn unprepare(&self, scratch: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(LayersCall::Unprepare {
            scratch: scratch.clone(),
        })
    }

    fn deactivate(&self, scratch: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(LayersCall::Deactivate {
            scratch: scratch.clone(),
        })
    }

    fn destroy(&self, layer: &HostPath) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(LayersCall::Destroy {
            layer: layer.clone(),
        })
    }
}
