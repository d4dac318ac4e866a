//! The engine against a model of what it promises, driven by proptest's state machines: commands that succeed or are refused, and
//! commands whose process is killed somewhere in the middle.

mod machine;
mod reference;

use std::collections::BTreeSet;
use std::rc::Rc;

use proptest::test_runner::Config;
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use wcow_campaign::Step;
use wcow_engine::Engine;
use wcow_scenario::wims::Shelf;
use wcow_sim::{Ended, Profile, Sim};

use machine::{Command, World};
use reference::{Model, Shown};

/// After what a killed command had asked the host for is over, and the engine takes nothing for being made any more.
const SETTLED: u64 = 15 * 60 * 10_000_000;

/// A simulated host, and all that may be true of it after what commands were answered and lists have shown.
pub(crate) struct Tested {
    profile: &'static str,
    sim: Sim,
    shelf: Rc<Shelf>,
    possible: BTreeSet<Model>,
    done: Vec<String>,
    /// The last command was.
    was_killed: bool,
}

impl Tested {
    fn new(profile: &'static str) -> Self {
        Self {
            profile,
            sim: Sim::new(Profile::named(profile).unwrap(), 0),
            shelf: Rc::new(Shelf::build().unwrap()),
            possible: BTreeSet::from([Model::new(profile)]),
            done: Vec::new(),
            was_killed: false,
        }
    }

    fn fork(&self) -> Self {
        Self {
            profile: self.profile,
            sim: self.sim.fork(),
            shelf: Rc::clone(&self.shelf),
            possible: self.possible.clone(),
            done: self.done.clone(),
            was_killed: false,
        }
    }

    fn carry_out(&mut self, command: &Command) {
        self.done.push(command.to_string());
        let engine = Engine::new(self.sim.client());
        let acting = machine::perform(&engine, &command.step, &self.shelf);
        let ended = match command.killed_after {
            None => self.sim.run_to_end(acting),
            Some(calls) => self.sim.run_killed_after(engine.host(), calls, acting),
        };
        let ended = ended.unwrap();
        self.was_killed = matches!(ended, Ended::Killed);
        match ended {
            Ended::Value(answer) => {
                let expected: BTreeSet<_> = self
                    .possible
                    .iter()
                    .map(|model| model.answer(&command.step).to_string())
                    .collect();
                self.possible = self
                    .possible
                    .iter()
                    .filter(|model| model.answer(&command.step) == answer)
                    .map(|model| model.after(&command.step))
                    .collect();
                let told = format!("answered {answer}, expected {expected:?}");
                self.expect_some(&told);
            }
            Ended::Killed => {
                self.possible = self
                    .possible
                    .iter()
                    .flat_map(|model| model.after_part_of(&command.step))
                    .collect();
                self.sim.advance(SETTLED);
            }
            ended => panic!("{}: nobody took the power: {ended:?}", self.profile),
        }
        self.look();
    }

    /// What lists show narrows down what can be true.
    fn look(&mut self) {
        let engine = Engine::new(self.sim.client());
        let shown = self.sim.run(Shown::of(&engine)).unwrap();
        let expected: BTreeSet<_> = self.possible.iter().map(Model::shown).collect();
        self.possible.retain(|model| model.shown() == shown);
        self.expect_some(&format!("listed {shown:?}, expected one of {expected:?}"));
    }

    fn expect_some(&self, told: &str) {
        assert!(
            !self.possible.is_empty(),
            "{}: after {:?}: {told}",
            self.profile,
            self.done
        );
    }
}

struct Conforms;

impl StateMachineTest for Conforms {
    type SystemUnderTest = Tested;
    type Reference = World;

    fn init_test(world: &World) -> Tested {
        Tested::new(world.profile())
    }

    fn apply(mut tested: Tested, _: &World, command: Command) -> Tested {
        tested.carry_out(&command);
        tested
    }
}

prop_state_machine! {
    #![proptest_config(Config { cases: 96, failure_persistence: None, ..Config::default() })]

    #[test]
    fn commands_do_what_the_model_says(sequential 1..24 => Conforms);
}

/// What the strategies seldom come upon.
#[test]
fn a_whole_life() {
    for profile in machine::PROFILES {
        let mut tested = Tested::new(profile);
        let world = World::new(profile);
        for step in machine::a_whole_life(&world) {
            tested.carry_out(&Command::whole(step));
        }
        assert_eq!(tested.possible.len(), 1, "nothing is left open");
    }
}

/// Every command of a life killed after every one of its calls.
#[test]
fn a_whole_life_cut_off_everywhere() {
    for profile in machine::PROFILES {
        let mut tested = Tested::new(profile);
        for step in machine::a_whole_life(&World::new(profile)) {
            for calls in 1.. {
                let mut cut = tested.fork();
                cut.carry_out(&Command {
                    step: step.clone(),
                    killed_after: Some(calls),
                });
                if !cut.was_killed || calls == most(&step) {
                    break;
                }
            }
            tested.carry_out(&Command::whole(step));
        }
    }
}

/// An install writes hundreds of files: what each of them does to it is other tests' matter.
fn most(step: &Step) -> u64 {
    match step {
        Step::InstallImage(_) => 30,
        _ => u64::MAX,
    }
}
