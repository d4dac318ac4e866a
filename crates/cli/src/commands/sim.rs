//! `wcow sim`.

use serde::Serialize;
use wcow_host::failures::{CATALOGUE, FailureCode, Simulated};
use wcow_ntmeta::Hresult;
use wcow_scenario::{Scenario, wims};
use wcow_sim::scenarios;

use crate::args::SimCommand;
use crate::commands::{campaign, mutants};
use crate::failure::{Failure, exit};
use crate::output::Output;
use crate::tour::{Item, Page, Stage};

/// Runs one command of the group; a scenario that does not go as expected ends with 1.
pub(crate) fn run(command: &SimCommand, output: &Output) -> Result<u8, Failure> {
    match command {
        SimCommand::Run {
            scenario: Some(scenario),
            seed,
            ..
        } => play(scenario, *seed, output),
        SimCommand::Run {
            scenario: None,
            seed,
            save,
            trace,
            ignore,
        } => campaign::run(*seed, ignore, save.as_deref(), *trace, output),
        SimCommand::Sweep(args) => campaign::run_sweep(args, output),
        SimCommand::Mutants(args) => mutants::run(args, output),
        SimCommand::Replay { file, trace } => campaign::replay(file, *trace, output),
        SimCommand::Shrink { file, output: to } => {
            campaign::make_small(file, to.as_deref(), output)
        }
        SimCommand::Timeline {
            file,
            seed,
            output: to,
            chrome,
        } => campaign::timeline(file.as_deref(), *seed, to.as_deref(), *chrome, output),
        SimCommand::Promote { file, name } => campaign::promote(file, name, output),
        SimCommand::Catalogue => catalogue(output).map(|()| 0),
    }
}

fn play(name: &str, seed: u64, output: &Output) -> Result<u8, Failure> {
    #[derive(Serialize)]
    struct Played {
        seed: u64,
        fingerprint: String,
        #[serde(flatten)]
        item: Item,
    }
    let scenario = find(name)?;
    let shelf = wims::Shelf::build().map_err(|error| {
        Failure::new(
            exit::FAILED,
            "the WIM files of the scenario could not be built",
        )
        .because(&error)
    })?;
    let stage = Stage::quietly(&scenario.profile, seed)?;
    let mut page = Page::new(output.is_json());
    let item = stage.play(&scenario, &shelf, &mut page)?;
    let agrees = item.agrees();
    let fingerprint = stage.fingerprint();
    if output.is_json() {
        output.json(
            "sim.run",
            &[Played {
                seed,
                fingerprint,
                item,
            }],
        )?;
    } else {
        output.text(&format!("\nseed {seed}, fingerprint {fingerprint}\n"))?;
    }
    Ok(if agrees { 0 } else { exit::FAILED })
}

/// A built-in scenario by its id, or a file.
fn find(name: &str) -> Result<Scenario, Failure> {
    let mut ids = Vec::new();
    for file in scenarios::SEED.iter().chain([&scenarios::SERVER_2022]) {
        let scenario = parse(file.name, file.text)?;
        if scenario.id.eq_ignore_ascii_case(name) {
            return Ok(scenario);
        }
        ids.push(scenario.id);
    }
    match std::fs::read_to_string(name) {
        Ok(text) => parse(name, &text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Failure::new(
            exit::NOT_FOUND,
            format!(
                "no scenario and no file {name:?}; there are: {}",
                ids.join(", ")
            ),
        )),
        Err(error) => {
            Err(Failure::new(exit::FAILED, format!("{name} could not be read")).because(&error))
        }
    }
}

fn parse(name: &str, text: &str) -> Result<Scenario, Failure> {
    wcow_scenario::parse(text).map_err(|error| {
        Failure::new(exit::USAGE, format!("{name} cannot be used")).because(&error)
    })
}

fn catalogue(output: &Output) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Entry {
        id: &'static str,
        title: &'static str,
        codes: Vec<String>,
        hosts: String,
        simulated: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        why_not: Option<&'static str>,
    }
    let entries: Vec<Entry> = CATALOGUE
        .iter()
        .map(|entry| Entry {
            id: entry.id.0,
            title: entry.title,
            codes: entry
                .codes
                .iter()
                .map(|code| match code {
                    FailureCode::Hresult(code) => Hresult(*code).to_string(),
                    FailureCode::PowerShellId(id) => (*id).to_owned(),
                    FailureCode::Silent => "none: it is silent".to_owned(),
                })
                .collect(),
            hosts: entry.hosts.to_string(),
            simulated: matches!(entry.simulated, Simulated::Yes),
            why_not: match entry.simulated {
                Simulated::Yes => None,
                Simulated::No(why) => Some(why),
            },
        })
        .collect();
    output.list(
        "sim.failure",
        &entries,
        &["ID", "CODES", "SIMULATED", "WHAT"],
        |entry| {
            let simulated = entry
                .why_not
                .map_or_else(|| "yes".to_owned(), |why| format!("no: {why}"));
            vec![
                entry.id.to_owned(),
                entry.codes.join(" "),
                simulated,
                entry.title.to_owned(),
            ]
        },
    )?;
    Ok(())
}
