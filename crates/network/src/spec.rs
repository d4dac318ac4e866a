//! What is asked for, and what is there.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use wcow_hcs_schema::hns::HnsNetwork;
use wcow_host::{Adapter, HostInfo, NetNat, SwitchType, VmSwitch};

/// What kind of network it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// Containers share the host's address; ports are published one by one.
    Nat,
    /// Containers are on the network of a physical adapter. Docker says `transparent`.
    External,
    /// Containers and their host, nothing else.
    Internal,
    /// Containers only.
    Private,
}

/// A network to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// Its name.
    pub name: String,
    /// What kind it is to be.
    pub driver: Driver,
    /// Its subnet; `None` for the default of the host's generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Ipv4Net>,
    /// Its gateway; `None` for the first address of the subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    /// The physical adapter under an external network; `None` for the first that is connected and free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
}

/// What a host says of its networking. Lists that it cannot give (the cmdlet or the service is missing) are empty.
#[derive(Clone, Debug, PartialEq)]
pub struct HostNetworking {
    /// Which Windows it is.
    pub info: HostInfo,
    /// The PowerShell modules that can be loaded.
    pub modules: Vec<String>,
    /// Its adapters.
    pub adapters: Vec<Adapter>,
    /// Its Hyper-V switches.
    pub switches: Vec<VmSwitch>,
    /// Its NAT objects.
    pub nats: Vec<NetNat>,
    /// The networks of its Host Network Service.
    pub hns: Vec<HnsNetwork>,
    /// Networks that it has lost, such as by a restart, and that will be made again with the same subnet.
    pub lost: Vec<LostNetwork>,
}

/// A network that will be made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostNetwork {
    /// Its name.
    pub name: String,
    /// Its subnet.
    pub subnet: Ipv4Net,
}

/// A text that names no driver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a network driver (nat, external or transparent, internal, private), found {found:?}"
)]
pub struct UnknownDriver {
    /// The text as given.
    pub found: String,
}

impl Driver {
    /// Every driver.
    pub const ALL: [Self; 4] = [Self::Nat, Self::External, Self::Internal, Self::Private];

    /// Its name: `nat`, `external`, `internal` or `private`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nat => "nat",
            Self::External => "external",
            Self::Internal => "internal",
            Self::Private => "private",
        }
    }

    /// The type of Hyper-V switch that it needs on Technical Preview 3 and 4.
    #[must_use]
    pub const fn switch_type(self) -> SwitchType {
        match self {
            Self::Nat => SwitchType::Nat,
            Self::External => SwitchType::External,
            Self::Internal => SwitchType::Internal,
            Self::Private => SwitchType::Private,
        }
    }

    /// What the Host Network Service calls it.
    #[must_use]
    pub const fn hns_type(self) -> &'static str {
        match self {
            Self::External => "transparent",
            other => other.name(),
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Driver {
    type Err = UnknownDriver;

    /// Case does not matter.
    fn from_str(text: &str) -> Result<Self, UnknownDriver> {
        Self::ALL
            .into_iter()
            .find(|driver| {
                [driver.name(), driver.hns_type()]
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(text))
            })
            .ok_or_else(|| UnknownDriver {
                found: text.to_owned(),
            })
    }
}
