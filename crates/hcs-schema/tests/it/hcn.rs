//! Documents of HCN as clients and the service write them.

use std::collections::BTreeMap;

use serde_json::json;
use wcow_hcs_schema::hcn::{
    EndpointPolicy, HostComputeEndpoint, HostComputeLoadBalancer, HostComputeNamespace,
    HostComputeNetwork, HostComputeQuery, HostComputeRoute, LoadBalancerFlags,
    ModifyEndpointSettingRequest, ModifyNamespaceSettingRequest, ModifyNetworkSettingRequest,
    NetworkFlags, NetworkMode, NetworkPolicy, Notification, ProtocolType, Response, SettingsError,
    SubnetPolicy,
};
use wcow_hcs_schema::parse;

use crate::samples::check;

#[test]
fn a_network_of_a_client() {
    let network: HostComputeNetwork = check(json!({
        "ID": "1f4bb3b6-37a0-4c1d-9c6b-1b3f0a6f5d11",
        "Name": "nat",
        "SchemaVersion": { "Major": 2, "Minor": 0 },
        "Type": "NAT",
        "MacPool": { "Ranges": [{ "StartMacAddress": "00-15-5D-52-C0-00", "EndMacAddress": "00-15-5D-52-CF-FF" }] },
        "Dns": { "Suffix": "example.org", "ServerList": ["10.0.0.1"] },
        "Ipams": [{ "Type": "Static", "Subnets": [{
            "IpAddressPrefix": "172.20.0.0/16",
            "Routes": [{ "NextHop": "172.20.0.1", "DestinationPrefix": "0.0.0.0/0" }],
        }] }],
        "Flags": 9,
        "Policies": [{ "Type": "NetAdapterName", "Settings": { "NetworkAdapterName": "Ethernet" } }],
        "Health": { "Extra": { "SwitchGuid": "0b5e7e0c-0000-4000-8000-000000000001" }, "New": 1 },
    }));
    assert_eq!(network.kind, Some(NetworkMode::Nat));
    let flags = network.flags.unwrap();
    assert_eq!(
        flags,
        NetworkFlags::ENABLE_DNS_PROXY | NetworkFlags::ENABLE_NON_PERSISTENT
    );
    assert!(flags.contains(NetworkFlags::ENABLE_DNS_PROXY));
    assert!(!flags.contains(NetworkFlags::ENABLE_MIRRORING));
    assert!(network.dns.unwrap().unknown.contains_key("Suffix"));
}

/// The public schema shows words; the service takes numbers.
#[test]
fn flags_and_protocols_are_numbers() {
    let error = parse::<HostComputeNetwork>(r#"{"Flags": "EnableDnsProxy"}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1, column 11, Flags: expected a number (NetworkFlags), found \"EnableDnsProxy\""
    );
    assert!(parse::<HostComputeNetwork>(r#"{"Flags": 4294967296}"#).is_err());
    // What is not known yet is kept.
    let network: HostComputeNetwork = check(json!({ "Flags": 2_147_483_649_u32 }));
    assert_eq!(network.flags, Some(NetworkFlags(0x8000_0001)));
    let balancer: HostComputeLoadBalancer = check(json!({
        "HostComputeEndpoints": ["5c9b3a0e-7b0c-4a8e-8f4f-0b2f8f3e9a11"],
        "SourceVIP": "10.0.0.2",
        "FrontendVIPs": ["10.0.0.3"],
        "PortMappings": [{ "Protocol": 6, "InternalPort": 80, "ExternalPort": 8080, "DistributionType": 2, "Flags": 1 }],
        "Flags": 3,
    }));
    let both = LoadBalancerFlags::ENABLE_DIRECT_SERVER_RETURN | LoadBalancerFlags::IPV6;
    assert_eq!(balancer.flags, Some(both));
    assert_eq!(balancer.port_mappings[0].protocol, Some(ProtocolType::TCP));
}

#[test]
fn endpoints_namespaces_and_routes() {
    let endpoint: HostComputeEndpoint = check(json!({
        "ID": "5c9b3a0e-7b0c-4a8e-8f4f-0b2f8f3e9a11",
        "SchemaVersion": { "Major": 2, "Minor": 0 },
        "HostComputeNetwork": "1f4bb3b6-37a0-4c1d-9c6b-1b3f0a6f5d11",
        "Policies": [{ "Type": "PortMapping", "Settings": { "Protocol": 6, "InternalPort": 80, "ExternalPort": 8080 } }],
        "IpConfigurations": [{ "IpAddress": "172.20.0.2", "PrefixLength": 16 }],
        "MacAddress": "00-15-5D-52-C0-01",
    }));
    assert_eq!(endpoint.policies[0].check(), Ok(()));
    let namespace: HostComputeNamespace = check(json!({
        "ID": "0b5e7e0c-0000-4000-8000-000000000001",
        "NamespaceId": 2,
        "Type": "Host",
        "Resources": [{ "Type": "Endpoint", "Data": { "Id": "5c9b3a0e-7b0c-4a8e-8f4f-0b2f8f3e9a11" } }],
    }));
    assert_eq!(namespace.namespace_id, Some(2));
    let route = |key: &str| {
        let document =
            json!({ key: [{ "DestinationPrefix": "10.0.0.0/8", "NextHop": "10.0.0.1" }] });
        parse::<HostComputeRoute>(document.to_string()).unwrap()
    };
    assert_eq!(route("Setting"), route("Routes"));
    assert_eq!(route("Setting").routes.len(), 1);
    let error: Response =
        check(json!({ "Success": false, "Error": "text ", "ErrorCode": 2_151_350_282_u32 }));
    assert_eq!(error.error_code, Some(0x803B_000A));
}

#[test]
fn settings_are_held_against_their_type() {
    #[track_caller]
    fn refused(result: Result<(), SettingsError>, expected: &str) {
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
    let of = |text: &str| parse::<EndpointPolicy>(text).unwrap().check();
    refused(of("{}"), "expected Type beside the settings, found none");
    refused(
        of(r#"{"Type": "NewPolicy"}"#),
        "expected a Type of the schema, found \"NewPolicy\"",
    );
    refused(
        of(r#"{"Type": "PortMapping"}"#),
        "Settings: expected PortMappingPolicySetting: expected an object (PortMappingPolicySetting), found null",
    );
    refused(
        of(r#"{"Type": "PortMapping", "Settings": {"Protocol": "TCP"}}"#),
        "Settings: expected PortMappingPolicySetting: Protocol: expected a number (ProtocolType), found \"TCP\"",
    );
    assert_eq!(of(r#"{"Type": "L2Driver", "Settings": 7}"#), Ok(()));
    let of = |text: &str| parse::<NetworkPolicy>(text).unwrap().check();
    assert_eq!(of(r#"{"Type": "HostRoute"}"#), Ok(()));
    assert_eq!(of(r#"{"Type": "HostRoute", "Settings": {}}"#), Ok(()));
    assert_eq!(
        of(r#"{"Type": "VxlanPort", "Settings": {"Port": 4789}}"#),
        Ok(())
    );
    assert!(of(r#"{"Type": "VxlanPort", "Settings": {"Port": 65536}}"#).is_err());
    let of = |text: &str| parse::<SubnetPolicy>(text).unwrap().check();
    assert_eq!(
        of(r#"{"Type": "VSID", "Settings": {"IsolationId": 4096}}"#),
        Ok(())
    );

    let change: ModifyNetworkSettingRequest = check(json!({
        "ResourceType": "Policy",
        "RequestType": "Add",
        "Settings": { "Policies": [{ "Type": "SetPolicy", "Settings": { "Id": "a", "Values": "10.0.0.1" } }] },
    }));
    assert_eq!(change.check(), Ok(()));
    let change: ModifyEndpointSettingRequest = check(json!({
        "ResourceType": "Port", "RequestType": "Add", "Settings": { "VirtualMachineId": "vm" },
    }));
    refused(
        change.check(),
        "Settings: expected VmEndpointRequest: VirtualMachineId: expected a GUID, found \"vm\"",
    );
    let change: ModifyNamespaceSettingRequest = check(json!({
        "ResourceType": "Endpoint",
        "RequestType": "Remove",
        "Settings": { "EndpointId": "5c9b3a0e-7b0c-4a8e-8f4f-0b2f8f3e9a11" },
    }));
    assert_eq!(change.check(), Ok(()));
}

#[test]
fn a_filter_is_a_text_within_a_text() {
    let keys = BTreeMap::from([("Name".to_owned(), "a \"b\"".to_owned())]);
    let query = HostComputeQuery::of_keys(&keys);
    assert_eq!(
        query.to_value(),
        json!({
            "SchemaVersion": { "Major": 2, "Minor": 0 },
            "Flags": 0,
            "Filter": r#"{"Name":"a \"b\""}"#,
        })
    );
    assert_eq!(query.keys().unwrap(), keys);
    let all = HostComputeQuery::of_keys(&BTreeMap::new());
    assert_eq!(all.filter, None);
    assert!(all.keys().unwrap().is_empty());
    let wrong: HostComputeQuery = check(json!({ "Filter": "[" }));
    assert!(wrong.keys().is_err());
}

#[test]
fn notifications_have_numbers() {
    for (number, notification) in [
        (1, Notification::NetworkPreCreate),
        (9, Notification::NetworkEndpointAttached),
        (0x10, Notification::NetworkEndpointDetached),
        (0x0100_0000, Notification::ServiceDisconnect),
        (0, Notification::Other(0)),
        (0x1000_0000, Notification::Other(0x1000_0000)),
    ] {
        assert_eq!(Notification::from(number), notification);
        assert_eq!(u32::from(notification), number);
    }
}
