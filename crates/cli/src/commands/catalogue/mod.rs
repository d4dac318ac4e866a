//! `wcow sim catalogue`: the failures that are known, as a table, as JSON, or as a page for a browser.

mod page;

use serde::Serialize;
use wcow_host::era::Provenance;
use wcow_host::failures::{CATALOGUE, Cause, Failure as Known, Simulated};
use wcow_sim::scenarios;

use crate::args::{CatalogueArgs, CauseChoice, YesNo};
use crate::failure::Failure;
use crate::output::Output;

/// An entry of the catalogue as it is shown.
#[derive(Serialize)]
pub(crate) struct Entry {
    /// Its stable id.
    pub(crate) id: &'static str,
    /// What it is, in one line.
    pub(crate) title: &'static str,
    /// How it shows itself.
    pub(crate) codes: Vec<String>,
    /// Where it occurs.
    pub(crate) hosts: String,
    /// The first and the last build that it occurs on.
    builds: [u32; 2],
    /// The calls that fail.
    pub(crate) operations: Vec<&'static str>,
    /// What causes it.
    pub(crate) trigger: &'static str,
    /// What to do about it.
    pub(crate) way_out: &'static str,
    /// A public source.
    pub(crate) source: &'static str,
    /// How it is known.
    pub(crate) provenance: Provenance,
    /// Its places among the sixty failures that are reported most.
    reported: &'static [u8],
    /// Whether its cause stays on the host.
    cause: Cause,
    /// Whether the simulated host raises it.
    simulated: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why_not: Option<&'static str>,
    /// Whether a scenario shows it: `wcow sim run ID`.
    pub(crate) scenario: bool,
}

impl Entry {
    pub(crate) fn of(known: &'static Known) -> Self {
        Self {
            id: known.id.0,
            title: known.title,
            codes: known.codes.iter().map(ToString::to_string).collect(),
            hosts: known.hosts.to_string(),
            builds: [known.hosts.first_build, known.hosts.last_build],
            operations: known.operations.iter().map(|call| call.name()).collect(),
            trigger: known.trigger,
            way_out: known.way_out,
            source: known.source,
            provenance: known.provenance,
            reported: known.reported,
            cause: known.cause,
            simulated: known.simulated == Simulated::Yes,
            why_not: match known.simulated {
                Simulated::Yes => None,
                Simulated::No(why) => Some(why),
            },
            scenario: scenarios::of_failure(known.id.0).is_some(),
        }
    }
}

/// Shows the catalogue, or the part of it that was asked for.
pub(crate) fn run(args: &CatalogueArgs, output: &Output) -> Result<(), Failure> {
    let chosen: Vec<&'static Known> = CATALOGUE
        .iter()
        .filter(|known| is_wanted(args, known))
        .collect();
    if args.html {
        output.text(&page::page(&chosen))?;
        return Ok(());
    }
    let entries: Vec<Entry> = chosen.into_iter().map(Entry::of).collect();
    output.list(
        "sim.failure",
        &entries,
        &["ID", "CODES", "SIMULATED", "CAUSE", "WHAT"],
        |entry| {
            let cause = match entry.cause {
                Cause::Lasting => "lasting",
                Cause::Passing => "passing",
            };
            vec![
                entry.id.to_owned(),
                entry.codes.join(" "),
                if entry.simulated { "yes" } else { "no" }.to_owned(),
                cause.to_owned(),
                entry.title.to_owned(),
            ]
        },
    )?;
    Ok(())
}

fn is_wanted(args: &CatalogueArgs, known: &Known) -> bool {
    let simulated = match args.simulated {
        None => true,
        Some(wanted) => (known.simulated == Simulated::Yes) == (wanted == YesNo::Yes),
    };
    let cause = match args.cause {
        None => true,
        Some(CauseChoice::Lasting) => known.cause == Cause::Lasting,
        Some(CauseChoice::Passing) => known.cause == Cause::Passing,
    };
    let build = args
        .build
        .is_none_or(|build| (known.hosts.first_build..=known.hosts.last_build).contains(&build));
    simulated && cause && build
}
