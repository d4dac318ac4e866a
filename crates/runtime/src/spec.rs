//! What a container is to be.

use serde::{Deserialize, Serialize};
use wcow_host::era::ImageFacts;
use wcow_host::{LayerDescriptor, SystemId};
use wcow_network::PortMapping;
use wcow_ntmeta::Guid;

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
    /// Who made it, as the host's records show it.
    pub owner: String,
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
