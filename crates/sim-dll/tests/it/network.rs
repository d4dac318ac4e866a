//! computenetwork.dll.

use std::ptr::{null, null_mut};

use serde_json::{Value, json};
use wcow_ntmeta::Guid;
use wcow_sim_dll::abi::{GUID, PWSTR};
use wcow_sim_dll::network::{
    HcnCloseEndpoint, HcnCloseNetwork, HcnCreateEndpoint, HcnCreateNetwork, HcnDeleteEndpoint,
    HcnDeleteNetwork, HcnEnumerateEndpoints, HcnEnumerateNetworks, HcnOpenEndpoint, HcnOpenNetwork,
    HcnQueryEndpointProperties, HcnQueryNetworkProperties, HcnRegisterServiceCallback,
    HcnUnregisterServiceCallback,
};

use crate::program::{Ear, Wide, alone, assert_nothing_is_left, counters, hear, take};

fn parse(text: PWSTR) -> Value {
    serde_json::from_str(&take(text).expect("a text")).expect("JSON")
}

#[test]
fn networks_and_endpoints_go_through_their_lives() {
    let _alone = alone();
    let before = counters();
    let id: GUID = Guid::from_u128(0x1111_2222_3333_4444_5555_6666_7777_8888).into();
    let end: GUID = Guid::from_u128(0x9999_2222_3333_4444_5555_6666_7777_8888).into();
    let document = json!({
        "Name": "typed", "Type": "NAT",
        "SchemaVersion": { "Major": 2, "Minor": 0 },
        "Ipams": [{ "Type": "Static", "Subnets": [{
            "IpAddressPrefix": "172.30.0.0/16",
            "Routes": [{ "NextHop": "172.30.0.1", "DestinationPrefix": "0.0.0.0/0" }],
        }]}],
    });
    let endpoint = json!({
        "Name": "end", "SchemaVersion": { "Major": 2, "Minor": 0 },
        "Policies": [{ "Type": "PortMapping", "Settings": { "Protocol": 6, "InternalPort": 80, "ExternalPort": 8099 } }],
    });
    let (document, endpoint) = (
        Wide::new(&document.to_string()),
        Wide::new(&endpoint.to_string()),
    );
    let (mut network, mut handle, mut opened, mut callback) =
        (null_mut(), null_mut(), null_mut(), null_mut());
    let mut text: PWSTR = null_mut();
    let ear = Ear::new();
    // SAFETY: texts end with a NUL, places can be written; the ear lives until the registration has ended.
    unsafe {
        assert_eq!(
            HcnRegisterServiceCallback(Some(hear), ear.context(), &raw mut callback),
            0
        );
        let code = HcnCreateNetwork(
            &raw const id,
            document.get(),
            &raw mut network,
            &raw mut text,
        );
        assert_eq!(code, 0, "{:?}", take(text));
        assert_eq!(ear.next().kind, 2);
        assert_eq!(
            HcnQueryNetworkProperties(network, null(), &raw mut text, null_mut()),
            0
        );
        let told = parse(text);
        assert_eq!(
            told["Ipams"][0]["Subnets"][0]["IpAddressPrefix"], "172.30.0.0/16",
            "{told}"
        );
        let filter = Wide::new(r#"{"Filter":"{\"Name\":\"typed\"}"}"#);
        assert_eq!(
            HcnEnumerateNetworks(filter.get(), &raw mut text, null_mut()),
            0
        );
        assert_eq!(parse(text).as_array().map(Vec::len), Some(1));
        let code = HcnCreateEndpoint(
            network,
            &raw const end,
            endpoint.get(),
            &raw mut handle,
            &raw mut text,
        );
        assert_eq!(code, 0, "{:?}", take(text));
        assert_eq!(
            HcnQueryEndpointProperties(handle, null(), &raw mut text, null_mut()),
            0
        );
        let told = parse(text);
        assert_eq!(
            told["Policies"][0]["Settings"]["ExternalPort"], 8099,
            "{told}"
        );
        assert_eq!(
            HcnOpenEndpoint(&raw const end, &raw mut opened, null_mut()),
            0
        );
        assert_eq!(HcnCloseEndpoint(opened), 0);
        assert_eq!(HcnEnumerateEndpoints(null(), &raw mut text, null_mut()), 0);
        assert_eq!(parse(text).as_array().map(Vec::len), Some(1));
        // An endpoint is no network.
        assert!(HcnQueryNetworkProperties(handle, null(), &raw mut text, null_mut()) < 0);
        assert_eq!((HcnCloseEndpoint(handle), HcnCloseNetwork(network)), (0, 0));
        assert_eq!(HcnDeleteEndpoint(&raw const end, null_mut()), 0);
        assert_eq!(HcnDeleteNetwork(&raw const id, null_mut()), 0);
        assert_eq!(ear.next().kind, 4);
        let code = HcnOpenNetwork(&raw const id, &raw mut network, &raw mut text);
        assert_eq!(code, 0x8007_0490_u32 as i32);
        assert_eq!(parse(text)["Success"], false);
        assert_eq!(HcnUnregisterServiceCallback(callback), 0);
    }
    assert_nothing_is_left(before);
}
