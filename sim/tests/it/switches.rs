//! Switches and NAT objects on the hosts of each generation.

use wcow_host::{
    Host, NewNetNat, NewStaticMapping, NewVmSwitch, SwitchService, SwitchType, TransportProtocol,
};
use wcow_sim::Profile;

use crate::support::{code, host, run};

const NO_ELEMENT: &str = "InvalidOperation,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch";
const NOT_RECOGNISED: &str = "CommandNotFoundException";

fn switch(kind: SwitchType) -> NewVmSwitch {
    NewVmSwitch {
        name: "Virtual Switch".to_owned(),
        kind,
        adapter: (kind == SwitchType::External).then(|| "Ethernet".to_owned()),
        nat_subnet: (kind == SwitchType::Nat).then(|| "172.16.0.0/12".parse().unwrap()),
    }
}

fn nat(name: &str, prefix: &str) -> NewNetNat {
    NewNetNat {
        name: name.to_owned(),
        internal_prefix: prefix.parse().unwrap(),
    }
}

/// The answers to New-VMSwitch of each type, each on a host of its own.
#[track_caller]
fn check_types(profile: &Profile, expected: [(SwitchType, &str); 4]) {
    for (kind, answer) in expected {
        let (sim, client) = host(profile.clone());
        let created = run(&sim, client.switches().new_switch(&switch(kind)));
        assert_eq!(code(created), answer, "{} {kind:?}", profile.name);
        let left = run(&sim, client.switches().switches()).unwrap().len();
        assert_eq!(
            left,
            usize::from(answer == "ok"),
            "{} {kind:?} leaves switches",
            profile.name
        );
    }
}

#[test]
fn each_generation_makes_its_types_of_switches() {
    use SwitchType::{External, Internal, Nat, Private};
    check_types(
        &Profile::nano_tp3(),
        [
            (Nat, "ok"),
            (External, NO_ELEMENT),
            (Internal, NO_ELEMENT),
            (Private, NO_ELEMENT),
        ],
    );
    let gone = "NamedParameterNotFound,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch";
    check_types(
        &Profile::server_2022(),
        [
            (Nat, gone),
            (External, "ok"),
            (Internal, "ok"),
            (Private, "ok"),
        ],
    );
    check_types(
        &Profile::core_tp3(),
        [
            (Nat, "ok"),
            (External, "ok"),
            (Internal, "ok"),
            (Private, "ok"),
        ],
    );
}

#[test]
fn nano_tp3_has_no_netnat() {
    let (sim, client) = host(Profile::nano_tp3());
    run(&sim, async {
        let switches = client.switches();
        assert_eq!(
            code(
                switches
                    .new_nat(&nat("ContainerNAT", "172.16.0.0/12"))
                    .await
            ),
            NOT_RECOGNISED
        );
        assert_eq!(code(switches.nats().await), NOT_RECOGNISED);
    });
}

#[test]
fn each_type_of_switch_gives_the_host_its_adapter() {
    let (sim, client) = host(Profile::core_tp3());
    let switches = client.switches();
    run(&sim, async {
        for (name, kind) in [
            ("n", SwitchType::Nat),
            ("e", SwitchType::External),
            ("i", SwitchType::Internal),
            ("p", SwitchType::Private),
        ] {
            switches
                .new_switch(&NewVmSwitch {
                    name: name.to_owned(),
                    ..switch(kind)
                })
                .await
                .unwrap();
        }
        let adapters = switches.adapters().await.unwrap();
        let seen: Vec<(&str, Option<String>)> = adapters
            .iter()
            .map(|adapter| {
                (
                    adapter.name.as_str(),
                    adapter.address.map(|address| address.to_string()),
                )
            })
            .collect();
        let address = |text: &str| Some(text.to_owned());
        assert_eq!(
            seen,
            [
                ("Ethernet", None),
                ("vEthernet (n)", address("172.16.0.1/12")),
                ("vEthernet (e)", address("192.168.1.94/24")),
                ("vEthernet (i)", None),
            ]
        );
        let taken = switches.new_switch(&switch(SwitchType::External)).await;
        assert_ne!(code(taken), "ok", "one external switch per adapter");
        switches.remove_switch("E").await.unwrap();
        assert_ne!(code(switches.remove_switch("e").await), "ok");
        assert_eq!(
            switches.adapters().await.unwrap()[0]
                .address
                .unwrap()
                .to_string(),
            "192.168.1.94/24"
        );
        switches
            .new_switch(&switch(SwitchType::External))
            .await
            .unwrap();
    });
}

#[test]
fn an_external_switch_needs_an_adapter_that_is_there() {
    let (sim, client) = host(Profile::core_tp3());
    let wanted = NewVmSwitch {
        adapter: Some("Wi-Fi".to_owned()),
        ..switch(SwitchType::External)
    };
    let answer = code(run(&sim, client.switches().new_switch(&wanted)));
    assert_eq!(
        answer,
        "ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch"
    );
}

#[test]
fn a_nat_is_active_once_an_adapter_has_an_address_of_its_prefix() {
    let (sim, client) = host(Profile::core_tp3());
    let switches = client.switches();
    run(&sim, async {
        let made = switches
            .new_nat(&nat("ContainerNAT", "172.16.0.0/12"))
            .await
            .unwrap();
        assert!(!made.active);
        switches.new_switch(&switch(SwitchType::Nat)).await.unwrap();
        assert!(switches.nats().await.unwrap()[0].active);
        let second = switches.new_nat(&nat("Second", "10.0.0.0/8")).await;
        assert_eq!(code(second), "Windows System Error 87,New-NetNat");
        switches.remove_nat("containernat").await.unwrap();
        let gone = switches.remove_nat("ContainerNAT").await;
        assert_eq!(code(gone), "CmdletizationQuery_NotFound_Name,Remove-NetNat");
        switches
            .new_nat(&nat("Second", "10.0.0.0/8"))
            .await
            .unwrap();
    });
}

#[test]
fn a_port_is_mapped_once() {
    let (sim, client) = host(Profile::core_tp3());
    let switches = client.switches();
    let mapping = |protocol, external_port, address: &str| NewStaticMapping {
        nat: "n".to_owned(),
        protocol,
        external_port,
        internal_address: address.parse().unwrap(),
        internal_port: 80,
    };
    let (tcp, udp) = (TransportProtocol::Tcp, TransportProtocol::Udp);
    run(&sim, async {
        let early = switches
            .add_static_mapping(&mapping(tcp, 80, "172.16.0.2"))
            .await;
        assert_eq!(
            code(early),
            "CmdletizationQuery_NotFound_Name,Add-NetNatStaticMapping"
        );
        switches.new_nat(&nat("n", "172.16.0.0/12")).await.unwrap();
        let first = switches
            .add_static_mapping(&mapping(tcp, 80, "172.16.0.2"))
            .await
            .unwrap();
        switches
            .add_static_mapping(&mapping(udp, 80, "172.16.0.2"))
            .await
            .unwrap();
        let taken = switches
            .add_static_mapping(&mapping(tcp, 80, "172.16.0.3"))
            .await;
        assert_eq!(
            code(taken),
            "Windows System Error 5010,Add-NetNatStaticMapping"
        );
        let outside = switches
            .add_static_mapping(&mapping(tcp, 81, "10.0.0.3"))
            .await;
        assert_eq!(
            code(outside),
            "Windows System Error 87,Add-NetNatStaticMapping"
        );
        switches.remove_static_mapping("n", first.id).await.unwrap();
        assert_ne!(
            code(switches.remove_static_mapping("n", first.id).await),
            "ok"
        );
        switches
            .add_static_mapping(&mapping(tcp, 80, "172.16.0.3"))
            .await
            .unwrap();
        assert_eq!(switches.static_mappings().await.unwrap().len(), 2);
        switches.remove_nat("n").await.unwrap();
        assert!(switches.static_mappings().await.unwrap().is_empty());
    });
}
