//! Networks: made in steps, undone when one fails.

use wcow_engine::{CreateContainer, Engine, EngineError, Force, NetworkBacking, NetworkSummary};
use wcow_hcs_schema::hns::{HnsNetwork, Subnet};
use wcow_host::{Clock, Host, NetworkService, NewVmSwitch, Operation, SwitchService, SwitchType};
use wcow_network::{Driver, NetworkSpec};
use wcow_ntmeta::FileTime;
use wcow_sim::{Ended, Order, Profile, Schedule, TraceEvent};

use crate::support::{Stage, wanted};

fn nat(name: &str) -> NetworkSpec {
    NetworkSpec {
        name: name.to_owned(),
        driver: Driver::Nat,
        subnet: None,
        gateway: None,
        adapter: None,
    }
}

#[test]
fn the_switch_is_taken_back_when_its_nat_cannot_be_made() {
    let stage = Stage::bare(Profile::nano_tp3());
    let error = stage.err(stage.engine.create_network(&nat("nat")));
    let EngineError::Host { left_behind, .. } = &error else {
        panic!("the host refuses: {error:?}");
    };
    assert!(left_behind.is_empty());
    assert_eq!(stage.traces(), Vec::<String>::new());
    assert!(stage.ok(stage.engine.networks()).is_empty());
}

#[test]
fn a_network_is_a_switch_and_a_nat_or_one_of_the_network_service() {
    let stage = Stage::bare(Profile::core_tp3());
    let made = stage.ok(stage.engine.create_network(&nat("nat")));
    assert!(
        matches!(made.backing, NetworkBacking::Switch { nat: Some(_), .. }),
        "{made:?}"
    );
    assert!(made.ours);
    stage.ok(stage.engine.remove_network("nat"));
    assert_eq!(stage.traces(), Vec::<String>::new());

    let stage = Stage::bare(Profile::server_2022());
    let made = stage.ok(stage.engine.create_network(&nat("nat")));
    assert!(
        matches!(made.backing, NetworkBacking::Hns { .. }),
        "{made:?}"
    );
    assert!(made.subnet.is_some(), "the service chose a subnet");
    let error = stage.err(stage.engine.create_network(&nat("nat")));
    assert_eq!(error.exit_code(), 4);
}

/// Each cmdlet takes a real host a second, and a network of the Host Network Service needs none.
#[test]
fn no_cmdlet_runs_for_a_container_on_a_network_of_the_network_service() {
    let stage = Stage::new(Profile::server_2022());
    stage.ok(stage.engine.create_network(&nat("nat")));
    stage.sim.start_trace();
    stage.ok(stage.engine.create_container(on("nat", "one")));
    stage.ok(stage.engine.start("one"));
    stage.ok(stage.engine.remove_container("one", Force::Yes));
    let asked: Vec<Operation> = stage
        .sim
        .take_trace()
        .into_iter()
        .filter_map(|record| match record.event {
            TraceEvent::Call { operation, .. } => Some(operation),
            _ => None,
        })
        .collect();
    assert!(asked.contains(&Operation::ListNetworks));
    for cmdlet in [
        Operation::Modules,
        Operation::ListSwitches,
        Operation::ListNats,
        Operation::ListAdapters,
    ] {
        assert!(!asked.contains(&cmdlet), "{cmdlet:?}");
    }
}

#[test]
fn a_switch_that_somebody_else_made_is_listed_as_theirs() {
    let stage = Stage::bare(Profile::core_tp3());
    let switch = NewVmSwitch {
        name: "Internal Switch".to_owned(),
        kind: SwitchType::Internal,
        adapter: None,
        nat_subnet: None,
    };
    stage
        .sim
        .run(stage.engine.host().switches().new_switch(&switch))
        .unwrap()
        .unwrap();
    let networks = stage.ok(stage.engine.networks());
    assert_eq!(networks.len(), 1);
    assert_eq!(
        (networks[0].name.as_str(), networks[0].ours),
        ("Internal Switch", false)
    );
}

#[test]
fn a_published_port_belongs_to_one_container() {
    let stage = Stage::new(Profile::server_2022());
    stage.ok(stage.engine.create_network(&nat("nat")));
    for name in ["one", "two"] {
        stage.ok(stage.engine.create_container(CreateContainer {
            network: Some("nat".to_owned()),
            publish: vec!["8080:80".parse().unwrap()],
            ..wanted("base", name)
        }));
    }
    stage.ok(stage.engine.start("one"));
    let error = stage.err(stage.engine.start("two"));
    let code = error.host_error().and_then(wcow_host::HostError::hresult);
    assert_eq!(
        code.map(|code| code.to_string()).as_deref(),
        Some("0x803B0013"),
        "{error:?}"
    );
    stage.ok(stage.engine.kill("one"));
    stage.ok(stage.engine.start("two"));
}

/// A host of today after a restart, with the network `nat` and the container `one` on it, which ran.
fn restarted(spec: &NetworkSpec) -> (Stage, NetworkSummary) {
    let stage = Stage::new(Profile::server_2022());
    let made = stage.ok(stage.engine.create_network(spec));
    stage.ok(stage.engine.create_container(on(&spec.name, "one")));
    stage.ok(stage.engine.start("one"));
    stage.ok(stage.engine.reboot());
    (stage, made)
}

fn on(network: &str, name: &str) -> CreateContainer {
    CreateContainer {
        network: Some(network.to_owned()),
        ..wanted("base", name)
    }
}

#[test]
fn a_network_that_the_host_lost_is_made_again() {
    let spec = NetworkSpec {
        subnet: Some("10.9.0.0/16".parse().unwrap()),
        gateway: Some("10.9.0.7".parse().unwrap()),
        ..nat("nat")
    };
    // Somebody starts a container that is on it.
    let (stage, made) = restarted(&spec);
    let lost = stage.ok(stage.engine.network("nat"));
    assert_eq!((lost.ours, lost.present), (true, false));
    assert_eq!(lost.backing, made.backing);
    let one = stage.ok(stage.engine.start("one"));
    assert_eq!(one.address.as_deref(), Some("10.9.0.1"));
    let again = stage.ok(stage.engine.network("nat"));
    assert_eq!(again, made, "with the id that its record tells");
    let listed = stage.sim.run(stage.engine.host().network().networks());
    let listed = listed.unwrap().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].subnets[0].gateway_address, "10.9.0.7");

    // Somebody creates a container on it; the one from before the restart follows.
    let (stage, _) = restarted(&spec);
    stage.ok(stage.engine.create_container(on("nat", "two")));
    assert!(stage.ok(stage.engine.network("nat")).present);
    stage.ok(stage.engine.start("one"));
    stage.ok(stage.engine.start("two"));
    for name in ["one", "two"] {
        stage.ok(stage.engine.remove_container(name, Force::Yes));
    }
    stage.ok(stage.engine.remove_network("nat"));
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn a_lost_network_can_be_removed() {
    let (stage, _) = restarted(&nat("nat"));
    stage.ok(stage.engine.remove_container("one", Force::No));
    stage.ok(stage.engine.remove_network("nat"));
    assert!(stage.ok(stage.engine.networks()).is_empty());
}

#[test]
fn a_lost_network_whose_place_is_taken_says_so() {
    let (stage, made) = restarted(&nat("nat"));
    let hns = stage.engine.host().network();
    let theirs = HnsNetwork {
        name: "docker".to_owned(),
        kind: "nat".to_owned(),
        subnets: vec![Subnet {
            address_prefix: made.subnet.unwrap().to_string(),
            ..Subnet::default()
        }],
        ..HnsNetwork::default()
    };
    let theirs = stage.sim.run(hns.create_network(&theirs)).unwrap().unwrap();
    let error = stage.err(stage.engine.start("one"));
    assert_eq!(error.to_string(), r#"could not create network "nat""#);
    let code = error.host_error().and_then(wcow_host::HostError::hresult);
    assert_eq!(code.unwrap().to_string(), "0x80070057");
    stage
        .sim
        .run(hns.delete_network(theirs.id.parse().unwrap()))
        .unwrap()
        .unwrap();
    stage.ok(stage.engine.start("one"));
}

#[test]
fn a_network_that_somebody_deleted_and_cannot_be_guessed_is_missed() {
    let stage = Stage::new(Profile::server_2022());
    let spec = NetworkSpec {
        driver: Driver::External,
        ..nat("lan")
    };
    let made = stage.ok(stage.engine.create_network(&spec));
    let NetworkBacking::Hns { id } = made.backing else {
        panic!("{made:?}");
    };
    stage
        .sim
        .run(stage.engine.host().network().delete_network(id))
        .unwrap()
        .unwrap();
    let error = stage.err(stage.engine.create_container(on("lan", "one")));
    assert!(
        matches!(error, EngineError::NetworkGone { .. }),
        "{error:?}"
    );
    assert_eq!(error.exit_code(), 3);
    stage.ok(stage.engine.remove_network("lan"));
}

#[test]
fn a_network_of_somebody_else_that_is_gone_is_not_found() {
    let stage = Stage::new(Profile::server_2022());
    let theirs = HnsNetwork {
        name: "docker".to_owned(),
        kind: "nat".to_owned(),
        ..HnsNetwork::default()
    };
    let hns = stage.engine.host().network();
    stage.sim.run(hns.create_network(&theirs)).unwrap().unwrap();
    let listed = stage.ok(stage.engine.networks());
    assert_eq!((listed.len(), listed[0].ours), (1, false));
    stage.ok(stage.engine.create_container(on("docker", "one")));
    stage.ok(stage.engine.start("one"));
    stage.ok(stage.engine.reboot());
    let error = stage.err(stage.engine.start("one"));
    assert_eq!(error.exit_code(), 3);
    assert_eq!(
        error.to_string(),
        r#"no network "docker"; there is no network yet"#
    );
    // Once it is there again, under whatever id, the container finds it.
    stage.sim.run(hns.create_network(&theirs)).unwrap().unwrap();
    stage.ok(stage.engine.start("one"));
}

#[test]
fn the_subnet_of_a_network_that_the_host_lost_is_kept() {
    let (stage, made) = restarted(&nat("nat"));
    let subnet = made.subnet.unwrap();
    let error = stage.err(stage.engine.create_network(&NetworkSpec {
        subnet: Some(subnet),
        ..nat("other")
    }));
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(
        cause.to_string(),
        format!(
            "subnet {subnet} overlaps {subnet} of network \"nat\", which the host has lost and which is made again when a \
             container needs it: remove it first"
        )
    );
    // One that may have any gets another, and both work.
    let other = stage.ok(stage.engine.create_network(&nat("other")));
    assert_ne!(other.subnet, made.subnet);
    stage.ok(stage.engine.start("one"));
    assert_eq!(stage.ok(stage.engine.network("nat")).subnet, Some(subnet));
}

#[test]
fn names_of_networks_have_no_case() {
    let (stage, _) = restarted(&nat("nat"));
    // The host has lost it, so only the record knows.
    let error = stage.err(stage.engine.create_network(&nat("NAT")));
    assert_eq!(error.to_string(), r#"a network "nat" exists already"#);
    assert_eq!(error.exit_code(), 4);
}

#[test]
fn a_removal_that_was_refused_can_be_done_again() {
    let stage = Stage::new(Profile::core_tp3());
    stage.ok(stage.engine.create_network(&nat("nat")));
    let switches = stage.engine.host().switches();
    // Somebody took a part of it away.
    stage
        .sim
        .run(switches.remove_nat("ContainerNAT"))
        .unwrap()
        .unwrap();
    stage.ok(stage.engine.remove_network("nat"));
    stage.ok(stage.engine.create_network(&nat("nat")));
    stage
        .sim
        .run(switches.remove_switch("nat"))
        .unwrap()
        .unwrap();
    assert!(!stage.ok(stage.engine.network("nat")).present);
    stage.ok(stage.engine.remove_network("nat"));
    assert!(stage.sim.run(switches.nats()).unwrap().unwrap().is_empty());
    assert_eq!(stage.traces(), Vec::<String>::new());
}

#[test]
fn ports_are_published_by_a_nat_only() {
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        let stage = Stage::new(profile);
        for (name, driver) in [("lan", Driver::External), ("box", Driver::Private)] {
            stage.ok(stage.engine.create_network(&NetworkSpec {
                driver,
                ..nat(name)
            }));
        }
        for (network, reason) in [
            (None, "it is connected to none"),
            (Some("lan"), r#"network "lan" is of driver external"#),
            (Some("box"), r#"network "box" is of driver private"#),
        ] {
            let before = stage.traces();
            let error = stage.err(stage.engine.create_container(CreateContainer {
                network: network.map(str::to_owned),
                publish: vec!["8080:80".parse().unwrap()],
                ..wanted("base", "one")
            }));
            assert!(matches!(error, EngineError::Publish { .. }), "{error:?}");
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().ends_with(reason), "{error}");
            assert_eq!(stage.traces(), before);
        }
    }
}

#[test]
fn ports_are_asked_for_once() {
    let stage = Stage::new(Profile::core_tp3());
    stage.ok(stage.engine.create_network(&nat("nat")));
    let publishing = |name: &str, ports: &[&str]| CreateContainer {
        publish: ports.iter().map(|port| port.parse().unwrap()).collect(),
        ..on("nat", name)
    };
    let twice = publishing("one", &["80:80", "80:81"]);
    let error = stage.err(stage.engine.create_container(twice));
    assert!(matches!(error, EngineError::PortTaken { .. }), "{error:?}");
    assert_eq!(error.exit_code(), 4);

    // Nothing on a technical preview compares two containers: the engine does.
    for (name, ports) in [
        ("one", &["80:80", "53:53/udp"][..]),
        ("two", &["80:8080"]),
        ("three", &["53:53/tcp"]),
    ] {
        stage.ok(stage.engine.create_container(publishing(name, ports)));
    }
    stage.ok(stage.engine.start("one"));
    stage.ok(stage.engine.start("three"));
    let error = stage.err(stage.engine.start("two"));
    assert_eq!(
        error.to_string(),
        r#"container "two" cannot publish its ports"#
    );
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        r#"port 80/tcp of the host is already published by container "one""#
    );
    stage.ok(stage.engine.stop("one", 10_000_000));
    stage.ok(stage.engine.start("two"));
}

#[test]
fn a_network_without_a_record_is_taken_back() {
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        let stage = Stage::bare(Profile {
            free_bytes: 10,
            ..profile
        });
        let error = stage.err(stage.engine.create_network(&nat("nat")));
        let code = error.host_error().and_then(wcow_host::HostError::hresult);
        assert_eq!(code.unwrap().to_string(), "0x80070070", "{error:?}");
        assert!(stage.ok(stage.engine.networks()).is_empty());
        assert_eq!(stage.traces(), Vec::<String>::new());
    }
}

/// Two networks of a technical preview have the same NAT. Somebody removes the one while the other is made, and who makes it is killed:
/// whenever that is, the NAT belongs to one of them, and goes with it.
#[test]
fn a_nat_that_changes_hands_is_not_lost() {
    let mut killed = 0;
    for after in (50..70).map(|step| step * 100_000) {
        for (calls, seed) in (14..40).flat_map(|calls| (0..6).map(move |seed| (calls, seed))) {
            let stage = Stage::seeded(Profile::core_tp3(), seed);
            stage.ok(stage.engine.create_network(&nat("back")));
            // Every call takes so long that each of the other falls between two of them.
            stage.sim.set_schedule(Schedule {
                order: Order::Random,
                quantum: 100_000,
            });
            let other = Engine::new(stage.sim.client());
            let removed = stage
                .sim
                .spawn(async move { other.remove_network("back").await });
            let client = stage.sim.client();
            let engine = Engine::new(client.clone());
            let made = async {
                let clock = client.clock();
                let begin = clock.now().ticks() + after;
                clock.sleep_until(FileTime::from_ticks(begin)).await;
                engine.create_network(&nat("front")).await
            };
            let ended = stage.sim.run_killed_after(&client, calls, made);
            killed += u32::from(matches!(ended, Ok(Ended::Killed)));
            stage.sim.run(removed).unwrap().unwrap();
            stage.sim.advance(600 * 10_000_000);
            for network in stage.ok(stage.engine.networks()) {
                stage.ok(stage.engine.remove_network(&network.name));
            }
            let left = stage.traces();
            assert!(
                left.is_empty(),
                "after {after}, {calls} calls, seed {seed}: {left:?}"
            );
        }
    }
    assert!(killed > 1000, "{killed} of 3120 were killed");
}

/// Whoever asked for the removal of a NAT was killed, and it takes effect while the next command is about to do the same.
#[test]
fn a_nat_that_goes_meanwhile_is_removed() {
    for after in (0..30).map(|step| step * 100_000) {
        for calls in 8..16 {
            let stage = Stage::bare(Profile::core_tp3());
            stage.ok(stage.engine.create_network(&nat("back")));
            let client = stage.sim.client();
            let engine = Engine::new(client.clone());
            let removed = engine.remove_network("back");
            let _ = stage.sim.run_killed_after(&client, calls, removed).unwrap();
            stage.sim.advance(after);
            match stage.sim.run(stage.engine.remove_network("back")).unwrap() {
                Ok(()) | Err(EngineError::NotFound { .. } | EngineError::Busy { .. }) => {}
                Err(error) => panic!("after {after}, {calls} calls: {error:?}"),
            }
        }
    }
}
