//! Policies of networks and subnets.

// Written by `cargo xtask schema`, from `data/hcn.json` and `data/hcn.words`.

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::hcn::*;
use crate::wire::{document, words};

document! {
    /// A policy of a network. [`NetworkPolicy::check`] holds the settings against their type.
    ///
    /// Part of [`HostComputeNetwork`], [`PolicyNetworkRequest`]. Since schema 2.0.
    NetworkPolicy = "NetworkPolicy" {
        /// What the settings are.
        kind: Option<NetworkPolicyType> = "Type" @ 2.0,
        /// The settings; their type depends on the policy's.
        settings: Option<Value> = "Settings" @ 2.0,
    }

    /// The MAC address that packets leave with.
    ///
    /// Since schema 2.0.
    SourceMacAddressNetworkPolicySetting = "SourceMacAddressNetworkPolicySetting" {
        source_mac_address: Option<String> = "SourceMacAddress" @ 2.0,
    }

    /// The adapter under the network, by name.
    ///
    /// Since schema 2.0.
    NetAdapterNameNetworkPolicySetting = "NetAdapterNameNetworkPolicySetting" {
        /// The name that the host gives the adapter, for example `Ethernet`.
        network_adapter_name: Option<String> = "NetworkAdapterName" @ 2.0,
    }

    /// The interface of the host that the network is bound to, by whatever is given of it.
    ///
    /// Since schema 2.0.
    InterfaceConstraintNetworkPolicySetting = "InterfaceConstraintNetworkPolicySetting" {
        interface_guid: Option<Guid> = "InterfaceGuid" @ 2.0,
        interface_luid: Option<u64> = "InterfaceLuid" @ 2.0,
        interface_index: Option<u32> = "InterfaceIndex" @ 2.0,
        interface_media_type: Option<u32> = "InterfaceMediaType" @ 2.0,
        interface_alias: Option<String> = "InterfaceAlias" @ 2.0,
        interface_description: Option<String> = "InterfaceDescription" @ 2.0,
    }

    /// Puts an extension of the virtual switch on or off.
    ///
    /// Since schema 2.0.
    VSwitchExtensionNetworkPolicySetting = "VSwitchExtensionNetworkPolicySetting" {
        extension_id: Option<Guid> = "ExtensionID" @ 2.0,
        enable: Option<bool> = "Enable" @ 2.0,
    }

    /// The address of the host on an overlay network.
    ///
    /// Since schema 2.0.
    ProviderAddressNetworkPolicySetting = "ProviderAddressNetworkPolicySetting" {
        provider_address: Option<String> = "ProviderAddress" @ 2.0,
    }

    /// The MAC address of the distributed router of an overlay network.
    ///
    /// Since schema 2.0.
    DrMacAddressNetworkPolicySetting = "DrMacAddressNetworkPolicySetting" {
        address: Option<String> = "Address" @ 2.0,
    }

    /// Whether the network follows the host's servers of DNS.
    ///
    /// Since schema 2.0.
    AutomaticDNSNetworkPolicySetting = "AutomaticDNSNetworkPolicySetting" {
        enable: Option<bool> = "Enable" @ 2.0,
    }

    /// Where a subnet of an overlay network lies that is another host's.
    ///
    /// Since schema 2.0.
    RemoteSubnetRoutePolicySetting = "RemoteSubnetRoutePolicySetting" {
        destination_prefix: Option<String> = "DestinationPrefix" @ 2.0,
        /// The number of the virtual subnet.
        isolation_id: Option<u32> = "IsolationId" @ 2.0,
        /// The other host's address.
        provider_address: Option<String> = "ProviderAddress" @ 2.0,
        distributed_router_mac_address: Option<String> = "DistributedRouterMacAddress" @ 2.0,
    }

    /// The UDP port of VXLAN; 4789 without it.
    ///
    /// Since schema 2.0.
    VxlanPortPolicySetting = "VxlanPortPolicySetting" {
        port: Option<u16> = "Port" @ 2.0,
    }

    /// Makes a route from the host to its endpoints; it has no settings.
    HostRoutePolicySetting = "HostRoutePolicySetting" {
    }

    /// A set of addresses that other policies name.
    ///
    /// Since schema 2.0.
    SetPolicySetting = "SetPolicySetting" {
        id: Option<String> = "Id" @ 2.0,
        name: Option<String> = "Name" @ 2.0,
        policy_type: Option<SetPolicyTypes> = "PolicyType" @ 2.0,
        /// The addresses, with commas between them.
        values: Option<String> = "Values" @ 2.0,
    }

    /// The layer below the network.
    ///
    /// Since schema 2.0.
    LayerConstraintNetworkPolicySetting = "LayerConstraintNetworkPolicySetting" {
        layer_id: Option<Guid> = "LayerId" @ 2.0,
    }

    /// A rule for the packets of all endpoints of a network.
    ///
    /// Since schema 2.0.
    NetworkAclPolicySetting = "NetworkAclPolicySetting" {
        protocols: Option<String> = "Protocols" @ 2.5,
        local_addresses: Option<String> = "LocalAddresses" @ 2.5,
        remote_addresses: Option<String> = "RemoteAddresses" @ 2.5,
        local_ports: Option<String> = "LocalPorts" @ 2.5,
        remote_ports: Option<String> = "RemotePorts" @ 2.5,
        priority: Option<u16> = "Priority" @ 2.5,
        id: Option<String> = "Id" @ 2.0,
        action: Option<ActionType> = "Action" @ 2.0,
        direction: Option<DirectionType> = "Direction" @ 2.0,
        rule_type: Option<RuleType> = "RuleType" @ 2.0,
    }

    /// A policy of a subnet. [`SubnetPolicy::check`] holds the settings against their type.
    ///
    /// Part of [`Subnet`]. Since schema 2.0.
    SubnetPolicy = "SubnetPolicy" {
        kind: Option<SubnetPolicyType> = "Type" @ 2.0,
        /// The settings; their type depends on the policy's.
        settings: Option<Value> = "Settings" @ 2.0,
    }

    /// A VLAN.
    ///
    /// Since schema 2.0.
    VlanPolicySetting = "VlanPolicySetting" {
        /// Its number.
        isolation_id: Option<u32> = "IsolationId" @ 2.0,
    }

    /// A virtual subnet of an overlay network.
    ///
    /// Since schema 2.0.
    VsidPolicySetting = "VsidPolicySetting" {
        /// Its number, 4096 or higher.
        isolation_id: Option<u32> = "IsolationId" @ 2.0,
    }
}

words! {
    /// What a policy of a network is about.
    ///
    /// Part of [`NetworkPolicy`]. Since schema 2.0.
    NetworkPolicyType = "NetworkPolicyType" {
        SourceMacAddress = "SourceMacAddress" @ 2.0,
        NetAdapterName = "NetAdapterName" @ 2.0,
        InterfaceConstraint = "InterfaceConstraint" @ 2.0,
        VSwitchExtension = "VSwitchExtension" @ 2.0,
        ProviderAddress = "ProviderAddress" @ 2.0,
        DrMacAddress = "DrMacAddress" @ 2.0,
        AutomaticDNS = "AutomaticDNS" @ 2.0,
        RemoteSubnetRoute = "RemoteSubnetRoute" @ 2.0,
        VxlanPort = "VxlanPort" @ 2.0,
        HostRoute = "HostRoute" @ 2.0,
        SetPolicy = "SetPolicy" @ 2.0,
        L4Proxy = "L4Proxy" @ 2.0,
        LayerConstraint = "LayerConstraint" @ 2.0,
        NetworkACL = "NetworkACL" @ 2.0,
    }

    /// What a set is made of.
    ///
    /// Part of [`SetPolicySetting`]. Since schema 2.0.
    SetPolicyTypes = "SetPolicyTypes" {
        /// Addresses.
        Ipset = "IPSET" @ 2.0,
        /// Other sets.
        Nestedipset = "NESTEDIPSET" @ 2.0,
    }

    /// What a policy of a subnet is about.
    ///
    /// Part of [`SubnetPolicy`]. Since schema 2.0.
    SubnetPolicyType = "SubnetPolicyType" {
        Vlan = "VLAN" @ 2.0,
        Vsid = "VSID" @ 2.0,
    }
}
