//! The machine: packages, features, restarts.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wcow_host::codes::{self, win32};
use wcow_host::{
    EditionClass, Feature, FeatureState, HostInfo, Package, Service, ServiceState, era,
};
use wcow_ntmeta::{FileTime, Guid};

use super::services::{COMPUTE, FIREWALL, MANAGEMENT, NETWORK};
use super::{Outside, TICKS_PER_SECOND, World, after};
use crate::call::{Call, ClientId, ControlCall, OpId, Outcome, Reply, Step};
use crate::choice::Label;
use crate::faults;
use crate::profile::Profile;
use crate::queue::Event;

/// What changes about the machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MachineState {
    /// How often it was started.
    pub(crate) boots: u32,
    /// Changes with every start.
    pub(crate) boot_id: Guid,
    /// True between going down and being up again.
    pub(crate) down: bool,
    /// Installed packages, by name.
    pub(crate) packages: Vec<Package>,
    /// Features, by name.
    pub(crate) features: Vec<Feature>,
    /// Services, by name.
    pub(crate) services: Vec<Service>,
    /// Services that crashed, and when they are started again.
    #[serde(default)]
    pub(crate) recovering: BTreeMap<String, FileTime>,
    /// When the Virtual Machine Management service was started last.
    #[serde(default)]
    pub(crate) management_since: FileTime,
    /// The PowerShell modules that packages and features come to, once somebody asked: many calls do.
    #[serde(skip)]
    modules: OnceCell<Vec<&'static str>>,
}

impl MachineState {
    pub(super) fn new(profile: &Profile, boot_id: Guid) -> Self {
        let mut state = Self {
            boots: 1,
            boot_id,
            down: false,
            packages: profile.packages.clone(),
            features: profile.features.clone(),
            services: Vec::new(),
            recovering: BTreeMap::new(),
            management_since: profile.start,
            modules: OnceCell::new(),
        };
        state.packages.sort_by(|a, b| a.name.cmp(&b.name));
        state.features.sort_by(|a, b| a.name.cmp(&b.name));
        state.start_services(profile);
        state
    }

    /// The services that are there after a start.
    fn start_services(&mut self, profile: &Profile) {
        let on = |name: &str| {
            self.features.iter().any(|feature| {
                feature.name == name
                    && matches!(
                        feature.state,
                        FeatureState::Enabled | FeatureState::DisablePending
                    )
            })
        };
        let package = |name: &str| {
            self.packages
                .iter()
                .any(|package| package.name == name && !package.reboot_pending)
        };
        let mut services = profile.services.clone();
        let mut add = |name: &str, there: bool| {
            if there && !services.iter().any(|service| service.name == name) {
                services.push(Service {
                    name: name.to_owned(),
                    state: ServiceState::Running,
                });
            }
        };
        let containers = on("Containers") || package("Containers");
        add(FIREWALL, true);
        add(MANAGEMENT, on("Hyper-V") || package("Compute"));
        add(COMPUTE, containers);
        add(NETWORK, containers && era::has_hns(profile.build));
        services.sort_by(|a, b| a.name.cmp(&b.name));
        self.services = services;
    }

    pub(super) fn reboot_pending(&self) -> bool {
        self.packages.iter().any(|package| package.reboot_pending)
            || self.features.iter().any(|feature| {
                matches!(
                    feature.state,
                    FeatureState::EnablePending | FeatureState::DisablePending
                )
            })
    }

    /// Whether a service runs.
    pub(crate) fn runs(&self, service: &str) -> bool {
        self.services
            .iter()
            .any(|known| known.name == service && known.state == ServiceState::Running)
    }
}

impl World {
    /// What the host tells about itself.
    pub(crate) fn host_info(&self) -> HostInfo {
        HostInfo {
            name: self.profile.computer.clone(),
            build: self.profile.build,
            revision: self.profile.revision,
            class: self.profile.class,
            edition: self.profile.edition.clone(),
            product: self.profile.product.clone(),
            machine: self.profile.machine,
            boot_id: self.machine.boot_id,
            reboot_pending: self.machine.reboot_pending(),
            simulated: Some(self.profile.name.clone()),
        }
    }

    /// Whether Hyper-V is there and was there when the machine started.
    pub(super) fn has_hyper_v(&self) -> bool {
        let MachineState {
            packages, features, ..
        } = &self.machine;
        era::has_hyper_v(self.profile.class, packages, features)
    }

    /// The PowerShell modules that can be loaded.
    pub(crate) fn modules(&self) -> &[&'static str] {
        let MachineState {
            packages,
            features,
            modules,
            ..
        } = &self.machine;
        modules.get_or_init(|| {
            era::modules(self.profile.class, self.profile.build, packages, features)
        })
    }

    pub(super) fn control_call(
        &mut self,
        op: OpId,
        client: ClientId,
        call: &ControlCall,
        out: &mut Outside<'_>,
    ) -> Outcome {
        match call {
            ControlCall::Info => Ok(self.host_info().into()),
            ControlCall::Packages => Ok(self.machine.packages.clone().into()),
            ControlCall::AddPackage(name) => self.add_package(name),
            ControlCall::Modules => {
                let names: Vec<String> =
                    self.modules().iter().copied().map(str::to_owned).collect();
                Ok(names.into())
            }
            ControlCall::Features => Ok(self.machine.features.clone().into()),
            ControlCall::EnableFeature(name) => self.switch_feature(name, true),
            ControlCall::DisableFeature(name) => self.switch_feature(name, false),
            ControlCall::Services => Ok(self.machine.services.clone().into()),
            ControlCall::RestartService(name) => self.restart_service(name, out),
            ControlCall::Reboot => Ok(self.reboot(op, out)),
            ControlCall::NewGuid => Ok(self.new_guid().into()),
            ControlCall::Identity => Ok(self.identity(client).into()),
            ControlCall::StartService(name) => self.start_service(name),
            ControlCall::StopService(name) => self.stop_service(name, out),
        }
    }

    /// The machine is up again.
    pub(super) fn booted(&mut self) {
        self.machine.down = false;
        self.machine.boot_id = self.new_guid();
        self.machine.modules.take();
        self.machine
            .packages
            .iter_mut()
            .for_each(|package| package.reboot_pending = false);
        for feature in &mut self.machine.features {
            feature.state = match feature.state {
                FeatureState::EnablePending | FeatureState::Enabled => FeatureState::Enabled,
                FeatureState::DisablePending | FeatureState::Disabled => FeatureState::Disabled,
            };
        }
        self.machine.start_services(&self.profile);
        for service in &mut self.machine.services {
            let disabled = &self.evidence.disabled_services;
            if disabled
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&service.name))
            {
                service.state = ServiceState::Stopped;
            }
        }
        self.machine.recovering.clear();
        self.machine.management_since = self.now;
    }

    fn add_package(&mut self, name: &str) -> Outcome {
        if self.profile.class != EditionClass::Nano {
            return Err(win32::NOT_SUPPORTED.into());
        }
        let known = self
            .profile
            .available_packages
            .iter()
            .find(|known| known.eq_ignore_ascii_case(name));
        let Some(known) = known.cloned() else {
            return Err(win32::FILE_NOT_FOUND.into());
        };
        if let Err(place) = self
            .machine
            .packages
            .binary_search_by(|package| package.name.cmp(&known))
        {
            self.machine.modules.take();
            self.machine.packages.insert(
                place,
                Package {
                    name: known,
                    reboot_pending: true,
                },
            );
        }
        Ok(().into())
    }

    fn switch_feature(&mut self, name: &str, on: bool) -> Outcome {
        let feature = self
            .machine
            .features
            .iter_mut()
            .find(|feature| feature.name.eq_ignore_ascii_case(name));
        let Some(feature) = feature else {
            return Err(codes::FEATURE_UNKNOWN.into());
        };
        feature.state = match (feature.state, on) {
            (FeatureState::Disabled, true) => FeatureState::EnablePending,
            (FeatureState::Enabled, false) => FeatureState::DisablePending,
            (FeatureState::EnablePending, false) => FeatureState::Disabled,
            (FeatureState::DisablePending, true) => FeatureState::Enabled,
            (state, _) => state,
        };
        let state = feature.state;
        self.machine.modules.take();
        Ok(state.into())
    }

    /// The machine goes down. Calls that wait are cut off; the one that asked is answered when it is up again.
    fn reboot(&mut self, op: OpId, out: &mut Outside<'_>) -> Step {
        self.compute_on_reboot(out);
        self.layers_on_reboot();
        self.network_on_reboot();
        self.fs.close_until(FileTime::from_ticks(u64::MAX));
        self.fs.everybody_gone();
        self.fs.sync_all();
        let cut_off = faults::lost();
        let waiting: Vec<OpId> = self.pending.keys().copied().collect();
        for waiting in waiting {
            self.answer(waiting, Err::<Reply, _>(cut_off.clone()), out);
        }
        let calls = |event: &Event| matches!(event, Event::Perform(arrival) if !matches!(*arrival.call, Call::SleepUntil(_)));
        self.queue.bring_forward(self.now, calls);
        self.machine.down = true;
        self.machine.boots += 1;
        let seconds = 20 + self.choice.draw(Label::Restart, 40);
        self.queue.push(
            after(self.now, seconds * TICKS_PER_SECOND),
            self.machine.boots,
            Event::Booted { op },
        );
        Step::Pending
    }
}
