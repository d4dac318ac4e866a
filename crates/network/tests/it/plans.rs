//! Plans for the hosts of the facts: which steps, and what is predicted.

use wcow_hcs_schema::hns::HnsNetwork;
use wcow_host::{
    Adapter, AdapterState, Code, EditionClass, Feature, FeatureState, HostInfo, Machine, NetNat,
    Package, SwitchType, VmSwitch, era,
};
use wcow_network::{
    Driver, HostNetworking, NAT_NAME, NetworkPlan, NetworkSpec, NetworkStep, PlanError,
    TP_NAT_SUBNET, plan,
};
use wcow_ntmeta::Guid;

const NANO: &[&str] = &["Compute", "Containers", "Guest", "OEM-Drivers"];

#[test]
fn the_steps_are_those_of_the_generation() {
    for host in [nano(NANO), core()] {
        for driver in Driver::ALL {
            let plan = plan(&spec(driver), &host).unwrap();
            let NetworkStep::NewSwitch(switch) = &plan.steps[0] else {
                panic!("{:?}", plan.steps)
            };
            assert_eq!(
                (switch.name.as_str(), switch.kind),
                ("net", driver.switch_type())
            );
            assert_eq!(
                switch.adapter.as_deref(),
                (driver == Driver::External).then_some("Ethernet")
            );
            match (driver, &plan.steps[1..]) {
                (Driver::Nat, [NetworkStep::NewNat(nat)]) => {
                    assert_eq!(nat.name, NAT_NAME);
                    assert_eq!(nat.internal_prefix, TP_NAT_SUBNET);
                    assert_eq!(
                        switch.nat_subnet,
                        Some(TP_NAT_SUBNET),
                        "the two objects agree"
                    );
                    assert_eq!(plan.gateway, Some("172.16.0.1".parse().unwrap()));
                    assert_eq!(plan.nat(), Some(NAT_NAME));
                }
                (Driver::Nat, other) => panic!("{other:?}"),
                (_, rest) => {
                    assert_eq!(rest, []);
                    assert_eq!(
                        (switch.nat_subnet, plan.subnet, plan.gateway),
                        (None, None, None)
                    );
                }
            }
        }
    }
    for (driver, kind) in Driver::ALL
        .into_iter()
        .zip(["nat", "transparent", "internal", "private"])
    {
        let plan = plan(&spec(driver), &server_2022()).unwrap();
        let network = hns(&plan);
        assert_eq!(
            (network.name.as_str(), network.kind.as_str()),
            ("net", kind)
        );
        assert_eq!(
            network.network_adapter_name,
            if driver == Driver::External {
                "Ethernet"
            } else {
                ""
            }
        );
        let subnets: Vec<_> = network
            .subnets
            .iter()
            .map(|subnet| {
                (
                    subnet.address_prefix.as_str(),
                    subnet.gateway_address.as_str(),
                )
            })
            .collect();
        let expected: &[_] = if driver == Driver::Nat {
            &[("172.17.0.0/20", "172.17.0.1")]
        } else {
            &[]
        };
        assert_eq!(subnets, expected);
        assert_eq!(plan.nat(), None);
    }
}

#[test]
fn refusals_are_predicted_step_by_step() {
    const COMMAND_NOT_FOUND: &str = "CommandNotFoundException";
    const NO_ELEMENT: &str = "InvalidOperation,Microsoft.HyperV.PowerShell.Commands.NewVMSwitch";
    for driver in Driver::ALL {
        check(
            &nano(&[]),
            driver,
            Some((0, COMMAND_NOT_FOUND, "hyper-v-cmdlets-missing")),
        );
        check(
            &nano(&["Containers", "Guest"]),
            driver,
            Some((0, COMMAND_NOT_FOUND, "hyper-v-cmdlets-missing")),
        );
        check(&core(), driver, None);
        check(&server_2022(), driver, None);
    }
    for host in [nano(NANO), nano(&["Compute"])] {
        check(
            &host,
            Driver::Nat,
            Some((1, COMMAND_NOT_FOUND, "netnat-missing")),
        );
        for driver in [Driver::External, Driver::Internal, Driver::Private] {
            check(
                &host,
                driver,
                Some((0, NO_ELEMENT, "switch-no-matching-element")),
            );
        }
    }
}

#[test]
fn technical_preview_4_brings_nano_what_it_lacked() {
    let mut host = nano(NANO);
    host.info.build = 10586;
    host.modules = modules(&host.info, NANO);
    for driver in Driver::ALL {
        check(&host, driver, None);
    }
}

#[test]
fn a_second_nat_prefix_is_predicted_to_be_refused() {
    let mut host = core();
    host.nats.push(NetNat {
        name: "other".to_owned(),
        internal_prefix: "10.1.0.0/16".parse().unwrap(),
        active: true,
    });
    check(
        &host,
        Driver::Nat,
        Some((
            1,
            "Windows System Error 87,New-NetNat",
            "nat-prefix-conflict",
        )),
    );
}

#[test]
fn a_prediction_says_what_and_why() {
    let plan = plan(&spec(Driver::Nat), &nano(NANO)).unwrap();
    let sentence = &plan.predicted().unwrap().sentence;
    assert!(
        sentence.starts_with("step 2 of 2 (New-NetNat) will be refused: "),
        "{sentence}"
    );
}

#[test]
fn default_subnets_keep_clear_of_everything() {
    let mut host = server_2022();
    let mut seen = Vec::new();
    for address in ["172.17.5.1/24", "172.16.0.0/11"] {
        seen.push(plan(&spec(Driver::Nat), &host).map(|plan| plan.subnet.unwrap().to_string()));
        host.adapters.push(Adapter {
            name: "vEthernet (x)".to_owned(),
            state: AdapterState::Up,
            physical: false,
            address: Some(address.parse().unwrap()),
        });
    }
    seen.push(plan(&spec(Driver::Nat), &host).map(|plan| plan.subnet.unwrap().to_string()));
    let pool = "172.16.0.0/12".parse().unwrap();
    assert_eq!(
        seen,
        [
            Ok("172.17.0.0/20".to_owned()),
            Ok("172.17.16.0/20".to_owned()),
            Err(PlanError::NoFreeSubnet { pool })
        ]
    );
}

#[test]
fn wrong_requests_never_reach_a_host() {
    let subnet = |text: &str| Some(text.parse().unwrap());
    let gateway = |text: &str| Some(text.parse().unwrap());
    let nat = spec(Driver::Nat);
    for host in [nano(NANO), core(), server_2022()] {
        wrong(
            &host,
            &NetworkSpec {
                name: String::new(),
                ..nat.clone()
            },
            "expected a network name of printable characters, found \"\"",
        );
        wrong(
            &host,
            &NetworkSpec {
                name: "a\nb".to_owned(),
                ..nat.clone()
            },
            "expected a network name of printable characters, found \"a\\nb\"",
        );
        wrong(
            &host,
            &NetworkSpec {
                subnet: subnet("10.0.0.5/24"),
                ..nat.clone()
            },
            "expected a subnet such as 10.0.0.0/24, found 10.0.0.5/24, which is an address in it",
        );
        wrong(
            &host,
            &NetworkSpec {
                subnet: subnet("10.0.0.0/31"),
                ..nat.clone()
            },
            "expected a prefix of at most 30 bits, found 10.0.0.0/31",
        );
        wrong(
            &host,
            &NetworkSpec {
                subnet: subnet("127.0.0.0/16"),
                ..nat.clone()
            },
            "expected a subnet of ordinary addresses, found 127.0.0.0/16, which overlaps 127.0.0.0/8",
        );
        wrong(
            &host,
            &NetworkSpec {
                subnet: subnet("0.0.0.0/0"),
                ..nat.clone()
            },
            "expected a subnet of ordinary addresses, found 0.0.0.0/0, which overlaps 0.0.0.0/8",
        );
        wrong(
            &host,
            &NetworkSpec {
                subnet: subnet("192.168.0.0/16"),
                ..nat.clone()
            },
            "subnet 192.168.0.0/16 overlaps 192.168.1.93/24 of the host's adapter \"Ethernet\"",
        );
        for bad in ["10.0.1.1", "10.0.0.0", "10.0.0.255"] {
            let request = NetworkSpec {
                subnet: subnet("10.0.0.0/24"),
                gateway: gateway(bad),
                ..nat.clone()
            };
            wrong(
                &host,
                &request,
                &format!(
                    "expected a gateway inside 10.0.0.0/24, neither its first nor its last address, found {bad}"
                ),
            );
        }
        wrong(
            &host,
            &NetworkSpec {
                gateway: gateway("10.0.0.1"),
                ..spec(Driver::Private)
            },
            "expected a subnet along with gateway 10.0.0.1",
        );
        wrong(
            &host,
            &NetworkSpec {
                adapter: Some("Ethernet".to_owned()),
                ..nat.clone()
            },
            "expected no adapter for a network of driver nat, found \"Ethernet\"",
        );
        wrong(
            &host,
            &NetworkSpec {
                adapter: Some("Wi-Fi".to_owned()),
                ..spec(Driver::External)
            },
            "expected a physical adapter of the host (Ethernet), found \"Wi-Fi\"",
        );
        let mut down = host.clone();
        down.adapters[0].state = AdapterState::Down;
        wrong(
            &down,
            &spec(Driver::External),
            "expected a connected physical adapter for an external network, found Ethernet",
        );
        down.adapters.clear();
        wrong(
            &down,
            &spec(Driver::External),
            "expected a connected physical adapter for an external network, found none",
        );
    }
    let request = NetworkSpec {
        subnet: subnet("10.0.0.0/24"),
        gateway: gateway("10.0.0.9"),
        ..nat
    };
    wrong(
        &core(),
        &request,
        "expected gateway 10.0.0.1, which this host takes for itself, found 10.0.0.9",
    );
    assert_eq!(
        plan(&request, &server_2022()).unwrap().gateway,
        request.gateway
    );
    let request = NetworkSpec {
        subnet: subnet("10.0.0.0/24"),
        ..spec(Driver::Internal)
    };
    wrong(
        &core(),
        &request,
        "expected no subnet for a network of driver internal on this host, found 10.0.0.0/24",
    );
    assert_eq!(
        plan(&request, &server_2022()).unwrap().subnet,
        request.subnet
    );
}

#[test]
fn names_and_adapters_are_used_once() {
    let mut host = core();
    host.switches.push(VmSwitch {
        name: "Net".to_owned(),
        kind: SwitchType::Private,
        adapter: None,
        nat_subnet: None,
    });
    wrong(
        &host,
        &spec(Driver::Nat),
        "the host already has a switch named \"Net\"",
    );
    host.switches[0] = VmSwitch {
        name: "other".to_owned(),
        kind: SwitchType::External,
        adapter: Some("ethernet".to_owned()),
        nat_subnet: None,
    };
    wrong(
        &host,
        &spec(Driver::External),
        "adapter \"Ethernet\" already carries switch \"other\"",
    );
    host.adapters.push(Adapter {
        name: "Ethernet 2".to_owned(),
        ..host.adapters[0].clone()
    });
    assert_eq!(
        plan(&spec(Driver::External), &host)
            .unwrap()
            .adapter
            .as_deref(),
        Some("Ethernet 2")
    );
    let asked = NetworkSpec {
        adapter: Some("ETHERNET".to_owned()),
        ..spec(Driver::External)
    };
    wrong(
        &host,
        &asked,
        "adapter \"Ethernet\" already carries switch \"other\"",
    );

    let mut host = server_2022();
    host.hns.push(HnsNetwork {
        name: "net".to_owned(),
        kind: "Transparent".to_owned(),
        network_adapter_name: "Ethernet".to_owned(),
        ..HnsNetwork::default()
    });
    wrong(
        &host,
        &spec(Driver::Nat),
        "the host already has a network named \"net\"",
    );
    let other = NetworkSpec {
        name: "other".to_owned(),
        ..spec(Driver::External)
    };
    wrong(
        &host,
        &other,
        "adapter \"Ethernet\" already carries network \"net\"",
    );
}

#[test]
fn drivers_have_the_names_of_both_worlds() {
    for (text, driver) in [
        ("nat", Driver::Nat),
        ("NAT", Driver::Nat),
        ("external", Driver::External),
        ("Transparent", Driver::External),
        ("internal", Driver::Internal),
        ("private", Driver::Private),
    ] {
        assert_eq!(text.parse(), Ok(driver));
        assert_eq!(driver.to_string().parse(), Ok(driver));
        assert_eq!(driver.hns_type().parse(), Ok(driver));
    }
    for text in ["", "l2bridge", "overlay", "nat "] {
        assert!(text.parse::<Driver>().is_err(), "{text:?}");
    }
}

#[track_caller]
fn check(host: &HostNetworking, driver: Driver, expected: Option<(usize, &str, &str)>) {
    let plan = plan(&spec(driver), host).unwrap();
    let found = plan.predicted().map(|prediction| {
        let Code::PowerShell(error) = &prediction.error.code else {
            panic!("{prediction:?}")
        };
        (
            prediction.step,
            error.id.as_str(),
            prediction.failure.map_or("none", |failure| failure.0),
        )
    });
    assert_eq!(found, expected, "{driver} on {}", host.info.product);
}

#[track_caller]
fn wrong(host: &HostNetworking, spec: &NetworkSpec, expected: &str) {
    assert_eq!(plan(spec, host).unwrap_err().to_string(), expected);
}

fn hns(plan: &NetworkPlan) -> &HnsNetwork {
    match plan.steps.as_slice() {
        [NetworkStep::HnsCreate(network)] => network,
        other => panic!("{other:?}"),
    }
}

fn spec(driver: Driver) -> NetworkSpec {
    NetworkSpec {
        name: "net".to_owned(),
        driver,
        subnet: None,
        gateway: None,
        adapter: None,
    }
}

fn nano(packages: &[&str]) -> HostNetworking {
    host(10514, EditionClass::Nano, "ServerTuva", packages)
}

fn core() -> HostNetworking {
    host(10514, EditionClass::Core, "ServerDatacenter", &[])
}

fn server_2022() -> HostNetworking {
    host(20348, EditionClass::Core, "ServerDatacenter", &[])
}

fn host(build: u32, class: EditionClass, edition: &str, packages: &[&str]) -> HostNetworking {
    let info = HostInfo {
        name: "HOST".into(),
        build,
        revision: 0,
        class,
        edition: edition.into(),
        product: format!("{class:?} {build} with {packages:?}").into(),
        machine: Machine::Virtual,
        boot_id: Guid::NIL,
        reboot_pending: false,
        simulated: None,
    };
    let adapter = Adapter {
        name: "Ethernet".to_owned(),
        state: AdapterState::Up,
        physical: true,
        address: Some("192.168.1.93/24".parse().unwrap()),
    };
    HostNetworking {
        modules: modules(&info, packages),
        info,
        adapters: vec![adapter],
        switches: Vec::new(),
        nats: Vec::new(),
        hns: Vec::new(),
        lost: Vec::new(),
    }
}

fn modules(info: &HostInfo, packages: &[&str]) -> Vec<String> {
    let packages: Vec<Package> = packages
        .iter()
        .map(|name| Package {
            name: (*name).to_owned(),
            reboot_pending: false,
        })
        .collect();
    let features: Vec<Feature> = if info.class == EditionClass::Nano {
        Vec::new()
    } else {
        ["Containers", "Hyper-V"]
            .iter()
            .map(|name| Feature {
                name: (*name).to_owned(),
                state: FeatureState::Enabled,
            })
            .collect()
    };
    era::modules(info.class, info.build, &packages, &features)
        .into_iter()
        .map(str::to_owned)
        .collect()
}
