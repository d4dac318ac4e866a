//! The fourteen observations of the field report, and the same way on a host of today.

use wcow_scenario::{Outcome, parse, wims};
use wcow_sim::scenarios::{SEED, SERVER_2022, ScenarioFile};

use crate::{differences, play};

/// What the steps answered, for people to read.
fn transcript(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        if let Some(powershell) = &outcome.step.powershell {
            text.push_str(&format!("PS> {powershell}\n"));
        } else if let Some(command) = outcome.step.action.command() {
            text.push_str(&format!("$ {command}\n"));
        }
        text.push_str(&outcome.answer.text);
        let failure = outcome
            .answer
            .failure
            .map_or_else(String::new, |failure| format!(" ({failure})"));
        text.push_str(&format!("=> {}{failure}\n\n", outcome.seen()));
    }
    text
}

#[track_caller]
fn check(file: &ScenarioFile) {
    let scenario = parse(file.text).expect("the file is a scenario");
    let shelf = wims::Shelf::build().expect("the WIM files can be built");
    let (outcomes, _) = play(&scenario, 0, &shelf);
    assert_eq!(
        differences(&outcomes),
        Vec::<String>::new(),
        "{}",
        transcript(&outcomes)
    );
    insta::assert_snapshot!(scenario.id.clone(), transcript(&outcomes));
}

macro_rules! scenarios {
    ($($name:ident = $index:literal;)*) => {
        $(#[test] fn $name() { check(&SEED[$index]); })*
    };
}

scenarios! {
    s1_packages = 0;
    s2_nat_switch = 1;
    s3_netnat_missing = 2;
    s4_external_switch = 3;
    s5_private_and_internal_switches = 4;
    s6_base_image = 5;
    s7_no_image = 6;
    s8_all_images_install = 7;
    s9_name_of_install_wim = 8;
    s10_before_the_restart = 9;
    s11_no_container_service = 10;
    s12_machine_type_mismatch = 11;
    s13_container_files = 12;
    s14_server_core = 13;
}

#[test]
fn the_same_way_on_server_2022() {
    check(&SERVER_2022);
}

#[test]
fn the_outcome_does_not_depend_on_the_seed() {
    let shelf = wims::Shelf::build().expect("the WIM files can be built");
    for file in SEED.iter().chain([&SERVER_2022]) {
        let scenario = parse(file.text).expect("the file is a scenario");
        for seed in 1..8 {
            let (outcomes, _) = play(&scenario, seed, &shelf);
            assert_eq!(
                differences(&outcomes),
                Vec::<String>::new(),
                "{} with seed {seed}",
                scenario.id
            );
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_fingerprint() {
    let shelf = wims::Shelf::build().expect("the WIM files can be built");
    let scenario = parse(SEED[9].text).expect("the file is a scenario");
    let fingerprint = |seed| play(&scenario, seed, &shelf).1.fingerprint();
    assert_eq!(fingerprint(7), fingerprint(7));
    assert_ne!(fingerprint(7), fingerprint(8));
}
