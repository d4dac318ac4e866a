//! Runs of the engine on a simulated host.

use std::sync::LazyLock;

use wcow_campaign::RunSpec;
use wcow_scenario::wims::Shelf;

use crate::budget;

/// The images that plans install; built once.
static SHELF: LazyLock<Shelf> =
    LazyLock::new(|| Shelf::build().expect("the files are built in code"));

/// What [`RunSpec::from_bytes`] makes of the bytes: a plan, faults, and the choices of the host.
///
/// # Panics
/// If a promise of the engine is broken, or the same run comes to something else the second time.
pub fn sim_run(data: &[u8]) {
    let shelf = &*SHELF;
    let spec = RunSpec::from_bytes(data);
    let run = || budget::answer(data.len(), "a simulated run", || spec.run(shelf));
    let report = run();
    let broken = report.iter().flat_map(|report| &report.violations);
    let broken: Vec<String> = broken.map(ToString::to_string).collect();
    assert!(broken.is_empty(), "{}\n{spec:#?}", broken.join("\n"));
    assert_eq!(run(), report, "two runs differ");
}
