//! Containers: storage, limits, mapped folders and pipes, names, networks.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use std::collections::BTreeMap;

use wcow_ntmeta::Guid;

use crate::schema2::*;
use crate::wire::{document, words};

document! {
    /// A container: what it sees of storage, host, network and devices, and what it may use.
    ///
    /// Part of [`ComputeSystem`], [`HostedSystem`]. Since schema 2.0.
    Container = "Container" {
        /// Names inside of the container.
        guest_os: Option<GuestOs> = "GuestOs" @ 2.0,
        /// Layers and scratch space.
        storage: Option<Storage> = "Storage" @ 2.0,
        /// Folders of the host that the container sees.
        mapped_directories: Vec<MappedDirectory> = "MappedDirectories" @ 2.0,
        /// Named pipes of the host that the container sees.
        mapped_pipes: Vec<MappedPipe> = "MappedPipes" @ 2.0,
        /// Limit of memory.
        memory: Option<ContainerMemory> = "Memory" @ 2.0,
        /// Limits of processor time.
        processor: Option<ContainerProcessor> = "Processor" @ 2.0,
        /// Endpoints or a network namespace.
        networking: Option<Networking> = "Networking" @ 2.0,
        hv_socket: Option<ContainerHvSocket> = "HvSocket" @ 2.0,
        container_credential_guard: Option<ContainerCredentialGuardState> = "ContainerCredentialGuard" @ 2.1,
        /// Values written and keys removed before the container starts.
        registry_changes: Option<RegistryChanges> = "RegistryChanges" @ 2.0,
        /// Devices of the host that the container gets.
        assigned_devices: Vec<Device> = "AssignedDevices" @ 2.1,
        additional_device_namespace: Option<ContainersDefDevice> = "AdditionalDeviceNamespace" @ 2.3,
        /// `HostProcess` for a container that shares the host's view. Clients send it, the public schema does not have
        /// it.
        isolation_type: Option<String> = "IsolationType" @ 2.0,
    }

    /// Names that the guest gives itself.
    ///
    /// Part of [`Container`]. Since schema 2.0.
    GuestOs = "GuestOs" {
        /// The computer name.
        host_name: Option<String> = "HostName" @ 2.0,
    }

    /// The layers of a container, and where it writes.
    ///
    /// Part of [`Container`]. Since schema 2.0.
    Storage = "Storage" {
        /// The read-only layers, nearest first, base last.
        layers: Vec<Layer> = "Layers" @ 2.0,
        /// The scratch: on the host `\\?\Volume{GUID}\` with a trailing backslash, in a virtual machine the combined
        /// path as its guest sees it.
        path: Option<String> = "Path" @ 2.0,
        qos: Option<StorageQoS> = "QoS" @ 2.0,
        /// Where a host-process container sees its root. Clients send it, the public schema does not have it.
        privileged_container_root_path: Option<String> = "PrivilegedContainerRootPath" @ 2.0,
    }

    /// Limits of disk traffic.
    ///
    /// Part of [`Storage`], [`VirtualMachine`]. Since schema 2.0.
    StorageQoS = "StorageQoS" {
        /// Operations a second.
        iops_maximum: Option<u64> = "IopsMaximum" @ 2.0,
        /// Bytes a second.
        bandwidth_maximum: Option<u64> = "BandwidthMaximum" @ 2.0,
    }

    /// Limit of a container's memory.
    ///
    /// Part of [`Container`]. Since schema 2.1.
    ContainerMemory = "Container_Memory" {
        /// In MiB.
        size_in_mb: Option<u64> = "SizeInMB" @ 2.1,
    }

    /// Limits of a container's processor time. Clients set one of the three.
    ///
    /// Part of [`Container`]. Since schema 2.0.
    ContainerProcessor = "Container_Processor" {
        /// Number of processors.
        count: Option<u32> = "Count" @ 2.0,
        /// Share beside other containers, 1 to 10000; 0 is the default.
        weight: Option<i64> = "Weight" @ 2.0,
        /// Part of all processor time, in hundredths of a percent, 1 to 10000.
        maximum: Option<i64> = "Maximum" @ 2.0,
    }

    /// How a container is connected.
    ///
    /// Part of [`Container`]. Since schema 2.0.
    Networking = "Networking" {
        /// Whether names without a dot are asked for too.
        allow_unqualified_dns_query: Option<bool> = "AllowUnqualifiedDnsQuery" @ 2.0,
        /// Suffixes, with commas between them.
        dns_search_list: Option<String> = "DnsSearchList" @ 2.0,
        /// The container whose network this one shares.
        network_shared_container_name: Option<String> = "NetworkSharedContainerName" @ 2.0,
        /// The network namespace, a GUID.
        namespace: Option<String> = "Namespace" @ 2.0,
        /// Ids of the endpoints.
        network_adapters: Vec<Guid> = "NetworkAdapters" @ 2.0,
    }

    /// A folder of the host that is seen in a container.
    ///
    /// Part of [`Container`]. Since schema 2.0.
    MappedDirectory = "MappedDirectory" {
        /// The folder on the host.
        host_path: Option<String> = "HostPath" @ 2.0,
        host_path_type: Option<PathType> = "HostPathType" @ 2.1,
        /// Where the container sees it.
        container_path: Option<String> = "ContainerPath" @ 2.0,
        /// Whether the container can only read.
        read_only: Option<bool> = "ReadOnly" @ 2.0,
        support_cloud_files: Option<bool> = "SupportCloudFiles" @ 2.3,
    }

    /// A named pipe of the host that is seen in a container.
    ///
    /// Part of [`Container`]. Since schema 2.0.
    MappedPipe = "MappedPipe" {
        /// Its name in the container, without `\\.\pipe\`.
        container_pipe_name: Option<String> = "ContainerPipeName" @ 2.0,
        /// The pipe on the host.
        host_path: Option<String> = "HostPath" @ 2.0,
        host_path_type: Option<MappedPipePathType> = "HostPathType" @ 2.1,
    }

    /// Hyper-V sockets between a container and its host.
    ///
    /// Part of [`Container`]. Since schema 2.0.
    ContainerHvSocket = "Container_HvSocket" {
        config: Option<HvSocketSystemConfig> = "Config" @ 2.0,
        enable_power_shell_direct: Option<bool> = "EnablePowerShellDirect" @ 2.0,
    }

    /// Which services may be reached over Hyper-V sockets, and by whom.
    ///
    /// Part of [`ContainerHvSocket`], [`VirtualMachineHvSocket`]. Since schema 2.0.
    HvSocketSystemConfig = "HvSocketSystemConfig" {
        /// Who may listen where nothing else is said, as SDDL.
        default_bind_security_descriptor: Option<String> = "DefaultBindSecurityDescriptor" @ 2.0,
        /// Who may connect where nothing else is said, as SDDL.
        default_connect_security_descriptor: Option<String> = "DefaultConnectSecurityDescriptor" @ 2.0,
        /// Services by their id.
        service_table: BTreeMap<Guid, HvSocketServiceConfig> = "ServiceTable" @ 2.0,
    }

    /// Who may use one service over Hyper-V sockets.
    ///
    /// Part of [`ContainerCredentialGuardHvSocketServiceConfig`], [`HvSocketSystemConfig`]. Since schema 2.0.
    HvSocketServiceConfig = "HvSocketServiceConfig" {
        /// Who may listen, as SDDL.
        bind_security_descriptor: Option<String> = "BindSecurityDescriptor" @ 2.0,
        /// Who may connect, as SDDL.
        connect_security_descriptor: Option<String> = "ConnectSecurityDescriptor" @ 2.0,
        /// Whether a listener may take connections from every partition.
        allow_wildcard_binds: Option<bool> = "AllowWildcardBinds" @ 2.0,
    }

    /// The ids by which a container and what hosts it find each other over Hyper-V sockets.
    ///
    /// Since schema 2.1.
    HvSocketAddress = "HvSocketAddress" {
        local_address: Option<Guid> = "LocalAddress" @ 2.1,
        parent_address: Option<Guid> = "ParentAddress" @ 2.1,
    }

    /// A device of the host that is assigned to a container.
    ///
    /// Part of [`Container`]. Since schema 2.1.
    Device = "Device" {
        /// How the device is named.
        kind: Option<DeviceType> = "Type" @ 2.2,
        /// The class of interfaces, of which every device is assigned.
        interface_class_guid: Option<Guid> = "InterfaceClassGuid" @ 2.1,
        /// Where the device is plugged in.
        location_path: Option<String> = "LocationPath" @ 2.2,
    }
}

words! {
    /// What the path of a mapped pipe on the host is.
    ///
    /// Part of [`MappedPipe`]. Since schema 2.1.
    MappedPipePathType = "MappedPipePathType" {
        AbsolutePath = "AbsolutePath" @ 2.1,
        VirtualSmbPipeName = "VirtualSmbPipeName" @ 2.1,
    }

    /// What a path on the host is.
    ///
    /// Part of [`Layer`], [`MappedDirectory`]. Since schema 2.1.
    PathType = "PathType" {
        AbsolutePath = "AbsolutePath" @ 2.1,
        VirtualSmbShareName = "VirtualSmbShareName" @ 2.1,
    }

    /// How an assigned device is named.
    ///
    /// Part of [`Device`]. Since schema 2.2.
    DeviceType = "DeviceType" {
        ClassGuid = "ClassGuid" @ 2.2,
        DeviceInstance = "DeviceInstance" @ 2.2,
        GpuMirror = "GpuMirror" @ 2.2,
    }
}
