//! Switches and NAT objects, as a client sees them.

use std::future::Future;

use wcow_host::{
    Adapter, HostError, NetNat, NewNetNat, NewStaticMapping, NewVmSwitch, StaticMapping,
    SwitchService, VmSwitch,
};

use super::Face;
use crate::call::SwitchesCall;

impl SwitchService for Face {
    fn switches(&self) -> impl Future<Output = Result<Vec<VmSwitch>, HostError>> + Send {
        self.call(SwitchesCall::Switches)
    }

    fn new_switch(
        &self,
        switch: &NewVmSwitch,
    ) -> impl Future<Output = Result<VmSwitch, HostError>> + Send {
        self.call(SwitchesCall::NewSwitch(switch.clone()))
    }

    fn remove_switch(&self, name: &str) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(SwitchesCall::RemoveSwitch(name.to_owned()))
    }

    fn nats(&self) -> impl Future<Output = Result<Vec<NetNat>, HostError>> + Send {
        self.call(SwitchesCall::Nats)
    }

    fn new_nat(&self, nat: &NewNetNat) -> impl Future<Output = Result<NetNat, HostError>> + Send {
        self.call(SwitchesCall::NewNat(nat.clone()))
    }

    fn remove_nat(&self, name: &str) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(SwitchesCall::RemoveNat(name.to_owned()))
    }

    fn static_mappings(
        &self,
    ) -> impl Future<Output = Result<Vec<StaticMapping>, HostError>> + Send {
        self.call(SwitchesCall::StaticMappings)
    }

    fn add_static_mapping(
        &self,
        mapping: &NewStaticMapping,
    ) -> impl Future<Output = Result<StaticMapping, HostError>> + Send {
        self.call(SwitchesCall::AddStaticMapping(mapping.clone()))
    }

    fn remove_static_mapping(
        &self,
        nat: &str,
        id: u32,
    ) -> impl Future<Output = Result<(), HostError>> + Send {
        self.call(SwitchesCall::RemoveStaticMapping {
            nat: nat.to_owned(),
            id,
        })
    }

    fn adapters(&self) -> impl Future<Output = Result<Vec<Adapter>, HostError>> + Send {
        self.call(SwitchesCall::Adapters)
    }
}
