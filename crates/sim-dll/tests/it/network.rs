//! computenetwork.dll.

use std::ptr::{null, null_mut};

use serde_json::{Value, json};
use wcow_ntmeta::Guid;
use wcow_sim_dll::abi::{GUID, HANDLE, HCN_PORT_RANGE_RESERVATION, PWSTR};
use wcow_sim_dll::control::WcowSimCounters;
use wcow_sim_dll::network::guest::{
    HcnCloseGuestNetworkService, HcnCreateGuestNetworkService, HcnDeleteGuestNetworkService,
    HcnEnumerateGuestNetworkPortReservations, HcnFreeGuestNetworkPortReservations,
    HcnModifyGuestNetworkService, HcnRegisterGuestNetworkServiceCallback,
    HcnReleaseGuestNetworkServicePortReservationHandle, HcnReserveGuestNetworkServicePort,
    HcnReserveGuestNetworkServicePortRange, HcnUnregisterGuestNetworkServiceCallback,
};
use wcow_sim_dll::network::{
    HcnCloseEndpoint, HcnCloseLoadBalancer, HcnCloseNamespace, HcnCloseNetwork, HcnCloseSdnRoute,
    HcnCreateEndpoint, HcnCreateLoadBalancer, HcnCreateNamespace, HcnCreateNetwork,
    HcnCreateSdnRoute, HcnDeleteEndpoint, HcnDeleteLoadBalancer, HcnDeleteNamespace,
    HcnDeleteNetwork, HcnDeleteSdnRoute, HcnEnumerateEndpoints, HcnEnumerateLoadBalancers,
    HcnEnumerateNetworks, HcnModifyEndpoint, HcnModifyLoadBalancer, HcnModifyNamespace,
    HcnModifyNetwork, HcnOpenEndpoint, HcnOpenNetwork, HcnOpenSdnRoute, HcnQueryEndpointProperties,
    HcnQueryNamespaceProperties, HcnQueryNetworkProperties, HcnQuerySdnRouteProperties,
    HcnRegisterServiceCallback, HcnUnregisterServiceCallback,
};

use crate::program::{
    BAD_ARGUMENT, BAD_HANDLE, Ear, Wide, alone, assert_nothing_is_left, counters, hear, take,
};

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
    let before = WcowSimCounters {
        bad_handles: before.bad_handles + 1,
        ..before
    };
    assert_nothing_is_left(before);
}

/// An id that a test gives.
fn named(number: u128) -> GUID {
    Guid::from_u128(number).into()
}

/// A network with endpoints of these ids.
#[track_caller]
fn network_with(id: GUID, subnet: &str, endpoints: &[GUID]) -> HANDLE {
    let document = json!({
        "Name": format!("net {subnet}"), "Type": "NAT",
        "SchemaVersion": { "Major": 2, "Minor": 0 },
        "Ipams": [{ "Type": "Static", "Subnets": [{ "IpAddressPrefix": subnet }] }],
    });
    let (document, end) = (
        Wide::new(&document.to_string()),
        Wide::new(r#"{"Name":"end","SchemaVersion":{"Major":2,"Minor":0}}"#),
    );
    let (mut network, mut handle, mut text) = (null_mut(), null_mut(), null_mut());
    // SAFETY: texts end with a NUL, places can be written.
    unsafe {
        let code = HcnCreateNetwork(
            &raw const id,
            document.get(),
            &raw mut network,
            &raw mut text,
        );
        assert_eq!(code, 0, "{:?}", take(text));
        for end_id in endpoints {
            let code = HcnCreateEndpoint(
                network,
                &raw const *end_id,
                end.get(),
                &raw mut handle,
                &raw mut text,
            );
            assert_eq!(code, 0, "{:?}", take(text));
            assert_eq!(HcnCloseEndpoint(handle), 0);
        }
    }
    network
}

/// Deletes them again.
#[track_caller]
fn remove(network: HANDLE, id: GUID, endpoints: &[GUID]) {
    // SAFETY: the handle is open, ids can be read.
    unsafe {
        for end in endpoints {
            assert_eq!(HcnDeleteEndpoint(&raw const *end, null_mut()), 0);
        }
        assert_eq!(HcnCloseNetwork(network), 0);
        assert_eq!(HcnDeleteNetwork(&raw const id, null_mut()), 0);
    }
}

/// What an object is.
#[track_caller]
fn told(query: impl FnOnce(*mut PWSTR) -> i32) -> Value {
    let mut text = null_mut();
    assert_eq!(query(&raw mut text), 0);
    parse(text)
}

/// A request to change something.
fn request(what: &str, how: &str, settings: &Value) -> Wide {
    let request = json!({ "ResourceType": what, "RequestType": how, "Settings": settings });
    Wide::new(&request.to_string())
}

fn code(number: u32) -> i32 {
    number as i32
}

#[test]
fn endpoints_join_namespaces_and_leave_them() {
    let _alone = alone();
    let before = counters();
    let (id, end, other) = (named(0xA1), named(0xA2), named(0xA3));
    let (space, second) = (named(0xA4), named(0xA5));
    let end_text = Guid::from(end).to_string();
    let network = network_with(id, "172.26.0.0/16", &[end, other]);
    let (mut namespace, mut later, mut callback, mut text) =
        (null_mut(), null_mut(), null_mut(), null_mut());
    let document = Wide::new(r#"{"SchemaVersion":{"Major":2,"Minor":0},"Type":"HostDefault"}"#);
    let plain = Wide::new(r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#);
    let settings = json!({ "EndpointId": end_text });
    let (join, leave) = (
        request("Endpoint", "Add", &settings),
        request("Endpoint", "Remove", &settings),
    );
    let stranger = request(
        "Endpoint",
        "Add",
        &json!({ "EndpointId": Guid::from(id).to_string() }),
    );
    let ear = Ear::new();
    // SAFETY: texts end with a NUL, places can be written; the ear lives until the registration has ended.
    unsafe {
        assert_eq!(
            HcnRegisterServiceCallback(Some(hear), ear.context(), &raw mut callback),
            0
        );
        let made = HcnCreateNamespace(
            &raw const space,
            document.get(),
            &raw mut namespace,
            &raw mut text,
        );
        assert_eq!(made, 0, "{:?}", take(text));
        assert_eq!(ear.next().kind, 5);
        // There is one default namespace.
        let again = HcnCreateNamespace(
            &raw const second,
            document.get(),
            &raw mut later,
            null_mut(),
        );
        assert_eq!((again, later), (code(0x803B_0029), null_mut()));
        let made = HcnCreateNamespace(&raw const second, plain.get(), &raw mut later, null_mut());
        assert_eq!((made, ear.next().kind), (0, 5));
        assert_eq!(HcnModifyNamespace(namespace, join.get(), null_mut()), 0);
        for taken in [namespace, later] {
            let twice = HcnModifyNamespace(taken, join.get(), &raw mut text);
            assert_eq!(twice, code(0x803B_002B));
            assert_eq!(parse(text)["ErrorCode"], 0x803B_002B_u32);
        }
        let missing = HcnModifyNamespace(namespace, stranger.get(), null_mut());
        assert_eq!(missing, code(0x803B_0002));
        let in_it = told(|place| HcnQueryNamespaceProperties(namespace, null(), place, null_mut()));
        assert_eq!(in_it["Resources"][0]["Data"]["Id"], end_text, "{in_it}");
        assert_eq!(in_it["NamespaceId"], 2, "{in_it}");
        let mut handle = null_mut();
        assert_eq!(
            HcnOpenEndpoint(&raw const end, &raw mut handle, null_mut()),
            0
        );
        let of_it = told(|place| HcnQueryEndpointProperties(handle, null(), place, null_mut()));
        assert_eq!(of_it["HostComputeNamespace"], Guid::from(space).to_string());
        assert_eq!(HcnCloseEndpoint(handle), 0);
        // Neither goes while one refers to the other.
        for refused in [
            HcnDeleteEndpoint(&raw const end, null_mut()),
            HcnDeleteNamespace(&raw const space, null_mut()),
        ] {
            assert_eq!(refused, code(0x803B_002C));
        }
        assert_eq!(HcnModifyNamespace(namespace, leave.get(), null_mut()), 0);
        let gone = HcnModifyNamespace(namespace, leave.get(), null_mut());
        assert_eq!(gone, code(0x8007_0490));
        assert_eq!(
            (HcnCloseNamespace(namespace), HcnCloseNamespace(later)),
            (0, 0)
        );
        for space in [space, second] {
            assert_eq!(HcnDeleteNamespace(&raw const space, null_mut()), 0);
            assert_eq!(ear.next().kind, 6);
        }
        assert_eq!(HcnUnregisterServiceCallback(callback), 0);
    }
    remove(network, id, &[end, other]);
    assert_nothing_is_left(before);
}

#[test]
fn an_endpoint_is_made_in_its_namespace_or_not_at_all() {
    let _alone = alone();
    let before = counters();
    let (id, end, space) = (named(0xB1), named(0xB2), named(0xB3));
    let network = network_with(id, "172.25.0.0/16", &[]);
    let document = json!({
        "SchemaVersion": { "Major": 2, "Minor": 0 },
        "HostComputeNamespace": Guid::from(space).to_string(),
    });
    let (document, empty) = (Wide::new(&document.to_string()), Wide::new("{}"));
    let (mut handle, mut namespace) = (null_mut(), null_mut());
    // SAFETY: texts end with a NUL, places can be written.
    unsafe {
        let mut make = || {
            let place = &raw mut handle;
            HcnCreateEndpoint(network, &raw const end, document.get(), place, null_mut())
        };
        assert_eq!(make(), code(0x8007_0490));
        let ends = told(|place| HcnEnumerateEndpoints(null(), place, null_mut()));
        assert_eq!(ends, json!([]));
        assert_eq!(
            HcnCreateNamespace(
                &raw const space,
                empty.get(),
                &raw mut namespace,
                null_mut()
            ),
            0
        );
        assert_eq!(make(), 0);
        let in_it = told(|place| HcnQueryNamespaceProperties(namespace, null(), place, null_mut()));
        assert_eq!(in_it["Resources"][0]["Type"], "Endpoint", "{in_it}");
        let leave = json!({ "EndpointId": Guid::from(end).to_string() });
        let leave = request("Endpoint", "Remove", &leave);
        assert_eq!(HcnModifyNamespace(namespace, leave.get(), null_mut()), 0);
        assert_eq!(
            (HcnCloseEndpoint(handle), HcnCloseNamespace(namespace)),
            (0, 0)
        );
        assert_eq!(HcnDeleteNamespace(&raw const space, null_mut()), 0);
    }
    remove(network, id, &[end]);
    assert_nothing_is_left(before);
}

#[test]
fn policies_are_kept_as_they_came() {
    let _alone = alone();
    let before = counters();
    let (id, end) = (named(0xC1), named(0xC2));
    let network = network_with(id, "172.24.0.0/16", &[]);
    let acl = json!({ "Type": "ACL", "Settings": { "Action": "Block", "Direction": "In" } });
    let document = |policies: Value| {
        let version = json!({ "Major": 2, "Minor": 0 });
        Wide::new(&json!({ "SchemaVersion": version, "Policies": policies }).to_string())
    };
    let quality = json!({ "Type": "QOS", "Settings": { "MaximumOutgoingBandwidthInBytes": 1000 } });
    let wrong = document(json!([{ "Type": "SourceMacAddress", "Settings": {} }]));
    let right = document(json!([acl]));
    let policies = json!({ "Policies": [quality] });
    let mut handle = null_mut();
    // SAFETY: texts end with a NUL, places can be written.
    unsafe {
        let refused = HcnCreateEndpoint(
            network,
            &raw const end,
            wrong.get(),
            &raw mut handle,
            null_mut(),
        );
        assert_eq!(refused, code(0x803B_000E));
        let made = HcnCreateEndpoint(
            network,
            &raw const end,
            right.get(),
            &raw mut handle,
            null_mut(),
        );
        assert_eq!(made, 0);
        let change = |how: &str| {
            let request = request("Policy", how, &policies);
            HcnModifyEndpoint(handle, request.get(), null_mut())
        };
        assert_eq!(change("Add"), 0);
        let now = told(|place| HcnQueryEndpointProperties(handle, null(), place, null_mut()));
        assert_eq!(now["Policies"], json!([acl, quality]));
        assert_eq!(change("Remove"), 0);
        assert_eq!(change("Remove"), code(0x803B_0008));
        assert_eq!(change("Refresh"), code(0x803B_0015));
        let port = request("Port", "Add", &json!({}));
        assert_eq!(
            HcnModifyEndpoint(handle, port.get(), null_mut()),
            code(0x803B_0015)
        );
        // Of a network those are policies that are none of an endpoint.
        let source = json!({ "Policies": [{ "Type": "SourceMacAddress", "Settings": {} }] });
        let source = request("Policy", "Add", &source);
        assert_eq!(HcnModifyNetwork(network, source.get(), null_mut()), 0);
        assert_eq!(
            HcnModifyEndpoint(handle, source.get(), null_mut()),
            code(0x803B_000E)
        );
        let now = told(|place| HcnQueryNetworkProperties(network, null(), place, null_mut()));
        assert_eq!(now["Policies"][0]["Type"], "SourceMacAddress", "{now}");
        // Flags are numbers.
        let words = Wide::new(r#"{"SchemaVersion":{"Major":2,"Minor":0},"Flags":"EnableDhcp"}"#);
        let mut other = null_mut();
        let id = named(0xC3);
        let refused = HcnCreateEndpoint(
            network,
            &raw const id,
            words.get(),
            &raw mut other,
            null_mut(),
        );
        assert_eq!(refused, code(0x803B_001B));
        assert_eq!(HcnCloseEndpoint(handle), 0);
    }
    remove(network, id, &[end]);
    assert_nothing_is_left(before);
}

#[test]
fn load_balancers_and_routes_refer_to_endpoints() {
    let _alone = alone();
    let before = counters();
    let (id, end, balancer, route) = (named(0xD1), named(0xD2), named(0xD3), named(0xD4));
    let network = network_with(id, "172.23.0.0/16", &[end]);
    let of = |endpoint: GUID, port: u16| {
        let mappings = json!([{ "Protocol": 6, "InternalPort": port, "ExternalPort": 80 }]);
        let document = json!({
            "HostComputeEndpoints": [Guid::from(endpoint).to_string()],
            "PortMappings": mappings,
        });
        Wide::new(&document.to_string())
    };
    let (right, nobody, no_port) = (of(end, 8080), of(route, 8080), of(end, 0));
    let nothing = request("Policy", "Add", &json!({ "Policies": [] }));
    let mut handle = null_mut();
    // SAFETY: texts end with a NUL, places can be written.
    unsafe {
        for (document, expected) in [
            (nobody.get(), 0x803B_0002),
            (no_port.get(), 0x803B_002D),
            (right.get(), 0),
            (right.get(), 0x8007_1392),
        ] {
            let made =
                HcnCreateLoadBalancer(&raw const balancer, document, &raw mut handle, null_mut());
            assert_eq!(made, code(expected));
            if made == 0 {
                let change = HcnModifyLoadBalancer(handle, nothing.get(), null_mut());
                assert_eq!(change, code(0x803B_0015));
                assert_eq!(HcnCloseLoadBalancer(handle), 0);
            }
        }
        let listed = told(|place| HcnEnumerateLoadBalancers(null(), place, null_mut()));
        assert_eq!(listed.as_array().map(Vec::len), Some(1));
        let made = HcnCreateSdnRoute(&raw const route, right.get(), &raw mut handle, null_mut());
        assert_eq!((made, HcnCloseSdnRoute(handle)), (0, 0));
        assert_eq!(
            HcnOpenSdnRoute(&raw const route, &raw mut handle, null_mut()),
            0
        );
        // A route is no load balancer.
        assert_eq!(HcnCloseLoadBalancer(handle), BAD_HANDLE);
        let of_it = told(|place| HcnQuerySdnRouteProperties(handle, null(), place, null_mut()));
        assert_eq!(of_it["ID"], Guid::from(route).to_string());
        assert_eq!(HcnCloseSdnRoute(handle), 0);
        let kept = || HcnDeleteEndpoint(&raw const end, null_mut());
        assert_eq!(kept(), code(0x803B_002C));
        assert_eq!(HcnDeleteLoadBalancer(&raw const balancer, null_mut()), 0);
        assert_eq!(kept(), code(0x803B_002C));
        assert_eq!(HcnDeleteSdnRoute(&raw const route, null_mut()), 0);
    }
    remove(network, id, &[end]);
    let before = WcowSimCounters {
        bad_handles: before.bad_handles + 1,
        ..before
    };
    assert_nothing_is_left(before);
}

#[test]
fn a_guest_network_service_reserves_ports() {
    let _alone = alone();
    let before = counters();
    let id = named(0xE1);
    let (mut service, mut callback, mut service_callback) = (null_mut(), null_mut(), null_mut());
    let (ear, state_ear) = (Ear::new(), Ear::new());
    let document = Wide::new("{}");
    let state = |word: &str| request("State", "Update", &json!({ "State": word }));
    let (mut one, mut two, mut range) = (null_mut(), null_mut(), null_mut());
    let mut ports = HCN_PORT_RANGE_RESERVATION::default();
    // SAFETY: texts end with a NUL, places can be written; the ears live until their registrations have ended.
    unsafe {
        assert_eq!(
            HcnRegisterServiceCallback(Some(hear), ear.context(), &raw mut service_callback),
            0
        );
        let made = HcnCreateGuestNetworkService(
            &raw const id,
            document.get(),
            &raw mut service,
            null_mut(),
        );
        assert_eq!((made, ear.next().kind), (0, 7));
        assert_eq!(
            HcnRegisterGuestNetworkServiceCallback(
                service,
                Some(hear),
                state_ear.context(),
                &raw mut callback
            ),
            0
        );
        let boot = state("Bootstrapping");
        assert_eq!(
            HcnModifyGuestNetworkService(service, boot.get(), null_mut()),
            0
        );
        let heard = state_ear.next();
        assert_eq!(heard.kind, 0x11);
        let data: Value = serde_json::from_str(&heard.data.expect("a document")).expect("JSON");
        assert_eq!(data["Data"]["State"], "Bootstrapping");
        let wrong = state("Asleep");
        assert_eq!(
            HcnModifyGuestNetworkService(service, wrong.get(), null_mut()),
            code(0x803B_001B)
        );
        let reserve = |protocol, access, place: *mut HANDLE| {
            HcnReserveGuestNetworkServicePort(service, protocol, access, 8080, place)
        };
        assert_eq!(reserve(4, 1, &raw mut one), BAD_ARGUMENT);
        assert_eq!(reserve(1, 2, &raw mut one), 0);
        assert_eq!(reserve(1, 2, &raw mut two), 0);
        assert_eq!(reserve(1, 1, &raw mut range), code(0x803B_0013));
        assert_eq!(
            HcnReserveGuestNetworkServicePortRange(service, 10, &raw mut ports, &raw mut range),
            0
        );
        assert_eq!((ports.startingPort, ports.endingPort), (49152, 49161));
        let (mut count, mut entries) = (0, null_mut());
        assert_eq!(
            HcnEnumerateGuestNetworkPortReservations(&raw mut count, &raw mut entries),
            0
        );
        assert_eq!(
            (count, counters().live_strings),
            (3, before.live_strings + 1)
        );
        let last = entries.add(2).read();
        assert_eq!((last.StartingPort, last.Protocol), (49152, 3));
        assert_eq!(last.OwningPartitionId, id);
        HcnFreeGuestNetworkPortReservations(entries);
        for handle in [one, two, range] {
            assert_eq!(
                HcnReleaseGuestNetworkServicePortReservationHandle(handle),
                0
            );
        }
        assert_eq!(
            HcnEnumerateGuestNetworkPortReservations(&raw mut count, &raw mut entries),
            0
        );
        assert_eq!((count, entries), (0, null_mut()));
        assert_eq!(HcnUnregisterGuestNetworkServiceCallback(callback), 0);
        assert_eq!(HcnCloseGuestNetworkService(service), 0);
        assert_eq!(HcnDeleteGuestNetworkService(&raw const id, null_mut()), 0);
        assert_eq!(ear.next().kind, 8);
        assert_eq!(HcnUnregisterServiceCallback(service_callback), 0);
    }
    assert_nothing_is_left(before);
}
