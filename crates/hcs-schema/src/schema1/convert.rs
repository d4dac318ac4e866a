//! What a container document says in schema 2.

use super::ContainerConfig;
use crate::schema2::{
    ComputeSystem, Container, ContainerMemory, ContainerProcessor, GuestOs, Layer, MappedDirectory,
    Networking, Storage,
};

impl ContainerConfig {
    /// The same container as a document of schema 2, which version 2 of the service takes: process isolation, its layers, limits,
    /// folders, endpoints and names.
    ///
    /// What schema 2 says in other documents is left out: Hyper-V isolation is a virtual machine of its own there. So are disks, pipes
    /// and devices of the host. An id that is no GUID is left out too.
    #[must_use]
    pub fn to_schema2(&self) -> ComputeSystem {
        let container = Container {
            guest_os: given(&self.host_name).map(|host_name| GuestOs {
                host_name: Some(host_name),
                ..GuestOs::default()
            }),
            storage: Some(self.storage()),
            mapped_directories: self.mapped_directories.iter().map(mapped).collect(),
            memory: positive(self.memory_maximum_in_mb).map(|mib| ContainerMemory {
                size_in_mb: Some(mib),
                ..ContainerMemory::default()
            }),
            processor: self.processor(),
            networking: self.networking(),
            ..Container::default()
        };
        ComputeSystem {
            should_terminate_on_last_handle_closed: Some(self.terminate_on_last_handle_closed),
            ..ComputeSystem::of_container(&self.owner, container)
        }
    }

    fn storage(&self) -> Storage {
        let layers = self.layers.iter().map(|layer| Layer {
            id: layer.id.parse().ok(),
            path: Some(layer.path.clone()),
            ..Layer::default()
        });
        Storage {
            layers: layers.collect(),
            path: Some(format!(r"{}\", self.volume_path)),
            ..Storage::default()
        }
    }

    fn processor(&self) -> Option<ContainerProcessor> {
        let processor = ContainerProcessor {
            count: Some(self.processor_count).filter(|count| *count > 0),
            weight: i64::try_from(self.processor_weight)
                .ok()
                .filter(|weight| *weight > 0),
            maximum: Some(self.processor_maximum).filter(|maximum| *maximum > 0),
            ..ContainerProcessor::default()
        };
        (processor != ContainerProcessor::default()).then_some(processor)
    }

    fn networking(&self) -> Option<Networking> {
        let networking = Networking {
            allow_unqualified_dns_query: self.allow_unqualified_dns_query.then_some(true),
            dns_search_list: given(&self.dns_search_list),
            network_shared_container_name: given(&self.network_shared_container_name),
            network_adapters: self
                .endpoint_list
                .iter()
                .filter_map(|endpoint| endpoint.parse().ok())
                .collect(),
            ..Networking::default()
        };
        (networking != Networking::default()).then_some(networking)
    }
}

fn mapped(folder: &super::MappedDirectory) -> MappedDirectory {
    MappedDirectory {
        host_path: folder.host_path.clone(),
        container_path: folder.container_path.clone(),
        read_only: folder.read_only,
        ..MappedDirectory::default()
    }
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}
