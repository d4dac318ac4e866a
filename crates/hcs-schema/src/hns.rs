//! HNS version 1: networks and endpoints, as `HNSCall` takes them from Windows Server 2016 on.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

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
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
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
#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    /// A published port, `"Type": "NAT"`.
    Nat(NatPolicy),
    /// A policy of another type, every key as it came, `Type` among them.
    Other(Unknown),
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
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

crate::wire::serde_documents! { HnsNetwork HnsEndpoint }

/// The key that says what a policy is.
const TYPE: &str = "Type";
/// The value of [`TYPE`] for a published port.
const NAT: &str = "NAT";

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Tagged<'a> {
            #[serde(rename = "Type")]
            kind: &'static str,
            #[serde(flatten)]
            nat: &'a NatPolicy,
        }
        match self {
            Self::Nat(nat) => Tagged { kind: NAT, nat }.serialize(serializer),
            Self::Other(keys) => keys.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut keys = Unknown::deserialize(deserializer)?;
        let kind = keys.get(TYPE).and_then(Value::as_str);
        if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case(NAT)) {
            return Ok(Self::Other(keys));
        }
        keys.remove(TYPE);
        let object = Value::Object(keys.into_iter().collect());
        serde_json::from_value(object)
            .map(Self::Nat)
            .map_err(D::Error::custom)
    }
}
