//! Requests that a client sends to the guest of a utility VM, within a [`ModifySettingRequest`](super::ModifySettingRequest).
//!
//! The public schema knows [`GuestModifySettingRequest`](super::GuestModifySettingRequest), with some of these words; clients send more.

use serde_json::Value;

use crate::wire::{document, words};

document! {
    /// A request to the guest of a utility VM.
    GuestRequest = "GuestRequest" {
        /// What is changed.
        resource_type: Option<GuestResource> = "ResourceType" @ 2.1,
        /// How it is changed.
        request_type: Option<GuestRequestType> = "RequestType" @ 2.1,
        /// The settings; their type depends on what is changed. [`CombinedLayers`](super::CombinedLayers) for layers.
        settings: Option<Value> = "Settings" @ 2.1,
    }
}

words! {
    /// What a guest is asked to change.
    GuestResource = "GuestResource" {
        MappedDirectory = "MappedDirectory" @ 2.1,
        ScsiDevice = "SCSIDevice" @ 2.1,
        MappedVirtualDisk = "MappedVirtualDisk" @ 2.1,
        MappedVirtualDiskForContainerScratch = "MappedVirtualDiskForContainerScratch" @ 2.1,
        BlockCims = "WCOWBlockCims" @ 2.1,
        Network = "Network" @ 2.1,
        NetworkNamespace = "NetworkNamespace" @ 2.1,
        CombinedLayers = "CombinedLayers" @ 2.1,
        ConfidentialCombinedLayers = "CWCOWCombinedLayers" @ 2.1,
        VpmemDevice = "VPMemDevice" @ 2.1,
        VpciDevice = "VPCIDevice" @ 2.1,
        ContainerConstraints = "ContainerConstraints" @ 2.1,
        HvSocket = "HvSocket" @ 2.1,
        SecurityPolicy = "SecurityPolicy" @ 2.1,
        SecurityPolicyFragment = "SecurityPolicyFragment" @ 2.1,
        PodCgroupMemoryLimit = "PodCgroupMemoryLimit" @ 2.1,
    }

    /// How a guest is asked to change something.
    GuestRequestType = "GuestRequestType" {
        Add = "Add" @ 2.1,
        PreAdd = "PreAdd" @ 2.1,
        Remove = "Remove" @ 2.1,
        Update = "Update" @ 2.1,
    }
}
