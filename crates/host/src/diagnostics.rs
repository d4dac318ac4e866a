//! What tells why containers fail, beside the state of containers themselves: disks, drivers, registry values, ports, routes, events.
//!
//! Nothing of this is needed to run a container. `wcow host doctor` reads it. Every call only looks.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use wcow_ntmeta::{FileTime, HostPath};

use crate::{HostError, ServiceState, SwitchType, TransportProtocol};

/// A volume with a drive letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its drive: `C:`.
    pub drive: String,
    /// Its file system: `NTFS`, `ReFS`.
    pub file_system: String,
    /// Free space in bytes.
    pub free_bytes: u64,
}

/// A file-system filter driver that is loaded, as `fltmc filters` lists them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterDriver {
    /// Its name: `wcifs`.
    pub name: String,
    /// Its altitude, a decimal number as text: `189900`. Empty for a legacy driver, which has none.
    pub altitude: String,
}

/// A value of the registry of the machine (`HKEY_LOCAL_MACHINE`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryValue {
    /// Its key, below `HKEY_LOCAL_MACHINE`, without a backslash in front.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its data.
    pub data: RegistryData,
}

/// The data of a registry value, as far as the checks read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistryData {
    /// `REG_DWORD`.
    Dword(u32),
    /// `REG_SZ` or `REG_EXPAND_SZ`.
    Text(String),
    /// Any other type, by its number.
    Other(u32),
}

impl fmt::Display for RegistryData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dword(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Other(kind) => write!(f, "data of registry type {kind}"),
        }
    }
}

/// How a service of Windows is set up, and whether it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSetup {
    /// Its key name: `mpssvc`.
    pub name: String,
    /// When it is started.
    pub start: StartMode,
    /// Whether it runs.
    pub state: ServiceState,
}

/// When a service is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartMode {
    /// With the machine.
    Automatic,
    /// When something asks for it.
    Manual,
    /// Never.
    Disabled,
}

/// Ports that nobody may bind: `netsh int ipv4 show excludedportrange`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortRange {
    /// TCP or UDP.
    pub protocol: TransportProtocol,
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
    /// True if an administrator excluded it; false if a program reserved it until the next restart.
    pub administered: bool,
}

/// A socket of a process that takes connections or datagrams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// TCP or UDP.
    pub protocol: TransportProtocol,
    /// The address it is bound to.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// The program: `sqlservr.exe`.
    pub process: String,
}

/// A route of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Where it leads.
    pub destination: Ipv4Net,
    /// The next hop; `None` if the destination is on the link.
    pub next_hop: Option<Ipv4Addr>,
    /// The interface it goes through: `Ethernet`, `Contoso VPN`.
    pub interface: String,
}

/// An interface of the host, those that belong to virtual switches and to the Host Network Service included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its name: `vEthernet (nat)`.
    pub name: String,
    /// Its IPv4 address, if it has one.
    pub address: Option<Ipv4Net>,
    /// The type of the virtual switch that it is on, if it is on one.
    pub switch: Option<SwitchType>,
}

/// What the machine can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// Logical processors.
    pub processors: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// True if the processors let this Windows run virtual machines; in a virtual machine, that is nested virtualization.
    pub virtualization: bool,
    /// In a virtual machine: whether its adapter may send under other MAC addresses than its own. `None` where that is not known: a
    /// virtual machine learns it only by trying, or from whoever set it up.
    pub mac_spoofing: Option<bool>,
}

/// An entry of an event log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// Its channel: `System`, `Microsoft-Windows-Hyper-V-Compute-Admin`.
    pub channel: String,
    /// Who wrote it: `Service Control Manager`.
    pub provider: String,
    /// Its number: 7031 is a service that ended unexpectedly.
    pub id: u32,
    /// How bad it is.
    pub level: EventLevel,
    /// When.
    pub time: FileTime,
    /// The text.
    pub message: String,
}

/// How bad an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventLevel {
    /// Nothing is wrong.
    Information,
    /// Something may be.
    Warning,
    /// Something is.
    Error,
    /// The program gave up.
    Critical,
}

/// A running process of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostProcess {
    /// Its id.
    pub id: u32,
    /// Its program: `vmcompute.exe`.
    pub name: String,
}

/// What only diagnosis needs.
///
/// Common errors: access is denied (0x5) to a caller without rights; the host cannot be reached.
pub trait Diagnostics: Send + Sync {
    /// The volumes with drive letters, by letter.
    ///
    /// # Errors
    /// The common ones.
    fn volumes(&self) -> impl Future<Output = Result<Vec<Volume>, HostError>> + Send;

    /// The file-system filter drivers that are loaded, highest altitude first.
    ///
    /// # Errors
    /// The common ones.
    fn filter_drivers(&self) -> impl Future<Output = Result<Vec<FilterDriver>, HostError>> + Send;

    /// All values directly in these keys of `HKEY_LOCAL_MACHINE`. A key that is not there has none.
    ///
    /// # Errors
    /// The common ones.
    fn registry_values(
        &self,
        keys: &[&str],
    ) -> impl Future<Output = Result<Vec<RegistryValue>, HostError>> + Send;

    /// Those of these services that exist.
    ///
    /// # Errors
    /// The common ones.
    fn service_setups(
        &self,
        names: &[&str],
    ) -> impl Future<Output = Result<Vec<ServiceSetup>, HostError>> + Send;

    /// Excluded and reserved ranges of ports, by protocol and first port.
    ///
    /// # Errors
    /// The common ones.
    fn port_ranges(&self) -> impl Future<Output = Result<Vec<PortRange>, HostError>> + Send;

    /// Sockets of processes that take connections or datagrams.
    ///
    /// # Errors
    /// The common ones.
    fn listeners(&self) -> impl Future<Output = Result<Vec<Listener>, HostError>> + Send;

    /// The IPv4 routes.
    ///
    /// # Errors
    /// The common ones.
    fn routes(&self) -> impl Future<Output = Result<Vec<Route>, HostError>> + Send;

    /// The IPv4 interfaces, by name.
    ///
    /// # Errors
    /// The common ones.
    fn interfaces(&self) -> impl Future<Output = Result<Vec<Interface>, HostError>> + Send;

    /// The prefixes that WinNAT translates, whoever asked for them.
    ///
    /// # Errors
    /// The common ones.
    fn translated_prefixes(&self) -> impl Future<Output = Result<Vec<Ipv4Net>, HostError>> + Send;

    /// What the machine can do.
    ///
    /// # Errors
    /// The common ones.
    fn hardware(&self) -> impl Future<Output = Result<Hardware, HostError>> + Send;

    /// The latest entries of these channels since a time, newest first, at most `max` of them. A channel that is not there has none.
    ///
    /// # Errors
    /// The common ones.
    fn events(
        &self,
        channels: &[&str],
        since: FileTime,
        max: usize,
    ) -> impl Future<Output = Result<Vec<EventRecord>, HostError>> + Send;

    /// The running processes, by id.
    ///
    /// # Errors
    /// The common ones.
    fn processes(&self) -> impl Future<Output = Result<Vec<HostProcess>, HostError>> + Send;

    /// The virtual disks that are attached, by the folder of the scratch layer that they belong to.
    ///
    /// # Errors
    /// The common ones.
    fn attached_scratches(&self) -> impl Future<Output = Result<Vec<HostPath>, HostError>> + Send;

    /// Where a program is that the PATH of the machine leads to.
    ///
    /// # Errors
    /// The common ones.
    fn program_on_path(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<HostPath>, HostError>> + Send;
}
