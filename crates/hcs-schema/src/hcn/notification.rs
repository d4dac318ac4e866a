//! What the service tells of by itself. [`Notification`] has the numbers.

// Written by `cargo xtask schema`, from `data/hcn.json` and `data/hcn.words`.

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::Bytes;
use crate::hcn::*;
use crate::wire::document;

document! {
    /// The document of a notification.
    ///
    /// Since schema 2.0.
    NotificationBase = "NotificationBase" {
        /// The object it is about.
        id: Option<Guid> = "ID" @ 2.0,
        flags: Option<u32> = "Flags" @ 2.0,
        data: Option<Value> = "Data" @ 2.2,
    }

    /// The part of a notification about the network service of a guest.
    ///
    /// Since schema 2.2.
    GuestNetworkServiceNotificationData = "GuestNetworkServiceNotificationData" {
        state: Option<GuestNetworkServiceState> = "State" @ 2.2,
        interfaces: Vec<GuestNetworkServiceInterface> = "Interfaces" @ 2.2,
    }

    /// What every notification about an interface of the host has.
    ///
    /// Since schema 2.0.
    InterfaceNotificationMessage = "InterfaceNotificationMessage" {
        /// Counts the notifications.
        message_number: Option<u64> = "MessageNumber" @ 2.0,
        /// The family of addresses, as sockets have it.
        family: Option<u16> = "Family" @ 2.0,
    }

    /// An interface of the host.
    ///
    /// Part of [`GuestEndpointState`]. Since schema 2.0.
    NetworkInterface = "NetworkInterface" {
        message_number: Option<u64> = "MessageNumber" @ 2.0,
        family: Option<u16> = "Family" @ 2.0,
        advertising_enabled: Option<bool> = "AdvertisingEnabled" @ 2.0,
        forwarding_enabled: Option<bool> = "ForwardingEnabled" @ 2.0,
        weak_host_send: Option<bool> = "WeakHostSend" @ 2.0,
        weak_host_receive: Option<bool> = "WeakHostReceive" @ 2.0,
        use_automatic_metric: Option<bool> = "UseAutomaticMetric" @ 2.0,
        use_neighbor_unreachability_detection: Option<bool> = "UseNeighborUnreachabilityDetection" @ 2.0,
        managed_address_configuration_supported: Option<bool> = "ManagedAddressConfigurationSupported" @ 2.0,
        other_stateful_configuration_supported: Option<bool> = "OtherStatefulConfigurationSupported" @ 2.0,
        advertise_default_route: Option<bool> = "AdvertiseDefaultRoute" @ 2.0,
        router_discovery_behavior: Option<u8> = "RouterDiscoveryBehavior" @ 2.0,
        dad_transmits: Option<u32> = "DadTransmits" @ 2.0,
        base_reachable_time: Option<u32> = "BaseReachableTime" @ 2.0,
        retransmit_time: Option<u32> = "RetransmitTime" @ 2.0,
        path_mtu_discovery_timeout: Option<u32> = "PathMtuDiscoveryTimeout" @ 2.0,
        link_local_address_behavior: Option<u8> = "LinkLocalAddressBehavior" @ 2.0,
        link_local_address_timeout: Option<u32> = "LinkLocalAddressTimeout" @ 2.0,
        zone_indices: Vec<u32> = "ZoneIndices" @ 2.0,
        site_prefix_length: Option<u32> = "SitePrefixLength" @ 2.0,
        metric: Option<u32> = "Metric" @ 2.0,
        nl_mtu: Option<u32> = "NlMtu" @ 2.0,
        connected: Option<bool> = "Connected" @ 2.0,
        supports_wake_up_patterns: Option<bool> = "SupportsWakeUpPatterns" @ 2.0,
        supports_neighbor_discovery: Option<bool> = "SupportsNeighborDiscovery" @ 2.0,
        supports_router_discovery: Option<bool> = "SupportsRouterDiscovery" @ 2.0,
        reachable_time: Option<u32> = "ReachableTime" @ 2.0,
        transmit_offload: Option<u8> = "TransmitOffload" @ 2.0,
        receive_offload: Option<u8> = "ReceiveOffload" @ 2.0,
        disable_default_routes: Option<bool> = "DisableDefaultRoutes" @ 2.0,
    }

    /// An address of an interface.
    ///
    /// Part of [`GuestEndpointState`]. Since schema 2.0.
    IPAddress = "IPAddress" {
        message_number: Option<u64> = "MessageNumber" @ 2.0,
        family: Option<u16> = "Family" @ 2.0,
        address: Option<String> = "Address" @ 2.0,
        prefix_origin: Option<u8> = "PrefixOrigin" @ 2.0,
        suffix_origin: Option<u8> = "SuffixOrigin" @ 2.0,
        valid_lifetime: Option<u32> = "ValidLifetime" @ 2.0,
        preferred_lifetime: Option<u32> = "PreferredLifetime" @ 2.0,
        on_link_prefix_length: Option<u8> = "OnLinkPrefixLength" @ 2.0,
        skip_as_source: Option<bool> = "SkipAsSource" @ 2.0,
    }

    /// A route of an interface.
    ///
    /// Part of [`GuestEndpointState`]. Since schema 2.0.
    GuestRoute = "Route_2" {
        message_number: Option<u64> = "MessageNumber" @ 2.0,
        family: Option<u16> = "Family" @ 2.0,
        next_hop: Option<String> = "NextHop" @ 2.0,
        destination_prefix: Option<String> = "DestinationPrefix" @ 2.0,
        site_prefix_length: Option<u8> = "SitePrefixLength" @ 2.0,
        valid_lifetime: Option<u32> = "ValidLifetime" @ 2.0,
        preferred_lifetime: Option<u32> = "PreferredLifetime" @ 2.0,
        metric: Option<u32> = "Metric" @ 2.0,
        protocol: Option<u8> = "Protocol" @ 2.0,
        loopback: Option<bool> = "Loopback" @ 2.0,
        autoconfigure_address: Option<bool> = "AutoconfigureAddress" @ 2.0,
        publish: Option<bool> = "Publish" @ 2.0,
        immortal: Option<bool> = "Immortal" @ 2.0,
    }

    /// How an interface finds names.
    ///
    /// Part of [`GuestEndpointState`]. Since schema 2.0.
    GuestDns = "DNS_2" {
        message_number: Option<u64> = "MessageNumber" @ 2.0,
        family: Option<u16> = "Family" @ 2.0,
        domain: Option<String> = "Domain" @ 2.0,
        /// Suffixes, with commas between them.
        search: Option<String> = "Search" @ 2.0,
        /// Addresses, with commas between them.
        server_list: Option<String> = "ServerList" @ 2.0,
        options: Option<String> = "Options" @ 2.0,
    }

    /// The MAC address of an interface.
    ///
    /// Since schema 2.0.
    MacAddress = "MacAddress" {
        message_number: Option<u64> = "MessageNumber" @ 2.0,
        family: Option<u16> = "Family" @ 2.0,
        physical_address: Option<String> = "PhysicalAddress" @ 2.5,
    }

    /// A machine that an interface knows.
    ///
    /// Since schema 2.0.
    Neighbor = "Neighbor" {
        message_number: Option<u64> = "MessageNumber" @ 2.0,
        family: Option<u16> = "Family" @ 2.0,
        address: Option<String> = "Address" @ 2.5,
        interface_luid: Option<u64> = "InterfaceLuid" @ 2.5,
        interface_index: Option<u32> = "InterfaceIndex" @ 2.5,
        physical_address: Option<String> = "PhysicalAddress" @ 2.5,
        physical_address_length: Option<u64> = "PhysicalAddressLength" @ 2.5,
        state: Option<u8> = "State" @ 2.5,
        is_router: Option<bool> = "IsRouter" @ 2.5,
        is_unreachable: Option<bool> = "IsUnreachable" @ 2.5,
        flags: Option<u8> = "Flags" @ 2.5,
        last_reachable: Option<u64> = "LastReachable" @ 2.5,
        last_unreachable: Option<u64> = "LastUnreachable" @ 2.5,
    }

    /// How an interface reaches IPv4 over a network of IPv6.
    ///
    /// Part of [`GuestEndpointState`]. Since schema 2.0.
    Xlat = "Xlat" {
        message_number: Option<u64> = "MessageNumber" @ 2.0,
        family: Option<u16> = "Family" @ 2.0,
        synthetic_ipv4_address: Option<String> = "SyntheticIPv4Address" @ 2.5,
        fallback_ipv4_address: Option<String> = "FallbackIPv4Address" @ 2.5,
        local_prefix: Option<String> = "LocalPrefix" @ 2.5,
        local_prefix_length: Option<u8> = "LocalPrefixLength" @ 2.5,
        remote_prefix: Option<String> = "RemotePrefix" @ 2.5,
        remote_prefix_length: Option<u8> = "RemotePrefixLength" @ 2.5,
    }

    /// Values of the registry that belong to an interface.
    ///
    /// Since schema 2.0.
    RegistryKey = "RegistryKey" {
        message_number: Option<u64> = "MessageNumber" @ 2.0,
        family: Option<u16> = "Family" @ 2.0,
        reg_keys: Vec<RegKey> = "RegKeys" @ 2.1,
        keyword: Option<String> = "Keyword" @ 2.5,
        adapter_clsid: Option<String> = "AdapterCLSID" @ 2.5,
    }

    /// A value of the registry.
    ///
    /// Part of [`RegistryKey`]. Since schema 2.1.
    RegKey = "RegKey" {
        path: Option<String> = "Path" @ 2.1,
        key: Option<String> = "Key" @ 2.1,
        kind: Option<u16> = "Type" @ 2.1,
        value: Option<Bytes> = "Value" @ 2.1,
    }
}
