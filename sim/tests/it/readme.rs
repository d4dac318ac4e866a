//! What the README of the repository says of testing a tool is what the files beside this one do.

use std::panic::catch_unwind;

use wcow_host::{Host, HostError, NewVmSwitch, Retry, SwitchService, SwitchType};
use wcow_sim::{Check, Profile, Sim};

use crate::first_test;

const README: &str = include_str!("../../../README.md");

/// The tool as it is after its bug was found.
async fn make_switch<H: Host>(host: &H, name: &str) -> Result<(), HostError> {
    let (name, kind) = (name.to_owned(), SwitchType::Internal);
    let wanted = NewVmSwitch {
        name,
        kind,
        adapter: None,
        nat_subnet: None,
    };
    loop {
        let answer = match host.switches().switches().await {
            // An answer that was lost does not tell whether there is a switch; looking does.
            Ok(there) if there.iter().any(|switch| switch.name == wanted.name) => return Ok(()),
            Ok(_) => host.switches().new_switch(&wanted).await.map(drop),
            Err(error) => Err(error),
        };
        match answer {
            Err(error) if error.retry == Retry::Soon => {}
            answer => return answer,
        }
    }
}

/// As in the first test, with this tool.
async fn one_switch(sim: Sim) {
    let host = sim.client();
    make_switch(&host, "lab").await.unwrap();
    sim.take_faults();
    let switches = host.switches().switches().await.unwrap();
    let named = switches.iter().filter(|switch| switch.name == "lab");
    assert_eq!(named.count(), 1);
}

#[test]
fn the_first_test_stands_there_as_it_is_here() {
    let here = include_str!("first_test.rs")
        .replace("pub(crate) fn ", "#[test]\nfn ")
        .replace("pub(crate) ", "");
    assert!(README.contains(&here), "{here}");
}

#[test]
fn the_first_test_finds_what_is_said_there() {
    let check = Check::new(Profile::server_2022()).faults(3);
    let found = check.find(first_test::one_switch).expect("a bug");
    for line in found.told.lines() {
        assert!(README.contains(line), "{}", found.told);
    }
    let repeat = format!(
        "WCOW_SEED={} cargo test there_is_one_switch -- --exact",
        found.seed
    );
    assert!(README.contains(&repeat), "{repeat}");
    assert!(catch_unwind(first_test::there_is_one_switch).is_err());
}

#[test]
fn the_mended_tool_stands_there_and_holds() {
    let start = "async fn make_switch";
    let here = include_str!("readme.rs");
    let function = here
        .split_once(start)
        .and_then(|(_, rest)| rest.split_once("\n}\n"))
        .map(|(body, _)| format!("{start}{body}\n}}\n"))
        .unwrap();
    assert!(README.contains(&function), "{function}");
    Check::new(Profile::server_2022()).faults(3).run(one_switch);
}
