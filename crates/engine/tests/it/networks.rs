//! Networks: made in steps, undone when one fails.

use wcow_engine::{CreateContainer, EngineError, NetworkBacking};
use wcow_host::{Host, NewVmSwitch, SwitchService, SwitchType};
use wcow_network::{Driver, NetworkSpec};
use wcow_sim::Profile;

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
