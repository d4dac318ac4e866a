//! Virtual switches, NAT objects and adapters, through their PowerShell commands.

use std::future::Future;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use wcow_host::{
    Adapter, AdapterState, ErrorCategory, HostError, NetNat, NewNetNat, NewStaticMapping,
    NewVmSwitch, Operation, PowerShellError, StaticMapping, SwitchService, SwitchType,
    TransportProtocol, VmSwitch,
};

use crate::powershell::Script;
use crate::reading::main_address;
use crate::tools::{INVALID_DATA, Tools};
use crate::work::on_thread;

macro_rules! script {
    ($name:literal, $($file:literal),*) => {
        Script { name: $name, parts: &[$(include_str!(concat!("scripts/", $file, ".ps1"))),*] }
    };
}

const GET_SWITCHES: Script = script!("Get-VMSwitch", "switch-row", "get-switches");
const NEW_SWITCH: Script = script!("New-VMSwitch", "switch-row", "new-switch");
const REMOVE_SWITCH: Script = script!("Remove-VMSwitch", "switch-row", "remove-switch");
const GET_NATS: Script = script!("Get-NetNat", "get-nats");
const NEW_NAT: Script = script!("New-NetNat", "new-nat");
const REMOVE_NAT: Script = script!("Remove-NetNat", "remove-nat");
const GET_MAPPINGS: Script = script!("Get-NetNatStaticMapping", "mapping-row", "get-mappings");
const ADD_MAPPING: Script = script!("Add-NetNatStaticMapping", "mapping-row", "add-mapping");
const REMOVE_MAPPING: Script = script!("Remove-NetNatStaticMapping", "remove-mapping");
const GET_ADAPTERS: Script = script!("Get-NetAdapter", "get-adapters");

/// The switches, NAT objects and adapters of this host.
///
/// Names are compared as they are, without regard to case: where PowerShell would take `*` for a pattern, this does not.
#[derive(Clone, Debug)]
pub struct WinSwitches {
    tools: Tools,
}

impl Default for WinSwitches {
    fn default() -> Self {
        Self::new()
    }
}

impl WinSwitches {
    /// By the PowerShell of this Windows.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Tools::of_windows())
    }

    /// By another PowerShell.
    #[must_use]
    pub fn with(tools: Tools) -> Self {
        Self { tools }
    }

    fn call<R: Row>(
        &self,
        operation: Operation,
        object: &str,
        script: &'static Script,
        arguments: &[&str],
    ) -> impl Future<Output = Result<Vec<R::Value>, HostError>> + Send + use<R> {
        let tools = self.tools.clone();
        let object = object.to_owned();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        async move {
            let place = object.clone();
            on_thread(operation, &place, move || {
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                rows::<R>(&tools, operation, &object, script, &arguments)
            })
            .await
        }
    }
}

/// Runs a script and reads its rows.
fn rows<R: Row>(
    tools: &Tools,
    operation: Operation,
    object: &str,
    script: &Script,
    arguments: &[&str],
) -> Result<Vec<R::Value>, HostError> {
    let rows: Vec<R> = tools.powershell(operation, object, script, arguments)?;
    let values: Option<Vec<Option<R::Value>>> = rows.into_iter().map(Row::read).collect();
    let values = values.ok_or_else(|| HostError::new(operation, object, INVALID_DATA))?;
    Ok(values.into_iter().flatten().collect())
}

/// The NAT objects of this host; for the diagnosis, which asks what is translated.
#[cfg(windows)]
pub(crate) fn nats(tools: &Tools, operation: Operation) -> Result<Vec<NetNat>, HostError> {
    rows::<NatRow>(tools, operation, "host", &GET_NATS, &[])
}

/// The switches of this host.
#[cfg(windows)]
pub(crate) fn switches(tools: &Tools, operation: Operation) -> Result<Vec<VmSwitch>, HostError> {
    rows::<SwitchRow>(tools, operation, "host", &GET_SWITCHES, &[])
}

/// The one row of a command that makes something.
fn only<T>(rows: Vec<T>, operation: Operation, object: &str) -> Result<T, HostError> {
    let first = rows.into_iter().next();
    first.ok_or_else(|| HostError::new(operation, object, INVALID_DATA))
}

impl SwitchService for WinSwitches {
    async fn switches(&self) -> Result<Vec<VmSwitch>, HostError> {
        self.call::<SwitchRow>(Operation::ListSwitches, "host", &GET_SWITCHES, &[])
            .await
    }

    async fn new_switch(&self, switch: &NewVmSwitch) -> Result<VmSwitch, HostError> {
        const OPERATION: Operation = Operation::NewSwitch;
        let subnet = switch.nat_subnet.map(|subnet| subnet.to_string());
        let arguments = [
            switch.name.as_str(),
            type_name(switch.kind),
            switch.adapter.as_deref().unwrap_or_default(),
            subnet.as_deref().unwrap_or_default(),
        ];
        let made = self
            .call::<SwitchRow>(OPERATION, &switch.name, &NEW_SWITCH, &arguments)
            .await?;
        only(made, OPERATION, &switch.name)
    }

    async fn remove_switch(&self, name: &str) -> Result<(), HostError> {
        self.call::<NoRow>(Operation::RemoveSwitch, name, &REMOVE_SWITCH, &[name])
            .await
            .map(drop)
    }

    async fn nats(&self) -> Result<Vec<NetNat>, HostError> {
        self.call::<NatRow>(Operation::ListNats, "host", &GET_NATS, &[])
            .await
    }

    async fn new_nat(&self, nat: &NewNetNat) -> Result<NetNat, HostError> {
        let prefix = nat.internal_prefix.to_string();
        let made = self
            .call::<NatRow>(
                Operation::NewNat,
                &nat.name,
                &NEW_NAT,
                &[&nat.name, &prefix],
            )
            .await?;
        only(made, Operation::NewNat, &nat.name)
    }

    async fn remove_nat(&self, name: &str) -> Result<(), HostError> {
        let removed = self
            .call::<NoRow>(Operation::RemoveNat, name, &REMOVE_NAT, &[name])
            .await?;
        if removed.is_empty() {
            return Err(not_found(Operation::RemoveNat, "MSFT_NetNat", "Name", name));
        }
        Ok(())
    }

    async fn static_mappings(&self) -> Result<Vec<StaticMapping>, HostError> {
        self.call::<MappingRow>(Operation::ListStaticMappings, "host", &GET_MAPPINGS, &[])
            .await
    }

    async fn add_static_mapping(
        &self,
        mapping: &NewStaticMapping,
    ) -> Result<StaticMapping, HostError> {
        const OPERATION: Operation = Operation::AddStaticMapping;
        let numbers = [
            mapping.external_port.to_string(),
            mapping.internal_address.to_string(),
            mapping.internal_port.to_string(),
        ];
        let [external, address, internal] = numbers.each_ref().map(String::as_str);
        let protocol = match mapping.protocol {
            TransportProtocol::Tcp => "TCP",
            TransportProtocol::Udp => "UDP",
        };
        let arguments = [mapping.nat.as_str(), protocol, external, address, internal];
        let made = self
            .call::<MappingRow>(OPERATION, &mapping.nat, &ADD_MAPPING, &arguments)
            .await?;
        only(made, OPERATION, &mapping.nat)
    }

    async fn remove_static_mapping(&self, nat: &str, id: u32) -> Result<(), HostError> {
        let id = id.to_string();
        let removed = self
            .call::<NoRow>(
                Operation::RemoveStaticMapping,
                nat,
                &REMOVE_MAPPING,
                &[nat, &id],
            )
            .await?;
        if removed.is_empty() {
            return Err(HostError {
                object: nat.to_owned(),
                ..not_found(
                    Operation::RemoveStaticMapping,
                    "MSFT_NetNatStaticMapping",
                    "StaticMappingID",
                    &id,
                )
            });
        }
        Ok(())
    }

    async fn adapters(&self) -> Result<Vec<Adapter>, HostError> {
        self.call::<AdapterRow>(Operation::ListAdapters, "host", &GET_ADAPTERS, &[])
            .await
    }
}

/// What the command itself answers for an object that is not there. It is not asked: it would take the name for a pattern, and a
/// pattern that matches nothing is no error.
fn not_found(operation: Operation, class: &str, property: &str, value: &str) -> HostError {
    let cmdlet = operation.name();
    let error = PowerShellError {
        category: ErrorCategory::ObjectNotFound,
        target: format!("{value}:String"),
        activity: cmdlet.to_owned(),
        exception: "CimJobException".to_owned(),
        id: format!("CmdletizationQuery_NotFound_{property},{cmdlet}"),
        message: format!(
            "No {class} objects found with property '{property}' equal to '{value}'.  Verify the value of the property and retry."
        ),
    };
    HostError::powershell(operation, value, error)
}

fn type_name(kind: SwitchType) -> &'static str {
    match kind {
        SwitchType::Private => "Private",
        SwitchType::Internal => "Internal",
        SwitchType::External => "External",
        SwitchType::Nat => "NAT",
    }
}

/// A row of a script, and what it means.
trait Row: DeserializeOwned + Send + 'static {
    type Value: Send + 'static;

    /// What the row says. Outside, none: it cannot be read; inside, none: it is of a kind that has no place here.
    fn read(self) -> Option<Option<Self::Value>>;
}

/// Only that there is a row counts.
#[derive(Deserialize)]
struct NoRow {}

impl Row for NoRow {
    type Value = ();

    fn read(self) -> Option<Option<()>> {
        Some(Some(()))
    }
}

#[derive(Deserialize)]
struct SwitchRow {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    adapter: Option<String>,
    subnet: String,
}

impl Row for SwitchRow {
    type Value = VmSwitch;

    fn read(self) -> Option<Option<VmSwitch>> {
        let kinds = [
            SwitchType::Private,
            SwitchType::Internal,
            SwitchType::External,
            SwitchType::Nat,
        ];
        let kind = kinds
            .into_iter()
            .find(|kind| type_name(*kind).eq_ignore_ascii_case(&self.kind))?;
        Some(Some(VmSwitch {
            name: self.name,
            kind,
            adapter: self.adapter.filter(|adapter| !adapter.is_empty()),
            nat_subnet: parse_net(&self.subnet)?,
        }))
    }
}

#[derive(Deserialize)]
struct NatRow {
    name: String,
    prefix: String,
    active: bool,
}

impl Row for NatRow {
    type Value = NetNat;

    /// A NAT object without an internal prefix translates external addresses only.
    fn read(self) -> Option<Option<NetNat>> {
        let prefix = parse_net(&self.prefix)?;
        Some(prefix.map(|internal_prefix| NetNat {
            name: self.name,
            internal_prefix,
            active: self.active,
        }))
    }
}

#[derive(Deserialize)]
struct MappingRow {
    id: u32,
    nat: String,
    protocol: String,
    external_port: u16,
    internal_address: Ipv4Addr,
    internal_port: u16,
}

impl Row for MappingRow {
    type Value = StaticMapping;

    fn read(self) -> Option<Option<StaticMapping>> {
        let protocol = match self.protocol.to_ascii_uppercase().as_str() {
            "TCP" | "6" => TransportProtocol::Tcp,
            "UDP" | "17" => TransportProtocol::Udp,
            _ => return None,
        };
        Some(Some(StaticMapping {
            id: self.id,
            mapping: NewStaticMapping {
                nat: self.nat,
                protocol,
                external_port: self.external_port,
                internal_address: self.internal_address,
                internal_port: self.internal_port,
            },
        }))
    }
}

#[derive(Deserialize)]
struct AdapterRow {
    name: String,
    status: String,
    physical: bool,
    addresses: Vec<String>,
}

impl Row for AdapterRow {
    type Value = Adapter;

    fn read(self) -> Option<Option<Adapter>> {
        let addresses: Option<Vec<Ipv4Net>> = self
            .addresses
            .iter()
            .map(|text| text.parse().ok())
            .collect();
        Some(Some(Adapter {
            name: self.name,
            state: match self.status.as_str() {
                "Up" => AdapterState::Up,
                _ => AdapterState::Down,
            },
            physical: self.physical,
            address: main_address(&addresses?),
        }))
    }
}

/// A prefix; outside, none: no prefix of IPv4; inside, none: empty.
fn parse_net(text: &str) -> Option<Option<Ipv4Net>> {
    if text.is_empty() {
        return Some(None);
    }
    text.parse::<Ipv4Net>().ok().map(|net| Some(net.trunc()))
}
