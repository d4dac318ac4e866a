//! Changes to objects, and their answers.

// Written by `cargo xtask schema`, from `data/hcn.json` and `data/hcn.words`.

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::hcn::*;
use crate::wire::{document, words};

document! {
    /// What every change has.
    ///
    /// Since schema 2.0.
    ModifySettingRequest = "ModifySettingRequest" {
        /// What is changed.
        resource_uri: Option<String> = "ResourceUri" @ 2.0,
        request_type: Option<ModifyRequestType> = "RequestType" @ 2.0,
    }

    /// A change to a network. [`ModifyNetworkSettingRequest::check`] holds the settings against their type.
    ///
    /// Since schema 2.0.
    ModifyNetworkSettingRequest = "ModifyNetworkSettingRequest" {
        resource_uri: Option<String> = "ResourceUri" @ 2.0,
        request_type: Option<ModifyRequestType> = "RequestType" @ 2.0,
        resource_type: Option<NetworkResourceType> = "ResourceType" @ 2.0,
        settings: Option<Value> = "Settings" @ 2.0,
    }

    /// Policies of a network that come, go or change.
    ///
    /// Since schema 2.0.
    PolicyNetworkRequest = "PolicyNetworkRequest" {
        policies: Vec<NetworkPolicy> = "Policies" @ 2.0,
    }

    /// Subnets of a network that come, go or change.
    ///
    /// Since schema 2.6.
    SubnetNetworkRequest = "SubnetNetworkRequest" {
        subnets: Vec<Subnet> = "Subnets" @ 2.6,
    }

    /// Parts of a subnet that come, go or change.
    ///
    /// Since schema 2.6.
    IPSubnetNetworkRequest = "IPSubnetNetworkRequest" {
        /// The subnet.
        subnet_id: Option<Guid> = "SubnetId" @ 2.6,
        ip_subnets: Vec<IpSubnet> = "IpSubnets" @ 2.6,
    }

    /// A change to an endpoint. [`ModifyEndpointSettingRequest::check`] holds the settings against their type.
    ///
    /// Since schema 2.0.
    ModifyEndpointSettingRequest = "ModifyEndpointSettingRequest" {
        resource_uri: Option<String> = "ResourceUri" @ 2.0,
        request_type: Option<ModifyRequestType> = "RequestType" @ 2.0,
        resource_type: Option<EndpointResourceType> = "ResourceType" @ 2.0,
        settings: Option<Value> = "Settings" @ 2.0,
    }

    /// Policies of an endpoint that come, go or change.
    ///
    /// Since schema 2.0.
    PolicyEndpointRequest = "PolicyEndpointRequest" {
        policies: Vec<EndpointPolicy> = "Policies" @ 2.0,
    }

    /// The adapter of a virtual machine that an endpoint is attached to.
    ///
    /// Since schema 2.0.
    VmEndpointRequest = "VmEndpointRequest" {
        /// The port of the virtual switch.
        port_id: Option<Guid> = "PortId" @ 2.0,
        virtual_nic_name: Option<String> = "VirtualNicName" @ 2.0,
        virtual_machine_id: Option<Guid> = "VirtualMachineId" @ 2.0,
    }

    /// A change to a namespace. [`ModifyNamespaceSettingRequest::check`] holds the settings against their type.
    ///
    /// Since schema 2.0.
    ModifyNamespaceSettingRequest = "ModifyNamespaceSettingRequest" {
        resource_uri: Option<String> = "ResourceUri" @ 2.0,
        request_type: Option<ModifyRequestType> = "RequestType" @ 2.0,
        resource_type: Option<NamespaceResourceType> = "ResourceType" @ 2.0,
        settings: Option<Value> = "Settings" @ 2.0,
    }

    /// A container that a namespace is given to.
    ///
    /// Since schema 2.0.
    NamespaceContainerRequest = "NamespaceContainerRequest" {
        container_id: Option<String> = "ContainerId" @ 2.0,
    }

    /// An endpoint that comes into a namespace or leaves it.
    ///
    /// Since schema 2.0.
    NamespaceEndpointRequest = "NamespaceEndpointRequest" {
        endpoint_id: Option<Guid> = "EndpointId" @ 2.0,
    }

    /// The answer to a change.
    ///
    /// Since schema 2.0.
    ModifySettingResponse = "ModifySettingResponse" {
        success: Option<bool> = "Success" @ 2.0,
        error: Option<String> = "Error" @ 2.0,
        error_code: Option<u32> = "ErrorCode" @ 2.0,
        data: Option<Value> = "Data" @ 2.0,
    }

    /// The answer to a change of a namespace.
    ///
    /// Since schema 2.0.
    ModifyNamespaceSettingResponse = "ModifyNamespaceSettingResponse" {
        success: Option<bool> = "Success" @ 2.0,
        error: Option<String> = "Error" @ 2.0,
        error_code: Option<u32> = "ErrorCode" @ 2.0,
        /// The network compartment of the namespace.
        compartment_id: Option<u32> = "CompartmentId" @ 2.0,
    }
}

words! {
    /// How something is changed.
    ///
    /// Part of [`GuestModifySettingRequest`], [`ModifyEndpointSettingRequest`], [`ModifyGuestEndpointSettingRequest`],
    /// [`ModifyGuestNamespaceSettingRequest`], [`ModifyGuestNetworkServiceSettingRequest`],
    /// [`ModifyNamespaceSettingRequest`], [`ModifyNetworkSettingRequest`], [`ModifySettingRequest`]. Since schema 2.0.
    ModifyRequestType = "ModifyRequestType" {
        Add = "Add" @ 2.0,
        Remove = "Remove" @ 2.0,
        Update = "Update" @ 2.0,
        Refresh = "Refresh" @ 2.0,
        Reset = "Reset" @ 2.0,
    }

    /// What of a network is changed.
    ///
    /// Part of [`ModifyNetworkSettingRequest`]. Since schema 2.0.
    NetworkResourceType = "NetworkResourceType" {
        Dns = "DNS" @ 2.0,
        Extension = "Extension" @ 2.0,
        Policy = "Policy" @ 2.0,
        Subnet = "Subnet" @ 2.6,
        IPSubnet = "IPSubnet" @ 2.6,
    }

    /// What of an endpoint is changed.
    ///
    /// Part of [`ModifyEndpointSettingRequest`]. Since schema 2.0.
    EndpointResourceType = "EndpointResourceType" {
        Port = "Port" @ 2.0,
        Policy = "Policy" @ 2.0,
    }
}
