//! The Host Network Service.

use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork, NatPolicy, Policy, Subnet};
use wcow_host::{Host, HostControl, NetworkService};
use wcow_sim::Profile;

use crate::support::{code, host, run, win32};

fn network(name: &str, kind: &str, prefix: &str) -> HnsNetwork {
    let subnet = Subnet {
        address_prefix: prefix.to_owned(),
        ..Subnet::default()
    };
    HnsNetwork {
        name: name.to_owned(),
        kind: kind.to_owned(),
        subnets: if prefix.is_empty() {
            Vec::new()
        } else {
            vec![subnet]
        },
        ..HnsNetwork::default()
    }
}

fn endpoint(network: &HnsNetwork, address: &str, ports: &[(u16, u16)]) -> HnsEndpoint {
    let policy = |&(external_port, internal_port): &(u16, u16)| {
        Policy::Nat(NatPolicy {
            protocol: "tcp".to_owned(),
            internal_port,
            external_port,
            ..NatPolicy::default()
        })
    };
    HnsEndpoint {
        virtual_network: network.id.clone(),
        ip_address: address.to_owned(),
        policies: ports.iter().map(policy).collect(),
        ..HnsEndpoint::default()
    }
}

#[test]
fn hosts_before_hns_do_not_know_it() {
    for profile in [Profile::nano_tp3(), Profile::core_tp3()] {
        let (sim, client) = host(profile);
        assert_eq!(code(run(&sim, client.network().networks())), win32(0x7f));
    }
}

#[test]
fn networks_are_made_listed_and_deleted() {
    let (sim, client) = host(Profile::server_2022());
    let hns = client.network();
    run(&sim, async {
        assert!(hns.networks().await.unwrap().is_empty());
        let nat = hns
            .create_network(&network("nat", "NAT", ""))
            .await
            .unwrap();
        assert_eq!(
            (nat.kind.as_str(), nat.subnets[0].address_prefix.as_str()),
            ("nat", "172.16.0.0/20")
        );
        assert_eq!(nat.subnets[0].gateway_address, "172.16.0.1");
        assert_eq!(
            code(
                hns.create_network(&network("nat", "nat", "10.0.0.0/8"))
                    .await
            ),
            "0x803B0010"
        );
        assert_eq!(
            code(hns.create_network(&network("x", "magic", "")).await),
            "0x803B000B"
        );
        assert_eq!(
            code(hns.create_network(&network("x", "overlay", "")).await),
            "0x803B0037"
        );
        assert_eq!(
            code(hns.create_network(&network("x", "nat", "10.0.0.1/8")).await),
            "0x803B0030"
        );
        let transparent = hns
            .create_network(&network("lan", "transparent", ""))
            .await
            .unwrap();
        assert_eq!(transparent.network_adapter_name, "Ethernet");
        assert_eq!(
            code(
                hns.create_network(&network("lan2", "transparent", ""))
                    .await
            ),
            "0x803B0006"
        );
        let names: Vec<String> = hns
            .networks()
            .await
            .unwrap()
            .into_iter()
            .map(|network| network.name)
            .collect();
        assert_eq!(names, ["lan", "nat"]);
        hns.delete_network(nat.id.parse().unwrap()).await.unwrap();
        assert_eq!(
            code(hns.delete_network(nat.id.parse().unwrap()).await),
            win32(0x490)
        );
    });
}

#[test]
fn nat_networks_do_not_share_addresses() {
    let (sim, client) = host(Profile::server_2022());
    let hns = client.network();
    run(&sim, async {
        hns.create_network(&network("one", "nat", "10.0.0.0/8"))
            .await
            .unwrap();
        assert_eq!(
            code(
                hns.create_network(&network("two", "nat", "10.1.0.0/16"))
                    .await
            ),
            win32(0x57)
        );
        hns.create_network(&network("three", "nat", "172.16.0.0/20"))
            .await
            .unwrap();
        let chosen = hns
            .create_network(&network("four", "nat", ""))
            .await
            .unwrap();
        assert_eq!(chosen.subnets[0].address_prefix, "172.16.16.0/20");
    });
}

#[test]
fn endpoints_get_the_lowest_free_address() {
    let (sim, client) = host(Profile::server_2022());
    let hns = client.network();
    run(&sim, async {
        let nat = hns
            .create_network(&network("nat", "nat", "10.1.0.0/29"))
            .await
            .unwrap();
        let first = hns.create_endpoint(&endpoint(&nat, "", &[])).await.unwrap();
        assert_eq!(
            (first.ip_address.as_str(), first.gateway_address.as_str()),
            ("10.1.0.2", "10.1.0.1")
        );
        assert_eq!(first.prefix_length, Some(29));
        assert!(first.mac_address.starts_with("00-15-5D-") && first.mac_address.ends_with("-01"));
        hns.create_endpoint(&endpoint(&nat, "10.1.0.3", &[]))
            .await
            .unwrap();
        let third = hns.create_endpoint(&endpoint(&nat, "", &[])).await.unwrap();
        assert_eq!(third.ip_address, "10.1.0.4");
        assert_ne!(first.mac_address, third.mac_address);
        hns.delete_endpoint(first.id.parse().unwrap())
            .await
            .unwrap();
        let again = hns.create_endpoint(&endpoint(&nat, "", &[])).await.unwrap();
        assert_eq!(again.ip_address, "10.1.0.2");
        assert_eq!(again.mac_address, first.mac_address);
        assert_eq!(
            code(hns.create_endpoint(&endpoint(&nat, "10.2.0.2", &[])).await),
            "0x803B001E"
        );
        assert_eq!(
            code(hns.create_endpoint(&endpoint(&nat, "10.1.0.1", &[])).await),
            "0x803B002F"
        );
        for _ in 0..2 {
            hns.create_endpoint(&endpoint(&nat, "", &[])).await.unwrap();
        }
        assert_eq!(
            code(hns.create_endpoint(&endpoint(&nat, "", &[])).await),
            "0x803B0005",
            "none is left"
        );
        assert_eq!(
            code(hns.delete_network(nat.id.parse().unwrap()).await),
            "0x803B002C"
        );
        let missing = HnsNetwork {
            id: "11111111-2222-3333-4444-555555555555".to_owned(),
            ..HnsNetwork::default()
        };
        assert_eq!(
            code(hns.create_endpoint(&endpoint(&missing, "", &[])).await),
            "0x803B0001"
        );
        assert_eq!(
            code(hns.create_endpoint(&HnsEndpoint::default()).await),
            "0x803B0019"
        );
    });
}

#[test]
fn a_port_is_published_once() {
    let (sim, client) = host(Profile::server_2022());
    let hns = client.network();
    run(&sim, async {
        let nat = hns
            .create_network(&network("nat", "nat", ""))
            .await
            .unwrap();
        let web = hns
            .create_endpoint(&endpoint(&nat, "", &[(8080, 80)]))
            .await
            .unwrap();
        assert_eq!(
            code(
                hns.create_endpoint(&endpoint(&nat, "", &[(8080, 81)]))
                    .await
            ),
            "0x803B0013"
        );
        assert_eq!(
            code(
                hns.create_endpoint(&endpoint(&nat, "", &[(81, 80), (81, 82)]))
                    .await
            ),
            "0x803B0013"
        );
        assert_eq!(
            code(hns.create_endpoint(&endpoint(&nat, "", &[(81, 0)])).await),
            "0x803B002D"
        );
        assert_eq!(
            hns.endpoints().await.unwrap().len(),
            1,
            "a refusal leaves nothing"
        );
        let chosen = hns
            .create_endpoint(&endpoint(&nat, "", &[(0, 80)]))
            .await
            .unwrap();
        assert!(matches!(&chosen.policies[0], Policy::Nat(nat) if nat.external_port == 49152));
        hns.delete_endpoint(web.id.parse().unwrap()).await.unwrap();
        hns.create_endpoint(&endpoint(&nat, "", &[(8080, 81)]))
            .await
            .unwrap();
        let internal = hns
            .create_network(&network("inside", "internal", "10.9.0.0/24"))
            .await
            .unwrap();
        assert_eq!(
            code(
                hns.create_endpoint(&endpoint(&internal, "", &[(1, 1)]))
                    .await
            ),
            "0x803B0016"
        );
    });
}

#[test]
fn nat_networks_do_not_survive_a_restart_of_a_later_host() {
    let (sim, client) = host(Profile::server_2022());
    let hns = client.network();
    run(&sim, async {
        let nat = hns
            .create_network(&network("nat", "nat", ""))
            .await
            .unwrap();
        hns.create_endpoint(&endpoint(&nat, "", &[])).await.unwrap();
        hns.create_network(&network("lan", "transparent", ""))
            .await
            .unwrap();
        client.control().reboot().await.unwrap();
        let names: Vec<String> = hns
            .networks()
            .await
            .unwrap()
            .into_iter()
            .map(|network| network.name)
            .collect();
        assert_eq!(names, ["lan"]);
        assert!(hns.endpoints().await.unwrap().is_empty());
    });
}

#[test]
fn without_the_service_there_are_no_networks() {
    let mut profile = Profile::server_2022();
    profile
        .features
        .retain(|feature| feature.name != "Containers");
    let (sim, client) = host(profile);
    assert_eq!(code(run(&sim, client.network().networks())), win32(0x426));
}
