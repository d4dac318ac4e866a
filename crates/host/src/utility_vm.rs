//! Hyper-V isolation as schema 2 tells it: a virtual machine for one container, and the container in it.
//!
//! Schema 1 asks for Hyper-V isolation by one field, and the service makes the virtual machine. In schema 2 the client describes both:
//!
//! ```text
//!   copy the template disk ─> grant the machine both disks ─> create the machine ─> start it
//!     ─> attach and mount the scratch disk ─> combine the layers over it ─> create the container, hosted ─> start it
//! ```
//!
//! The machine boots from a share named `os`, the folder `UtilityVM\Files` of the nearest layer that has one. Every layer, and every folder
//! that the container sees, is a share of its own. What the documents look like is known from Microsoft's own client (hcsshim 0.12);
//! that a network adapter is part of the machine's document, and not added later, is inferred.

use wcow_hcs_schema::SchemaVersion;
use wcow_hcs_schema::schema1::{ContainerConfig, ModifyRequestType};
use wcow_hcs_schema::schema2::{
    Attachment, AttachmentType, Chipset, CombinedLayers, ComputeSystem, Devices, GuestConnection,
    GuestRequest, GuestRequestType, GuestResource, HostedSystem, Layer, MappedVirtualDisk,
    ModifySettingRequest, NetworkAdapter, PathPart, ResourcePath, Scsi, Topology, Uefi,
    UefiBootDevice, UefiBootEntry, VirtualMachine, VirtualMachineHvSocket, VirtualMachineMemory,
    VirtualMachineProcessor, VirtualSmb, VirtualSmbShare, VirtualSmbShareOptions,
};
use wcow_ntmeta::{HostPath, PathError};

use crate::SystemId;

/// Where a guest sees the shares of its host: a name follows.
pub const GUEST_SHARES: &str = r"\\?\VMSMB\VSMB-{dcc079ae-60ba-4d07-847c-3493609c0870}\";
/// The name of the share that a utility VM boots from.
pub const BOOT_SHARE: &str = "os";
/// The memory of a utility VM that nobody gave a size, in MiB.
pub const DEFAULT_MEMORY_MIB: u64 = 1024;

/// The boot manager in the share that is booted from.
const LOADER: &str = r"\EFI\Microsoft\Boot\bootmgfw.efi";
/// The controller of all disks.
const CONTROLLER: &str = "0";
/// Where on it the machine's own disk is, and the container's.
const OWN_LUN: u32 = 0;
const SCRATCH_LUN: u8 = 1;
/// Where the guest mounts the container's disk, and puts its layers together.
const ROOT: &str = r"C:\mounts\scsi\m1";

/// A utility VM, and the container that it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct UtilityVm {
    id: SystemId,
    container: ContainerConfig,
    /// The folder of the scratch layer.
    scratch: HostPath,
    /// The folder `UtilityVM`.
    image: HostPath,
    adapters: Vec<NetworkAdapter>,
}

impl UtilityVm {
    /// The machine of a container, from what schema 1 says of one with Hyper-V isolation. What the machine runs from is the folder that
    /// `HvRuntime` names, or else `UtilityVM` of the base layer.
    ///
    /// # Errors
    /// The path of the scratch layer, or of that folder, is none.
    pub fn new(container: &SystemId, config: ContainerConfig) -> Result<Self, PathError> {
        let runtime = config.hv_runtime.as_ref();
        let image = match runtime.and_then(|runtime| runtime.image_path.as_deref()) {
            Some(image) => HostPath::parse(image)?,
            None => {
                let base = config.layers.last().map(|layer| layer.path.as_str());
                HostPath::parse(base.unwrap_or_default())?.join("UtilityVM")
            }
        };
        let adapters = config.endpoint_list.iter().filter_map(|endpoint| {
            Some(NetworkAdapter {
                endpoint_id: Some(endpoint.parse().ok()?),
                ..NetworkAdapter::default()
            })
        });
        Ok(Self {
            id: Self::id_of(container),
            scratch: HostPath::parse(&config.layer_folder_path)?,
            adapters: adapters.collect(),
            container: config,
            image,
        })
    }

    /// The id of the utility VM of a container.
    #[must_use]
    pub fn id_of(container: &SystemId) -> SystemId {
        SystemId(format!("{container}@vm"))
    }

    /// The id of the container that a compute system is the utility VM of, going by its own id.
    #[must_use]
    pub fn container_of(machine: &SystemId) -> Option<SystemId> {
        let container = machine.0.strip_suffix("@vm")?;
        (!container.is_empty()).then(|| SystemId(container.to_owned()))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &SystemId {
        &self.id
    }

    /// The disk that its own is a copy of.
    #[must_use]
    pub fn template(&self) -> HostPath {
        self.image.join("SystemTemplate.vhdx")
    }

    /// Its own disk: below the scratch layer of its container, and so gone with that.
    #[must_use]
    pub fn own_disk(&self) -> HostPath {
        self.scratch.join(r"vm\sandbox.vhdx")
    }

    /// The disk of the container.
    #[must_use]
    pub fn scratch_disk(&self) -> HostPath {
        self.scratch.join("sandbox.vhdx")
    }

    /// The document of the machine.
    #[must_use]
    pub fn machine(&self) -> ComputeSystem {
        let config = &self.container;
        let mib = u64::try_from(config.memory_maximum_in_mb).unwrap_or_default();
        let mib = if mib == 0 { DEFAULT_MEMORY_MIB } else { mib };
        let own = Attachment {
            kind: Some(AttachmentType::VirtualDisk),
            path: Some(self.own_disk().to_string()),
            ..Attachment::default()
        };
        let devices = Devices {
            scsi: [(
                CONTROLLER.to_owned(),
                Scsi {
                    attachments: [(OWN_LUN, own)].into(),
                    ..Scsi::default()
                },
            )]
            .into(),
            virtual_smb: Some(VirtualSmb {
                shares: self.shares(),
                ..VirtualSmb::default()
            }),
            network_adapters: self.adapters.iter().filter_map(named).collect(),
            hv_socket: Some(VirtualMachineHvSocket::default()),
            ..Devices::default()
        };
        let boot = UefiBootEntry {
            device_type: Some(UefiBootDevice::VmbFs),
            device_path: Some(LOADER.to_owned()),
            ..UefiBootEntry::default()
        };
        ComputeSystem {
            owner: Some(config.owner.clone()),
            schema_version: Some(SchemaVersion::V2_1),
            should_terminate_on_last_handle_closed: Some(config.terminate_on_last_handle_closed),
            virtual_machine: Some(VirtualMachine {
                stop_on_reset: Some(true),
                chipset: Some(Chipset {
                    uefi: Some(Uefi {
                        boot_this: Some(boot),
                        ..Uefi::default()
                    }),
                    ..Chipset::default()
                }),
                compute_topology: Some(Topology {
                    memory: Some(VirtualMachineMemory {
                        size_in_mb: Some(mib),
                        allow_overcommit: Some(true),
                        ..VirtualMachineMemory::default()
                    }),
                    processor: Some(config.processor_count).filter(|count| *count > 0).map(
                        |count| VirtualMachineProcessor {
                            count: Some(count),
                            ..VirtualMachineProcessor::default()
                        },
                    ),
                    ..Topology::default()
                }),
                devices: Some(devices),
                guest_connection: Some(GuestConnection::default()),
                ..VirtualMachine::default()
            }),
            ..ComputeSystem::default()
        }
    }

    /// What is changed in the machine once it runs, before the container is created: its disk is attached and mounted, its layers are
    /// put over it.
    #[must_use]
    pub fn preparations(&self) -> [ModifySettingRequest; 2] {
        let disk = Attachment {
            kind: Some(AttachmentType::VirtualDisk),
            path: Some(self.scratch_disk().to_string()),
            ..Attachment::default()
        };
        let mount = MappedVirtualDisk {
            container_path: Some(ROOT.to_owned()),
            lun: Some(SCRATCH_LUN),
            ..MappedVirtualDisk::default()
        };
        let layers = CombinedLayers {
            layers: self.guest_layers(),
            container_root_path: Some(ROOT.to_owned()),
            ..CombinedLayers::default()
        };
        let attach = match PathPart::new(CONTROLLER) {
            Some(controller) => {
                let path = ResourcePath::ScsiAttachment(controller, u32::from(SCRATCH_LUN));
                ModifySettingRequest::new(&path, ModifyRequestType::Add)
            }
            None => ModifySettingRequest::default(),
        };
        let mounted = GuestRequest {
            settings: Some(mount.to_value()),
            ..guest(GuestResource::MappedVirtualDisk)
        };
        let combined = GuestRequest {
            settings: Some(layers.to_value()),
            ..guest(GuestResource::CombinedLayers)
        };
        [
            attach
                .with_settings(disk.to_value())
                .with_guest_request(&mounted),
            ModifySettingRequest::default().with_guest_request(&combined),
        ]
    }

    /// The document of the container, hosted by the machine.
    #[must_use]
    pub fn container(&self) -> ComputeSystem {
        let mut container = self.container.to_schema2().container.unwrap_or_default();
        if let Some(storage) = &mut container.storage {
            storage.layers = self.guest_layers();
            storage.path = Some(ROOT.to_owned());
        }
        // The size of the machine is the limit.
        container.memory = None;
        for (number, folder) in container.mapped_directories.iter_mut().enumerate() {
            folder.host_path = Some(format!("{GUEST_SHARES}{}", mapped(number)));
        }
        ComputeSystem {
            owner: Some(self.container.owner.clone()),
            schema_version: Some(SchemaVersion::V2_1),
            hosting_system_id: Some(self.id.0.clone()),
            hosted_system: Some(HostedSystem {
                schema_version: Some(SchemaVersion::V2_1),
                container: Some(container),
                ..HostedSystem::default()
            }),
            should_terminate_on_last_handle_closed: Some(
                self.container.terminate_on_last_handle_closed,
            ),
            ..ComputeSystem::default()
        }
    }

    fn guest_layers(&self) -> Vec<Layer> {
        let layers = self.container.layers.iter().enumerate();
        layers
            .map(|(number, layer)| Layer {
                id: layer.id.parse().ok(),
                path: Some(format!("{GUEST_SHARES}{}", share_of_layer(number))),
                ..Layer::default()
            })
            .collect()
    }

    fn shares(&self) -> Vec<VirtualSmbShare> {
        let boot = share(BOOT_SHARE, &self.image.join("Files").to_string(), true);
        let layers = self.container.layers.iter().enumerate();
        let layers =
            layers.map(|(number, layer)| share(&share_of_layer(number), &layer.path, true));
        let folders = self.container.mapped_directories.iter().enumerate();
        let folders = folders.map(|(number, folder)| {
            let path = folder.host_path.as_deref().unwrap_or_default();
            share(&mapped(number), path, folder.read_only == Some(true))
        });
        [boot].into_iter().chain(layers).chain(folders).collect()
    }
}

fn named(adapter: &NetworkAdapter) -> Option<(String, NetworkAdapter)> {
    Some((adapter.endpoint_id?.to_string(), adapter.clone()))
}

/// The name of the share of a layer, and of a folder that the container sees.
fn share_of_layer(number: usize) -> String {
    format!("layer{number}")
}

fn mapped(number: usize) -> String {
    format!("folder{number}")
}

fn share(name: &str, path: &str, read_only: bool) -> VirtualSmbShare {
    VirtualSmbShare {
        name: Some(name.to_owned()),
        path: Some(path.to_owned()),
        options: Some(VirtualSmbShareOptions {
            read_only: Some(read_only),
            share_read: Some(read_only),
            cache_io: Some(read_only),
            pseudo_oplocks: Some(read_only),
            take_backup_privilege: Some(true),
            ..VirtualSmbShareOptions::default()
        }),
        ..VirtualSmbShare::default()
    }
}

fn guest(resource: GuestResource) -> GuestRequest {
    GuestRequest {
        resource_type: Some(resource),
        request_type: Some(GuestRequestType::Add),
        ..GuestRequest::default()
    }
}
