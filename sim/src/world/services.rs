//! The services of a simulated host: stopped, started, crashed, and what that takes along.
//!
//! A service manages what is there; it does not keep it alive. Containers outlive the compute service, networks the Host Network
//! Service (it reads them from its file when it starts), switches the Virtual Machine Management service. Handles, notifications and
//! calls that wait end with it.

use serde::{Deserialize, Serialize};
use wcow_hcs_schema::hns::Policy;
use wcow_host::codes::win32;
use wcow_host::{Identity, Operation, Retry, ServiceState, StartMode, era};
use wcow_ntmeta::FileTime;

use super::{Outside, World, after};
use crate::call::{Call, Fault, NetworkCall, Outcome, SwitchesCall};
use crate::queue::Event;
use crate::trace::TraceEvent;

/// The compute service.
pub(super) const COMPUTE: &str = "vmcompute";
/// The Host Network Service.
pub(super) const NETWORK: &str = "hns";
/// The Virtual Machine Management service.
pub(super) const MANAGEMENT: &str = "vmms";
/// The firewall.
pub(super) const FIREWALL: &str = "MpsSvc";

/// The service manager starts a service again that crashed. A restart of the machine cancels it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServiceUp {
    /// Its name.
    service: String,
}

impl World {
    /// Whether a service is there, and runs.
    pub(super) fn service(&self, name: &str) -> Option<ServiceState> {
        let services = &self.machine.services;
        let known = services.iter().find(|service| service.name == name);
        known.map(|service| service.state)
    }

    /// Starts a service, if it does not run.
    pub(super) fn start_service(&mut self, name: &str) -> Outcome {
        let now = self.now;
        let disabled = self.start_mode(name) == StartMode::Disabled;
        let known = self
            .machine
            .services
            .iter_mut()
            .find(|service| service.name.eq_ignore_ascii_case(name));
        let Some(service) = known else {
            return self.start_other_service(name);
        };
        if disabled && service.state != ServiceState::Running {
            return Err(win32::SERVICE_DISABLED.into());
        }
        let started = service.state != ServiceState::Running;
        service.state = ServiceState::Running;
        if started && service.name == MANAGEMENT {
            self.machine.management_since = now;
        }
        Ok(().into())
    }

    /// Stops a service.
    pub(super) fn stop_service(&mut self, name: &str, out: &mut Outside<'_>) -> Outcome {
        let service = self
            .machine
            .services
            .iter_mut()
            .find(|service| service.name.eq_ignore_ascii_case(name))
            .ok_or(win32::SERVICE_DOES_NOT_EXIST)?;
        if service.name == FIREWALL {
            // Standard: nobody may stop it.
            return Err(win32::ACCESS_DENIED.into());
        }
        let ran = service.state == ServiceState::Running;
        service.state = ServiceState::Stopped;
        let name = service.name.clone();
        if ran {
            self.service_ended(&name, out);
        }
        Ok(().into())
    }

    /// Restarts a service: by somebody, or after a crash that nobody noticed.
    pub(super) fn restart_service(&mut self, name: &str, out: &mut Outside<'_>) -> Outcome {
        let now = self.now;
        let known = self
            .machine
            .services
            .iter_mut()
            .find(|service| service.name.eq_ignore_ascii_case(name));
        let Some(service) = known else {
            return self.start_other_service(name);
        };
        let ran = service.state == ServiceState::Running;
        service.state = ServiceState::Running;
        let name = service.name.clone();
        if name == MANAGEMENT {
            self.machine.management_since = now;
        }
        if ran {
            self.service_ended(&name, out);
        }
        Ok(().into())
    }

    /// A service ends by itself, and is started again `ticks` later. False if it is not there or does not run.
    pub(crate) fn crash_service(&mut self, name: &str, ticks: u64, out: &mut Outside<'_>) -> bool {
        let due = after(self.now, ticks);
        let running = self.machine.services.iter_mut().find(|service| {
            service.name.eq_ignore_ascii_case(name) && service.state == ServiceState::Running
        });
        let Some(service) = running else {
            return false;
        };
        service.state = ServiceState::Crashed;
        let name = service.name.clone();
        out.trace(self.now, || TraceEvent::Host(format!("{name} crashes")));
        self.machine.recovering.insert(name.clone(), due);
        self.service_ended(&name, out);
        self.plan(ticks, Event::Service(ServiceUp { service: name }));
        true
    }

    /// The service manager starts a service again, unless it crashed once more meanwhile, or somebody was faster.
    pub(super) fn service_event(&mut self, event: &ServiceUp, out: &mut Outside<'_>) {
        let name = &event.service;
        let due = |due: &FileTime| *due <= self.now;
        if !self.machine.recovering.get(name).is_some_and(due) {
            return;
        }
        self.machine.recovering.remove(name);
        if self.service(name) == Some(ServiceState::Crashed) {
            out.trace(self.now, || {
                TraceEvent::Host(format!("{name} is started again"))
            });
            // It is there: it crashed.
            let _ = self.start_service(name);
        }
    }

    /// What ends with a service.
    fn service_ended(&mut self, name: &str, out: &mut Outside<'_>) {
        if name == COMPUTE {
            self.compute_service_restarted(out);
        }
    }

    /// Refuses a call to a service that is there and does not run.
    pub(super) fn refuse_without(&self, service: &str) -> Result<(), Fault> {
        match self.service(service) {
            Some(state) => answer(state),
            None => Ok(()),
        }
    }

    /// Refuses calls to the Host Network Service that it, or the firewall behind it, is not there for.
    pub(super) fn network_services(&self, call: &NetworkCall) -> Result<(), Fault> {
        answer(self.service(NETWORK).unwrap_or(ServiceState::Stopped))?;
        let asks_firewall = match call {
            NetworkCall::CreateNetwork(network) => network.kind.eq_ignore_ascii_case("nat"),
            NetworkCall::CreateEndpoint(endpoint) => endpoint
                .policies
                .iter()
                .any(|policy| matches!(policy, Policy::Nat(_))),
            _ => false,
        };
        if asks_firewall && self.service(FIREWALL) != Some(ServiceState::Running) {
            return Err(win32::EPT_S_NOT_REGISTERED.into());
        }
        Ok(())
    }

    /// Refuses cmdlets about switches while the service behind them does not run.
    pub(super) fn switch_services(&self, call: &SwitchesCall, cmdlet: &str) -> Result<(), Fault> {
        let about_switches = matches!(
            call,
            SwitchesCall::Switches | SwitchesCall::NewSwitch(_) | SwitchesCall::RemoveSwitch(_)
        );
        match self.service(MANAGEMENT) {
            Some(state) if about_switches => Ok(era::switch_service_answer(
                state,
                &self.profile.computer,
                cmdlet,
            )?),
            _ => Ok(()),
        }
    }

    /// The service that a call needs.
    pub(super) fn service_behind(call: &Call) -> Option<&'static str> {
        match call {
            Call::Compute(_) => Some(COMPUTE),
            Call::Network(_) => Some(NETWORK),
            Call::Switches(
                SwitchesCall::Switches | SwitchesCall::NewSwitch(_) | SwitchesCall::RemoveSwitch(_),
            ) => Some(MANAGEMENT),
            _ => None,
        }
    }

    /// Refuses what somebody may not do. Layers are prepared under a rule of their own.
    pub(super) fn check_access(
        &self,
        identity: Identity,
        operation: Operation,
    ) -> Result<(), Fault> {
        if operation == Operation::PrepareLayer {
            return Ok(());
        }
        Ok(era::access(identity, self.profile.build, operation)?)
    }
}

/// What a service answers in a state.
fn answer(state: ServiceState) -> Result<(), Fault> {
    let retry = match state {
        ServiceState::Crashed => Retry::Soon,
        ServiceState::Running | ServiceState::Stopped => Retry::No,
    };
    era::service_answer(state).map_err(|code| Fault::from(code).retry(retry))
}
