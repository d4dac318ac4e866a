//! Documents of schema 2, as the service takes them from build 17763 on.

use wcow_hcs_schema::SchemaVersion;
use wcow_hcs_schema::schema1::{ContainerConfig, Layer, MappedDirectory};
use wcow_hcs_schema::schema2::{ComputeSystem, Container, SystemKind};
use wcow_host::SystemId;
use wcow_host::codes::{v1, win32};
use wcow_ntmeta::Hresult;

/// What a document of schema 2 asks for, as schema 1 says it. Sections that are newer than the document's version are dropped without
/// a word.
///
/// Nobody has shown what the service answers to a version that it does not know; it is taken to be an invalid document. Virtual
/// machines of their own are not simulated, so nothing can be hosted in one.
pub(super) fn as_schema1(
    id: &SystemId,
    document: &ComputeSystem,
    build: u32,
) -> Result<ContainerConfig, Hresult> {
    let known: Vec<SchemaVersion> = SchemaVersion::of_build(build).collect();
    let version = document.schema_version.unwrap_or(SchemaVersion::V2_1);
    if !version.is_among(&known) {
        return Err(v1::INVALID_JSON);
    }
    let mut document = document.clone();
    document.drop_newer();
    match document.kind() {
        Ok(SystemKind::Container(container)) => container_config(id, &document, container),
        Ok(SystemKind::VirtualMachine(_)) => Err(win32::NOT_SUPPORTED),
        Ok(SystemKind::HostedSystem(_)) => Err(v1::SYSTEM_NOT_FOUND),
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
