//! Runs from seeds.

use std::collections::BTreeMap;

use wcow_campaign::RunSpec;
use wcow_scenario::wims::Shelf;

#[test]
fn seeds_keep_all_promises() {
    let shelf = Shelf::build().unwrap();
    let mut marks: BTreeMap<&str, u64> = BTreeMap::new();
    let mut broken = Vec::new();
    for seed in 0..500 {
        let report = RunSpec::from_seed(seed).run(&shelf).unwrap();
        for (mark, count) in report.marks {
            *marks.entry(mark).or_default() += count;
        }
        for violation in report.violations {
            broken.push(format!("seed {seed}: {violation}"));
        }
    }
    println!("{marks:#?}");
    assert!(broken.is_empty(), "{}\n{}", broken.len(), broken.join("\n"));
}
