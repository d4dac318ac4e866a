//! The engine without one of its precautions.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use wcow_campaign::{Hunt, Mutant, RunFile, RunSpec, hunt, shrink};
use wcow_scenario::wims::Shelf;
use wcow_sim::TraceEvent;

/// Mutants that are found soon, and the check that is to find them.
const QUICK: [(&str, &str); 6] = [
    ("sync-image-hives", "listed-images-are-complete"),
    ("sync-image-metadata", "acknowledged-survives"),
    ("sync-record-name", "acknowledged-survives"),
    ("recover-install", "nothing-leaks"),
    ("recover-creation", "cut-off-work-is-taken-back"),
    ("rollback-install", "failures-leave-nothing"),
];

fn mutant(name: &str) -> Mutant {
    name.parse().unwrap()
}

#[test]
fn every_mutant_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = Mutant::all().map(Mutant::name).collect();
    assert_eq!(names.len(), Mutant::all().count());
    for name in names {
        assert_eq!(mutant(name).to_string(), name);
        let kinds = ["sync-", "rollback-", "recover-"];
        assert!(kinds.iter().any(|kind| name.starts_with(kind)), "{name}");
    }
    let error = "sync-nothing".parse::<Mutant>().unwrap_err().to_string();
    assert!(
        error.contains("\"sync-nothing\"") && error.contains("sync-record,"),
        "{error}"
    );
}

/// No durable step is taken that has no mutant, and none has a mutant and is never taken.
#[test]
fn the_durable_steps_of_runs_are_those_that_have_mutants() {
    let shelf = Shelf::build().unwrap();
    let mut taken = BTreeSet::new();
    for seed in 0..60 {
        let spec = RunSpec::from_seed(seed);
        let sim = spec.host().unwrap();
        sim.start_trace();
        let _ = spec.run_on(&sim, &shelf);
        for record in sim.take_trace() {
            if let TraceEvent::Call {
                step: Some(step), ..
            } = record.event
            {
                taken.insert(step);
            }
        }
    }
    let known: BTreeSet<String> = Mutant::all()
        .map(|mutant| mutant.name().to_owned())
        .filter(|name| name.starts_with("sync-"))
        .collect();
    assert_eq!(taken, known);
}

#[test]
fn quick_mutants_are_found_whatever_the_number_of_workers() {
    let shelf = Shelf::build().unwrap();
    for (name, check) in QUICK {
        let hunt = |workers| {
            let workers = NonZeroUsize::new(workers).unwrap();
            hunt(mutant(name), 0..200, workers, &shelf, &|| true)
        };
        let Hunt {
            found: Some((seed, violation)),
            ..
        } = hunt(1)
        else {
            panic!("{name} survived");
        };
        assert_eq!(violation.check(), check, "{name}: {violation}");
        assert_eq!(hunt(3).found, Some((seed, violation)), "{name}");
    }
}

#[test]
fn a_hunt_can_be_ended() {
    let shelf = Shelf::build().unwrap();
    let ended = hunt(
        mutant("sync-image"),
        0..100,
        NonZeroUsize::MIN,
        &shelf,
        &|| false,
    );
    assert_eq!(ended.found, None);
}

#[test]
fn a_mutant_that_was_found_is_kept_in_a_file_and_made_small() {
    let shelf = Shelf::build().unwrap();
    let sought = mutant("sync-image-hives");
    let found = hunt(sought, 0..100, NonZeroUsize::MIN, &shelf, &|| true).found;
    let (seed, violation) = found.unwrap();
    assert_eq!(RunSpec::from_seed(seed).run(&shelf).unwrap().violations, []);
    let small = shrink(&sought.run_of(seed), violation.check(), &shelf).unwrap();
    assert_eq!(small.spec.ignore, [sought].into());
    assert_eq!(small.spec.plan.steps(), 1, "an install is enough");
    let (file, report) = RunFile::record(small.spec, &shelf).unwrap();
    let read = RunFile::read(&file.text()).unwrap();
    assert_eq!(read, file);
    assert_eq!(read.replay(&shelf), Ok(report));
    let unknown = file.text().replace("sync-image-hives", "sync-image-bees");
    let error = RunFile::read(&unknown).unwrap_err().to_string();
    assert!(
        error.contains("\"sync-image-bees\"") && error.contains(" at line "),
        "{error}"
    );
}
