//! Errors: their texts and exit codes.

use std::error::Error;

use wcow_engine::{EngineError, Kind};
use wcow_host::{HostError, Operation, SystemId};
use wcow_network::{PlanError, PortConflict};
use wcow_ntmeta::Hresult;
use wcow_runtime::{RuntimeError, Undo, UndoFailure};

#[track_caller]
fn check(error: EngineError, exit_code: u8, expected: &str) {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}\n{cause}");
        next = cause.source();
    }
    assert_eq!(text, expected);
    assert_eq!(error.exit_code(), exit_code, "{text}");
    for word in [
        "Some(", "None", "{ ", "Hresult(", "Error {", "SystemId", "::",
    ] {
        assert!(!text.contains(word), "{word:?} in {text:?}");
    }
}

fn refusal() -> Box<HostError> {
    Box::new(HostError::new(
        Operation::StartSystem,
        "abcd",
        Hresult(0xC037_0101),
    ))
}

fn name() -> String {
    "web".to_owned()
}

#[test]
fn every_error_says_what_and_where_and_has_its_exit_code() {
    let not_found = |existing: &[&str]| EngineError::NotFound {
        kind: Kind::Image,
        name: name(),
        existing: existing.iter().map(|&name| name.to_owned()).collect(),
    };
    check(
        not_found(&[]),
        3,
        r#"no image "web"; there is no image yet"#,
    );
    check(
        not_found(&["one", "two"]),
        3,
        r#"no image "web"; there are: one, two"#,
    );
    let exists = EngineError::Exists {
        kind: Kind::Network,
        name: name(),
    };
    check(exists, 4, r#"a network "web" exists already"#);
    let in_use = EngineError::InUse {
        kind: Kind::Image,
        name: name(),
        by: "container one".to_owned(),
    };
    check(in_use, 4, r#"image "web" is in use by container one"#);
    let state = EngineError::State {
        name: name(),
        is: "Running",
        needed: "Off",
    };
    check(state, 4, r#"container "web" is Running, not Off"#);
    let bad_name = EngineError::BadName {
        kind: Kind::Container,
        name: "-\n".to_owned(),
    };
    check(
        bad_name,
        2,
        r#""-\n" cannot be the name of a container: use letters, digits, `_`, `.`, `-`, at most 63, a letter or digit first and last"#,
    );
    let record = EngineError::Record {
        path: r"C:\x.json".to_owned(),
        reason: "it has format 2".to_owned(),
    };
    check(
        record,
        6,
        r"the record C:\x.json is not usable: it has format 2",
    );
    let gone = EngineError::NetworkGone { name: name() };
    check(
        gone,
        3,
        r#"network "web" is not on the host any more: remove it and create it again"#,
    );
    let publish = EngineError::Publish {
        container: name(),
        reason: "it is connected to none".to_owned(),
    };
    check(
        publish,
        2,
        r#"container "web" cannot publish ports, which takes a network of driver nat: it is connected to none"#,
    );
    let taken = EngineError::PortTaken {
        container: name(),
        conflict: PortConflict {
            external: 80,
            protocol: wcow_host::TransportProtocol::Tcp,
            by: "container \"one\"".to_owned(),
        },
    };
    check(
        taken,
        4,
        "container \"web\" cannot publish its ports\nport 80/tcp of the host is already published by container \"one\"",
    );
    for (error, exit_code, cause) in [
        (
            PlanError::NameTaken {
                what: "switch",
                name: name(),
            },
            4,
            r#"the host already has a switch named "web""#,
        ),
        (
            PlanError::GatewayWithoutSubnet {
                gateway: [10, 0, 0, 1].into(),
            },
            2,
            "expected a subnet along with gateway 10.0.0.1",
        ),
    ] {
        let plan = EngineError::Plan {
            name: name(),
            error,
        };
        let expected = format!("network \"web\" could not be planned\n{cause}");
        check(plan, exit_code, &expected);
    }
}

#[test]
fn refusals_of_the_host_keep_their_cause_and_what_is_left() {
    let answer = format!("HcsStartComputeSystem of abcd failed: {}", refusal().code);
    let host = EngineError::Host {
        doing: "create network \"web\"".to_owned(),
        error: refusal(),
        left_behind: vec!["switch \"web\"".to_owned()],
    };
    check(
        host,
        1,
        &format!("could not create network \"web\" (left behind: switch \"web\")\n{answer}"),
    );
    let container = |error| EngineError::Container {
        name: "container \"web\" could not be started".to_owned(),
        error: Box::new(error),
    };
    let refused = RuntimeError::Host {
        container: SystemId("abcd".to_owned()),
        doing: "be started",
        mismatch: Some("the host is A build 1, the image is B build 2".to_owned()),
        error: refusal(),
        left_behind: vec![UndoFailure {
            step: Undo::Terminate(SystemId("abcd".to_owned())),
            error: *refusal(),
        }],
    };
    check(
        container(refused),
        1,
        &format!(
            "container \"web\" could not be started\ncontainer abcd could not be started: the host is A build 1, the image is B build 2 (left behind: running compute system abcd)\n{answer}"
        ),
    );
    let unsupported = RuntimeError::Unsupported {
        container: SystemId("abcd".to_owned()),
        reason: "it has no network".to_owned(),
    };
    check(
        container(unsupported),
        5,
        "container \"web\" could not be started\ncontainer abcd does not fit this host: it has no network",
    );
}
