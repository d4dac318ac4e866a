//! Runs from seeds.

use std::num::NonZeroUsize;

use wcow_campaign::{Ending, Faults, RunSpec, Violation, canary, divergence, sweep};
use wcow_host::Operation;
use wcow_ntmeta::Hresult;
use wcow_scenario::wims::Shelf;
use wcow_sim::{FaultPlan, FaultRule, What, When};

/// How many runs the tests make: enough to come upon every situation.
const RUNS: u64 = 1000;

#[test]
fn seeds_keep_all_promises_and_come_upon_everything() {
    let shelf = Shelf::build().unwrap();
    let workers = NonZeroUsize::new(2).unwrap();
    let swept = sweep(0..RUNS, workers, &shelf, &|_| true);
    assert_eq!(swept.runs, RUNS);
    let broken: Vec<String> = swept
        .broken
        .iter()
        .flat_map(|(seed, broken)| {
            broken
                .iter()
                .map(move |broken| format!("seed {seed}: {broken}"))
        })
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert_eq!(swept.missed(), Vec::<&str>::new());
}

#[test]
fn a_sweep_does_not_depend_on_its_workers() {
    let shelf = Shelf::build().unwrap();
    let run = |workers| {
        sweep(40..70, NonZeroUsize::new(workers).unwrap(), &shelf, &|_| {
            true
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn a_sweep_can_be_ended() {
    let shelf = Shelf::build().unwrap();
    let swept = sweep(0..1000, NonZeroUsize::MIN, &shelf, &|done| done < 3);
    assert_eq!(swept.runs, 3);
}

#[test]
fn the_canary_sets_every_check_off() {
    assert_eq!(canary(&Shelf::build().unwrap()), Vec::<&str>::new());
}

#[test]
fn what_is_cut_off_is_known_and_its_client_goes_on() {
    let shelf = Shelf::build().unwrap();
    let (mut cut_off, mut went_on) = (0, 0);
    for seed in 0..200 {
        let history = RunSpec::from_seed(seed).run(&shelf).unwrap().history;
        for (place, done) in history.iter().enumerate() {
            let is_unknown = done.ending == Ending::Unknown;
            assert_eq!(done.cut_off.is_some(), is_unknown, "seed {seed}: {done:?}");
            let Some(when) = done.cut_off else {
                continue;
            };
            assert!(when >= done.began, "seed {seed}: {done:?}");
            cut_off += 1;
            let mut later = history.iter().skip(place + 1);
            if let Some(next) = later.find(|next| next.client == done.client) {
                assert!(next.began >= when, "seed {seed}: {next:?}");
                went_on += 1;
            }
        }
    }
    assert!(went_on > 10 && cut_off > went_on, "{went_on} of {cut_off}");
}

#[test]
fn an_error_that_the_catalogue_does_not_know_breaks_a_promise() {
    let shelf = Shelf::build().unwrap();
    let mut spec = RunSpec::from_seed(0);
    let rule = |code| FaultRule {
        when: When::Nth {
            operation: Operation::LockFile,
            number: 1,
        },
        what: What::RefusedWith(Hresult(code)),
    };
    let mut checks = |code| -> Vec<&str> {
        spec.faults = Faults::Plan(FaultPlan {
            rules: vec![rule(code)],
            budget: 1,
        });
        let report = spec.run(&shelf).unwrap();
        assert_eq!(report.hits.len(), 1);
        report.violations.iter().map(Violation::check).collect()
    };
    // The device does not work; a code that Windows does not have.
    assert_eq!(checks(0x8007_045d), Vec::<&str>::new());
    assert_eq!(checks(0x8007_dead), ["errors-are-explained"]);
}

#[test]
fn a_run_done_twice_is_the_same() {
    let shelf = Shelf::build().unwrap();
    for seed in 0..10 {
        assert_eq!(divergence(&RunSpec::from_seed(seed), &shelf), Ok(None));
    }
}
