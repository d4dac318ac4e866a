//! The service itself: what it tells, and its groups of processors.

// Written by `cargo xtask schema`, from `data/schema2.json` and `data/schema2.words`.

use std::collections::BTreeMap;

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::SchemaVersion;
use crate::schema2::*;
use crate::wire::{document, words};

document! {
    /// Which properties of the service are asked for.
    ///
    /// Since schema 2.1.
    ServicePropertyQuery = "Service_PropertyQuery" {
        property_types: Vec<GetPropertyType> = "PropertyTypes" @ 2.1,
        property_queries: BTreeMap<String, Value> = "PropertyQueries" @ 2.5,
    }

    /// Properties of the service, in the order of the question.
    ///
    /// Since schema 2.1.
    ServiceProperties = "ServiceProperties" {
        properties: Vec<Value> = "Properties" @ 2.1,
        property_responses: BTreeMap<String, PropertyResponse> = "PropertyResponses" @ 2.5,
    }

    /// The basic property of the service.
    ///
    /// Since schema 2.1.
    BasicInformation = "BasicInformation" {
        /// An entry 2.X stands for 2.0 to 2.X.
        supported_schema_versions: Vec<SchemaVersion> = "SupportedSchemaVersions" @ 2.1,
    }

    /// Which limits the host can hold.
    ///
    /// Since schema 2.1.
    QoSCapabilities = "QoSCapabilities" {
        processor_qos_supported: Option<bool> = "ProcessorQoSSupported" @ 2.1,
    }

    /// A change to the service.
    ///
    /// Since schema 2.1.
    ModificationRequest = "ModificationRequest" {
        property_type: Option<ModifyPropertyType> = "PropertyType" @ 2.1,
        settings: Option<Value> = "Settings" @ 2.1,
    }

    /// A change to the groups of processors.
    ///
    /// Since schema 2.1.
    HostProcessorModificationRequest = "HostProcessorModificationRequest" {
        operation: Option<ModifyServiceOperation> = "Operation" @ 2.1,
        operation_details: Option<Value> = "OperationDetails" @ 2.1,
    }

    /// Makes a group of processors.
    ///
    /// Since schema 2.1.
    CreateGroupOperation = "CreateGroupOperation" {
        group_id: Option<Guid> = "GroupId" @ 2.1,
        logical_processor_count: Option<u32> = "LogicalProcessorCount" @ 2.1,
        logical_processors: Vec<u32> = "LogicalProcessors" @ 2.1,
    }

    /// Removes a group of processors.
    ///
    /// Since schema 2.1.
    DeleteGroupOperation = "DeleteGroupOperation" {
        group_id: Option<Guid> = "GroupId" @ 2.1,
    }

    /// Sets a property of a group of processors.
    ///
    /// Since schema 2.1.
    SetPropertyOperation = "SetPropertyOperation" {
        group_id: Option<Guid> = "GroupId" @ 2.1,
        property_code: Option<u32> = "PropertyCode" @ 2.1,
        property_value: Option<u64> = "PropertyValue" @ 2.1,
    }

    /// Binds a running compute system to a group of processors.
    ///
    /// Since schema 2.1.
    SystemProcessorModificationRequest = "SystemProcessorModificationRequest" {
        group_id: Option<Guid> = "GroupId" @ 2.1,
    }

    /// All groups of processors.
    ///
    /// Since schema 2.1.
    CpuGroupConfigurations = "CpuGroupConfigurations" {
        cpu_groups: Vec<CpuGroupConfig> = "CpuGroups" @ 2.1,
    }

    /// A group of processors.
    ///
    /// Part of [`CpuGroupConfigurations`]. Since schema 2.1.
    CpuGroupConfig = "CpuGroupConfig" {
        group_id: Option<Guid> = "GroupId" @ 2.1,
        affinity: Option<CpuGroupAffinity> = "Affinity" @ 2.1,
        group_properties: Vec<CpuGroupProperty> = "GroupProperties" @ 2.1,
        hypervisor_group_id: Option<u64> = "HypervisorGroupId" @ 2.5,
    }

    /// The processors of a group.
    ///
    /// Part of [`CpuGroupConfig`]. Since schema 2.1.
    CpuGroupAffinity = "CpuGroupAffinity" {
        logical_processor_count: Option<u32> = "LogicalProcessorCount" @ 2.1,
        logical_processors: Vec<u32> = "LogicalProcessors" @ 2.1,
    }

    /// A property of a group of processors.
    ///
    /// Part of [`CpuGroupConfig`]. Since schema 2.1.
    CpuGroupProperty = "CpuGroupProperty" {
        property_code: Option<u32> = "PropertyCode" @ 2.1,
        property_value: Option<u64> = "PropertyValue" @ 2.1,
    }

    /// The processors of the host.
    ///
    /// Since schema 2.1.
    ProcessorTopology = "ProcessorTopology" {
        logical_processor_count: Option<u32> = "LogicalProcessorCount" @ 2.1,
        logical_processors: Vec<LogicalProcessor> = "LogicalProcessors" @ 2.1,
    }

    /// A processor of the host.
    ///
    /// Part of [`ProcessorTopology`]. Since schema 2.1.
    LogicalProcessor = "LogicalProcessor" {
        lp_index: Option<u32> = "LpIndex" @ 2.1,
        node_number: Option<u8> = "NodeNumber" @ 2.1,
        package_id: Option<u32> = "PackageId" @ 2.1,
        core_id: Option<u32> = "CoreId" @ 2.1,
        root_vp_index: Option<i32> = "RootVpIndex" @ 2.1,
        subnodes: Vec<Subnode> = "Subnodes" @ 2.4,
    }

    /// A part of the host's processors that a processor belongs to.
    ///
    /// Part of [`LogicalProcessor`]. Since schema 2.4.
    Subnode = "Subnode" {
        kind: Option<SubnodeType> = "Type" @ 2.4,
        id: Option<u64> = "Id" @ 2.4,
    }
}

words! {
    /// A property of the service that can be asked for.
    ///
    /// Part of [`ServicePropertyQuery`]. Since schema 2.1.
    GetPropertyType = "GetPropertyType" {
        Basic = "Basic" @ 2.1,
        CpuGroup = "CpuGroup" @ 2.1,
        ProcessorTopology = "ProcessorTopology" @ 2.1,
        ContainerCredentialGuard = "ContainerCredentialGuard" @ 2.1,
        QoSCapabilities = "QoSCapabilities" @ 2.1,
    }

    /// What of the service is changed.
    ///
    /// Part of [`ModificationRequest`]. Since schema 2.1.
    ModifyPropertyType = "ModifyPropertyType" {
        CpuGroup = "CpuGroup" @ 2.1,
        ContainerCredentialGuard = "ContainerCredentialGuard" @ 2.1,
    }

    /// What is done with a group of processors.
    ///
    /// Part of [`HostProcessorModificationRequest`]. Since schema 2.1.
    ModifyServiceOperation = "ModifyServiceOperation" {
        CreateGroup = "CreateGroup" @ 2.1,
        DeleteGroup = "DeleteGroup" @ 2.1,
        SetProperty = "SetProperty" @ 2.1,
    }

    /// What a part of the host's processors is.
    ///
    /// Part of [`Subnode`]. Since schema 2.4.
    SubnodeType = "SubnodeType" {
        Any = "Any" @ 2.4,
        Socket = "Socket" @ 2.4,
        Cluster = "Cluster" @ 2.4,
        L3 = "L3" @ 2.4,
    }
}
