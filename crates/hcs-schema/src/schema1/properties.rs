//! What a compute system tells of itself.

use serde_json::Value;

pub use crate::schema2::{
    GuestConnectionInfo, MemoryStats, NotificationType, OsType, ProcessDetails, ProcessorStats,
    State, StorageStats, SystemQuery,
};
use crate::wire::{document, words};

document! {
    /// Which properties are asked for; without any, the basic ones come.
    PropertyQuery = "PropertyQuery" {
        /// What is asked for beside the basic properties.
        property_types: Vec<PropertyType> = "PropertyTypes" @ 1.0,
    }

    /// What a compute system tells of itself, alone or in an enumeration: the basic properties, and those that were asked for.
    ContainerProperties = "ContainerProperties" {
        /// Its id.
        id: Option<String> = "Id" | "ID" @ 1.0,
        /// Where it stands in its life.
        state: Option<State> = "State" @ 1.0,
        /// Its name.
        name: Option<String> = "Name" @ 1.0,
        /// `Container` or `VirtualMachine`; services write it in any case.
        system_type: Option<String> = "SystemType" @ 1.0,
        /// What runs in it.
        runtime_os_type: Option<OsType> = "RuntimeOsType" @ 1.0,
        /// Who made it.
        owner: Option<String> = "Owner" @ 1.0,
        /// The virtual machine that a container is in, where its document named one (schema 2).
        hosting_system_id: Option<String> = "HostingSystemId" @ 2.1,
        /// The id of the silo of a container with process isolation.
        silo_guid: Option<String> = "SiloGuid" @ 1.0,
        /// The id of the partition or silo behind it.
        runtime_id: Option<String> = "RuntimeId" @ 1.0,
        /// Whether it is a template to clone.
        is_runtime_template: Option<bool> = "IsRuntimeTemplate" @ 1.0,
        /// What its utility VM runs from.
        runtime_image_path: Option<String> = "RuntimeImagePath" @ 1.0,
        /// True once it has ended.
        stopped: Option<bool> = "Stopped" @ 1.0,
        /// How it ended.
        exit_type: Option<NotificationType> = "ExitType" @ 1.0,
        /// Whether updates wait for its next servicing start.
        are_updates_pending: Option<bool> = "AreUpdatesPending" @ 1.0,
        /// The folder of the object manager that its names live in.
        ob_root: Option<String> = "ObRoot" @ 1.0,
        /// What it has used.
        statistics: Option<ContainerStatistics> = "Statistics" @ 1.0,
        /// Its processes.
        process_list: Vec<ProcessDetails> = "ProcessList" @ 1.0,
        /// Its virtual disks, by controller.
        mapped_virtual_disk_controllers: Option<Value> = "MappedVirtualDiskControllers" @ 1.0,
        /// What the guest can do.
        guest_connection_info: Option<GuestConnectionInfo> = "GuestConnectionInfo" @ 1.0,
    }

    /// What a container has used since it started.
    ContainerStatistics = "ContainerStatistics" {
        /// When this was measured, RFC 3339.
        timestamp: Option<String> = "Timestamp" @ 1.0,
        /// When it was started, RFC 3339.
        container_start_time: Option<String> = "ContainerStartTime" @ 1.0,
        /// Time since then, in units of 100 ns.
        uptime_100ns: Option<u64> = "Uptime100ns" @ 1.0,
        /// Memory.
        memory: Option<MemoryStats> = "Memory" @ 1.0,
        /// Processor time.
        processor: Option<ProcessorStats> = "Processor" @ 1.0,
        /// Disk traffic.
        storage: Option<StorageStats> = "Storage" @ 1.0,
        /// Network traffic, by endpoint.
        network: Vec<NetworkStats> = "Network" @ 1.0,
    }

    /// Network traffic of an endpoint.
    NetworkStats = "NetworkStats" {
        /// Bytes that came in.
        bytes_received: Option<u64> = "BytesReceived" @ 1.0,
        /// Bytes that went out.
        bytes_sent: Option<u64> = "BytesSent" @ 1.0,
        /// Packets that came in.
        packets_received: Option<u64> = "PacketsReceived" @ 1.0,
        /// Packets that went out.
        packets_sent: Option<u64> = "PacketsSent" @ 1.0,
        /// Packets that were dropped on the way in.
        dropped_packets_incoming: Option<u64> = "DroppedPacketsIncoming" @ 1.0,
        /// Packets that were dropped on the way out.
        dropped_packets_outgoing: Option<u64> = "DroppedPacketsOutgoing" @ 1.0,
        /// The endpoint.
        endpoint_id: Option<String> = "EndpointId" @ 1.0,
        /// The network adapter.
        instance_id: Option<String> = "InstanceId" @ 1.0,
    }

    /// What the guest's side of the service can do.
    GuestCapabilities = "GuestDefinedCapabilities" {
        /// Network namespaces can be added.
        namespace_add_request_supported: Option<bool> = "NamespaceAddRequestSupported" @ 1.0,
        /// Processes can be sent signals.
        signal_process_supported: Option<bool> = "SignalProcessSupported" @ 1.0,
        /// Stacks can be dumped.
        dump_stacks_supported: Option<bool> = "DumpStacksSupported" @ 1.0,
        /// The state of a container can be deleted.
        delete_container_state_supported: Option<bool> = "DeleteContainerStateSupported" @ 1.0,
        /// Limits of a running container can be changed.
        update_container_supported: Option<bool> = "UpdateContainerSupported" @ 1.0,
        /// Logs can be forwarded to the host.
        log_forwarding_supported: Option<bool> = "LogForwardingSupported" @ 1.0,
        /// Host-process containers can run.
        host_process_container_supported: Option<bool> = "HostProcessContainerSupported" @ 1.0,
    }
}

words! {
    /// A property that can be asked for.
    PropertyType = "PropertyType" {
        Statistics = "Statistics" @ 1.0,
        ProcessList = "ProcessList" @ 1.0,
        MappedVirtualDisk = "MappedVirtualDisk" @ 1.0,
        GuestConnection = "GuestConnection" @ 1.0,
    }
}
