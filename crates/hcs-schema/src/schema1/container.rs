//! Containers.

use serde::{Deserialize, Serialize};

use super::is_zero;
use crate::Unknown;
use crate::wire::document;

/// The document a container is created from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerConfig {
    /// Always `Container`.
    pub system_type: String,
    /// The system's id again, by convention.
    pub name: String,
    /// Who made it, for example `wcow`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// The mounted scratch volume, `\\?\Volume{GUID}` without a trailing backslash; empty with Hyper-V isolation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub volume_path: String,
    /// Faster start: flushes are ignored until the container has booted.
    #[serde(skip_serializing_if = "is_zero")]
    pub ignore_flushes_during_boot: bool,
    /// The folder of the scratch layer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub layer_folder_path: String,
    /// The read-only layers, nearest first, base last.
    pub layers: Vec<Layer>,
    /// The account that services in the container run as: a credential specification, JSON in a string.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub credentials: String,
    /// Number of processors; 0 = all.
    #[serde(skip_serializing_if = "is_zero")]
    pub processor_count: u32,
    /// Share of processor time beside other containers, 1 to 10000; 0 = the default.
    #[serde(skip_serializing_if = "is_zero")]
    pub processor_weight: u64,
    /// Part of all processor time, in hundredths of a percent, 1 to 10000; 0 = no limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub processor_maximum: i64,
    /// Disk operations a second; 0 = no limit.
    #[serde(skip_serializing_if = "is_zero", rename = "StorageIOPSMaximum")]
    pub storage_iops_maximum: u64,
    /// Bytes a second to and from disk; 0 = no limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub storage_bandwidth_maximum: u64,
    /// Size of the scratch in bytes; 0 = the default.
    #[serde(skip_serializing_if = "is_zero")]
    pub storage_sandbox_size: u64,
    /// Memory limit in MiB; 0 = none.
    #[serde(skip_serializing_if = "is_zero", rename = "MemoryMaximumInMB")]
    pub memory_maximum_in_mb: i64,
    /// Host name in the container.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host_name: String,
    /// Folders of the host that the container sees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mapped_directories: Vec<MappedDirectory>,
    /// Named pipes of the host that the container sees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mapped_pipes: Vec<MappedPipe>,
    /// True for Hyper-V isolation.
    pub hv_partition: bool,
    /// The container whose network this one shares.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub network_shared_container_name: String,
    /// Ids of the HNS endpoints it gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoint_list: Vec<String>,
    /// What the utility VM of Hyper-V isolation runs from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hv_runtime: Option<HvRuntime>,
    /// The container services its own layers: it installs updates.
    #[serde(skip_serializing_if = "is_zero")]
    pub servicing: bool,
    /// Whether names without a dot are asked for too.
    #[serde(skip_serializing_if = "is_zero", rename = "AllowUnqualifiedDNSQuery")]
    pub allow_unqualified_dns_query: bool,
    /// Suffixes of names, with commas between them.
    #[serde(skip_serializing_if = "String::is_empty", rename = "DNSSearchList")]
    pub dns_search_list: String,
    /// `Linux` for a Linux container; empty else.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub container_type: String,
    /// Ends the container when the last handle to it is closed.
    #[serde(skip_serializing_if = "is_zero")]
    pub terminate_on_last_handle_closed: bool,
    /// Virtual disks that the container sees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mapped_virtual_disks: Vec<MappedVirtualDisk>,
    /// Devices of the host that the container gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assigned_devices: Vec<AssignedDevice>,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A read-only layer of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Layer {
    /// The layer's id, a GUID. Services also take `Id`.
    #[serde(rename = "ID", alias = "Id")]
    pub id: String,
    /// The layer's folder.
    pub path: String,
    /// Keys this version does not know.
    #[serde(flatten)]
    pub unknown: Unknown,
}

crate::wire::serde_documents! { ContainerConfig Layer }

document! {
    /// A folder of the host that a container sees.
    MappedDirectory = "MappedDirectory" {
        /// The folder on the host.
        host_path: Option<String> = "HostPath" @ 1.0,
        /// Where the container sees it.
        container_path: Option<String> = "ContainerPath" @ 1.0,
        /// Whether the container can only read.
        read_only: Option<bool> = "ReadOnly" @ 1.0,
        /// Bytes a second; 0 = no limit.
        bandwidth_maximum: Option<u64> = "BandwidthMaximum" @ 1.0,
        /// Operations a second; 0 = no limit.
        iops_maximum: Option<u64> = "IOPSMaximum" @ 1.0,
        /// Whether the utility VM sees it, and not the container in it.
        create_in_utility_vm: Option<bool> = "CreateInUtilityVM" @ 1.0,
        /// Whether Linux metadata of files is kept.
        linux_metadata: Option<bool> = "LinuxMetadata" @ 1.0,
    }

    /// A named pipe of the host that a container sees.
    MappedPipe = "MappedPipe" {
        /// The pipe on the host.
        host_path: Option<String> = "HostPath" @ 1.0,
        /// Its name in the container, without `\\.\pipe\`.
        container_pipe_name: Option<String> = "ContainerPipeName" @ 1.0,
    }

    /// A virtual disk that a container sees.
    MappedVirtualDisk = "MappedVirtualDisk" {
        /// The file on the host.
        host_path: Option<String> = "HostPath" @ 1.0,
        /// Where the container sees its files.
        container_path: Option<String> = "ContainerPath" @ 1.0,
        /// Whether the utility VM sees it, and not the container in it.
        create_in_utility_vm: Option<bool> = "CreateInUtilityVM" @ 1.0,
        /// Whether it can only be read.
        read_only: Option<bool> = "ReadOnly" @ 1.0,
        /// How it is cached.
        cache: Option<String> = "Cache" @ 1.0,
        /// Whether it is attached and not mounted.
        attach_only: Option<bool> = "AttachOnly" @ 1.0,
    }

    /// A device of the host that a container gets.
    AssignedDevice = "AssignedDevice" {
        /// The class of interfaces, of which every device is assigned.
        interface_class_guid: Option<String> = "InterfaceClassGuid" @ 1.0,
    }

    /// What the utility VM of Hyper-V isolation runs from.
    HvRuntime = "HvRuntime" {
        /// The folder `UtilityVM` of a layer.
        image_path: Option<String> = "ImagePath" @ 1.0,
        /// Starts the machine cold and not from a template.
        skip_template: Option<bool> = "SkipTemplate" @ 1.0,
        /// The initial RAM disk of a Linux guest.
        linux_initrd_file: Option<String> = "LinuxInitrdFile" @ 1.0,
        /// The kernel of a Linux guest.
        linux_kernel_file: Option<String> = "LinuxKernelFile" @ 1.0,
        /// The command line of the kernel of a Linux guest.
        linux_boot_parameters: Option<String> = "LinuxBootParameters" @ 1.0,
        /// What a Linux guest boots from.
        boot_source: Option<String> = "BootSource" @ 1.0,
        /// Whether what a Linux guest boots from can be written.
        writable_boot_source: Option<bool> = "WritableBootSource" @ 1.0,
    }
}
