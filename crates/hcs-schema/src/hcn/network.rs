//! Networks and their subnets.

// Written by `cargo xtask schema`, from `data/hcn.json` and `data/hcn.words`.

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::SchemaVersion;
use crate::hcn::*;
use crate::wire::{document, numbers, words};

document! {
    /// A network.
    ///
    /// Since schema 2.0.
    HostComputeNetwork = "HostComputeNetwork" {
        /// Its id; left out of a request to let the service choose.
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        /// Its name.
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        /// How it connects containers, and to what.
        kind: Option<NetworkMode> = "Type" @ 2.0,
        policies: Vec<NetworkPolicy> = "Policies" @ 2.0,
        /// From where its endpoints get their MAC addresses.
        mac_pool: Option<MacPool> = "MacPool" @ 2.0,
        dns: Option<Dns> = "Dns" @ 2.0,
        /// Its subnets.
        ipams: Vec<Ipam> = "Ipams" @ 2.0,
        flags: Option<NetworkFlags> = "Flags" @ 2.0,
    }

    /// From where the endpoints of a network get their MAC addresses.
    ///
    /// Part of [`HostComputeNetwork`]. Since schema 2.0.
    MacPool = "MacPool" {
        ranges: Vec<MacRange> = "Ranges" @ 2.0,
    }

    /// MAC addresses from one to another.
    ///
    /// Part of [`MacPool`]. Since schema 2.0.
    MacRange = "MacRange" {
        /// The first, with dashes: `00-15-5D-52-C0-00`.
        start_mac_address: Option<String> = "StartMacAddress" @ 2.0,
        /// The last.
        end_mac_address: Option<String> = "EndMacAddress" @ 2.0,
    }

    /// How the addresses of some subnets are given.
    ///
    /// Part of [`HostComputeNetwork`]. Since schema 2.0.
    Ipam = "Ipam" {
        kind: Option<IpamType> = "Type" @ 2.0,
        subnets: Vec<Subnet> = "Subnets" @ 2.0,
    }

    /// A subnet of a network.
    ///
    /// Part of [`Ipam`], [`SubnetNetworkRequest`]. Since schema 2.0.
    Subnet = "Subnet" {
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        /// For example `172.20.0.0/16`.
        ip_address_prefix: Option<String> = "IpAddressPrefix" @ 2.0,
        policies: Vec<SubnetPolicy> = "Policies" @ 2.0,
        /// The gateway is the next hop of the route to `0.0.0.0/0`.
        routes: Vec<Route> = "Routes" @ 2.0,
        /// Parts of the subnet.
        ip_subnets: Vec<IpSubnet> = "IpSubnets" @ 2.3,
        flags: Option<SubnetFlags> = "Flags" @ 2.7,
    }

    /// A part of a subnet that addresses are given from.
    ///
    /// Part of [`IPSubnetNetworkRequest`], [`Subnet`]. Since schema 2.0.
    IpSubnet = "IpSubnet" {
        id: Option<Guid> = "ID" @ 2.0,
        owner: Option<String> = "Owner" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        version: Option<u64> = "Version" @ 2.0,
        additional_params: Option<Value> = "AdditionalParams" @ 2.0,
        health: Option<Health> = "Health" @ 2.0,
        schema_version: Option<SchemaVersion> = "SchemaVersion" @ 2.0,
        telemetry: Option<Telemetry> = "Telemetry" @ 2.0,
        state: Option<u16> = "State" @ 2.0,
        /// For example `172.20.1.0/24`.
        ip_address_prefix: Option<String> = "IpAddressPrefix" @ 2.3,
        flags: Option<IPSubnetFlags> = "Flags" @ 2.5,
    }

    /// A route of a subnet or an endpoint.
    ///
    /// Part of [`HostComputeEndpoint`], [`Subnet`]. Since schema 2.0.
    Route = "Route" {
        /// The address that packets go to.
        next_hop: Option<String> = "NextHop" @ 2.0,
        /// Where packets are for; `0.0.0.0/0` for all.
        destination_prefix: Option<String> = "DestinationPrefix" @ 2.0,
        metric: Option<u16> = "Metric" @ 2.0,
    }

    /// How an endpoint or the endpoints of a network find names.
    ///
    /// Part of [`HostComputeEndpoint`], [`HostComputeNetwork`]. Since schema 2.0.
    Dns = "DNS" {
        /// The suffix of the connection.
        domain: Option<String> = "Domain" @ 2.0,
        /// Suffixes that are tried.
        search: Vec<String> = "Search" @ 2.0,
        /// Addresses of servers.
        server_list: Vec<String> = "ServerList" @ 2.0,
        options: Vec<String> = "Options" @ 2.0,
    }

    /// What clients add to a network of Internet Connection Sharing.
    ///
    /// Since schema 2.0.
    NetworkAdditionalParams = "NetworkAdditionalParams" {
        ics_flags: Option<u16> = "ICSFlags" @ 2.0,
    }

    /// An extension of the virtual switch.
    ///
    /// Since schema 2.0.
    Extension = "Extension" {
        id: Option<Guid> = "Id" @ 2.0,
        is_enabled: Option<bool> = "IsEnabled" @ 2.0,
    }
}

numbers! {
    /// Properties of a network, which may be joined.
    ///
    /// Part of [`HostComputeNetwork`]. Since schema 2.0.
    NetworkFlags = "NetworkFlags" {
        /// None of them.
        NONE = 0 "None" @ 2.0,
        /// The host answers questions of DNS.
        ENABLE_DNS_PROXY = 1 "EnableDnsProxy" @ 2.0,
        /// The host gives addresses by DHCP.
        ENABLE_DHCP_SERVER = 2 "EnableDhcpServer" @ 2.0,
        /// The network mirrors the host's own.
        ENABLE_MIRRORING = 4 "EnableMirroring" @ 2.0,
        /// The network goes when the service stops.
        ENABLE_NON_PERSISTENT = 8 "EnableNonPersistent" @ 2.0,
        /// The network stays over a restart.
        ENABLE_PERSISTENT = 16 "EnablePersistent" @ 2.0,
        /// The network shares its switch with no other one. The value is inferred from the order of the names.
        ISOLATE_V_SWITCH = 32 "IsolateVSwitch" @ 2.0,
        /// The value is inferred from the order of the names.
        ENABLE_FLOW_STEERING = 64 "EnableFlowSteering" @ 2.11,
        /// The value is inferred from the order of the names.
        DISABLE_SHARING = 128 "DisableSharing" @ 2.14,
        /// The value is inferred from the order of the names.
        ENABLE_FIREWALL = 256 "EnableFirewall" @ 2.14,
        /// The host has no port of its own on the network. Clients send it, the public schema does not have it.
        DISABLE_HOST_PORT = 1024 "DisableHostPort" @ 2.0,
        /// Adapters give parts of themselves to machines. Clients send it, the public schema does not have it.
        ENABLE_IOV = 8192 "EnableIov" @ 2.0,
    }

    /// Properties of a subnet.
    ///
    /// Part of [`Subnet`]. Since schema 2.7.
    SubnetFlags = "SubnetFlags" {
        /// None of them.
        NONE = 0 "None" @ 2.7,
        /// The first address may be given to an endpoint.
        DO_NOT_RESERVE_GATEWAY_ADDRESS = 1 "DoNotReserveGatewayAddress" @ 2.7,
    }

    /// Properties of a part of a subnet.
    ///
    /// Part of [`IpSubnet`]. Since schema 2.5.
    IPSubnetFlags = "IPSubnetFlags" {
        /// None of them.
        NONE = 0 "None" @ 2.5,
        /// The value is inferred from the order of the names.
        ENABLE_BROADCAST = 1 "EnableBroadcast" @ 2.5,
        /// The value is inferred from the order of the names.
        RESERVE_NETWORK_ADDRESS = 2 "ReserveNetworkAddress" @ 2.5,
    }
}

words! {
    /// How a network connects containers, and to what.
    ///
    /// Part of [`HostComputeNetwork`]. Since schema 2.0.
    NetworkMode = "NetworkMode" {
        /// An internal switch behind WinNAT.
        Nat = "NAT" @ 2.0,
        /// An internal switch behind Internet Connection Sharing, with DHCP and DNS.
        Ics = "ICS" @ 2.0,
        /// The adapter's own network.
        Transparent = "Transparent" @ 2.0,
        /// The adapter's own network, with the host's MAC address.
        L2Bridge = "L2Bridge" @ 2.0,
        /// As a bridge, on a host whose network a controller defines.
        L2Tunnel = "L2Tunnel" @ 2.0,
        /// VXLAN between hosts.
        Overlay = "Overlay" @ 2.0,
        /// Containers only.
        Private = "Private" @ 2.0,
        /// Containers and their host.
        Internal = "Internal" @ 2.0,
        Mirrored = "Mirrored" @ 2.4,
        Infiniband = "Infiniband" @ 2.4,
        ConstrainedICS = "ConstrainedICS" @ 2.10,
    }

    /// Who gives addresses.
    ///
    /// Part of [`Ipam`]. Since schema 2.0.
    IpamType = "IpamType" {
        /// The service, from the subnet.
        Static = "Static" @ 2.0,
        /// A DHCP server.
        Dhcp = "Dhcp" @ 2.0,
    }
}
