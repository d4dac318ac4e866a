//! The network inside of guests: what a host tells the network service of a virtual machine.

// Written by `cargo xtask schema`, from `data/hcn.json` and `data/hcn.words`.

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::SchemaVersion;
use crate::hcn::*;
use crate::wire::{document, numbers, words};

document! {
    /// A change inside of a guest.
    ///
    /// Since schema 2.0.
    GuestModifySettingRequest = "GuestModifySettingRequest" {
        resource_uri: Option<String> = "ResourceUri" @ 2.0,
        request_type: Option<ModifyRequestType> = "RequestType" @ 2.0,
        resource_type: Option<GuestResourceType> = "ResourceType" @ 2.0,
        settings: Option<Value> = "Settings" @ 2.0,
    }

    /// An endpoint inside of a guest.
    ///
    /// Since schema 2.0.
    GuestEndpoint = "GuestEndpoint" {
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        /// The namespace it is in.
        namespace_id: Option<Guid> = "NamespaceId" @ 2.0,
    }

    /// What an endpoint inside of a guest is to be.
    ///
    /// Since schema 2.4.
    GuestEndpointState = "GuestEndpointState" {
        network_interfaces: Vec<NetworkInterface> = "NetworkInterfaces" @ 2.4,
        routes: Vec<GuestRoute> = "Routes" @ 2.4,
        ip_addresses: Vec<IPAddress> = "IPAddresses" @ 2.4,
        dns: Vec<GuestDns> = "DNS" @ 2.4,
        xlat: Vec<Xlat> = "Xlat" @ 2.5,
    }

    /// A change to an endpoint inside of a guest.
    ///
    /// Since schema 2.0.
    ModifyGuestEndpointSettingRequest = "ModifyGuestEndpointSettingRequest" {
        resource_uri: Option<String> = "ResourceUri" @ 2.0,
        request_type: Option<ModifyRequestType> = "RequestType" @ 2.0,
        resource_type: Option<GuestEndpointResourceType> = "ResourceType" @ 2.0,
        settings: Option<Value> = "Settings" @ 2.0,
    }

    /// A namespace inside of a guest.
    ///
    /// Since schema 2.0.
    GuestNamespace = "GuestNamespace" {
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
        compartment_id: Option<u32> = "CompartmentId" @ 2.0,
        resources: Vec<GuestNamespaceResource> = "Resources" @ 2.0,
    }

    /// A change to a namespace inside of a guest.
    ///
    /// Since schema 2.0.
    ModifyGuestNamespaceSettingRequest = "ModifyGuestNamespaceSettingRequest" {
        resource_uri: Option<String> = "ResourceUri" @ 2.0,
        request_type: Option<ModifyRequestType> = "RequestType" @ 2.0,
        resource_type: Option<GuestNamespaceResourceType> = "ResourceType" @ 2.0,
        settings: Option<Value> = "Settings" @ 2.0,
    }

    /// What is in a namespace inside of a guest.
    ///
    /// Part of [`GuestNamespace`]. Since schema 2.0.
    GuestNamespaceResource = "NamespaceResource_2" {
        endpoint_id: Option<Guid> = "EndpointId" @ 2.0,
        container_id: Option<Guid> = "ContainerId" @ 2.0,
    }

    /// The firewall of a guest.
    ///
    /// Since schema 2.0.
    GuestFirewall = "GuestFirewall" {
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
    }

    /// A service of a guest.
    ///
    /// Since schema 2.0.
    GuestService = "GuestService" {
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        service_id: Option<Guid> = "ServiceId" @ 2.0,
        base64_encoded_data: Option<String> = "Base64EncodedData" @ 2.0,
    }

    /// The network service of a guest.
    ///
    /// Since schema 2.0.
    GuestNetworkService = "GuestNetworkService" {
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        virtual_machine_id: Option<Guid> = "VirtualMachineId" @ 2.0,
        mirrored_interfaces: Vec<GuestNetworkServiceInterface> = "MirroredInterfaces" @ 2.2,
        /// Whether the guest has the interfaces of its host.
        mirror_host_networking: Option<bool> = "MirrorHostNetworking" @ 2.5,
        gns_rpc_server_information: Option<RpcConnectionInformation> = "GnsRpcServerInformation" @ 2.11,
        flags: Option<GuestNetworkServiceFlags> = "Flags" @ 2.12,
    }

    /// An interface of the host that a guest has.
    ///
    /// Part of [`GuestNetworkService`], [`GuestNetworkServiceNotificationData`]. Since schema 2.2.
    GuestNetworkServiceInterface = "GuestNetworkServiceInterface" {
        endpoint_id: Option<Guid> = "EndpointId" @ 2.2,
        interface_guid: Option<Guid> = "InterfaceGuid" @ 2.2,
        state: Option<GuestNetworkServiceInterfaceState> = "State" @ 2.2,
        /// Which notifications did not reach the guest.
        missed_notifications: Option<GuestNetworkServiceNotificationType> = "MissedNotifications" @ 2.7,
    }

    /// The state that the network service of a guest is put into.
    ///
    /// Since schema 2.0.
    GuestNetworkServiceStateRequest = "GuestNetworkServiceStateRequest" {
        state: Option<GuestNetworkServiceState> = "State" @ 2.0,
    }

    /// A change to the network service of a guest.
    ///
    /// Since schema 2.0.
    ModifyGuestNetworkServiceSettingRequest = "ModifyGuestNetworkServiceSettingRequest" {
        resource_uri: Option<String> = "ResourceUri" @ 2.0,
        request_type: Option<ModifyRequestType> = "RequestType" @ 2.0,
        resource_type: Option<GuestNetworkServiceResourceType> = "ResourceType" @ 2.0,
        settings: Option<Value> = "Settings" @ 2.0,
    }

    /// Where the network service of a guest is reached.
    ///
    /// Part of [`GuestNetworkService`]. Since schema 2.11.
    RpcConnectionInformation = "RpcConnectionInformation" {
        network_address: Option<String> = "NetworkAddress" @ 2.11,
        endpoint_address: Option<String> = "EndpointAddress" @ 2.11,
        endpoint_type: Option<RpcEndpointType> = "EndpointType" @ 2.13,
        object_uuid: Option<Guid> = "ObjectUuid" @ 2.13,
    }
}

numbers! {
    /// Properties of the network service of a guest.
    ///
    /// Part of [`GuestNetworkService`]. Since schema 2.12.
    GuestNetworkServiceFlags = "GuestNetworkServiceFlags" {
        /// None of them.
        NONE = 0 "None" @ 2.12,
        /// The value is inferred from the order of the names.
        IS_FLOWSTEERED = 1 "IsFlowsteered" @ 2.12,
        /// The value is inferred from the order of the names.
        IS_FLOWSTEERED_SELF_MANAGED = 2 "IsFlowsteeredSelfManaged" @ 2.14,
    }

    /// Kinds of notifications, which may be joined.
    ///
    /// Part of [`GuestNetworkServiceInterface`]. Since schema 2.7.
    GuestNetworkServiceNotificationType = "GuestNetworkServiceNotificationType" {
        /// None of them.
        NONE = 0 "None" @ 2.7,
        /// The value is inferred from the order of the names.
        DNS_CACHE_PARAM = 1 "DNSCacheParam" @ 2.7,
        /// The value is inferred from the order of the names.
        DHCP_PARAM = 2 "DHCPParam" @ 2.7,
        /// The value is inferred from the order of the names.
        INTERFACE_PARAM = 4 "InterfaceParam" @ 2.7,
        /// The value is inferred from the order of the names.
        ADDRESS_PARAM = 8 "AddressParam" @ 2.7,
        /// The value is inferred from the order of the names.
        ROUTE = 16 "Route" @ 2.7,
        /// The value is inferred from the order of the names.
        DNS_PARAM = 32 "DNSParam" @ 2.7,
        /// The value is inferred from the order of the names.
        XLAT_PARAM = 64 "XlatParam" @ 2.7,
        /// The value is inferred from the order of the names.
        NEIGHBOR = 128 "Neighbor" @ 2.7,
    }
}

words! {
    /// What is changed inside of a guest.
    ///
    /// Part of [`GuestModifySettingRequest`]. Since schema 2.0.
    GuestResourceType = "GuestResourceType" {
        Endpoint = "Endpoint" @ 2.0,
        Namespace = "Namespace" @ 2.0,
        Service = "Service" @ 2.0,
        Firewall = "Firewall" @ 2.0,
    }

    /// What of an endpoint inside of a guest is changed.
    ///
    /// Part of [`ModifyGuestEndpointSettingRequest`]. Since schema 2.0.
    GuestEndpointResourceType = "GuestEndpointResourceType" {
        Interface = "Interface" @ 2.0,
        Route = "Route" @ 2.0,
        IPAddress = "IPAddress" @ 2.0,
        Dns = "DNS" @ 2.0,
        RegistryKey = "RegistryKey" @ 2.0,
        Encryption = "Encryption" @ 2.1,
        MacAddress = "MacAddress" @ 2.5,
        L4Proxy = "L4Proxy" @ 2.5,
        L4wfpproxy = "L4WFPPROXY" @ 2.5,
        Xlat = "Xlat" @ 2.5,
        Neighbor = "Neighbor" @ 2.5,
    }

    /// What of a namespace inside of a guest is changed.
    ///
    /// Part of [`ModifyGuestNamespaceSettingRequest`]. Since schema 2.0.
    GuestNamespaceResourceType = "GuestNamespaceResourceType" {
        Container = "Container" @ 2.0,
        Endpoint = "Endpoint" @ 2.0,
    }

    /// How far the guest's copy of an interface is.
    ///
    /// Part of [`GuestNetworkServiceInterface`]. Since schema 2.2.
    GuestNetworkServiceInterfaceState = "GuestNetworkServiceInterfaceState" {
        Created = "Created" @ 2.2,
        Bootstrapping = "Bootstrapping" @ 2.2,
        Synchronized = "Synchronized" @ 2.2,
        Desynchronized = "Desynchronized" @ 2.2,
        Paused = "Paused" @ 2.2,
    }

    /// What of the network service of a guest is changed.
    ///
    /// Part of [`ModifyGuestNetworkServiceSettingRequest`]. Since schema 2.0.
    GuestNetworkServiceResourceType = "GuestNetworkServiceResourceType" {
        State = "State" @ 2.0,
    }

    /// What the network service of a guest does.
    ///
    /// Part of [`GuestNetworkServiceNotificationData`], [`GuestNetworkServiceStateRequest`]. Since schema 2.0.
    GuestNetworkServiceState = "GuestNetworkServiceState" {
        None = "None" @ 2.0,
        Created = "Created" @ 2.0,
        Bootstrapping = "Bootstrapping" @ 2.0,
        Synchronized = "Synchronized" @ 2.0,
        Paused = "Paused" @ 2.0,
        Desynchronized = "Desynchronized" @ 2.5,
        Rehydrating = "Rehydrating" @ 2.5,
        Degraded = "Degraded" @ 2.0,
        Destroyed = "Destroyed" @ 2.0,
    }

    /// How it is reached.
    ///
    /// Part of [`RpcConnectionInformation`]. Since schema 2.13.
    RpcEndpointType = "RpcEndpointType" {
        HvSocket = "HvSocket" @ 2.13,
        /// On the same machine.
        LRpc = "LRpc" @ 2.13,
    }
}
