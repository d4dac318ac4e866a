//! `wcow sim`.

use serde::Serialize;
use wcow_scenario::{Scenario, wims};
use wcow_sim::scenarios;

use crate::args::SimCommand;
use crate::commands::{campaign, catalogue, mutants};
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
        SimCommand::Fingerprints => fingerprints(output).map(|()| 0),
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
        SimCommand::Catalogue(args) => catalogue::run(args, output).map(|()| 0),
    }
}

fn fingerprints(output: &Output) -> Result<(), Failure> {
    let lines = wcow_campaign::fingerprints(&campaign::shelf()?).map_err(|error| {
        Failure::new(exit::FAILED, "a scenario did not go as it should").because(&error)
    })?;
    if output.is_json() {
        output.json("sim.fingerprints", &lines)?;
    } else {
        let lines = lines.iter().map(|line| format!("{line}\n"));
        output.text(&lines.collect::<String>())?;
    }
    Ok(())
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
    let stage = Stage::of_scenario(&scenario, seed)?;
    let mut page = Page::new(output.is_json());
    let mut item = stage.play(&scenario, &shelf, &mut page)?;
    let fingerprint = stage.fingerprint();
    if let Some(there) = scenario.other_host() {
        let other = Stage::of_scenario(&there, seed)?;
        item.add(other.play(&there, &shelf, &mut page)?);
    }
    let agrees = item.agrees();
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

/// A built-in scenario by its id, which may be that of a failure, or a file.
fn find(name: &str) -> Result<Scenario, Failure> {
    if let Some(file) = scenarios::of_failure(&name.to_ascii_lowercase()) {
        return parse(file.name, file.text);
    }
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
        )
        .help("failures have scenarios too: wcow sim catalogue --simulated lists their ids")),
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
