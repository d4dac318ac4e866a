//! Documents of schema 2, as the service takes them from build 17763 on.

use wcow_hcs_schema::SchemaVersion;
use wcow_hcs_schema::schema1::{ContainerConfig, Layer, MappedDirectory};
use wcow_hcs_schema::schema2::{ComputeSystem, Container, SystemKind, VirtualMachine};
use wcow_host::SystemId;
use wcow_host::codes::{v1, win32};
use wcow_ntmeta::Hresult;

use super::hosted::Hosted;

/// What a document of schema 2 asks for. Containers are told as schema 1 does.
pub(super) enum Asked<'a> {
    /// A container on the host.
    Container(ContainerConfig),
    /// A virtual machine.
    Machine(&'a VirtualMachine),
    /// A container in a virtual machine.
    Hosted(Hosted),
}

/// A document without what is newer than its version: the service drops that without a word.
///
/// Nobody has shown what the service answers to a version that it does not know; it is taken to be an invalid document.
pub(super) fn known(document: &ComputeSystem, build: u32) -> Result<ComputeSystem, Hresult> {
    let known: Vec<SchemaVersion> = SchemaVersion::of_build(build).collect();
    let version = document.schema_version.unwrap_or(SchemaVersion::V2_1);
    if !version.is_among(&known) {
        return Err(v1::INVALID_JSON);
    }
    let mut document = document.clone();
    document.drop_newer();
    Ok(document)
}

/// What it asks for: exactly one thing (documented). That anything else is an invalid document is inferred, and so is a hosted container
/// whose document does not say where.
pub(super) fn asked<'a>(id: &SystemId, document: &'a ComputeSystem) -> Result<Asked<'a>, Hresult> {
    match document.kind() {
        Ok(SystemKind::Container(container)) => {
            container_config(id, document, container).map(Asked::Container)
        }
        Ok(SystemKind::VirtualMachine(machine)) => Ok(Asked::Machine(machine)),
        Ok(SystemKind::HostedSystem(hosted)) => {
            let machine = document.hosting_system_id.clone();
            let container = hosted.container.as_ref().ok_or(v1::INVALID_JSON)?;
            Ok(Asked::Hosted(Hosted {
                machine: SystemId(machine.ok_or(v1::INVALID_JSON)?),
                version: hosted.schema_version.unwrap_or(SchemaVersion::V2_1),
                container: container_config(id, document, container)?,
            }))
        }
        Err(_) => Err(v1::INVALID_JSON),
    }
}

fn container_config(
    id: &SystemId,
    document: &ComputeSystem,
    container: &Container,
) -> Result<ContainerConfig, Hresult> {
    let storage = container.storage.as_ref().ok_or(v1::INVALID_JSON)?;
    let volume = storage.path.as_deref().ok_or(v1::INVALID_JSON)?;
    let networking = container.networking.as_ref();
    let processor = container.processor.as_ref();
    let memory = container
        .memory
        .as_ref()
        .and_then(|memory| memory.size_in_mb);
    let whole = |value: Option<i64>| u64::try_from(value.unwrap_or_default());
    Ok(ContainerConfig {
        system_type: "Container".to_owned(),
        name: id.0.clone(),
        owner: document.owner.clone().unwrap_or_default(),
        volume_path: volume.trim_end_matches('\\').to_owned(),
        layers: storage
            .layers
            .iter()
            .map(|layer| Layer {
                id: layer.id.map(|id| id.to_string()).unwrap_or_default(),
                path: layer.path.clone().unwrap_or_default(),
                ..Layer::default()
            })
            .collect(),
        host_name: container
            .guest_os
            .as_ref()
            .and_then(|guest| guest.host_name.clone())
            .unwrap_or_default(),
        memory_maximum_in_mb: i64::try_from(memory.unwrap_or_default())
            .map_err(|_| win32::INVALID_PARAMETER)?,
        processor_count: processor
            .and_then(|processor| processor.count)
            .unwrap_or_default(),
        processor_weight: whole(processor.and_then(|processor| processor.weight))
            .map_err(|_| win32::INVALID_PARAMETER)?,
        processor_maximum: processor
            .and_then(|processor| processor.maximum)
            .unwrap_or_default(),
        mapped_directories: container
            .mapped_directories
            .iter()
            .map(|mapped| MappedDirectory {
                host_path: mapped.host_path.clone(),
                container_path: mapped.container_path.clone(),
                read_only: mapped.read_only,
                ..MappedDirectory::default()
            })
            .collect(),
        endpoint_list: networking
            .map(|networking| networking.network_adapters.iter())
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .collect(),
        terminate_on_last_handle_closed: document
            .should_terminate_on_last_handle_closed
            .unwrap_or_default(),
        ..ContainerConfig::default()
    })
}
