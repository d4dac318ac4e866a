//! The documents that containers are created from, and what no document of a host can say.

use wcow_hcs_schema::schema1::{ContainerConfig, HvRuntime, Layer, MappedDirectory};
use wcow_hcs_schema::tp3::{
    Connection, Device, DeviceSettings, Nat, PortBinding, Tp3ContainerConfig,
};
use wcow_host::{TransportProtocol, era};
use wcow_ntmeta::HostPath;

use crate::lifecycle::Endpoint;
use crate::spec::{Access, Isolation, Processors};
use crate::{Attachment, ContainerSpec};

/// Why this host cannot have a container like this.
pub(crate) fn unsupported(build: u32, spec: &ContainerSpec) -> Option<String> {
    if era::containers_persist(build) {
        // Its documents have no place for them.
        let asked = [
            (spec.isolation == Isolation::HyperV, "Hyper-V isolation"),
            (!spec.mounts.is_empty(), "folders of the host in it"),
            (spec.memory_mib.is_some(), "a memory limit"),
            (spec.processors.is_some(), "a share of the processors"),
        ];
        if let Some((_, what)) = asked.into_iter().find(|(asked, _)| *asked) {
            return Some(format!("build {build} takes no container with {what}"));
        }
    }
    let layers = spec.layers.iter().map(|layer| &layer.path);
    let mut paths = layers.chain(spec.mounts.iter().map(|mount| &mount.host));
    // A document is text: what replaces such a character in it would be another path.
    if let Some(path) = paths.find(|path| path.to_wide().to_utf8().is_none()) {
        return Some(format!(
            "the path {path:?} has half a surrogate pair, which no document can say"
        ));
    }
    cannot_connect(build, spec.attachment.as_ref())
}

/// Why this host cannot connect a container like this.
fn cannot_connect(build: u32, attachment: Option<&Attachment>) -> Option<String> {
    match attachment {
        Some(Attachment::Switch { .. }) if !era::containers_persist(build) => Some(
            "it connects containers through the Host Network Service, not through virtual switches"
                .to_owned(),
        ),
        Some(Attachment::Hns { .. }) if era::containers_persist(build) => Some(format!(
            "build {} has no Host Network Service: connect the container to a virtual switch",
            build
        )),
        Some(Attachment::Switch {
            switch,
            nat: None,
            ports,
        }) if !ports.is_empty() => Some(format!(
            "ports are published by a NAT, and there is none behind switch {switch:?}"
        )),
        Some(Attachment::Switch { .. } | Attachment::Hns { .. }) | None => None,
    }
}

fn layers(spec: &ContainerSpec) -> Vec<Layer> {
    spec.layers
        .iter()
        .map(|layer| Layer {
            id: layer.id.to_string(),
            path: layer.path.to_string(),
            ..Layer::default()
        })
        .collect()
}

pub(crate) fn preview_document(spec: &ContainerSpec, scratch: &HostPath) -> Tp3ContainerConfig {
    let devices = match &spec.attachment {
        Some(Attachment::Switch { switch, nat, ports }) => vec![Device {
            device_type: "Network".to_owned(),
            connection: Connection {
                network_name: switch.clone(),
                enable_nat: nat.is_some(),
                nat: nat.as_ref().map(|name| Nat {
                    name: name.clone(),
                    port_bindings: ports
                        .iter()
                        .map(|port| PortBinding {
                            protocol: protocol(port.protocol).to_owned(),
                            internal_port: port.internal,
                            external_port: port.external,
                            ..PortBinding::default()
                        })
                        .collect(),
                    ..Nat::default()
                }),
                ..Connection::default()
            },
            settings: DeviceSettings::default(),
            ..Device::default()
        }],
        Some(Attachment::Hns { .. }) | None => Vec::new(),
    };
    Tp3ContainerConfig {
        system_type: "Container".to_owned(),
        name: spec.name.clone(),
        devices,
        ignore_flushes_during_boot: true,
        layer_folder_path: scratch.to_string(),
        layers: layers(spec),
        ..Tp3ContainerConfig::default()
    }
}

/// The mounted volume is empty with Hyper-V isolation: the container's own virtual machine mounts its layers.
pub(crate) fn schema1_document(
    spec: &ContainerSpec,
    scratch: &HostPath,
    volume: String,
    endpoint: Option<&Endpoint>,
) -> ContainerConfig {
    let base = spec.layers.last();
    let hv_runtime = base
        .filter(|_| spec.isolation == Isolation::HyperV)
        .map(|base| HvRuntime {
            image_path: Some(base.path.join("UtilityVM").to_string()),
            ..HvRuntime::default()
        });
    ContainerConfig {
        system_type: "Container".to_owned(),
        name: spec.id.0.clone(),
        owner: spec.owner.clone(),
        volume_path: volume,
        ignore_flushes_during_boot: true,
        layer_folder_path: scratch.to_string(),
        layers: layers(spec),
        host_name: spec.host_name.clone(),
        memory_maximum_in_mb: spec
            .memory_mib
            .map_or(0, |mib| i64::try_from(mib).unwrap_or(i64::MAX)),
        processor_count: match spec.processors {
            Some(Processors::Count(count)) => count,
            _ => 0,
        },
        processor_maximum: match spec.processors {
            Some(Processors::Limit(limit)) => i64::from(limit),
            _ => 0,
        },
        processor_weight: match spec.processors {
            Some(Processors::Weight(weight)) => u64::from(weight),
            _ => 0,
        },
        mapped_directories: spec
            .mounts
            .iter()
            .map(|mount| MappedDirectory {
                host_path: Some(mount.host.to_string()),
                container_path: Some(mount.container.clone()),
                read_only: Some(mount.access == Access::ReadOnly),
                ..MappedDirectory::default()
            })
            .collect(),
        hv_partition: spec.isolation == Isolation::HyperV,
        hv_runtime,
        endpoint_list: endpoint
            .iter()
            .map(|endpoint| endpoint.id.to_string())
            .collect(),
        ..ContainerConfig::default()
    }
}

fn protocol(protocol: TransportProtocol) -> &'static str {
    match protocol {
        TransportProtocol::Tcp => "TCP",
        TransportProtocol::Udp => "UDP",
    }
}
