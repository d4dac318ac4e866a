//! Endpoints: the connection of one container or machine to one network.

// Written by `cargo xtask schema`, from `data/hcn.json` and `data/hcn.words`.

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::SchemaVersion;
use crate::hcn::*;
use crate::wire::{document, numbers};

document! {
    /// An endpoint.
    ///
    /// Since schema 2.0.
    HostComputeEndpoint = "HostComputeEndpoint" {
        /// Its id; left out of a request to let the service choose.
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        /// Its name; may repeat.
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        /// The id of its network.
        host_compute_network: Option<Guid> = "HostComputeNetwork" @ 2.0,
        /// The id of the namespace it is in.
        host_compute_namespace: Option<Guid> = "HostComputeNamespace" @ 2.0,
        /// What it does beside being there. Published ports must be in the document that it is created from.
        policies: Vec<EndpointPolicy> = "Policies" @ 2.0,
        /// Its addresses.
        ip_configurations: Vec<IpConfig> = "IpConfigurations" @ 2.0,
        dns: Option<Dns> = "Dns" @ 2.0,
        routes: Vec<Route> = "Routes" @ 2.0,
        /// With dashes: `00-15-5D-00-00-01`.
        mac_address: Option<String> = "MacAddress" @ 2.0,
        flags: Option<EndpointFlags> = "Flags" @ 2.0,
    }

    /// An address of an endpoint.
    ///
    /// Part of [`HostComputeEndpoint`]. Since schema 2.0.
    IpConfig = "IpConfig" {
        ip_address: Option<String> = "IpAddress" @ 2.0,
        prefix_length: Option<u8> = "PrefixLength" @ 2.0,
        /// The part of the subnet that the address is from.
        ip_subnet_id: Option<Guid> = "IpSubnetId" @ 2.3,
    }

    /// The port of a virtual switch that an endpoint is made for.
    ///
    /// Since schema 2.0.
    EndpointAdditionalParams = "EndpointAdditionalParams" {
        switch_id: Option<Guid> = "SwitchId" @ 2.0,
        switch_port_id: Option<Guid> = "SwitchPortId" @ 2.0,
    }
}

numbers! {
    /// Properties of an endpoint, which may be joined.
    ///
    /// Part of [`HostComputeEndpoint`]. Since schema 2.0.
    EndpointFlags = "EndpointFlags" {
        /// None of them.
        NONE = 0 "None" @ 2.0,
        /// The endpoint is one of another host.
        REMOTE_ENDPOINT = 1 "RemoteEndpoint" @ 2.0,
        /// Other endpoints of the network do not reach it.
        DISABLE_INTER_COMPUTE_COMMUNICATION = 2 "DisableInterComputeCommunication" @ 2.0,
        /// The endpoint mirrors an interface of the host.
        ENABLE_MIRRORING = 4 "EnableMirroring" @ 2.0,
        /// Its interface is preferred to others.
        ENABLE_LOW_INTERFACE_METRIC = 8 "EnableLowInterfaceMetric" @ 2.0,
        /// Its servers of DNS are asked first.
        OVERRIDE_DNS_SERVER_ORDER = 16 "OverrideDNSServerOrder" @ 2.0,
        /// It asks for its address by DHCP.
        ENABLE_DHCP = 32 "EnableDhcp" @ 2.0,
    }
}
