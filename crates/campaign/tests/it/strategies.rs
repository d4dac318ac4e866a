//! Any run, not only those of seeds.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use wcow_campaign::{Faults, RunFile, RunSpec, Step, strategies};
use wcow_scenario::wims::Shelf;
use wcow_sim::{Choices, Schedule};

#[test]
fn any_run_keeps_all_promises_twice_alike_and_from_its_file() {
    let shelf = Shelf::build().unwrap();
    proptest!(ProptestConfig::with_cases(12), |(spec in strategies::run_specs(4))| {
        let (file, report) = RunFile::record(spec.clone(), &shelf)?;
        prop_assert_eq!(&report.violations, &[]);
        prop_assert_eq!(&spec.run(&shelf)?, &report);
        let read = RunFile::read(&file.text())?;
        prop_assert_eq!(read.replay(&shelf), Ok(report));
    });
}

/// Whatever it began with, a run that always fails becomes the simplest there is.
#[test]
fn runs_are_made_smaller_towards_nothing() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..20 {
        let mut tree = strategies::run_specs(9).new_tree(&mut runner).unwrap();
        while tree.simplify() {}
        let spec = tree.current();
        assert_eq!(spec.choices, Choices::Bytes(Vec::new()));
        assert_eq!(spec.schedule, Schedule::default());
        assert_eq!(spec.faults, Faults::None);
        assert_eq!(spec.power, None);
        let [client] = &spec.plan.clients[..] else {
            panic!("{} clients", spec.plan.clients.len());
        };
        assert_eq!(client.killed_after, None);
        assert!(matches!(client.steps[..], [Step::InstallImage(_)]));
    }
}

#[test]
fn any_bytes_are_a_run() {
    let shelf = Shelf::build().unwrap();
    assert_eq!(
        RunSpec::from_bytes(&[]).plan,
        RunSpec::from_bytes(&[9, 0, 0]).plan
    );
    for first in [0, 1, 50, 255] {
        let bytes: Vec<u8> = std::iter::once(first)
            .chain((0..200_u8).map(|byte| byte.wrapping_mul(73)))
            .collect();
        let spec = RunSpec::from_bytes(&bytes);
        let Choices::Bytes(host) = &spec.choices else {
            panic!("{:?}", spec.choices)
        };
        assert_eq!(host.len(), 200_usize.saturating_sub(first.into()));
        assert_eq!(spec.run(&shelf).unwrap().violations, []);
    }
}
