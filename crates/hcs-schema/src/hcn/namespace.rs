//! Namespaces: a container's view of the network, which several endpoints may be in.

// Written by `cargo xtask schema`, from `data/hcn.json` and `data/hcn.words`.

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::SchemaVersion;
use crate::hcn::*;
use crate::wire::{document, words};

document! {
    /// A namespace.
    ///
    /// Since schema 2.0.
    HostComputeNamespace = "HostComputeNamespace" {
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        /// The number of its network compartment.
        namespace_id: Option<u32> = "NamespaceId" @ 2.0,
        namespace_guid: Option<Guid> = "NamespaceGuid" @ 2.0,
        kind: Option<NamespaceType> = "Type" @ 2.0,
        /// What is in it.
        resources: Vec<NamespaceResource> = "Resources" @ 2.0,
    }

    /// What is in a namespace.
    ///
    /// Part of [`HostComputeNamespace`]. Since schema 2.0.
    NamespaceResource = "NamespaceResource" {
        kind: Option<NamespaceResourceType> = "Type" @ 2.0,
        /// [`NamespaceResourceContainer`] or [`NamespaceResourceEndpoint`].
        data: Option<Value> = "Data" @ 2.0,
    }

    /// A container in a namespace.
    ///
    /// Since schema 2.0.
    NamespaceResourceContainer = "NamespaceResourceContainer" {
        id: Option<String> = "Id" @ 2.0,
    }

    /// An endpoint in a namespace.
    ///
    /// Since schema 2.0.
    NamespaceResourceEndpoint = "NamespaceResourceEndpoint" {
        id: Option<String> = "Id" @ 2.0,
    }
}

words! {
    /// Whose view a namespace is.
    ///
    /// Part of [`HostComputeNamespace`]. Since schema 2.0.
    NamespaceType = "NamespaceType" {
        /// A container's on the host.
        Host = "Host" @ 2.0,
        /// The host's own.
        HostDefault = "HostDefault" @ 2.0,
        /// A container's in a virtual machine.
        Guest = "Guest" @ 2.0,
        /// The virtual machine's own.
        GuestDefault = "GuestDefault" @ 2.0,
    }

    /// What it is that is in a namespace.
    ///
    /// Part of [`ModifyNamespaceSettingRequest`], [`NamespaceResource`]. Since schema 2.0.
    NamespaceResourceType = "NamespaceResourceType" {
        Container = "Container" @ 2.0,
        Endpoint = "Endpoint" @ 2.0,
    }
}
