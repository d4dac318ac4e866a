//! What a simulated host answers to a diagnosis: its own state, and the [`Evidence`] around it.

use ipnet::Ipv4Net;
use wcow_host::codes::win32;
use wcow_host::{
    EventRecord, FilterDriver, Hardware, HostProcess, Interface, Machine, PortRange, RegistryValue,
    Route, ServiceSetup, ServiceState, StartMode, Volume,
};
use wcow_ntmeta::upcase::eq_ignore_case;
use wcow_ntmeta::{FileTime, HostPath, WideName};

use super::World;
use crate::call::{DiagnosticsCall, Outcome};

/// The first build that passes virtualization on to virtual machines.
const NESTED_FROM: u32 = 10565;
/// The filter drivers that come with Windows, highest altitude first. The last word says whether they need containers.
const WINDOWS_FILTERS: [(&str, &str, bool); 7] = [
    ("WdFilter", "328010", false),
    ("storqosflt", "244000", false),
    ("wcifs", "189900", true),
    ("FileCrypt", "141100", false),
    ("luafv", "135000", false),
    ("npsvctrig", "46000", false),
    ("Wof", "40700", false),
];

impl World {
    pub(super) fn diagnostics_call(&self, call: &DiagnosticsCall) -> Outcome {
        Ok(match call {
            DiagnosticsCall::Volumes => self.volumes().into(),
            DiagnosticsCall::FilterDrivers => self.filter_drivers().into(),
            DiagnosticsCall::RegistryValues(keys) => self.registry_values(keys).into(),
            DiagnosticsCall::ServiceSetups(names) => self.service_setups(names).into(),
            DiagnosticsCall::PortRanges => {
                let mut ranges: Vec<PortRange> = self.evidence.port_ranges.clone();
                ranges.sort_by_key(|range| (range.protocol, range.first));
                ranges.into()
            }
            DiagnosticsCall::Listeners => self.evidence.listeners.clone().into(),
            DiagnosticsCall::Routes => self.routes().into(),
            DiagnosticsCall::Interfaces => self.interfaces().into(),
            DiagnosticsCall::TranslatedPrefixes => self.translated_prefixes().into(),
            DiagnosticsCall::Hardware => self.hardware().into(),
            DiagnosticsCall::Events {
                channels,
                since,
                max,
            } => self.events(channels, *since, *max).into(),
            DiagnosticsCall::Processes => self.processes().into(),
            DiagnosticsCall::AttachedScratches => self.attached_scratches().into(),
            DiagnosticsCall::ProgramOnPath(name) => {
                let found = self.evidence.programs.iter().find(|program| {
                    program.file_name().is_some_and(|known| {
                        eq_ignore_case(known, WideName::from(name.as_str()).units())
                    })
                });
                found.cloned().into()
            }
        })
    }

    /// When one of the host's own services starts.
    pub(super) fn start_mode(&self, name: &str) -> StartMode {
        let disabled = &self.evidence.disabled_services;
        if disabled
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            StartMode::Disabled
        } else {
            StartMode::Automatic
        }
    }

    /// Starts a service that is not one of the container services.
    pub(super) fn start_other_service(&mut self, name: &str) -> Outcome {
        let services = &mut self.evidence.services;
        let found = services
            .iter_mut()
            .find(|service| service.name.eq_ignore_ascii_case(name))
            .ok_or(win32::SERVICE_DOES_NOT_EXIST)?;
        if found.start == StartMode::Disabled {
            return Err(win32::SERVICE_DISABLED.into());
        }
        found.state = ServiceState::Running;
        Ok(().into())
    }

    fn volumes(&self) -> Vec<Volume> {
        let mut volumes = vec![Volume {
            drive: "C:".to_owned(),
            file_system: self.evidence.file_system.clone(),
            free_bytes: self.fs.free(),
        }];
        volumes.extend(self.evidence.volumes.iter().cloned());
        volumes.sort_by(|a, b| a.drive.cmp(&b.drive));
        volumes
    }

    fn filter_drivers(&self) -> Vec<FilterDriver> {
        let containers = self.machine.runs("vmcompute");
        let own = WINDOWS_FILTERS
            .into_iter()
            .filter(|(_, _, needs)| containers || !needs);
        let mut filters: Vec<FilterDriver> = own
            .map(|(name, altitude, _)| FilterDriver {
                name: name.to_owned(),
                altitude: altitude.to_owned(),
            })
            .chain(self.evidence.filters.iter().cloned())
            .collect();
        let height = |filter: &FilterDriver| filter.altitude.parse::<u64>().unwrap_or(0);
        filters.sort_by_key(|filter| std::cmp::Reverse(height(filter)));
        filters
    }

    fn registry_values(&self, keys: &[String]) -> Vec<RegistryValue> {
        let wanted =
            |value: &&RegistryValue| keys.iter().any(|key| key.eq_ignore_ascii_case(&value.key));
        self.evidence
            .registry
            .iter()
            .filter(wanted)
            .cloned()
            .collect()
    }

    fn service_setups(&self, names: &[String]) -> Vec<ServiceSetup> {
        let wanted = |known: &str| names.iter().any(|name| name.eq_ignore_ascii_case(known));
        let own = self.machine.services.iter().map(|service| ServiceSetup {
            name: service.name.clone(),
            start: self.start_mode(&service.name),
            state: service.state,
        });
        let mut setups: Vec<ServiceSetup> = own.filter(|own| wanted(&own.name)).collect();
        for other in &self.evidence.services {
            let known = |own: &ServiceSetup| own.name.eq_ignore_ascii_case(&other.name);
            if wanted(&other.name) && !setups.iter().any(known) {
                setups.push(other.clone());
            }
        }
        setups
    }

    fn interfaces(&self) -> Vec<Interface> {
        let mut interfaces: Vec<Interface> = self
            .adapters()
            .into_iter()
            .map(|adapter| {
                let switch = adapter
                    .name
                    .strip_prefix("vEthernet (")
                    .and_then(|name| name.strip_suffix(')'))
                    .and_then(|name| self.switches.find(name));
                Interface {
                    switch: switch.map(|switch| switch.kind),
                    address: adapter.address,
                    name: adapter.name,
                }
            })
            .collect();
        for (network, gateway) in self.hns.nat_gateways() {
            interfaces.push(Interface {
                name: format!("vEthernet ({network})"),
                address: Some(gateway),
                switch: Some(wcow_host::SwitchType::Internal),
            });
        }
        let Self { evidence, .. } = self;
        interfaces.retain(|interface| {
            let replaced = evidence
                .interfaces
                .iter()
                .any(|other| other.name == interface.name);
            !replaced && !evidence.missing_interfaces.contains(&interface.name)
        });
        interfaces.extend(evidence.interfaces.iter().cloned());
        interfaces.sort_by(|a, b| a.name.cmp(&b.name));
        interfaces
    }

    fn routes(&self) -> Vec<Route> {
        let mut routes = Vec::new();
        for interface in self.interfaces() {
            let Some(address) = interface.address else {
                continue;
            };
            let physical = interface.switch.is_none() && !interface.name.starts_with("vEthernet");
            let external = interface.switch == Some(wcow_host::SwitchType::External);
            if physical || external {
                routes.push(Route {
                    destination: Ipv4Net::default(),
                    next_hop: super::switches::first_address(address.trunc())
                        .map(|gateway| gateway.addr()),
                    interface: interface.name.clone(),
                });
            }
            routes.push(Route {
                destination: address.trunc(),
                next_hop: None,
                interface: interface.name,
            });
        }
        routes.extend(self.evidence.routes.iter().cloned());
        routes
    }

    fn translated_prefixes(&self) -> Vec<Ipv4Net> {
        let mut prefixes = self.switches.nat_prefixes();
        prefixes.extend(self.hns.nat_gateways().map(|(_, gateway)| gateway.trunc()));
        prefixes.retain(|prefix| !self.evidence.untranslated.contains(prefix));
        prefixes.sort();
        prefixes.dedup();
        prefixes
    }

    fn hardware(&self) -> Hardware {
        let profile = &self.profile;
        let passed_on = profile.machine == Machine::Physical || profile.build >= NESTED_FROM;
        Hardware {
            processors: profile.processors,
            memory_mib: profile.memory_mib,
            virtualization: self.evidence.virtualization.unwrap_or(passed_on),
            mac_spoofing: match profile.machine {
                Machine::Physical => None,
                Machine::Virtual => self.evidence.mac_spoofing,
            },
        }
    }

    fn events(&self, channels: &[String], since: FileTime, max: u64) -> Vec<EventRecord> {
        let mut events: Vec<EventRecord> = self
            .evidence
            .events
            .iter()
            .filter(|event| event.time >= since && channels.contains(&event.channel))
            .cloned()
            .collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.time));
        events.truncate(usize::try_from(max).unwrap_or(usize::MAX));
        events
    }

    /// The services, and the container service of every container whose layers are mounted.
    fn processes(&self) -> Vec<HostProcess> {
        let services = ["vmcompute", "vmms"]
            .into_iter()
            .filter(|service| self.machine.runs(service))
            .map(|service| format!("{service}.exe"));
        let containers = self
            .attached_layers()
            .into_iter()
            .map(|_| "CExecSvc.exe".to_owned());
        (1_u32..)
            .zip(services.chain(containers))
            .map(|(number, name)| HostProcess {
                id: number * 4 + 1000,
                name,
            })
            .collect()
    }

    fn attached_scratches(&self) -> Vec<HostPath> {
        let mut attached = self.attached_layers();
        attached.extend(self.evidence.attached.iter().cloned());
        attached
    }
}
