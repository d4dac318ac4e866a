//! `wcow tour`: the whole story, told step by step on simulated hosts.

mod page;

use serde::Serialize;
use wcow_engine::Engine;
use wcow_host::Identity;
use wcow_scenario::predict::Inspection;
use wcow_scenario::{Action, Outcome, PlayError, Player, Scenario, WimShelf, wims};
use wcow_sim::scenarios::{self, ScenarioFile};
use wcow_sim::{Profile, Sim};
use wcow_wim::{ImageIndex, Wim};

use crate::args::TourArgs;
use crate::failure::{Failure, exit};
use crate::output::Output;
use crate::wim;
pub(crate) use page::Page;

/// One line of the table at the end.
#[derive(Serialize)]
pub(crate) struct Item {
    /// The scenario's id, `S1` to `S14` and others.
    id: String,
    /// What it is about.
    title: String,
    /// The profile of the host.
    profile: String,
    /// What was expected: the codes of the steps that fail, repetitions left out, or `ok`.
    expected: String,
    /// What was seen, in the same form.
    seen: String,
    /// True if every step was as expected, also in its words.
    agrees: bool,
    /// Its steps.
    steps: Vec<ItemStep>,
}

/// One step of an item.
#[derive(Serialize)]
struct ItemStep {
    command: Option<String>,
    /// A call straight to the host, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    /// Who did it, if not the caller that the host has for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Identity>,
    powershell: Option<String>,
    expected: String,
    seen: String,
    answer: String,
    means: String,
    agrees: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<String>,
}

/// Walks, and returns exit code 0 only if everything was as expected.
pub(crate) fn tour(args: &TourArgs, output: &Output) -> Result<u8, Failure> {
    let mut page = Page::new(output.is_json());
    let items = match &args.wim {
        None => the_story(args.seed, &mut page)?,
        Some(_) => this_wim(args, &mut page)?,
    };
    let disagreeing = items.iter().filter(|item| !item.agrees).count();
    if output.is_json() {
        output.json("tour", &items)?;
    } else {
        page.table(&items)?;
    }
    Ok(if disagreeing == 0 { 0 } else { exit::FAILED })
}

/// S1 to S13 on one Nano Server, S14 on a Server Core, and the way of today.
fn the_story(seed: u64, page: &mut Page) -> Result<Vec<Item>, Failure> {
    let shelf = wims::Shelf::build()
        .map_err(|error| broken("the WIM files of the tour could not be built", &error))?;
    page.opening(&shelf)?;
    let scenarios = read(scenarios::SEED)?;
    let mut items = Vec::new();
    // The whole report happened on one machine: the scenarios follow one another on one host, as long as they can.
    let mut stage: Option<Stage> = None;
    for scenario in scenarios.iter().chain(&read(&[scenarios::SERVER_2022])?) {
        let same_host = stage
            .as_ref()
            .is_some_and(|stage| stage.fits(&scenario.profile));
        if !same_host {
            stage = Some(Stage::open(&scenario.profile, seed, page)?);
        }
        if let Some(stage) = &stage {
            items.push(stage.play(scenario, &shelf, page)?);
        }
    }
    Ok(items)
}

/// The way of one WIM on three hosts.
fn this_wim(args: &TourArgs, page: &mut Page) -> Result<Vec<Item>, Failure> {
    let Some(path) = &args.wim else {
        return Ok(Vec::new());
    };
    let opened = wim::open(path)?;
    let index = wim::choose(&opened, path, args.index.as_deref())?;
    let inspection = Inspection::of(&opened, index).map_err(|error| {
        Failure::new(
            exit::INTEGRITY,
            format!(
                "image {} of {} could not be read",
                index.get(),
                path.display()
            ),
        )
        .because(&error)
    })?;
    page.inspection(path, &inspection)?;
    let name = path.file_name().map_or_else(
        || "image.wim".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    let shelf = OneWim {
        name: &name,
        wim: &opened,
        index,
    };
    let mut items = Vec::new();
    for profile in ["nano-tp3", "core-tp3", "server-2022"] {
        let stage = Stage::open(profile, args.seed, page)?;
        let host = stage.host()?;
        let walk = inspection.walk(&name, &host);
        items.push(stage.play(&walk, &shelf, page)?);
    }
    Ok(items)
}

/// One simulated host of the walk.
pub(crate) struct Stage {
    sim: Sim,
    engine: Engine<wcow_sim::SimHost>,
    profile: String,
}

impl Stage {
    /// Makes a host from a profile.
    fn open(profile: &str, seed: u64, page: &mut Page) -> Result<Self, Failure> {
        let stage = Self::quietly(profile, seed)?;
        page.host(&stage.host()?)?;
        Ok(stage)
    }

    /// Makes a host from a profile, and says nothing of it.
    fn quietly(profile: &str, seed: u64) -> Result<Self, Failure> {
        let made = Profile::named(profile).ok_or_else(|| {
            Failure::new(exit::NOT_FOUND, format!("no profile {profile:?}"))
                .help("wcow host profiles lists them")
        })?;
        let sim = Sim::new(made, seed);
        let engine = Engine::new(sim.client());
        Ok(Self {
            sim,
            engine,
            profile: profile.to_owned(),
        })
    }

    /// Makes the host of a scenario, with what is different about it, and says nothing of it.
    pub(crate) fn of_scenario(scenario: &Scenario, seed: u64) -> Result<Self, Failure> {
        let setup = &scenario.setup;
        let sim = scenarios::set_up(
            &scenario.profile,
            setup.host.clone(),
            setup.faults.clone(),
            seed,
        )
        .map_err(|error| {
            let failure = Failure::new(
                exit::USAGE,
                format!("the host of scenario {} cannot be made", scenario.id),
            );
            failure.because(&error)
        })?;
        let engine = Engine::new(sim.client());
        Ok(Self {
            sim,
            engine,
            profile: scenario.profile.clone(),
        })
    }

    /// True if a scenario for `profile` can go on here: `nano-tp3` is `nano-tp3-bare` with its packages.
    fn fits(&self, profile: &str) -> bool {
        self.profile == profile || (self.profile == "nano-tp3-bare" && profile == "nano-tp3")
    }

    fn host(&self) -> Result<wcow_host::HostInfo, Failure> {
        match self.sim.run(self.engine.info()) {
            Ok(Ok(info)) => Ok(info),
            Ok(Err(error)) => Err(Failure::engine(&error, None)),
            Err(stuck) => Err(broken("the simulated host did not answer", &stuck)),
        }
    }

    /// The fingerprint of everything that happened on it.
    pub(crate) fn fingerprint(&self) -> String {
        self.sim.fingerprint()
    }

    /// Plays a scenario and tells it.
    pub(crate) fn play(
        &self,
        scenario: &Scenario,
        shelf: &dyn WimShelf,
        page: &mut Page,
    ) -> Result<Item, Failure> {
        page.scenario(scenario)?;
        let others: Vec<_> = scenario
            .callers()
            .into_iter()
            .map(|caller| (caller, Engine::new(self.sim.client_as(caller))))
            .collect();
        let player = others.iter().fold(
            Player::new(&self.engine, shelf),
            |player, (caller, engine)| player.with_caller(*caller, engine),
        );
        self.run(player.prepare(scenario))?;
        let mut outcomes = Vec::new();
        for step in &scenario.steps {
            let outcome = self.run(player.step(&scenario.id, step))?;
            page.step(&outcome)?;
            outcomes.push(outcome);
        }
        Ok(item(scenario, &outcomes))
    }

    fn run<T>(&self, work: impl Future<Output = Result<T, PlayError>>) -> Result<T, Failure> {
        match self.sim.run(work) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(broken("the scenario could not be played", &error)),
            Err(stuck) => Err(broken("the simulated host did not answer", &stuck)),
        }
    }
}

impl Item {
    /// True if every step was as expected.
    pub(crate) fn agrees(&self) -> bool {
        self.agrees
    }

    /// What was played on another host belongs to the same story.
    pub(crate) fn add(&mut self, other: Self) {
        self.agrees &= other.agrees;
        self.steps.extend(other.steps);
    }
}

/// A single WIM file under its own name.
struct OneWim<'w> {
    name: &'w str,
    wim: &'w Wim,
    index: ImageIndex,
}

impl WimShelf for OneWim<'_> {
    fn wim(&self, name: &str) -> Option<(&Wim, ImageIndex)> {
        (name == self.name).then_some((self.wim, self.index))
    }
}

fn read(files: &[ScenarioFile]) -> Result<Vec<Scenario>, Failure> {
    files
        .iter()
        .map(|file| wcow_scenario::parse(file.text).map_err(|error| broken(file.name, &error)))
        .collect()
}

fn item(scenario: &Scenario, outcomes: &[Outcome]) -> Item {
    Item {
        id: scenario.id.clone(),
        title: scenario.title.clone(),
        profile: scenario.profile.clone(),
        expected: summary(outcomes.iter().map(Outcome::expected)),
        seen: summary(outcomes.iter().map(Outcome::seen)),
        agrees: outcomes.iter().all(Outcome::agrees),
        steps: outcomes
            .iter()
            .map(|outcome| ItemStep {
                command: outcome.step.action.command(),
                call: match &outcome.step.action {
                    Action::Call(call) => Some(call.to_string()),
                    _ => None,
                },
                caller: outcome.step.caller,
                powershell: outcome.step.powershell.clone(),
                expected: outcome.expected(),
                seen: outcome.seen().to_owned(),
                answer: outcome.answer.text.clone(),
                means: outcome.step.means.clone(),
                agrees: outcome.agrees(),
                differences: outcome.differences.clone(),
            })
            .collect(),
    }
}

/// The codes that came one after the other, repetitions left out; of ids with parts, the first part. `ok` if there is none.
fn summary(codes: impl Iterator<Item: AsRef<str>>) -> String {
    let mut short: Vec<String> = codes
        .map(|code| {
            code.as_ref()
                .split(',')
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .filter(|code| *code != "ok")
        .collect();
    short.dedup();
    if short.is_empty() {
        "ok".to_owned()
    } else {
        short.join(", ")
    }
}

fn broken(what: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::new(exit::FAILED, what).because(error)
}
