//! Runs made small.

use wcow_campaign::{Ending, Faults, RunSpec, Step, shrink, shrink_while};
use wcow_scenario::wims::Shelf;
use wcow_sim::{Choices, Schedule};

#[test]
fn a_run_that_breaks_nothing_is_not_made_small() {
    let shelf = Shelf::build().unwrap();
    assert_eq!(shrink(&RunSpec::from_seed(1), "settles", &shelf), None);
}

#[test]
fn what_does_not_matter_is_left_out() {
    let shelf = Shelf::build().unwrap();
    // Something that takes a chain of commands: a program that ran in a container.
    let ran = |report: &wcow_campaign::Report| {
        report
            .history
            .iter()
            .any(|done| matches!(done.step, Step::Exec { .. }) && done.ending == Ending::Done)
    };
    let seed = (0..)
        .find(|&seed| {
            let spec = RunSpec::from_seed(seed);
            spec.plan.steps() > 12
                && spec.faults != Faults::None
                && spec.run(&shelf).is_ok_and(|report| ran(&report))
        })
        .unwrap();
    let spec = RunSpec::from_seed(seed);
    let small = shrink_while(&spec, &ran, &shelf).unwrap();
    assert!(small.tries < 300, "{} runs", small.tries);
    assert!(ran(&small.report));
    assert_eq!(small.spec.run(&shelf).unwrap(), small.report);
    let steps: Vec<String> = small
        .spec
        .plan
        .clients
        .iter()
        .flat_map(|client| client.steps.iter().map(ToString::to_string))
        .collect();
    assert!(
        (4..=5).contains(&steps.len()),
        "install, create, start, exec, and a wait where another client does one of them: {steps:?}"
    );
    assert_eq!(small.spec.faults, Faults::None);
    assert_eq!(small.spec.schedule, Schedule::default());
    assert!(
        matches!(&small.spec.choices, Choices::Recorded(recording) if recording.seed.is_none())
    );
}

#[test]
fn the_fault_that_matters_is_kept_and_no_other() {
    let shelf = Shelf::build().unwrap();
    let failed = |report: &wcow_campaign::Report| {
        report.history.iter().any(|done| {
            matches!(done.step, Step::InstallImage(_)) && matches!(done.ending, Ending::Failed(_))
        })
    };
    let spec = (0..)
        .map(RunSpec::from_seed)
        .find(|spec| {
            spec.run(&shelf)
                .is_ok_and(|report| failed(&report) && report.hits.len() > 3)
        })
        .unwrap();
    let small = shrink_while(&spec, &failed, &shelf).unwrap();
    let Faults::Plan(plan) = &small.spec.faults else {
        panic!("without faults no install fails: {:?}", small.spec)
    };
    assert_eq!(plan.rules.len(), 1, "{:?}", small.spec);
    assert_eq!(small.spec.plan.steps(), 1, "{:?}", small.spec);
}

#[test]
fn a_host_on_which_more_works_is_taken_if_it_will_do() {
    let shelf = Shelf::build().unwrap();
    let made = |report: &wcow_campaign::Report| {
        report.history.iter().any(|done| {
            matches!(done.step, Step::CreateContainer { .. }) && done.ending == Ending::Done
        })
    };
    let spec = (0..)
        .map(RunSpec::from_seed)
        .find(|spec| spec.profile == "core-tp3" && made(&spec.run(&shelf).unwrap()))
        .unwrap();
    let small = shrink_while(&spec, &made, &shelf).unwrap().spec;
    assert_eq!(small.profile, "server-2022");
    // What only the other host does keeps it.
    let refused = |report: &wcow_campaign::Report| {
        report.history.iter().any(
            |done| matches!(&done.ending, Ending::Failed(error) if error.contains("New-NetNat")),
        )
    };
    let spec = (0..)
        .map(RunSpec::from_seed)
        .find(|spec| spec.profile == "core-tp3" && refused(&spec.run(&shelf).unwrap()))
        .unwrap();
    let small = shrink_while(&spec, &refused, &shelf).unwrap().spec;
    assert_eq!(small.profile, "core-tp3");
}
