//! What only the second generation of the network service has.

use serde_json::{Value, json};
use wcow_hcs_schema::hns::{HnsEndpoint, HnsNetwork, NatPolicy, Policy, Subnet};
use wcow_host::{Host, HostControl, NetworkService};
use wcow_ntmeta::Guid;
use wcow_sim::hcn::{HcnCall, HcnKind, HcnTarget, PortClaim};
use wcow_sim::{Profile, SimHost};

use crate::support::{code, host, run, win32};

const BALANCER: HcnKind = HcnKind::LoadBalancer;

fn id_of(document: &Value) -> Guid {
    document["ID"].as_str().unwrap().parse().unwrap()
}

async fn network(client: &SimHost, kind: &str, prefix: &str) -> HnsNetwork {
    let wanted = HnsNetwork {
        name: kind.to_owned(),
        kind: kind.to_owned(),
        subnets: vec![Subnet {
            address_prefix: prefix.to_owned(),
            ..Subnet::default()
        }],
        ..HnsNetwork::default()
    };
    client.network().create_network(&wanted).await.unwrap()
}

/// An endpoint of a network, with this port of the host if it is not 0.
async fn endpoint(client: &SimHost, network: &HnsNetwork, port: u16) -> Result<Guid, String> {
    let nat = Policy::Nat(NatPolicy {
        protocol: "TCP".to_owned(),
        internal_port: 80,
        external_port: port,
        ..NatPolicy::default()
    });
    let wanted = HnsEndpoint {
        virtual_network: network.id.clone(),
        policies: (port != 0).then_some(nat).into_iter().collect(),
        ..HnsEndpoint::default()
    };
    match client.network().create_endpoint(&wanted).await {
        Ok(made) => Ok(made.id.parse().unwrap()),
        error => Err(code(error)),
    }
}

#[test]
fn hosts_before_version_1809_do_not_have_it() {
    for profile in [Profile::nano_tp5(), Profile::nano_tp3()] {
        let (sim, client) = host(profile);
        let listed = run(&sim, client.hcn(HcnCall::List(HcnKind::Namespace)));
        assert_eq!(code(listed), win32(0x7f));
    }
}

#[test]
fn a_restart_leaves_what_is_not_volatile() {
    let (sim, client) = host(Profile::server_2022());
    run(&sim, async {
        let nat = network(&client, "nat", "172.20.0.0/16").await;
        let private = network(&client, "private", "10.1.0.0/16").await;
        let volatile = endpoint(&client, &nat, 0).await.unwrap();
        let stays = endpoint(&client, &private, 0).await.unwrap();
        let both = [volatile.to_string(), stays.to_string()];
        let balancer = json!({ "HostComputeEndpoints": both });
        let balancer = client.hcn(HcnCall::Create(BALANCER, balancer)).await;
        let balancer = id_of(&balancer.unwrap());
        let resources = both.map(|id| json!({ "Type": "Endpoint", "Data": { "Id": id } }));
        let space = json!({ "Resources": resources });
        let space = client.hcn(HcnCall::Create(HcnKind::Namespace, space)).await;
        let space = id_of(&space.unwrap());
        let guest = HcnCall::Create(HcnKind::GuestNetworkService, json!({}));
        let guest = id_of(&client.hcn(guest).await.unwrap());
        let claim = PortClaim {
            tcp: true,
            udp: false,
            shared: false,
            first: Some(7000),
            count: 3,
        };
        client
            .hcn(HcnCall::ReservePorts(guest, claim))
            .await
            .unwrap();
        client.control().reboot().await.unwrap();

        let left = client
            .hcn(HcnCall::Query(BALANCER, balancer))
            .await
            .unwrap();
        assert_eq!(left["HostComputeEndpoints"], json!([stays.to_string()]));
        let left = client.hcn(HcnCall::Query(HcnKind::Namespace, space)).await;
        let left = left.unwrap();
        assert_eq!(
            left["Resources"].as_array().map(Vec::len),
            Some(1),
            "{left}"
        );
        let services = client
            .hcn(HcnCall::List(HcnKind::GuestNetworkService))
            .await;
        assert_eq!(services, Ok(json!([])));
        assert_eq!(client.hcn(HcnCall::ReservedPorts).await, Ok(json!([])));
    });
}

#[test]
fn published_and_reserved_ports_exclude_each_other() {
    let (sim, client) = host(Profile::server_2022());
    run(&sim, async {
        let nat = network(&client, "nat", "172.20.0.0/16").await;
        endpoint(&client, &nat, 8080).await.unwrap();
        let guest = HcnCall::Create(HcnKind::GuestNetworkService, json!({}));
        let guest = id_of(&client.hcn(guest).await.unwrap());
        let claim = |first, udp: bool| PortClaim {
            tcp: !udp,
            udp,
            shared: true,
            first: Some(first),
            count: 1,
        };
        let reserve = |first, udp| client.hcn(HcnCall::ReservePorts(guest, claim(first, udp)));
        assert_eq!(code(reserve(8080, false).await), "0x803B0013");
        reserve(8080, true).await.unwrap();
        reserve(9090, false).await.unwrap();
        assert_eq!(
            endpoint(&client, &nat, 9090).await,
            Err("0x803B0013".to_owned())
        );
        client
            .hcn(HcnCall::Delete(HcnKind::GuestNetworkService, guest))
            .await
            .unwrap();
        endpoint(&client, &nat, 9090).await.unwrap();
    });
}

#[test]
fn a_policy_that_came_later_goes_with_its_endpoint() {
    let (sim, client) = host(Profile::server_2022());
    run(&sim, async {
        let nat = network(&client, "nat", "172.20.0.0/16").await;
        let id = endpoint(&client, &nat, 0).await.unwrap();
        let target = HcnTarget::Endpoint(id);
        let mapping = json!({ "Type": "PortMapping", "Settings": { "Protocol": 6, "InternalPort": 80, "ExternalPort": 8080 } });
        let request = json!({
            "ResourceType": "Policy", "RequestType": "Add", "Settings": { "Policies": [mapping] },
        });
        client
            .hcn(HcnCall::ModifyTarget(target, request))
            .await
            .unwrap();
        let extras = client.hcn(HcnCall::Extras(target)).await.unwrap();
        assert_eq!(extras["Policies"], json!([mapping]));
        // It has no effect: the port is free.
        endpoint(&client, &nat, 8080).await.unwrap();
        client.network().delete_endpoint(id).await.unwrap();
        assert_eq!(
            code(client.hcn(HcnCall::Extras(target)).await),
            win32(0x490)
        );
    });
}
