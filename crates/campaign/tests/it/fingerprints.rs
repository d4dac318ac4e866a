//! The committed fingerprints, one line for a scenario and a seed: they change only when a host, or what is done on it, changes. Debug
//! and release builds on every system come to the same.
//!
//! `WCOW_RENEW=1 cargo test -p wcow-campaign --test it fingerprints` writes the table anew and prints what changed.

use std::path::Path;

use wcow_campaign::fingerprints;
use wcow_scenario::wims::Shelf;

const TABLE: &str = include_str!("fingerprints.txt");

#[test]
fn fingerprints_are_those_of_the_table() {
    let table: String = fingerprints(&Shelf::build().unwrap())
        .unwrap()
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    if std::env::var_os("WCOW_RENEW").is_some() {
        for (old, new) in TABLE
            .lines()
            .zip(table.lines())
            .filter(|(old, new)| old != new)
        {
            println!("- {old}\n+ {new}");
        }
        renew(&table);
    } else {
        assert_eq!(table, TABLE, "WCOW_RENEW=1 writes the table anew");
    }
}

fn renew(table: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fingerprints.txt");
    std::fs::write(file, table).unwrap();
}
