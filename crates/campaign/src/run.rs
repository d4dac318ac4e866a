//! One run: clients do what a plan says on a simulated host where things go wrong, and then everything is checked.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use serde::{Deserialize, Serialize};
use wcow_engine::Engine;
use wcow_host::client::{Winner, race};
use wcow_host::{Clock, ComputeApi, Host, HostControl};
use wcow_ntmeta::FileTime;
use wcow_scenario::WimShelf;
use wcow_sim::{
    Choices, Draws, Ended, FaultHit, FaultPlan, Label, Order, PowerCut, Profile, Schedule, Sim,
    SimHost, Stuck,
};

use crate::checks;
use crate::history::Done;
use crate::log::{Log, note_troubles, perform};
use crate::marks::mark;
use crate::mutants::Mutant;
use crate::plan::Plan;
use crate::step::Step;
use crate::violation::Violation;

/// Ticks of 100 ns in a second.
pub(crate) const SECOND: u64 = 10_000_000;
/// The longest that the clients of a run may take in virtual time: a day.
const LONGEST: u64 = 24 * 3600 * SECOND;

/// The power goes at one of so many durable steps, or at the end, if it goes: an install takes about twenty.
pub(crate) const DURABLE_STEPS: u64 = 160;

/// How long the host may take to finish what it was asked for when nothing goes wrong any more: ten minutes, a restart and the
/// longest delays included.
const SETTLING: u64 = 600 * SECOND;

/// Everything that decides a run, as data: the same on every machine, debug and release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunSpec {
    /// The profile of the host.
    pub profile: String,
    /// Where the host's choices come from.
    pub choices: Choices,
    /// In which order things happen that are due at the same time.
    #[serde(default)]
    pub schedule: Schedule,
    /// Through which surface of the compute service all clients see the host.
    #[serde(default, skip_serializing_if = "is_default")]
    pub surface: ComputeApi,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Faults,
    /// At which durable step of the host the power goes, once; when all clients are done if there are fewer steps. Clients that it
    /// cuts off go on with their next step when the host is up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<PowerCut>,
    /// The precautions that the engine does not take.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore: BTreeSet<Mutant>,
    /// What the clients do.
    pub plan: Plan,
}

/// What goes wrong during a run. When the clients are done, nothing does any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Faults {
    /// Nothing.
    #[default]
    None,
    /// A random part of all that can, hitting so many calls at most.
    Swarm(u32),
    /// What a plan says.
    Plan(FaultPlan),
}

fn is_default(surface: &ComputeApi) -> bool {
    *surface == ComputeApi::default()
}

/// A spec that names something that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no profile is called {name:?}; there are {}", .known.join(", "))]
pub struct UnknownProfile {
    /// The name as given.
    pub name: String,
    /// The profiles that there are.
    pub known: Vec<String>,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The host's fingerprint at the end.
    pub fingerprint: String,
    /// What the clients did and were told.
    pub history: Vec<Done>,
    /// The calls that were hit by faults.
    pub hits: Vec<FaultHit>,
    /// When the host was up again, if the power went.
    pub up_again: Option<FileTime>,
    /// How many calls the clients made.
    pub calls: u64,
    /// The promises that were broken, in the order in which they are checked.
    pub violations: Vec<Violation>,
    /// Situations that came up, by name, and how often.
    pub marks: BTreeMap<&'static str, u64>,
}

impl RunSpec {
    /// The run of a seed: profile, plan and faults are made up from it too.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        // The plan has choices of its own: what is tried does not depend on what happens.
        Self::draw(Choices::Seed(seed), &mut Draws::new(seed))
    }

    /// The run of a fuzzer's bytes. The first one says how many of those behind it make up profile, plan and faults; the rest
    /// are the host's choices. Any bytes are a run, and where they end the choices are zeros.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
        let (plan, host) = rest
            .split_at_checked(usize::from(*first))
            .unwrap_or((rest, &[]));
        Self::draw(
            Choices::Bytes(host.to_vec()),
            &mut Draws::new(Choices::Bytes(plan.to_vec())),
        )
    }

    /// Makes up everything but the host's choices.
    fn draw(choices: Choices, draws: &mut Draws) -> Self {
        let profile = draws
            .pick(Label::Plan, &Plan::PROFILES)
            .copied()
            .unwrap_or("server-2022");
        let faults = match draws.draw(Label::Plan, 4) {
            0 => Faults::None,
            budget => Faults::Swarm(u32::try_from(budget * budget).unwrap_or(1)),
        };
        let schedule = match draws.draw(Label::Plan, 3) {
            0 => Schedule::default(),
            1 => Schedule {
                order: Order::Random,
                quantum: SECOND / 100,
            },
            _ => Schedule {
                order: Order::Priority { depth: 3 },
                quantum: SECOND / 100,
            },
        };
        let power = draws.happens(Label::Plan, 1, 2).then(|| {
            let step = 1 + draws.draw(Label::Plan, DURABLE_STEPS);
            if draws.happens(Label::Plan, 1, 2) {
                PowerCut::Before(step)
            } else {
                PowerCut::After(step)
            }
        });
        Self {
            surface: if profile != "core-tp3" && draws.happens(Label::Wish, 1, 4) {
                ComputeApi::V2
            } else {
                ComputeApi::V1
            },
            profile: profile.to_owned(),
            choices,
            schedule,
            faults,
            power,
            ignore: BTreeSet::new(),
            plan: Plan::draw(profile, draws),
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// There is no such profile. A broken promise is no error: it stands in the report.
    pub fn run(&self, shelf: &dyn WimShelf) -> Result<Report, UnknownProfile> {
        let sim = self.host()?;
        Ok(self.run_on(&sim, shelf))
    }

    /// The host that it runs on, as it is before the run.
    ///
    /// # Errors
    /// There is no such profile.
    pub fn host(&self) -> Result<Sim, UnknownProfile> {
        let profile = Profile::named(&self.profile).ok_or_else(|| UnknownProfile {
            name: self.profile.clone(),
            known: Profile::all()
                .iter()
                .map(|profile| profile.name.to_string())
                .collect(),
        })?;
        Ok(Sim::new(profile, self.choices.clone()))
    }

    /// Runs it on its [host](Self::host), for whoever wants to keep a trace.
    #[must_use]
    pub fn run_on(&self, sim: &Sim, shelf: &dyn WimShelf) -> Report {
        let info = sim.run(sim.client().control().info());
        let log = Log::new(info.ok().and_then(Result::ok));
        for mutant in &self.ignore {
            sim.ignore(mutant.name());
        }
        sim.set_schedule(self.schedule);
        match &self.faults {
            Faults::None => {}
            Faults::Swarm(budget) => sim.draw_faults(*budget),
            Faults::Plan(plan) => sim.set_faults(plan.clone()),
        }
        if let Some(cut) = self.power {
            sim.power_loss_at(cut);
        }
        let left: Vec<Cell<&[Step]>> = self
            .plan
            .clients
            .iter()
            .map(|client| Cell::new(&client.steps[..]))
            .collect();
        let deadline = FileTime::from_ticks(sim.now().ticks().saturating_add(LONGEST));
        let mut up_again = None;
        let polled = Cell::new(sim.now());
        let ended = loop {
            let clients: Vec<Client<'_>> = left
                .iter()
                .enumerate()
                .map(|(number, left)| {
                    let host = sim.client_of(self.surface);
                    Client::new(host, number, left, &log, shelf)
                })
                .collect();
            if up_again.is_none() {
                for (client, plan) in clients.iter().zip(&self.plan.clients) {
                    if let Some(calls) = plan.killed_after {
                        sim.limit_calls(&client.host, calls);
                    }
                    if let Some(steps) = plan.killed_after_durable {
                        sim.limit_durable_steps(&client.host, steps);
                    }
                }
            }
            let ended = sim.run_to_end(Clients {
                sim,
                surface: self.surface,
                shelf,
                log: &log,
                polled: &polled,
                clients,
                deadline,
            });
            if ended != Ok(Ended::PowerLost) {
                break ended;
            }
            log.power_lost(polled.get(), sim.now());
            up_again = Some(sim.now());
        };
        sim.set_faults(FaultPlan::none());
        sim.keep_power();
        if self.power.is_some() && up_again.is_none() && ended == Ok(Ended::Value(true)) {
            let when = sim.now();
            sim.power_loss();
            log.power_lost(when, sim.now());
            up_again = Some(sim.now());
        }
        let calls = sim.calls();
        let (mut history, unexplained) = log.take();
        let unexplained = unexplained.into_iter();
        let mut violations: Vec<Violation> = unexplained
            .map(|error| Violation::Unexplained { error })
            .collect();
        match ended {
            Ok(Ended::Value(true) | Ended::PowerLost | Ended::Killed) => {}
            Ok(Ended::Value(false)) => violations.push(Violation::Unsettled {
                waiting: sim.waiting(),
            }),
            Err(Stuck { waiting, .. }) => violations.push(Violation::Unsettled { waiting }),
        }
        note_troubles(&mut history, &sim.fault_hits(), up_again);
        // What was asked for goes on without its client.
        sim.advance(SETTLING);
        match sim.unclaimed_answers() {
            0 => {}
            answers => violations.push(Violation::AnsweredAgain { answers }),
        }
        let mut marks = BTreeMap::new();
        if violations.is_empty() {
            let found = sim.run(checks::after(sim, self.surface, &history, up_again));
            match found {
                Ok(found) => violations.extend(found),
                Err(Stuck { waiting, .. }) => violations.push(Violation::Unsettled { waiting }),
            }
        }
        mark(&history, &sim.fault_hits(), &mut marks);
        if up_again.is_some() {
            marks.insert("the power went", 1);
        }
        Report {
            fingerprint: sim.fingerprint(),
            hits: sim.fault_hits(),
            up_again,
            calls,
            violations,
            marks,
            history,
        }
    }
}

/// A client that does its steps. When its process is killed or ended, another one goes on with the next step.
struct Client<'a> {
    number: usize,
    host: SimHost,
    /// What it has not begun yet.
    left: &'a Cell<&'a [Step]>,
    steps: Option<Pin<Box<dyn Future<Output = ()> + 'a>>>,
}

impl<'a> Client<'a> {
    fn new(
        host: SimHost,
        number: usize,
        left: &'a Cell<&'a [Step]>,
        log: &Log,
        shelf: &'a dyn WimShelf,
    ) -> Self {
        let engine = Engine::new(host.clone());
        let log = log.clone();
        let steps = async move {
            while let Some((step, rest)) = left.get().split_first() {
                left.set(rest);
                let clock = engine.host().clock();
                let place = log.begin(number, step, clock.now());
                let doing = perform(&engine, step, shelf, &log);
                let told = match step.patience() {
                    None => doing.await,
                    Some(patience) => {
                        let until = clock.now().ticks().saturating_add(patience);
                        match race(doing, clock.deadline(FileTime::from_ticks(until))).await {
                            Winner::First(told) => told,
                            // Its user ends the program.
                            Winner::Second(()) => return,
                        }
                    }
                };
                log.end(place, clock.now(), told);
            }
        };
        Self {
            number,
            host,
            left,
            steps: Some(Box::pin(steps)),
        }
    }
}

/// All clients at once. True when all are done, false if that takes too long.
struct Clients<'a> {
    sim: &'a Sim,
    surface: ComputeApi,
    shelf: &'a dyn WimShelf,
    log: &'a Log,
    /// When anybody last heard of the host.
    polled: &'a Cell<FileTime>,
    clients: Vec<Client<'a>>,
    deadline: FileTime,
}

impl Future for Clients<'_> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        let this = &mut *self;
        this.polled.set(this.sim.now());
        for client in &mut this.clients {
            while let Some(steps) = &mut client.steps {
                let is_done = steps.as_mut().poll(context).is_ready();
                if !is_done && !this.sim.is_spent(&client.host) {
                    break;
                }
                this.sim.kill(&client.host);
                // Whether it was killed or ended: what it was doing, if it was doing something, nobody hears of.
                this.log.killed(client.number, this.sim.now());
                if is_done && client.left.get().is_empty() {
                    client.steps = None;
                } else {
                    let host = this.sim.client_of(this.surface);
                    *client = Client::new(host, client.number, client.left, this.log, this.shelf);
                }
            }
        }
        if this.clients.iter().all(|client| client.steps.is_none()) {
            Poll::Ready(true)
        } else if this.sim.now() > this.deadline {
            Poll::Ready(false)
        } else {
            Poll::Pending
        }
    }
}
