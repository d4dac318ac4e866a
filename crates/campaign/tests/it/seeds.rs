//! Runs from seeds.

use std::num::NonZeroUsize;

use wcow_campaign::{RunSpec, canary, divergence, sweep};
use wcow_scenario::wims::Shelf;

/// How many runs the tests make: enough to come upon every situation.
const RUNS: u64 = 500;

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
fn a_run_done_twice_is_the_same() {
    let shelf = Shelf::build().unwrap();
    for seed in 0..10 {
        assert_eq!(divergence(&RunSpec::from_seed(seed), &shelf), Ok(None));
    }
}
