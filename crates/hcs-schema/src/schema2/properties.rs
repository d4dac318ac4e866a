//! What a compute system tells of itself.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use std::collections::BTreeMap;

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::SchemaVersion;
use crate::schema2::*;
use crate::wire::{document, words};

document! {
    /// Which properties are asked for; the basic ones come always.
    ///
    /// Since schema 2.1.
    SystemPropertyQuery = "System_PropertyQuery" {
        property_types: Vec<SystemPropertyType> = "PropertyTypes" @ 2.1,
        /// Further questions by name, with their parameters.
        queries: BTreeMap<String, Value> = "Queries" @ 2.5,
    }

    /// What a compute system tells of itself: the basic properties, and those that were asked for.
    ///
    /// Since schema 2.1.
    Properties = "Properties" {
        id: Option<String> = "Id" @ 2.1,
        /// What it is. It comes with every answer, as the id does.
        system_type: Option<SystemType> = "SystemType" @ 2.1,
        runtime_os_type: Option<OsType> = "RuntimeOsType" @ 2.1,
        name: Option<String> = "Name" @ 2.1,
        owner: Option<String> = "Owner" @ 2.1,
        /// The id of the partition or silo behind it.
        runtime_id: Option<Guid> = "RuntimeId" @ 2.1,
        runtime_template_id: Option<String> = "RuntimeTemplateId" @ 2.1,
        /// Where it stands in its life.
        state: Option<State> = "State" @ 2.1,
        /// True once it has ended.
        stopped: Option<bool> = "Stopped" @ 2.1,
        /// How it ended.
        exit_type: Option<NotificationType> = "ExitType" @ 2.1,
        memory: Option<MemoryInformationForVm> = "Memory" @ 2.1,
        statistics: Option<Statistics> = "Statistics" @ 2.1,
        process_list: Vec<ProcessDetails> = "ProcessList" @ 2.1,
        terminate_on_last_handle_closed: Option<bool> = "TerminateOnLastHandleClosed" @ 2.1,
        hosting_system_id: Option<String> = "HostingSystemId" @ 2.1,
        shared_memory_region_info: Vec<SharedMemoryRegionInfo> = "SharedMemoryRegionInfo" @ 2.1,
        /// What the guest can do. Hosts before build 17763 leave it null.
        guest_connection_info: Option<GuestConnectionInfo> = "GuestConnectionInfo" @ 2.1,
        /// Answers to the questions by name.
        property_responses: BTreeMap<String, PropertyResponse> = "PropertyResponses" @ 2.5,
    }

    /// The answer to one question: a document, or an error.
    ///
    /// Part of [`Properties`], [`ServiceProperties`]. Since schema 2.5.
    PropertyResponse = "PropertyResponse" {
        error: Option<ResultError> = "Error" @ 2.5,
        response: Option<Value> = "Response" @ 2.5,
    }

    /// What a compute system has used since it started.
    ///
    /// Part of [`Properties`]. Since schema 2.1.
    Statistics = "Statistics" {
        /// When this was measured, RFC 3339.
        timestamp: Option<String> = "Timestamp" @ 2.1,
        /// When it was started, RFC 3339.
        container_start_time: Option<String> = "ContainerStartTime" @ 2.1,
        /// Time since then, in units of 100 ns.
        uptime_100ns: Option<u64> = "Uptime100ns" @ 2.1,
        processor: Option<ProcessorStats> = "Processor" @ 2.1,
        memory: Option<MemoryStats> = "Memory" @ 2.1,
        storage: Option<StorageStats> = "Storage" @ 2.1,
    }

    /// Processor time that was used.
    ///
    /// Part of [`Statistics`]. Since schema 2.1.
    ProcessorStats = "ProcessorStats" {
        /// In units of 100 ns.
        total_runtime_100ns: Option<u64> = "TotalRuntime100ns" @ 2.1,
        /// In user mode, in units of 100 ns.
        runtime_user_100ns: Option<u64> = "RuntimeUser100ns" @ 2.1,
        /// In kernel mode, in units of 100 ns.
        runtime_kernel_100ns: Option<u64> = "RuntimeKernel100ns" @ 2.1,
    }

    /// Memory that is used.
    ///
    /// Part of [`Statistics`]. Since schema 2.1.
    MemoryStats = "MemoryStats" {
        /// Committed, in bytes.
        memory_usage_commit_bytes: Option<u64> = "MemoryUsageCommitBytes" @ 2.1,
        /// Most that was committed at once, in bytes.
        memory_usage_commit_peak_bytes: Option<u64> = "MemoryUsageCommitPeakBytes" @ 2.1,
        /// Private working set, in bytes.
        memory_usage_private_working_set_bytes: Option<u64> = "MemoryUsagePrivateWorkingSetBytes" @ 2.1,
    }

    /// Disk traffic.
    ///
    /// Part of [`Statistics`]. Since schema 2.1.
    StorageStats = "StorageStats" {
        /// Reads, counted in pieces of equal size.
        read_count_normalized: Option<u64> = "ReadCountNormalized" @ 2.1,
        /// In bytes.
        read_size_bytes: Option<u64> = "ReadSizeBytes" @ 2.1,
        /// Writes, counted in pieces of equal size.
        write_count_normalized: Option<u64> = "WriteCountNormalized" @ 2.1,
        /// In bytes.
        write_size_bytes: Option<u64> = "WriteSizeBytes" @ 2.1,
    }

    /// A process in a list of processes.
    ///
    /// Part of [`Properties`]. Since schema 2.1.
    ProcessDetails = "ProcessDetails" {
        process_id: Option<u32> = "ProcessId" @ 2.1,
        /// The program, without its folder.
        image_name: Option<String> = "ImageName" @ 2.1,
        /// When it was started, RFC 3339.
        create_timestamp: Option<String> = "CreateTimestamp" @ 2.1,
        /// In units of 100 ns.
        user_time_100ns: Option<u64> = "UserTime100ns" @ 2.1,
        /// In units of 100 ns.
        kernel_time_100ns: Option<u64> = "KernelTime100ns" @ 2.1,
        /// In bytes.
        memory_commit_bytes: Option<u64> = "MemoryCommitBytes" @ 2.1,
        /// In bytes.
        memory_working_set_private_bytes: Option<u64> = "MemoryWorkingSetPrivateBytes" @ 2.1,
        /// In bytes.
        memory_working_set_shared_bytes: Option<u64> = "MemoryWorkingSetSharedBytes" @ 2.1,
    }

    /// Memory of a virtual machine, as it is now.
    ///
    /// Part of [`Properties`]. Since schema 2.1.
    MemoryInformationForVm = "MemoryInformationForVm" {
        virtual_node_count: Option<u8> = "VirtualNodeCount" @ 2.1,
        virtual_machine_memory: Option<VmMemory> = "VirtualMachineMemory" @ 2.1,
        virtual_nodes: Vec<VirtualNodeInfo> = "VirtualNodes" @ 2.1,
    }

    /// How the memory of a virtual machine is used.
    ///
    /// Part of [`MemoryInformationForVm`]. Since schema 2.1.
    VmMemory = "VmMemory" {
        available_memory: Option<i32> = "AvailableMemory" @ 2.1,
        available_memory_buffer: Option<i32> = "AvailableMemoryBuffer" @ 2.1,
        reserved_memory: Option<u64> = "ReservedMemory" @ 2.1,
        assigned_memory: Option<u64> = "AssignedMemory" @ 2.1,
        slp_active: Option<bool> = "SlpActive" @ 2.1,
        balancing_enabled: Option<bool> = "BalancingEnabled" @ 2.1,
        dm_operation_in_progress: Option<bool> = "DmOperationInProgress" @ 2.1,
    }

    /// A virtual NUMA node.
    ///
    /// Part of [`MemoryInformationForVm`]. Since schema 2.1.
    VirtualNodeInfo = "VirtualNodeInfo" {
        virtual_node_index: Option<u8> = "VirtualNodeIndex" @ 2.1,
        physical_node_number: Option<u8> = "PhysicalNodeNumber" @ 2.1,
        virtual_processor_count: Option<u32> = "VirtualProcessorCount" @ 2.1,
        memory_usage_in_pages: Option<u64> = "MemoryUsageInPages" @ 2.1,
    }

    /// What the guest's side of the service can do.
    ///
    /// Part of [`Properties`]. Since schema 2.1.
    GuestConnectionInfo = "GuestConnectionInfo" {
        /// An entry 2.X stands for 2.0 to 2.X.
        supported_schema_versions: Vec<SchemaVersion> = "SupportedSchemaVersions" @ 2.1,
        protocol_version: Option<u32> = "ProtocolVersion" @ 2.1,
        /// What the guest says of itself; see [`GuestCapabilities`](crate::schema1::GuestCapabilities).
        guest_defined_capabilities: Option<Value> = "GuestDefinedCapabilities" @ 2.1,
    }
}

words! {
    /// A property of a compute system that can be asked for.
    ///
    /// Part of [`SystemPropertyQuery`]. Since schema 2.1.
    SystemPropertyType = "System_PropertyType" {
        Memory = "Memory" @ 2.1,
        Statistics = "Statistics" @ 2.1,
        ProcessList = "ProcessList" @ 2.1,
        TerminateOnLastHandleClosed = "TerminateOnLastHandleClosed" @ 2.1,
        SharedMemoryRegion = "SharedMemoryRegion" @ 2.1,
        GuestConnection = "GuestConnection" @ 2.1,
    }

    /// Where a compute system stands in its life.
    ///
    /// Part of [`ComputeSystemProperties`], [`Properties`]. Since schema 2.1.
    State = "State" {
        Created = "Created" @ 2.1,
        Running = "Running" @ 2.1,
        Paused = "Paused" @ 2.1,
        Stopped = "Stopped" @ 2.1,
        SavedAsTemplate = "SavedAsTemplate" @ 2.1,
        Unknown = "Unknown" @ 2.1,
    }

    /// How a compute system ended.
    ///
    /// Part of [`Properties`], [`SystemExitStatus`]. Since schema 2.1.
    NotificationType = "NotificationType" {
        None = "None" @ 2.1,
        GracefulExit = "GracefulExit" @ 2.1,
        ForcedExit = "ForcedExit" @ 2.1,
        UnexpectedExit = "UnexpectedExit" @ 2.1,
        Unknown = "Unknown" @ 2.1,
    }
}
