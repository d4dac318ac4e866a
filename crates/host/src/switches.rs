//! Hyper-V virtual switches and NetNat, as their PowerShell cmdlets show them: how hosts had networks before HNS.

use std::future::Future;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::HostError;

/// The type of a virtual switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwitchType {
    /// Containers only, no adapter on the host.
    Private,
    /// Host and containers.
    Internal,
    /// Bound to a physical adapter; addresses from DHCP.
    External,
    /// Technical Preview 3 and 4: a switch that translates addresses once a NetNat of the same prefix exists.
    Nat,
}

/// A virtual switch that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmSwitch {
    /// Its name; names need not be unique.
    pub name: String,
    /// Its type.
    pub kind: SwitchType,
    /// The physical adapter under an external switch.
    pub adapter: Option<String>,
    /// The subnet of a NAT switch.
    pub nat_subnet: Option<Ipv4Net>,
}

/// A switch to be made: `New-VMSwitch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewVmSwitch {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: SwitchType,
    /// `-NetAdapterName`, for external switches.
    pub adapter: Option<String>,
    /// `-NATSubnetAddress`, for NAT switches.
    pub nat_subnet: Option<Ipv4Net>,
}

/// A NAT object that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetNat {
    /// Its name.
    pub name: String,
    /// The prefix of the addresses behind it.
    pub internal_prefix: Ipv4Net,
    /// False where no interface has an address of the prefix: accepted, but without effect.
    pub active: bool,
}

/// A NAT object to be made: `New-NetNat`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewNetNat {
    /// `-Name`.
    pub name: String,
    /// `-InternalIPInterfaceAddressPrefix`.
    pub internal_prefix: Ipv4Net,
}

/// TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportProtocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A port mapping that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaticMapping {
    /// Its number within the NAT.
    pub id: u32,
    /// What was asked for.
    pub mapping: NewStaticMapping,
}

/// A port mapping to be made: `Add-NetNatStaticMapping`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewStaticMapping {
    /// The NAT it belongs to.
    pub nat: String,
    /// TCP or UDP.
    pub protocol: TransportProtocol,
    /// The port on the host.
    pub external_port: u16,
    /// The container's address.
    pub internal_address: Ipv4Addr,
    /// The port in the container.
    pub internal_port: u16,
}

/// A physical or virtual network adapter of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adapter {
    /// Its name, such as `Ethernet`.
    pub name: String,
    /// Up or down.
    pub state: AdapterState,
    /// True for hardware (or a virtual machine's adapter), false for `vEthernet (...)`.
    pub physical: bool,
    /// Its IPv4 address, if it has one.
    pub address: Option<Ipv4Net>,
}

/// Whether an adapter is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdapterState {
    /// Connected.
    Up,
    /// Not connected.
    Down,
}

/// Switches, NAT objects and adapters. Every error is a PowerShell error: category and fully qualified id.
pub trait SwitchService: Send + Sync {
    /// `Get-VMSwitch`.
    ///
    /// # Errors
    /// The Hyper-V module is missing (not recognised).
    fn switches(&self) -> impl Future<Output = Result<Vec<VmSwitch>, HostError>> + Send;

    /// `New-VMSwitch`.
    ///
    /// # Errors
    /// The module is missing; on Nano Server TP3 every type except NAT fails (`InvalidOperation`), leaving nothing; from TP5 on
    /// type NAT does not exist.
    fn new_switch(
        &self,
        switch: &NewVmSwitch,
    ) -> impl Future<Output = Result<VmSwitch, HostError>> + Send;

    /// `Remove-VMSwitch`.
    ///
    /// # Errors
    /// No such switch; a container uses it.
    fn remove_switch(&self, name: &str) -> impl Future<Output = Result<(), HostError>> + Send;

    /// `Get-NetNat`.
    ///
    /// # Errors
    /// The NetNat module is missing.
    fn nats(&self) -> impl Future<Output = Result<Vec<NetNat>, HostError>> + Send;

    /// `New-NetNat`.
    ///
    /// # Errors
    /// The NetNat module is missing (Nano Server before TP4); a second prefix (`Windows System Error 87`).
    fn new_nat(&self, nat: &NewNetNat) -> impl Future<Output = Result<NetNat, HostError>> + Send;

    /// `Remove-NetNat`.
    ///
    /// # Errors
    /// No such NAT.
    fn remove_nat(&self, name: &str) -> impl Future<Output = Result<(), HostError>> + Send;

    /// `Get-NetNatStaticMapping`.
    ///
    /// # Errors
    /// The NetNat module is missing.
    fn static_mappings(&self)
    -> impl Future<Output = Result<Vec<StaticMapping>, HostError>> + Send;

    /// `Add-NetNatStaticMapping`.
    ///
    /// # Errors
    /// No such NAT; the external port is taken.
    fn add_static_mapping(
        &self,
        mapping: &NewStaticMapping,
    ) -> impl Future<Output = Result<StaticMapping, HostError>> + Send;

    /// `Remove-NetNatStaticMapping`.
    ///
    /// # Errors
    /// No such mapping.
    fn remove_static_mapping(
        &self,
        nat: &str,
        id: u32,
    ) -> impl Future<Output = Result<(), HostError>> + Send;

    /// `Get-NetAdapter`.
    ///
    /// # Errors
    /// The NetAdapter module is missing.
    fn adapters(&self) -> impl Future<Output = Result<Vec<Adapter>, HostError>> + Send;
}
