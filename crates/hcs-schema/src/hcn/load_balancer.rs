//! Load balancers and routes: what is said of several endpoints at once.

// Written by `cargo xtask schema`, from `data/hcn.json` and `data/hcn.words`.

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::SchemaVersion;
use crate::hcn::*;
use crate::wire::{document, numbers};

document! {
    /// A load balancer.
    ///
    /// Since schema 2.0.
    HostComputeLoadBalancer = "HostComputeLoadBalancer" {
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        /// The id of the network it is for.
        host_compute_network: Option<String> = "HostComputeNetwork" @ 2.5,
        /// The ids of the endpoints that connections go to.
        host_compute_endpoints: Vec<String> = "HostComputeEndpoints" @ 2.0,
        /// The address that packets come from.
        source_vip: Option<String> = "SourceVIP" @ 2.0,
        /// The addresses that clients connect to.
        frontend_vips: Vec<String> = "FrontendVIPs" @ 2.0,
        port_mappings: Vec<LoadBalancerPortMapping> = "PortMappings" @ 2.0,
        flags: Option<LoadBalancerFlags> = "Flags" @ 2.0,
    }

    /// A port of a load balancer.
    ///
    /// Part of [`HostComputeLoadBalancer`]. Since schema 2.0.
    LoadBalancerPortMapping = "LoadBalancerPortMapping" {
        protocol: Option<ProtocolType> = "Protocol" @ 2.0,
        internal_port: Option<u16> = "InternalPort" @ 2.0,
        external_port: Option<u16> = "ExternalPort" @ 2.0,
        distribution_type: Option<LoadBalancerDistribution> = "DistributionType" @ 2.7,
        flags: Option<LoadBalancerPortMappingFlags> = "Flags" @ 2.0,
    }

    /// Routes for some endpoints.
    ///
    /// Since schema 2.0.
    HostComputeRoute = "HostComputeRoute" {
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        /// The id of the network they are in.
        host_compute_network: Option<String> = "HostComputeNetwork" @ 2.5,
        /// The ids of the endpoints.
        host_compute_endpoints: Vec<String> = "HostComputeEndpoints" @ 2.0,
        /// The routes. A client that is common writes the other key.
        routes: Vec<SDNRoutePolicySetting> = "Routes" | "Setting" @ 2.0,
    }
}

numbers! {
    /// Properties of a load balancer, which may be joined.
    ///
    /// Part of [`HostComputeLoadBalancer`]. Since schema 2.0.
    LoadBalancerFlags = "LoadBalancerFlags" {
        /// None of them.
        NONE = 0 "None" @ 2.0,
        /// Answers go to the client directly.
        ENABLE_DIRECT_SERVER_RETURN = 1 "EnableDirectServerReturn" @ 2.0,
        /// It is one of IPv6.
        IPV6 = 2 "IPv6" @ 2.8,
    }

    /// Which packets go to the same endpoint.
    ///
    /// Part of [`LoadBalancerPortMapping`]. Since schema 2.7.
    LoadBalancerDistribution = "LoadBalancerDistribution" {
        /// Those of one connection.
        NONE = 0 "None" @ 2.7,
        /// Those of one address and protocol.
        SOURCE_IP_PROTOCOL = 1 "SourceIPProtocol" @ 2.7,
        /// Those of one address.
        SOURCE_IP = 2 "SourceIP" @ 2.7,
    }

    /// Properties of a port of a load balancer, which may be joined.
    ///
    /// Part of [`LoadBalancerPortMapping`]. Since schema 2.0.
    LoadBalancerPortMappingFlags = "LoadBalancerPortMappingFlags" {
        /// None of them.
        NONE = 0 "None" @ 2.0,
        /// The load balancer is one inside of the network.
        ENABLE_INTERNAL_LOAD_BALANCER = 1 "EnableInternalLoadBalancer" @ 2.0,
        /// Containers of the host reach the address too.
        LOCAL_ROUTED_VIP = 2 "LocalRoutedVip" @ 2.0,
        /// Once for a multiplexer.
        NOT_USED = 4 "NotUsed" @ 2.0,
        /// Packets keep the address of their endpoint.
        ENABLE_PRESERVE_DIP = 8 "EnablePreserveDip" @ 2.0,
    }
}
