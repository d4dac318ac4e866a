//! Hyper-V switches, NAT objects and adapters.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use wcow_host::{
    Adapter, AdapterState, EditionClass, ErrorCategory, Machine, NetNat, NewNetNat,
    NewStaticMapping, NewVmSwitch, PowerShellError, StaticMapping, SwitchType, VmSwitch, era,
};

use super::World;
use crate::call::{Fault, Outcome, SwitchesCall};
use crate::profile::Profile;

/// Switches, NAT objects and adapters. All of them survive a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Switches {
    adapters: Vec<Adapter>,
    /// In the order in which they were made; names may repeat.
    switches: Vec<VmSwitch>,
    nats: Vec<NewNetNat>,
    mappings: Vec<StaticMapping>,
    next_mapping: u32,
}

impl Switches {
    pub(super) fn new(profile: &Profile) -> Self {
        Self {
            adapters: profile.adapters.clone(),
            switches: Vec::new(),
            nats: Vec::new(),
            mappings: Vec::new(),
            next_mapping: 0,
        }
    }

    /// The switch of this name, the first if there are several.
    pub(crate) fn find(&self, name: &str) -> Option<&VmSwitch> {
        self.switches
            .iter()
            .find(|switch| switch.name.eq_ignore_ascii_case(name))
    }

    /// The prefixes of the NAT objects.
    pub(super) fn nat_prefixes(&self) -> Vec<Ipv4Net> {
        self.nats.iter().map(|nat| nat.internal_prefix).collect()
    }

    /// The switch that is bound to an adapter.
    pub(super) fn on_adapter(&self, adapter: &str) -> Option<&VmSwitch> {
        self.switches.iter().find(|switch| {
            switch
                .adapter
                .as_deref()
                .is_some_and(|bound| bound.eq_ignore_ascii_case(adapter))
        })
    }

    /// The adapters that the switches give the host, behind the physical ones. The address of an adapter under an external
    /// switch moves to the switch's.
    fn all_adapters(&self) -> Vec<Adapter> {
        let mut all = Vec::with_capacity(self.adapters.len() + self.switches.len());
        for adapter in &self.adapters {
            let mut adapter = adapter.clone();
            if self.on_adapter(&adapter.name).is_some() {
                adapter.address = None;
            }
            all.push(adapter);
        }
        for switch in &self.switches {
            let address = match switch.kind {
                SwitchType::Private => continue,
                SwitchType::Internal => None,
                SwitchType::Nat => switch.nat_subnet.and_then(first_address),
                SwitchType::External => self
                    .adapters
                    .iter()
                    .find(|adapter| Some(&adapter.name) == switch.adapter.as_ref())
                    .and_then(|adapter| adapter.address),
            };
            let name = format!("vEthernet ({})", switch.name);
            all.push(Adapter {
                name,
                state: AdapterState::Up,
                physical: false,
                address,
            });
        }
        all
    }

    fn nat(&self, nat: &NewNetNat, adapters: &[Adapter]) -> NetNat {
        let active = adapters
            .iter()
            .filter_map(|adapter| adapter.address)
            .any(|address| nat.internal_prefix.contains(&address.addr()));
        NetNat {
            name: nat.name.clone(),
            internal_prefix: nat.internal_prefix,
            active,
        }
    }
}

impl World {
    pub(super) fn switches_call(&mut self, call: &SwitchesCall) -> Outcome {
        era::cmdlet(self.modules(), cmdlet(call))?;
        self.switch_services(call, cmdlet(call))?;
        match call {
            SwitchesCall::Switches => Ok(self.switches.switches.clone().into()),
            SwitchesCall::NewSwitch(switch) => self.new_switch(switch),
            SwitchesCall::RemoveSwitch(name) => self.remove_switch(name),
            SwitchesCall::Nats => {
                let adapters = self.adapters();
                let nats: Vec<NetNat> = self
                    .switches
                    .nats
                    .iter()
                    .map(|nat| self.switches.nat(nat, &adapters))
                    .collect();
                Ok(nats.into())
            }
            SwitchesCall::NewNat(nat) => self.new_nat(nat),
            SwitchesCall::RemoveNat(name) => self.remove_nat(name),
            SwitchesCall::StaticMappings => Ok(self.switches.mappings.clone().into()),
            SwitchesCall::AddStaticMapping(mapping) => self.add_static_mapping(mapping),
            SwitchesCall::RemoveStaticMapping { nat, id } => self.remove_static_mapping(nat, *id),
            SwitchesCall::Adapters => Ok(self.adapters().into()),
        }
    }

    /// The adapters that the host shows: in a virtual machine, Nano Server has drivers for them in its Guest package only.
    pub(crate) fn adapters(&self) -> Vec<Adapter> {
        let mut adapters = self.switches.all_adapters();
        let needs_guest =
            self.profile.class == EditionClass::Nano && self.profile.machine == Machine::Virtual;
        if needs_guest
            && !self
                .machine
                .packages
                .iter()
                .any(|package| package.name == "Guest" && !package.reboot_pending)
        {
            adapters.retain(|adapter| !adapter.physical);
        }
        adapters
    }

    fn new_switch(&mut self, wanted: &NewVmSwitch) -> Outcome {
        era::new_switch(&self.host_info(), self.modules(), wanted.kind)?;
        let mut switch = VmSwitch {
            name: wanted.name.clone(),
            kind: wanted.kind,
            adapter: None,
            nat_subnet: None,
        };
        match wanted.kind {
            SwitchType::External => {
                switch.adapter = Some(self.free_adapter(wanted.adapter.as_deref())?)
            }
            SwitchType::Nat => {
                let subnet = wanted.nat_subnet.ok_or_else(|| {
                    hyper_v_error("New-VMSwitch", "A NAT switch needs a subnet address.")
                })?;
                switch.nat_subnet = Some(subnet.trunc());
            }
            SwitchType::Private | SwitchType::Internal => {}
        }
        self.switches.switches.push(switch.clone());
        Ok(switch.into())
    }

    /// The adapter that an external switch can be bound to.
    fn free_adapter(&self, name: Option<&str>) -> Result<String, Fault> {
        let name = name.unwrap_or_default();
        let adapter = self
            .adapters()
            .into_iter()
            .find(|adapter| adapter.physical && adapter.name.eq_ignore_ascii_case(name));
        let Some(adapter) = adapter else {
            return Err(era::adapter_missing(name).into());
        };
        if self.switches.on_adapter(&adapter.name).is_some()
            || self.network_on_adapter(&adapter.name)
        {
            return Err(era::adapter_in_use(&adapter.name).into());
        }
        Ok(adapter.name)
    }

    fn remove_switch(&mut self, name: &str) -> Outcome {
        if self.switches.find(name).is_none() {
            let text = format!("Hyper-V was unable to find a virtual switch with name \"{name}\".");
            return Err(hyper_v_error("Remove-VMSwitch", &text).into());
        }
        if self.switch_in_use(name) {
            let text =
                format!("The virtual switch '{name}' cannot be removed because containers use it.");
            return Err(hyper_v_error("Remove-VMSwitch", &text).into());
        }
        self.switches
            .switches
            .retain(|switch| !switch.name.eq_ignore_ascii_case(name));
        Ok(().into())
    }

    fn new_nat(&mut self, wanted: &NewNetNat) -> Outcome {
        let existing = self.switches.nat_prefixes();
        era::new_nat(
            &self.host_info(),
            self.modules(),
            &existing,
            wanted.internal_prefix,
        )?;
        if self
            .switches
            .nats
            .iter()
            .any(|nat| nat.name.eq_ignore_ascii_case(&wanted.name))
        {
            return Err(already_exists("New-NetNat").into());
        }
        let nat = NewNetNat {
            name: wanted.name.clone(),
            internal_prefix: wanted.internal_prefix.trunc(),
        };
        self.switches.nats.push(nat.clone());
        Ok(self.switches.nat(&nat, &self.adapters()).into())
    }

    fn remove_nat(&mut self, name: &str) -> Outcome {
        let before = self.switches.nats.len();
        self.switches
            .nats
            .retain(|nat| !nat.name.eq_ignore_ascii_case(name));
        if self.switches.nats.len() == before {
            return Err(not_found("Remove-NetNat", "MSFT_NetNat", "Name", name).into());
        }
        self.switches
            .mappings
            .retain(|mapping| !mapping.mapping.nat.eq_ignore_ascii_case(name));
        Ok(().into())
    }

    fn add_static_mapping(&mut self, wanted: &NewStaticMapping) -> Outcome {
        const CMDLET: &str = "Add-NetNatStaticMapping";
        let switches = &mut self.switches;
        let Some(nat) = switches
            .nats
            .iter()
            .find(|nat| nat.name.eq_ignore_ascii_case(&wanted.nat))
        else {
            return Err(not_found(CMDLET, "MSFT_NetNat", "Name", &wanted.nat).into());
        };
        if !nat.internal_prefix.contains(&wanted.internal_address)
            || wanted.internal_port == 0
            || wanted.external_port == 0
        {
            return Err(cim_error(
                CMDLET,
                ErrorCategory::InvalidArgument,
                87,
                "The parameter is incorrect.",
            )
            .into());
        }
        let taken = |known: &StaticMapping| {
            known.mapping.protocol == wanted.protocol
                && known.mapping.external_port == wanted.external_port
        };
        if switches.mappings.iter().any(taken) {
            return Err(already_exists(CMDLET).into());
        }
        let mapping = StaticMapping {
            id: switches.next_mapping,
            mapping: wanted.clone(),
        };
        switches.next_mapping += 1;
        switches.mappings.push(mapping.clone());
        Ok(mapping.into())
    }

    fn remove_static_mapping(&mut self, nat: &str, id: u32) -> Outcome {
        let before = self.switches.mappings.len();
        self.switches
            .mappings
            .retain(|mapping| mapping.id != id || !mapping.mapping.nat.eq_ignore_ascii_case(nat));
        if self.switches.mappings.len() == before {
            let id = id.to_string();
            return Err(not_found(
                "Remove-NetNatStaticMapping",
                "MSFT_NetNatStaticMapping",
                "StaticMappingID",
                &id,
            )
            .into());
        }
        Ok(().into())
    }
}

fn cmdlet(call: &SwitchesCall) -> &'static str {
    match call {
        SwitchesCall::Switches => "Get-VMSwitch",
        SwitchesCall::NewSwitch(_) => "New-VMSwitch",
        SwitchesCall::RemoveSwitch(_) => "Remove-VMSwitch",
        SwitchesCall::Nats => "Get-NetNat",
        SwitchesCall::NewNat(_) => "New-NetNat",
        SwitchesCall::RemoveNat(_) => "Remove-NetNat",
        SwitchesCall::StaticMappings => "Get-NetNatStaticMapping",
        SwitchesCall::AddStaticMapping(_) => "Add-NetNatStaticMapping",
        SwitchesCall::RemoveStaticMapping { .. } => "Remove-NetNatStaticMapping",
        SwitchesCall::Adapters => "Get-NetAdapter",
    }
}

/// An error of a cmdlet over CIM, with a Win32 error.
fn cim_error(cmdlet: &str, category: ErrorCategory, error: u32, message: &str) -> PowerShellError {
    let class = cmdlet.split_once('-').map_or(cmdlet, |(_, noun)| noun);
    PowerShellError {
        category,
        target: format!("MSFT_{class}:root/StandardCimv2/MSFT_{class}"),
        activity: cmdlet.to_owned(),
        exception: "CimException".to_owned(),
        id: format!("Windows System Error {error},{cmdlet}"),
        message: message.to_owned(),
    }
}

fn already_exists(cmdlet: &str) -> PowerShellError {
    cim_error(
        cmdlet,
        ErrorCategory::ResourceExists,
        5010,
        "The object already exists.",
    )
}

fn not_found(cmdlet: &str, class: &str, property: &str, value: &str) -> PowerShellError {
    PowerShellError {
        category: ErrorCategory::ObjectNotFound,
        target: format!("{value}:String"),
        activity: cmdlet.to_owned(),
        exception: "CimJobException".to_owned(),
        id: format!("CmdletizationQuery_NotFound_{property},{cmdlet}"),
        message: format!(
            "No {class} objects found with property '{property}' equal to '{value}'.  Verify the value of the property and retry."
        ),
    }
}

/// An error of a Hyper-V cmdlet about its arguments.
fn hyper_v_error(cmdlet: &str, message: &str) -> PowerShellError {
    PowerShellError {
        category: ErrorCategory::InvalidArgument,
        target: String::new(),
        activity: cmdlet.to_owned(),
        exception: "VirtualizationException".to_owned(),
        id: format!(
            "InvalidParameter,Microsoft.HyperV.PowerShell.Commands.{}",
            cmdlet.replace('-', "")
        ),
        message: message.to_owned(),
    }
}

/// The first address of a subnet that a host can have, with the subnet's prefix length.
pub(super) fn first_address(subnet: Ipv4Net) -> Option<Ipv4Net> {
    let first = subnet.hosts().next()?;
    Ipv4Net::new(first, subnet.prefix_len()).ok()
}
