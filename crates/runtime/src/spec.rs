//! What a container is to be.

use serde::{Deserialize, Serialize};
use wcow_host::era::ImageFacts;
use wcow_host::{LayerDescriptor, SystemId};
use wcow_network::PortMapping;
use wcow_ntmeta::{Guid, HostPath};

/// A container to be created. Everything in it is resolved: layers instead of an image name, ids instead of network names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// The id of its compute system.
    pub id: SystemId,
    /// Its name, as the host shows it where it shows names.
    pub name: String,
    /// The read-only layers, nearest first, base last.
    pub layers: Vec<LayerDescriptor>,
    /// What the base image is: the host compares it with itself.
    pub image: ImageFacts,
    /// The network it is connected to, if any.
    pub attachment: Option<Attachment>,
    /// Host name in the container; empty for the host's choice.
    pub host_name: String,
    /// How it is kept apart from the host.
    #[serde(default)]
    pub isolation: Isolation,
    /// The most memory it gets, in MiB; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    /// Which share of the processors it gets; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processors: Option<Processors>,
    /// Folders of the host that it sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// Who made it, as the host's records show it.
    pub owner: String,
}

/// How a container is kept apart from the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// It shares the host's kernel.
    #[default]
    Process,
    /// It has a virtual machine of its own.
    HyperV,
}

/// Which share of the processors a container gets. A document takes one of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Processors {
    /// So many of them.
    Count(u32),
    /// So many ten-thousandths of all of them together: 1 to 10,000.
    Limit(u32),
    /// Its weight against other containers: 1 to 10,000.
    Weight(u32),
}

/// A folder of the host that a container sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where it is.
    pub host: HostPath,
    /// Where the container sees it: `C:\data`.
    pub container: String,
    /// What the container may do there.
    pub access: Access,
}

/// What a container may do in a folder of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Read and write.
    #[default]
    ReadWrite,
    /// Read.
    ReadOnly,
}

/// How a container is connected to a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attachment {
    /// Technical previews: an adapter on a virtual switch.
    Switch {
        /// The switch's name.
        switch: String,
        /// The NAT object behind it, for switches of type NAT.
        nat: Option<String>,
        /// Published ports; need a NAT.
        ports: Vec<PortMapping>,
    },
    /// From Windows Server 2016 on: an endpoint on an HNS network.
    Hns {
        /// The network's id.
        network: Guid,
        /// Published ports.
        ports: Vec<PortMapping>,
    },
}
