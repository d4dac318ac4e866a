//! Policies of endpoints.

// Written by `cargo xtask schema`, from `data/hcn.json` and `data/hcn.words`.

use serde_json::Value;
use wcow_ntmeta::Guid;

use crate::wire::{document, numbers, words};

document! {
    /// A policy of an endpoint. [`EndpointPolicy::check`] holds the settings against their type.
    ///
    /// Part of [`HostComputeEndpoint`](crate::hcn::HostComputeEndpoint),
    /// [`PolicyEndpointRequest`](crate::hcn::PolicyEndpointRequest). Since schema 2.0.
    EndpointPolicy = "EndpointPolicy" {
        /// What the settings are.
        kind: Option<EndpointPolicyType> = "Type" @ 2.0,
        /// The settings; their type depends on the policy's.
        settings: Option<Value> = "Settings" @ 2.0,
    }

    /// A published port.
    ///
    /// Since schema 2.0.
    PortMappingPolicySetting = "PortMappingPolicySetting" {
        protocol: Option<ProtocolType> = "Protocol" @ 2.0,
        /// Port in the container; 0 is refused.
        internal_port: Option<u16> = "InternalPort" @ 2.0,
        /// Port on the host.
        external_port: Option<u16> = "ExternalPort" @ 2.0,
        /// The address of the host that the port is published on.
        vip: Option<String> = "VIP" @ 2.0,
        flags: Option<NatFlags> = "Flags" @ 2.0,
    }

    /// A rule for the packets of an endpoint.
    ///
    /// Since schema 2.0.
    AclPolicySetting = "AclPolicySetting" {
        /// Numbers of protocols, with commas between them; all without it.
        protocols: Option<String> = "Protocols" @ 2.5,
        /// Addresses and prefixes, with commas between them.
        local_addresses: Option<String> = "LocalAddresses" @ 2.5,
        remote_addresses: Option<String> = "RemoteAddresses" @ 2.5,
        local_ports: Option<String> = "LocalPorts" @ 2.5,
        remote_ports: Option<String> = "RemotePorts" @ 2.5,
        /// The lower, the earlier.
        priority: Option<u16> = "Priority" @ 2.5,
        id: Option<String> = "Id" @ 2.0,
        action: Option<ActionType> = "Action" @ 2.0,
        direction: Option<DirectionType> = "Direction" @ 2.0,
        rule_type: Option<RuleType> = "RuleType" @ 2.0,
    }

    /// What the rules of networks and endpoints share.
    ///
    /// Since schema 2.0.
    CommonAclPolicySetting = "CommonAclPolicySetting" {
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

    /// How much an endpoint may send.
    ///
    /// Since schema 2.0.
    QosPolicySetting = "QosPolicySetting" {
        /// Bytes per second.
        maximum_outgoing_bandwidth_in_bytes: Option<u64> = "MaximumOutgoingBandwidthInBytes" @ 2.0,
    }

    /// The address that packets leave with.
    ///
    /// Since schema 2.0.
    OutboundNatPolicySetting = "OutboundNatPolicySetting" {
        /// The address; the host's without it.
        virtual_ip: Option<String> = "VirtualIP" @ 2.0,
        /// Prefixes that the policy is for.
        destinations: Vec<String> = "Destinations" @ 2.0,
        /// Prefixes that packets leave for unchanged.
        exceptions: Vec<String> = "Exceptions" @ 2.0,
        flags: Option<NatFlags> = "Flags" @ 2.0,
    }

    /// A route that the virtual switch knows.
    ///
    /// Part of [`HostComputeRoute`](crate::hcn::HostComputeRoute). Since schema 2.0.
    SDNRoutePolicySetting = "SDNRoutePolicySetting" {
        destination_prefix: Option<String> = "DestinationPrefix" @ 2.0,
        next_hop: Option<String> = "NextHop" @ 2.0,
        /// Whether packets are wrapped for the overlay.
        need_encap: Option<bool> = "NeedEncap" @ 2.0,
        automatic_endpoint_monitor: Option<bool> = "AutomaticEndpointMonitor" @ 2.0,
    }

    /// A proxy that connections are sent to.
    ///
    /// Since schema 2.0.
    L4ProxyPolicySetting = "L4ProxyPolicySetting" {
        ip: Option<String> = "IP" @ 2.0,
        port: Option<String> = "Port" @ 2.0,
        protocol: Option<ProtocolType> = "Protocol" @ 2.0,
        /// Addresses that connections go to directly.
        exception_list: Vec<String> = "ExceptionList" @ 2.0,
        destination: Option<String> = "Destination" @ 2.0,
        outbound_nat: Option<bool> = "OutboundNat" @ 2.0,
    }

    /// A proxy that connections are sent to. The public schema has the type twice.
    ///
    /// Since schema 2.0.
    L4ProxyPolicySetting2 = "L4ProxyPolicySetting_2" {
        ip: Option<String> = "IP" @ 2.0,
        port: Option<String> = "Port" @ 2.0,
        protocol: Option<ProtocolType> = "Protocol" @ 2.0,
        exception_list: Vec<String> = "ExceptionList" @ 2.0,
        destination: Option<String> = "Destination" @ 2.0,
        outbound_nat: Option<bool> = "OutboundNat" @ 2.0,
    }

    /// What the proxies of networks and endpoints share.
    ///
    /// Since schema 2.0.
    CommonL4ProxyPolicySetting = "CommonL4ProxyPolicySetting" {
        ip: Option<String> = "IP" @ 2.0,
        port: Option<String> = "Port" @ 2.0,
        protocol: Option<ProtocolType> = "Protocol" @ 2.0,
        exception_list: Vec<String> = "ExceptionList" @ 2.0,
        destination: Option<String> = "Destination" @ 2.0,
        outbound_nat: Option<bool> = "OutboundNat" @ 2.0,
    }

    /// A proxy that the filtering platform of the host sends connections to.
    ///
    /// Since schema 2.5.
    L4WfpProxyPolicySetting = "L4WfpProxyPolicySetting" {
        inbound_proxy_port: Option<String> = "InboundProxyPort" @ 2.11,
        outbound_proxy_port: Option<String> = "OutboundProxyPort" @ 2.11,
        filter_tuple: Option<FiveTuple> = "FilterTuple" @ 2.5,
        /// Whose connections are left alone.
        user_sid: Option<String> = "UserSID" @ 2.5,
        inbound_exceptions: Option<ProxyExceptions> = "InboundExceptions" @ 2.14,
        outbound_exceptions: Option<ProxyExceptions> = "OutboundExceptions" @ 2.14,
    }

    /// Which packets a policy is for.
    ///
    /// Part of [`L4WfpProxyPolicySetting`]. Since schema 2.5.
    FiveTuple = "FiveTuple" {
        protocols: Option<String> = "Protocols" @ 2.5,
        local_addresses: Option<String> = "LocalAddresses" @ 2.5,
        remote_addresses: Option<String> = "RemoteAddresses" @ 2.5,
        local_ports: Option<String> = "LocalPorts" @ 2.5,
        remote_ports: Option<String> = "RemotePorts" @ 2.5,
        priority: Option<u16> = "Priority" @ 2.5,
    }

    /// Which packets a policy is for. The public schema has the type twice.
    ///
    /// Since schema 2.5.
    FiveTuple2 = "FiveTuple_2" {
        protocols: Option<String> = "Protocols" @ 2.5,
        local_addresses: Option<String> = "LocalAddresses" @ 2.5,
        remote_addresses: Option<String> = "RemoteAddresses" @ 2.5,
        local_ports: Option<String> = "LocalPorts" @ 2.5,
        remote_ports: Option<String> = "RemotePorts" @ 2.5,
        priority: Option<u16> = "Priority" @ 2.5,
    }

    /// What a proxy does not see.
    ///
    /// Part of [`L4WfpProxyPolicySetting`]. Since schema 2.14.
    ProxyExceptions = "ProxyExceptions" {
        ip_address_exceptions: Vec<String> = "IpAddressExceptions" @ 2.14,
        port_exceptions: Vec<String> = "PortExceptions" @ 2.14,
    }

    /// The address of the host that an endpoint of an overlay network is on.
    ///
    /// Since schema 2.0.
    ProviderAddressEndpointPolicySetting = "ProviderAddressEndpointPolicySetting" {
        provider_address: Option<String> = "ProviderAddress" @ 2.0,
    }

    /// The name of the port of the virtual switch.
    ///
    /// Since schema 2.0.
    PortnameEndpointPolicySetting = "PortnameEndpointPolicySetting" {
        name: Option<String> = "Name" @ 2.0,
    }

    /// How many bytes of a packet the overlay needs for itself.
    ///
    /// Since schema 2.0.
    EncapOverheadEndpointPolicySetting = "EncapOverheadEndpointPolicySetting" {
        overhead: Option<u16> = "Overhead" @ 2.0,
    }

    /// The interface of the host that an endpoint is bound to, by whatever is given of it.
    ///
    /// Since schema 2.0.
    InterfaceConstraintEndpointPolicySetting = "InterfaceConstraintEndpointPolicySetting" {
        interface_guid: Option<Guid> = "InterfaceGuid" @ 2.0,
        interface_luid: Option<u64> = "InterfaceLuid" @ 2.0,
        interface_index: Option<u32> = "InterfaceIndex" @ 2.0,
        interface_media_type: Option<u32> = "InterfaceMediaType" @ 2.0,
        interface_alias: Option<String> = "InterfaceAlias" @ 2.0,
        interface_description: Option<String> = "InterfaceDescription" @ 2.0,
    }

    /// Encryption between two ends.
    ///
    /// Since schema 2.1.
    EncryptionPolicySetting = "EncryptionPolicySetting" {
        encryption_method_type: Option<EncryptionMethod> = "EncryptionMethodType" @ 2.1,
        authentication_methods: Vec<PrioritizedAuthenticationMethod> = "AuthenticationMethods" @ 2.1,
        name: Option<String> = "Name" @ 2.1,
        endpoints1: Vec<String> = "Endpoints1" @ 2.1,
        endpoints2: Vec<String> = "Endpoints2" @ 2.1,
        protocol_type: Option<String> = "ProtocolType" @ 2.1,
        endpoint1_ports: Vec<String> = "Endpoint1Ports" @ 2.1,
        endpoint2_ports: Vec<String> = "Endpoint2Ports" @ 2.1,
    }

    /// A way in which the two ends know each other, best first.
    ///
    /// Part of [`EncryptionPolicySetting`]. Since schema 2.1.
    PrioritizedAuthenticationMethod = "PrioritizedAuthenticationMethod" {
        kind: Option<AuthenticationType> = "Type" @ 2.1,
        /// [`AuthenticationPresharedKey`] or [`AuthenticationCertificate`].
        settings: Option<Value> = "Settings" @ 2.1,
    }

    /// A way in which two ends know each other; it has no fields.
    AuthenticationMethod = "AuthenticationMethod" {
    }

    /// A key that both ends have.
    ///
    /// Since schema 2.1.
    AuthenticationPresharedKey = "AuthenticationPresharedKey" {
        key: Option<String> = "Key" @ 2.1,
    }

    /// A certificate.
    ///
    /// Since schema 2.1.
    AuthenticationCertificate = "AuthenticationCertificate" {
        certificate_name: Option<String> = "CertificateName" @ 2.1,
    }

    /// What the interface in the container is set to. An endpoint can have one such policy.
    ///
    /// Since schema 2.4.
    InterfaceParametersPolicySetting = "InterfaceParametersPolicySetting" {
        /// The largest packet, in bytes.
        mtu: Option<u16> = "Mtu" @ 2.4,
    }

    /// How much of an adapter an endpoint gets.
    ///
    /// Since schema 2.9.
    IovPolicySetting = "IovPolicySetting" {
        iov_offload_weight: Option<u32> = "IovOffloadWeight" @ 2.9,
        queue_pairs_requested: Option<u32> = "QueuePairsRequested" @ 2.9,
        interrupt_moderation: Option<IovInterruptModerationType> = "InterruptModeration" @ 2.9,
    }

    /// The firewall of a virtual machine of Windows itself.
    ///
    /// Since schema 2.16.
    FirewallPolicySetting = "FirewallPolicySetting" {
        vm_type: Option<FirewallVMType> = "VmType" @ 2.16,
        firewall_policy_flags: Option<FirewallPolicyFlags> = "FirewallPolicyFlags" @ 2.16,
    }

    /// A tier of rules, which are asked before the next tier's.
    ///
    /// Since schema 2.10.
    TierAclPolicySetting = "TierAclPolicySetting" {
        name: Option<String> = "Name" @ 2.10,
        direction: Option<DirectionType> = "Direction" @ 2.10,
        order: Option<u16> = "Order" @ 2.10,
        tier_acl_rules: Vec<TierAclRule> = "TierAclRules" @ 2.10,
    }

    /// A rule of a tier.
    ///
    /// Part of [`TierAclPolicySetting`]. Since schema 2.5.
    TierAclRule = "TierAclRule" {
        protocols: Option<String> = "Protocols" @ 2.5,
        local_addresses: Option<String> = "LocalAddresses" @ 2.5,
        remote_addresses: Option<String> = "RemoteAddresses" @ 2.5,
        local_ports: Option<String> = "LocalPorts" @ 2.5,
        remote_ports: Option<String> = "RemotePorts" @ 2.5,
        priority: Option<u16> = "Priority" @ 2.5,
        id: Option<String> = "Id" @ 2.10,
        tier_acl_rule_action: Option<ActionType> = "TierAclRuleAction" @ 2.10,
    }
}

numbers! {
    /// A protocol above IP, by its number.
    ///
    /// Part of [`CommonL4ProxyPolicySetting`], [`L4ProxyPolicySetting`], [`L4ProxyPolicySetting2`],
    /// [`LoadBalancerPortMapping`](crate::hcn::LoadBalancerPortMapping), [`PortMappingPolicySetting`]. Since schema
    /// 2.0.
    ProtocolType = "ProtocolType" {
        /// Any.
        UNKNOWN = 0 "Unknown" @ 2.0,
        /// Echo and errors.
        ICM_PV4 = 1 "ICMPv4" @ 2.0,
        /// Groups of receivers.
        IGMP = 2 "IGMP" @ 2.0,
        /// Streams.
        TCP = 6 "TCP" @ 2.0,
        /// Datagrams.
        UDP = 17 "UDP" @ 2.0,
        /// Echo and errors of IPv6.
        ICM_PV6 = 58 "ICMPv6" @ 2.0,
    }

    /// Properties of an address translation.
    ///
    /// Part of [`OutboundNatPolicySetting`], [`PortMappingPolicySetting`]. Since schema 2.0.
    NatFlags = "NatFlags" {
        /// None of them.
        NONE = 0 "None" @ 2.0,
        /// Containers of the host reach the address too.
        LOCAL_ROUTED_VIP = 1 "LocalRoutedVip" @ 2.0,
        /// The translation is one of IPv6.
        IPV6 = 2 "IPv6" @ 2.8,
    }

    /// Properties of such a firewall.
    ///
    /// Part of [`FirewallPolicySetting`]. Since schema 2.16.
    FirewallPolicyFlags = "FirewallPolicyFlags" {
        /// None of them.
        NONE = 0 "None" @ 2.16,
        /// The value is inferred from the order of the names.
        CONSTRAINED_INTERFACE = 1 "ConstrainedInterface" @ 2.16,
    }
}

words! {
    /// What a policy of an endpoint is about.
    ///
    /// Part of [`EndpointPolicy`]. Since schema 2.0.
    EndpointPolicyType = "EndpointPolicyType" {
        PortMapping = "PortMapping" @ 2.0,
        Acl = "ACL" @ 2.0,
        Qos = "QOS" @ 2.0,
        L2Driver = "L2Driver" @ 2.0,
        OutBoundNAT = "OutBoundNAT" @ 2.0,
        SDNRoute = "SDNRoute" @ 2.0,
        L4Proxy = "L4Proxy" @ 2.0,
        L4wfpproxy = "L4WFPPROXY" @ 2.5,
        ProviderAddress = "ProviderAddress" @ 2.0,
        PortName = "PortName" @ 2.0,
        EncapOverhead = "EncapOverhead" @ 2.0,
        InterfaceConstraint = "InterfaceConstraint" @ 2.0,
        Encryption = "Encryption" @ 2.1,
        Vlan = "VLAN" @ 2.4,
        InterfaceParameters = "InterfaceParameters" @ 2.4,
        Iov = "Iov" @ 2.9,
        TierAcl = "TierAcl" @ 2.10,
    }

    /// What becomes of a packet.
    ///
    /// Part of [`AclPolicySetting`], [`CommonAclPolicySetting`],
    /// [`NetworkAclPolicySetting`](crate::hcn::NetworkAclPolicySetting), [`TierAclRule`]. Since schema 2.0.
    ActionType = "ActionType" {
        Allow = "Allow" @ 2.0,
        Block = "Block" @ 2.0,
        /// The rules of the next tier decide.
        Pass = "Pass" @ 2.10,
    }

    /// Where a packet goes, as the endpoint sees it.
    ///
    /// Part of [`AclPolicySetting`], [`CommonAclPolicySetting`],
    /// [`NetworkAclPolicySetting`](crate::hcn::NetworkAclPolicySetting), [`TierAclPolicySetting`]. Since schema 2.0.
    DirectionType = "DirectionType" {
        In = "In" @ 2.0,
        Out = "Out" @ 2.0,
    }

    /// Who keeps a rule.
    ///
    /// Part of [`AclPolicySetting`], [`CommonAclPolicySetting`],
    /// [`NetworkAclPolicySetting`](crate::hcn::NetworkAclPolicySetting). Since schema 2.0.
    RuleType = "RuleType" {
        /// The firewall of the host.
        Host = "Host" @ 2.0,
        /// The virtual switch.
        Switch = "Switch" @ 2.0,
    }

    /// Who sends connections to a proxy. No field of the public schema is of this type.
    ///
    /// Since schema 2.5.
    ProxyType = "ProxyType" {
        /// The virtual switch.
        Vfp = "VFP" @ 2.5,
        /// The filtering platform of the host.
        Wfp = "WFP" @ 2.5,
    }

    /// How packets are encrypted.
    ///
    /// Part of [`EncryptionPolicySetting`]. Since schema 2.1.
    EncryptionMethod = "EncryptionMethod" {
        Ipsec = "Ipsec" @ 2.1,
    }

    /// How two ends know each other.
    ///
    /// Part of [`PrioritizedAuthenticationMethod`]. Since schema 2.1.
    AuthenticationType = "AuthenticationType" {
        PresharedKey = "PresharedKey" @ 2.1,
        Certificate = "Certificate" @ 2.1,
    }

    /// How an adapter gathers its interrupts.
    ///
    /// Part of [`IovPolicySetting`]. Since schema 2.9.
    IovInterruptModerationType = "IovInterruptModerationType" {
        IovInterruptModerationDefault = "IovInterruptModerationDefault" @ 2.9,
        IovInterruptModerationAdaptive = "IovInterruptModerationAdaptive" @ 2.9,
        IovInterruptModerationOff = "IovInterruptModerationOff" @ 2.9,
        IovInterruptModerationLow = "IovInterruptModerationLow" @ 2.9,
        IovInterruptModerationMedium = "IovInterruptModerationMedium" @ 2.9,
        IovInterruptModerationHigh = "IovInterruptModerationHigh" @ 2.9,
    }

    /// Whose virtual machine it is.
    ///
    /// Part of [`FirewallPolicySetting`]. Since schema 2.16.
    FirewallVMType = "FirewallVMType" {
        Invalid = "Invalid" @ 2.16,
        Host = "Host" @ 2.16,
        /// The subsystem for Android.
        Wsa = "WSA" @ 2.16,
        /// The subsystem for Linux.
        Wsl = "WSL" @ 2.16,
    }
}
