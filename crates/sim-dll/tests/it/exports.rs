//! The table of exports against the one that clients call by.

use wcow_hcs::raw;
use wcow_sim_dll::exports::{ABSENT, Dll, TABLES};

const OURS: [Dll; 4] = [
    Dll::VmCompute,
    Dll::ComputeCore,
    Dll::ComputeStorage,
    Dll::ComputeNetwork,
];

fn prefix(dll: Dll) -> &'static str {
    dll.file_name().trim_end_matches(".dll")
}

#[test]
fn every_function_has_the_signature_that_clients_call_it_by() {
    let mut symbols: Vec<&str> = Vec::new();
    for export in TABLES.iter().copied().flatten() {
        let row = raw::find(export.dll, export.name).expect(export.name);
        let wanted: Vec<&str> = row.parameters.iter().map(|(_, kind)| *kind).collect();
        assert_eq!(export.parameters, wanted, "{}", export.symbol);
        assert_eq!(export.returns, row.returns, "{}", export.symbol);
        assert_eq!(
            export.symbol,
            format!("{}_{}", prefix(export.dll), export.name)
        );
        symbols.push(export.symbol);
    }
    let count = symbols.len();
    symbols.sort_unstable();
    symbols.dedup();
    assert_eq!(symbols.len(), count, "a symbol twice");
}

#[test]
fn what_is_not_exported_has_a_reason() {
    let mut used: Vec<&str> = Vec::new();
    for row in raw::TABLES.iter().copied().flatten() {
        if !OURS.contains(&row.dll) {
            continue;
        }
        let mut all = TABLES.iter().copied().flatten();
        let exported = all.any(|export| export.dll == row.dll && export.name == row.name);
        let reason = ABSENT.iter().find(|(part, _)| row.name.contains(part));
        match (exported, reason) {
            (false, Some((part, _))) => used.push(part),
            (true, _) => {}
            (false, None) => panic!("{} of {} is neither here nor excused", row.name, row.dll),
        }
    }
    for (part, _) in ABSENT {
        assert!(used.contains(part), "{part} excuses nothing");
    }
}
