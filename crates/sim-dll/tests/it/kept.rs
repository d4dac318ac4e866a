//! What a document of computenetwork.dll says beyond what the service needs, known to the schema or not, comes back.

use std::ptr::{null, null_mut};

use serde_json::{Value, json};
use wcow_ntmeta::Guid;
use wcow_sim_dll::abi::{GUID, PWSTR};
use wcow_sim_dll::network::{
    HcnCloseEndpoint, HcnCloseNetwork, HcnCreateEndpoint, HcnCreateNetwork, HcnDeleteEndpoint,
    HcnDeleteNetwork, HcnQueryEndpointProperties, HcnQueryNetworkProperties,
};

use crate::program::{Wide, alone, assert_nothing_is_left, counters, take};

const ANYWHERE: &str = "0.0.0.0/0";

fn parse(text: PWSTR) -> Value {
    serde_json::from_str(&take(text).expect("a text")).expect("JSON")
}

/// A value under a key that nobody knows.
fn new() -> Value {
    json!([{ "a": null }])
}

/// What a document says is in an answer, in the same places; the answer may say more.
#[track_caller]
fn assert_within(document: &Value, answer: &Value, place: &str) {
    match (document, answer) {
        (Value::Object(keys), Value::Object(_)) => {
            for (key, value) in keys {
                assert_within(value, &answer[key], &format!("{place}.{key}"));
            }
        }
        (Value::Array(items), Value::Array(told)) if items.len() == told.len() => {
            for (number, (item, told)) in items.iter().zip(told).enumerate() {
                assert_within(item, told, &format!("{place}[{number}]"));
            }
        }
        _ => assert_eq!(document, answer, "{place}"),
    }
}

#[test]
fn what_nobody_knows_of_a_network_and_an_endpoint_is_told_again() {
    let _alone = alone();
    let before = counters();
    let id: GUID = Guid::from_u128(0x1111_2222_3333_4444_5555_6666_7777_0001).into();
    let end: GUID = Guid::from_u128(0x1111_2222_3333_4444_5555_6666_7777_0002).into();
    let asked_network = json!({
        "Name": "kept",
        "Type": "nat",
        "Owner": "a program",
        "SchemaVersion": { "Major": 2, "Minor": 0 },
        "Flags": 8,
        "Dns": { "Domain": "a", "xNew": new() },
        "xNew": new(),
        "Policies": [{ "Type": "SourceMacAddress", "Settings": { "xNew": new() } }],
        "Ipams": [
            { "Type": "Static", "xNew": new(), "Subnets": [{
                "IpAddressPrefix": "172.30.0.0/16",
                "Routes": [
                    { "NextHop": "172.30.0.1", "DestinationPrefix": ANYWHERE, "xNew": new() },
                    { "NextHop": "172.30.0.9", "DestinationPrefix": "10.0.0.0/8" },
                ],
                "IpSubnets": [{ "IpAddressPrefix": "172.30.1.0/24", "xNew": new() }],
                "xNew": new(),
            }] },
            { "xNew": new() },
        ],
    });
    let asked_endpoint = json!({
        "Name": "end",
        "SchemaVersion": { "Major": 2, "Minor": 0 },
        "Policies": [
            { "Type": "PortMapping", "Settings": {
                "Protocol": 17, "InternalPort": 80, "ExternalPort": 8098, "VIP": "10.0.0.4", "xNew": new(),
            } },
            { "Type": "ACL", "Settings": { "Action": "Block", "xNew": new() } },
        ],
        "IpConfigurations": [
            { "IpAddress": "172.30.0.5", "PrefixLength": 16, "xNew": new() },
            { "IpAddress": "fd00::5", "PrefixLength": 64 },
        ],
        "Routes": [{ "NextHop": "172.30.0.1", "DestinationPrefix": ANYWHERE, "Metric": 5 }],
        "Dns": { "Search": ["a"] },
        "xNew": new(),
    });
    let network_text = Wide::new(&asked_network.to_string());
    let endpoint_text = Wide::new(&asked_endpoint.to_string());
    let (mut network, mut endpoint) = (null_mut(), null_mut());
    let mut text: PWSTR = null_mut();
    // SAFETY: texts end with a NUL, places can be written.
    let (told_network, told_endpoint) = unsafe {
        let code = HcnCreateNetwork(
            &raw const id,
            network_text.get(),
            &raw mut network,
            &raw mut text,
        );
        assert_eq!(code, 0, "{:?}", take(text));
        let code = HcnQueryNetworkProperties(network, null(), &raw mut text, null_mut());
        assert_eq!(code, 0);
        let told_network = parse(text);
        let code = HcnCreateEndpoint(
            network,
            &raw const end,
            endpoint_text.get(),
            &raw mut endpoint,
            &raw mut text,
        );
        assert_eq!(code, 0, "{:?}", take(text));
        let code = HcnQueryEndpointProperties(endpoint, null(), &raw mut text, null_mut());
        assert_eq!(code, 0);
        let told_endpoint = parse(text);
        assert_eq!(
            (HcnCloseEndpoint(endpoint), HcnCloseNetwork(network)),
            (0, 0)
        );
        assert_eq!(HcnDeleteEndpoint(&raw const end, null_mut()), 0);
        assert_eq!(HcnDeleteNetwork(&raw const id, null_mut()), 0);
        (told_network, told_endpoint)
    };
    assert_within(&asked_network, &told_network, "network");
    assert_within(&asked_endpoint, &told_endpoint, "endpoint");
    // Nothing of it is told twice, and the first generation's keys are not.
    for key in ["Subnets", "NetworkAdapterName"] {
        assert!(told_network.get(key).is_none(), "{told_network:#}");
    }
    for key in ["VirtualNetwork", "IPAddress", "GatewayAddress"] {
        assert!(told_endpoint.get(key).is_none(), "{told_endpoint:#}");
    }
    assert_nothing_is_left(before);
}

#[test]
fn a_subnet_that_the_service_chose_is_told_in_the_place_that_was_left_for_it() {
    let _alone = alone();
    let before = counters();
    let id: GUID = Guid::from_u128(0x1111_2222_3333_4444_5555_6666_7777_0003).into();
    let version = json!({ "Major": 2, "Minor": 0 });
    let asked = json!({ "Name": "chosen", "Type": "NAT", "SchemaVersion": version, "Ipams": [{ "xNew": 1 }] });
    let asked = Wide::new(&asked.to_string());
    let mut network = null_mut();
    let mut text: PWSTR = null_mut();
    // SAFETY: texts end with a NUL, places can be written.
    let told = unsafe {
        let code = HcnCreateNetwork(&raw const id, asked.get(), &raw mut network, &raw mut text);
        assert_eq!(code, 0, "{:?}", take(text));
        let code = HcnQueryNetworkProperties(network, null(), &raw mut text, null_mut());
        assert_eq!(code, 0);
        let told = parse(text);
        assert_eq!(HcnCloseNetwork(network), 0);
        assert_eq!(HcnDeleteNetwork(&raw const id, null_mut()), 0);
        told
    };
    let ipams = told["Ipams"].as_array().expect("a list");
    assert_eq!(ipams.len(), 1, "{told:#}");
    assert_eq!(ipams[0]["xNew"], 1);
    assert_eq!(ipams[0]["Type"], "Static");
    let subnet = &ipams[0]["Subnets"][0];
    assert!(subnet["IpAddressPrefix"].is_string(), "{told:#}");
    assert_eq!(subnet["Routes"][0]["DestinationPrefix"], ANYWHERE);
    assert_nothing_is_left(before);
}
