//! What all objects of the service share, and its answers.

// Written by `cargo xtask schema`, from `data/hcn.json` and `data/hcn.words`.

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::SchemaVersion;
use crate::wire::{document, words};

document! {
    /// What every object of the service has.
    ///
    /// Since schema 2.0.
    Base = "Base" {
        /// The object's id.
        id: Option<Guid> = "ID" @ 2.0,
        /// Who made it.
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        /// Counts the changes of the object.
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        /// What the service noted about the object.
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
    }

    /// What the service noted about an object.
    ///
    /// Part of [`Base`], [`BasePolicy`], [`Feature`], [`GuestEndpoint`](crate::hcn::GuestEndpoint),
    /// [`GuestFirewall`](crate::hcn::GuestFirewall), [`GuestNamespace`](crate::hcn::GuestNamespace),
    /// [`GuestNetworkService`](crate::hcn::GuestNetworkService), [`GuestService`](crate::hcn::GuestService),
    /// [`HostComputeEndpoint`](crate::hcn::HostComputeEndpoint),
    /// [`HostComputeLoadBalancer`](crate::hcn::HostComputeLoadBalancer),
    /// [`HostComputeNamespace`](crate::hcn::HostComputeNamespace),
    /// [`HostComputeNetwork`](crate::hcn::HostComputeNetwork), [`HostComputePolicyList`],
    /// [`HostComputeRoute`](crate::hcn::HostComputeRoute), [`IpSubnet`](crate::hcn::IpSubnet),
    /// [`Subnet`](crate::hcn::Subnet). Since schema 2.0.
    Health = "Health" {
        data: Option<Value> = "Data" @ 2.0,
        extra: Option<ExtraParams> = "Extra" @ 2.0,
    }

    /// What the service knows of an object beyond its document.
    ///
    /// Part of [`Health`]. Since schema 2.0.
    ExtraParams = "ExtraParams" {
        resources: Option<Value> = "Resources" @ 2.0,
        shared_containers: Option<Value> = "SharedContainers" @ 2.0,
        /// The object below this one.
        layered_on: Option<Guid> = "LayeredOn" @ 2.0,
        /// The virtual switch it belongs to.
        switch_guid: Option<Guid> = "SwitchGuid" @ 2.0,
        /// The utility VM it belongs to.
        utility_vm: Option<Guid> = "UtilityVM" @ 2.0,
        /// The virtual machine it belongs to.
        virtual_machine: Option<Guid> = "VirtualMachine" @ 2.0,
    }

    /// What the service records about an object for its makers.
    ///
    /// Part of [`Base`], [`BasePolicy`], [`Feature`], [`GuestEndpoint`](crate::hcn::GuestEndpoint),
    /// [`GuestFirewall`](crate::hcn::GuestFirewall), [`GuestNamespace`](crate::hcn::GuestNamespace),
    /// [`GuestNetworkService`](crate::hcn::GuestNetworkService), [`GuestService`](crate::hcn::GuestService),
    /// [`HostComputeEndpoint`](crate::hcn::HostComputeEndpoint),
    /// [`HostComputeLoadBalancer`](crate::hcn::HostComputeLoadBalancer),
    /// [`HostComputeNamespace`](crate::hcn::HostComputeNamespace),
    /// [`HostComputeNetwork`](crate::hcn::HostComputeNetwork), [`HostComputePolicyList`],
    /// [`HostComputeRoute`](crate::hcn::HostComputeRoute), [`IpSubnet`](crate::hcn::IpSubnet),
    /// [`Subnet`](crate::hcn::Subnet). Since schema 2.0.
    Telemetry = "Telemetry" {
        data: Option<Value> = "Data" @ 2.0,
    }

    /// A feature of the service that can be on or off.
    ///
    /// Since schema 2.0.
    Feature = "Feature" {
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        enabled: Option<bool> = "Enabled" @ 2.0,
        data: Option<Value> = "Data" @ 2.0,
    }

    /// A policy that is an object of its own.
    ///
    /// Since schema 2.0.
    BasePolicy = "BasePolicy" {
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        kind: Option<u16> = "Type" @ 2.0,
        data: Option<Value> = "Data" @ 2.0,
    }

    /// The answer to a call that failed, and the record of the error.
    ///
    /// Since schema 2.0.
    Response = "Response" {
        success: Option<bool> = "Success" @ 2.0,
        /// A sentence, which ends with a space.
        error: Option<String> = "Error" @ 2.0,
        /// The code, an HRESULT as a positive number.
        error_code: Option<u32> = "ErrorCode" @ 2.0,
    }

    /// A list of policies for several endpoints.
    ///
    /// Since schema 2.0.
    HostComputePolicyList = "HostComputePolicyList" {
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        /// The endpoints, `/endpoints/<id>`.
        references: Vec<String> = "References" @ 2.0,
        policies: Vec<Value> = "Policies" @ 2.0,
    }
}

words! {
    /// A property that any object can have. No field of the public schema is of this type.
    ///
    /// Since schema 2.0.
    EntityFlags = "EntityFlags" {
        None = "None" @ 2.0,
        /// The object goes when the service stops.
        EnableNonPersistent = "EnableNonPersistent" @ 2.0,
    }

    /// What an object of the service is. No field of the public schema is of this type.
    ///
    /// Since schema 2.0.
    HostResourceType = "HostResourceType" {
        Network = "Network" @ 2.0,
        Endpoint = "Endpoint" @ 2.0,
        Container = "Container" @ 2.0,
        Namespace = "Namespace" @ 2.0,
        PolicyList = "PolicyList" @ 2.0,
    }
}
