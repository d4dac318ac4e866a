//! Commands: how they are made up, and how they are given to the engine.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::ReferenceStateMachine;
use wcow_campaign::{Step, StepError, Wishes};
use wcow_engine::{Engine, EngineError, Force};
use wcow_image_store::InstallError;
use wcow_network::Driver;
use wcow_scenario::wims::Shelf;
use wcow_sim::SimHost;

use super::reference::{Answer, Model};

pub(crate) const PROFILES: [&str; 2] = ["server-2022", "core-tp3"];
const CONTAINERS: [&str; 2] = ["web", "db"];
const NETWORKS: [&str; 2] = ["front", "back"];
const COMMANDS: [(&str, u32); 2] = [("cmd /c echo hello", 0), ("cmd /c exit 3", 3)];

/// A command, and after how many calls its process is killed, if it is.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) step: Step,
    pub(crate) killed_after: Option<u64>,
}

impl Command {
    pub(crate) fn whole(step: Step) -> Self {
        Self {
            step,
            killed_after: None,
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.step.fmt(f)?;
        match self.killed_after {
            Some(calls) => write!(f, " (killed after {calls} calls)"),
            None => Ok(()),
        }
    }
}

/// What commands are made up from: the model as if nothing were ever cut off.
#[derive(Clone, Debug)]
pub(crate) struct World {
    profile: &'static str,
    model: Model,
}

impl World {
    pub(crate) fn new(profile: &'static str) -> Self {
        Self {
            profile,
            model: Model::new(profile),
        }
    }

    pub(crate) fn profile(&self) -> &'static str {
        self.profile
    }

    fn wim(&self) -> String {
        match self.profile {
            "core-tp3" => "WindowsServerCore.wim".to_owned(),
            _ => "servercore-20348.wim".to_owned(),
        }
    }

    pub(crate) fn image(&self) -> String {
        match self.profile {
            "core-tp3" => "WindowsServerCore".to_owned(),
            _ => "servercore".to_owned(),
        }
    }
}

impl ReferenceStateMachine for World {
    type State = Self;
    type Transition = Command;

    fn init_state() -> BoxedStrategy<Self> {
        select(PROFILES.to_vec()).prop_map(Self::new).boxed()
    }

    fn transitions(world: &Self) -> BoxedStrategy<Command> {
        let killed = prop_oneof![4 => Just(None), 1 => (1_u64..120).prop_map(Some)];
        // Most commands are ones that make sense now, the rest any.
        let any = steps(world);
        let is_sensible = |step: &&Step| world.model.answer(step).is_done();
        let sensible: Vec<Step> = any.iter().filter(is_sensible).cloned().collect();
        let step = prop_oneof![3 => select(any), 5 => select(sensible)];
        (step, killed)
            .prop_map(|(step, killed_after)| Command { step, killed_after })
            .boxed()
    }

    fn apply(mut world: Self, command: &Command) -> Self {
        world.model = world.model.after(&command.step);
        world
    }
}

/// All commands that there are, some of them several times, so that they are chosen more often.
fn steps(world: &World) -> Vec<Step> {
    let drivers: &[Driver] = match world.profile {
        "core-tp3" => &[Driver::Nat],
        _ => &[Driver::Nat, Driver::Internal],
    };
    let mut steps = vec![
        Step::InstallImage(world.wim()),
        Step::InstallImage(world.wim()),
        Step::RemoveImage(world.image()),
        Step::Reboot,
        Step::Wait(1),
        Step::Wait(100),
    ];
    for name in CONTAINERS.map(str::to_owned) {
        let networks = NETWORKS.iter().map(|network| Some((*network).to_owned()));
        for network in networks.chain([None]) {
            steps.push(Step::CreateContainer {
                name: name.clone(),
                image: world.image(),
                network,
                wishes: Wishes::default(),
            });
        }
        for (command, _) in COMMANDS {
            steps.push(Step::Exec {
                name: name.clone(),
                command: command.to_owned(),
            });
        }
        steps.extend([
            Step::Start(name.clone()),
            Step::Start(name.clone()),
            Step::Stop(name.clone()),
            Step::Kill(name.clone()),
            Step::RemoveContainer(name),
        ]);
    }
    for name in NETWORKS.map(str::to_owned) {
        steps.extend(drivers.iter().map(|&driver| Step::CreateNetwork {
            name: name.clone(),
            driver,
            subnet: None,
        }));
        steps.push(Step::RemoveNetwork(name));
    }
    steps
}

/// All commands, each of which works.
pub(crate) fn a_whole_life(world: &World) -> Vec<Step> {
    let [web, _] = CONTAINERS.map(str::to_owned);
    let [front, _] = NETWORKS.map(str::to_owned);
    let exec = |(command, _): (&str, u32)| Step::Exec {
        name: web.clone(),
        command: command.to_owned(),
    };
    let [hello, failing] = COMMANDS.map(exec);
    vec![
        Step::InstallImage(world.wim()),
        Step::CreateNetwork {
            name: front.clone(),
            driver: Driver::Nat,
            subnet: None,
        },
        Step::CreateContainer {
            name: web.clone(),
            image: world.image(),
            network: Some(front.clone()),
            wishes: Wishes::default(),
        },
        Step::Start(web.clone()),
        hello,
        failing,
        Step::Stop(web.clone()),
        Step::Start(web.clone()),
        Step::Kill(web.clone()),
        Step::Start(web.clone()),
        Step::Reboot,
        Step::Start(web.clone()),
        Step::RemoveContainer(web),
        Step::RemoveNetwork(front),
        Step::RemoveImage(world.image()),
    ]
}

/// The exit code of a program.
pub(crate) fn exit_code(command: &str) -> u32 {
    let known = COMMANDS.iter().find(|(known, _)| *known == command);
    known.map_or(0, |(_, code)| *code)
}

/// Has the engine carry out a command. A container that runs is not removed here: plans force it, this asks to be refused.
pub(crate) async fn perform(engine: &Engine<SimHost>, step: &Step, shelf: &Shelf) -> Answer {
    let answer = match step {
        Step::RemoveContainer(name) => match engine.remove_container(name, Force::No).await {
            Ok(()) => Ok(wcow_campaign::Answer::default()),
            Err(error) => Err(error.into()),
        },
        step => step.carry_out(engine, shelf).await,
    };
    match answer {
        Ok(told) => told.code.map_or(Answer::Done, Answer::Exited),
        Err(StepError::Engine(error)) => refusal(&error),
        Err(error) => panic!("{error}"),
    }
}

fn refusal(error: &EngineError) -> Answer {
    let word = |kind: &dyn fmt::Display| kind.to_string();
    match error {
        EngineError::NotFound { kind, .. } => Answer::NotFound(word(kind)),
        EngineError::Exists { kind, .. } => Answer::Exists(word(kind)),
        EngineError::Install { error, .. }
            if matches!(**error, InstallError::AlreadyExists { .. }) =>
        {
            Answer::Exists("image".to_owned())
        }
        EngineError::InUse { kind, .. } => Answer::InUse(word(kind)),
        EngineError::State { is, .. } => Answer::State(is),
        EngineError::NetworkGone { .. } => Answer::NetworkGone,
        error if error.host_error().is_some() => Answer::Refused,
        error => {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(error);
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            Answer::Other(text)
        }
    }
}
