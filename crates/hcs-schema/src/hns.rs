//! HNS version 1: networks and endpoints, as `HNSCall` takes them from Windows Server 2016 on.

use serde::{Deserialize, Serialize};

use crate::Unknown;

/// A network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HnsNetwork {
    /// Its id, a GUID; empty in a request to let the service choose.
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// `nat`, `transparent`, `l2bridge`, `ics`, `internal`, `private`, ...; case does not matter.
    #[serde(rename = "Type")]
    pub kind: String,
    /// The adapter under a transparent network.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub network_adapter_name: String,
    /// Its subnets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<Subnet>,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A subnet of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Subnet {
    /// For example `172.20.0.0/16`.
    pub address_prefix: String,
    /// For example `172.20.0.1`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gateway_address: String,
}

/// An endpoint: one container's connection to one network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HnsEndpoint {
    /// Its id, a GUID; empty in a request to let the service choose.
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its name; may repeat.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The id of its network.
    pub virtual_network: String,
    /// What it does beside being there: port mappings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// With dashes: `00-15-5D-00-00-01`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mac_address: String,
    /// Its address; empty in a request to let the service choose.
    #[serde(rename = "IPAddress", skip_serializing_if = "String::is_empty")]
    pub ip_address: String,
    /// Length of the subnet's prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_length: Option<u8>,
    /// Its gateway.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gateway_address: String,
    /// The compute systems that use it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared_containers: Vec<String>,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A policy of an endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "Type")]
pub enum Policy {
    /// A published port.
    #[serde(rename = "NAT")]
    Nat(NatPolicy),
    /// A policy this version does not know. Its contents are dropped.
    #[serde(other)]
    Other,
}

/// A published port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NatPolicy {
    /// `TCP` or `UDP`.
    pub protocol: String,
    /// Port in the container.
    pub internal_port: u16,
    /// Port on the host.
    pub external_port: u16,
}
