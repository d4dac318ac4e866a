//! The machine, as a client sees it.

use std::future::Future;

use wcow_host::{
    Feature, FeatureState, HostControl, HostError, HostInfo, Identity, Package, Service,
};
use wcow_ntmeta::Guid;

use super::Face;
use crate::call::ControlCall;

impl HostControl for Face {
    fn info(&self) -> impl Future<Output = Result<HostInfo, HostError>> + Send {
        self.call(ControlCall::Info)
    }

    fn packages(&self) -> impl Future<Output = Result<Vec<Package>, HostError>> + Send {
        self.call(ControlCall::Packages)
    }

    fn add_package(&self, name: &str) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(ControlCall::AddPackage(name.to_owned()))
    }

    fn modules(&self) -> impl Future<Output = Result<Vec<String>, HostError>> + Send {
        self.call(ControlCall::Modules)
    }

    fn features(&self) -> impl Future<Output = Result<Vec<Feature>, HostError>> + Send {
        self.call(ControlCall::Features)
    }

    fn enable_feature(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<FeatureState, HostError>> + Send {
        self.call(ControlCall::EnableFeature(name.to_owned()))
    }

    fn disable_feature(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<FeatureState, HostError>> + Send {
        self.call(ControlCall::DisableFeature(name.to_owned()))
    }

    fn services(&self) -> impl Future<Output = Result<Vec<Service>, HostError>> + Send {
        self.call(ControlCall::Services)
    }

    fn restart_service(&self, name: &str) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(ControlCall::RestartService(name.to_owned()))
    }

    fn start_service(&self, name: &str) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(ControlCall::StartService(name.to_owned()))
    }

    fn stop_service(&self, name: &str) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(ControlCall::StopService(name.to_owned()))
    }

    fn identity(&self) -> impl Future<Output = Result<Identity, HostError>> + Send {
        self.call(ControlCall::Identity)
    }

    fn reboot(&self) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(ControlCall::Reboot)
    }

    fn new_guid(&self) -> impl Future<Output = Result<Guid, HostError>> + Send {
        self.call(ControlCall::NewGuid)
    }
}
