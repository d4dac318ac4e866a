//! `wcow sim mutants`: the engine without each of its precautions, and the seed that shows it.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use serde::Serialize;
use wcow_campaign::{Hunt, Mutant, hunt};

use crate::args::MutantsArgs;
use crate::cancel::Cancel;
use crate::commands::campaign::{shelf, workers};
use crate::failure::{Failure, exit};
use crate::output::{Output, count, table};
use crate::progress::Bar;

#[derive(Serialize)]
struct Item {
    ignored: &'static str,
    found: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    seeds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Hunts the named mutants, or all. One that survives is a failure.
pub(crate) fn run(args: &MutantsArgs, output: &Output) -> Result<u8, Failure> {
    let mutants = if args.mutants.is_empty() {
        Mutant::all().collect()
    } else {
        args.mutants.clone()
    };
    let shelf = shelf()?;
    let workers = workers(args.threads);
    let total = u64::try_from(mutants.len()).unwrap_or(u64::MAX);
    let bar = Bar::count("mutants");
    let cancel = Cancel::listen();
    let go_on = || !cancel.flag().load(Ordering::SeqCst);
    let mut hunts = Vec::with_capacity(mutants.len());
    for (done, mutant) in (0..).zip(mutants) {
        bar.set(done, total);
        hunts.push(hunt(mutant, 0..args.seeds, workers, &shelf, &go_on));
        if !go_on() {
            bar.finish();
            return Ok(cancel.exit());
        }
    }
    bar.finish();
    let survivors = hunts.iter().filter(|hunt| hunt.found.is_none()).count();
    if output.is_json() {
        let items: Vec<Item> = hunts.iter().map(item).collect();
        output.json("sim.mutants", &items)?;
    } else {
        output.text(&page(&hunts, survivors, args.seeds))?;
    }
    Ok(if survivors == 0 { 0 } else { exit::FAILED })
}

fn item(hunt: &Hunt) -> Item {
    let found = hunt.found.as_ref();
    Item {
        ignored: hunt.mutant.name(),
        found: found.is_some(),
        seeds: found.map(|(seed, _)| seed + 1),
        check: found.map(|(_, violation)| violation.check()),
        message: found.map(|(_, violation)| violation.to_string()),
    }
}

fn page(hunts: &[Hunt], survivors: usize, seeds: u64) -> String {
    let rows: Vec<Vec<String>> = hunts
        .iter()
        .map(|hunt| match &hunt.found {
            Some((seed, violation)) => vec![
                hunt.mutant.to_string(),
                (seed + 1).to_string(),
                violation.check().to_owned(),
            ],
            None => vec![
                hunt.mutant.to_string(),
                format!("over {seeds}"),
                "none: it survived".to_owned(),
            ],
        })
        .collect();
    let mut text = table(&["IGNORED", "SEEDS", "FOUND BY"], &rows);
    let all = u64::try_from(hunts.len()).unwrap_or(u64::MAX);
    let survivors = u64::try_from(survivors).unwrap_or(u64::MAX);
    // Writing to a string does not fail.
    let _ = match survivors {
        0 => writeln!(text, "\n{}, all found", count(all, "mutant")),
        some => writeln!(
            text,
            "\n{}, {some} survived: a check is missing, or the precaution is needless",
            count(all, "mutant")
        ),
    };
    text
}
