//! Failing runs made small: whatever can be left out while the same promise stays broken is left out.

use wcow_host::ComputeApi;
use wcow_runtime::Isolation;
use wcow_scenario::WimShelf;
use wcow_sim::{Choices, FaultPlan, FaultRule, Label, PowerCut, Recording, Schedule, When};

use crate::plan::Plan;
use crate::run::{Faults, Report, RunSpec};
use crate::step::{Step, Wishes};

/// Runs that are tried at most.
const TRIES: u32 = 3000;

/// A run that breaks a promise, as small as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The run.
    pub spec: RunSpec,
    /// What came of it.
    pub report: Report,
    /// How many runs were tried.
    pub tries: u32,
}

/// Makes a run small that breaks the promise of this [check](crate::Violation::check). `None` if it does not break it.
#[must_use]
pub fn shrink(spec: &RunSpec, check: &str, shelf: &dyn WimShelf) -> Option<Shrunk> {
    let broken = |report: &Report| {
        report
            .violations
            .iter()
            .any(|violation| violation.check() == check)
    };
    shrink_while(spec, &broken, shelf)
}

/// Makes a run small while something is true of what comes of it. `None` if it is not true of the run as it is.
#[must_use]
pub fn shrink_while(
    spec: &RunSpec,
    holds: &dyn Fn(&Report) -> bool,
    shelf: &dyn WimShelf,
) -> Option<Shrunk> {
    let mut search = Search {
        holds,
        shelf,
        tries: 0,
    };
    let report = search.holds(spec)?;
    let mut best = (spec.clone(), report);
    loop {
        let before = best.0.clone();
        search.profile(&mut best);
        search.faults(&mut best);
        search.power(&mut best);
        search.clients(&mut best);
        search.steps(&mut best);
        search.rules(&mut best);
        search.calls(&mut best);
        search.arguments(&mut best);
        search.choices(&mut best);
        if best.0 == before || search.tries >= TRIES {
            break;
        }
    }
    let (spec, report) = best;
    Some(Shrunk {
        spec,
        report,
        tries: search.tries,
    })
}

struct Search<'a> {
    holds: &'a dyn Fn(&Report) -> bool,
    shelf: &'a dyn WimShelf,
    tries: u32,
}

type Best = (RunSpec, Report);

impl Search<'_> {
    /// What came of a run, if it is still so.
    fn holds(&mut self, spec: &RunSpec) -> Option<Report> {
        self.tries += 1;
        spec.run(self.shelf)
            .ok()
            .filter(|report| (self.holds)(report))
    }

    /// Takes a smaller run if it is still so.
    fn take(&mut self, best: &mut Best, smaller: RunSpec) -> bool {
        if smaller == best.0 || self.tries >= TRIES {
            return false;
        }
        match self.holds(&smaller) {
            Some(report) => {
                *best = (smaller, report);
                true
            }
            None => false,
        }
    }

    /// A host on which more things work.
    fn profile(&mut self, best: &mut Best) {
        for profile in Plan::PROFILES {
            if best.0.profile == profile {
                return;
            }
            let Some(plan) = best.0.plan.moved(&best.0.profile, profile) else {
                return;
            };
            let mut simpler = best.0.clone();
            simpler.plan = plan;
            profile.clone_into(&mut simpler.profile);
            if self.take(best, simpler) {
                return;
            }
        }
    }

    /// No faults, or those that hit, call by call.
    fn faults(&mut self, best: &mut Best) {
        if best.0.faults == Faults::None {
            return;
        }
        let mut none = best.0.clone();
        none.faults = Faults::None;
        if self.take(best, none) || matches!(best.0.faults, Faults::Plan(_)) {
            return;
        }
        let rules: Vec<FaultRule> = best
            .1
            .hits
            .iter()
            .map(|hit| FaultRule {
                when: When::Call(hit.call),
                what: hit.what.clone(),
            })
            .collect();
        let budget = u32::try_from(rules.len()).unwrap_or(u32::MAX);
        let mut exact = best.0.clone();
        exact.faults = Faults::Plan(FaultPlan { rules, budget });
        self.take(best, exact);
    }

    /// No power cut, or an earlier one.
    fn power(&mut self, best: &mut Best) {
        let Some(cut) = best.0.power else {
            return;
        };
        let mut none = best.0.clone();
        none.power = None;
        if self.take(best, none) {
            return;
        }
        let (PowerCut::Before(last) | PowerCut::After(last)) = cut;
        for step in 1..last {
            let mut earlier = best.0.clone();
            earlier.power = Some(match cut {
                PowerCut::Before(_) => PowerCut::Before(step),
                PowerCut::After(_) => PowerCut::After(step),
            });
            if self.take(best, earlier) {
                return;
            }
        }
    }

    /// Fewer rules.
    fn rules(&mut self, best: &mut Best) {
        let mut place = 0;
        while let Faults::Plan(plan) = &best.0.faults {
            if place >= plan.rules.len() {
                return;
            }
            let mut plan = plan.clone();
            plan.rules.remove(place);
            let mut smaller = best.0.clone();
            smaller.faults = Faults::Plan(plan);
            if !self.take(best, smaller) {
                place += 1;
            }
        }
    }

    /// Earlier calls that go wrong: those that come when fewer clients and steps are left.
    fn calls(&mut self, best: &mut Best) {
        let Faults::Plan(plan) = &best.0.faults else {
            return;
        };
        for (place, rule) in plan.clone().rules.into_iter().enumerate() {
            let When::Call(last) = rule.when else {
                continue;
            };
            for call in 1..last {
                let mut earlier = best.0.clone();
                if let Faults::Plan(plan) = &mut earlier.faults
                    && let Some(rule) = plan.rules.get_mut(place)
                {
                    rule.when = When::Call(call);
                }
                if self.take(best, earlier) {
                    break;
                }
            }
        }
    }

    /// Fewer clients, and no kills.
    fn clients(&mut self, best: &mut Best) {
        let mut place = 0;
        while place < best.0.plan.clients.len() {
            let mut smaller = best.0.clone();
            smaller.plan.clients.remove(place);
            if self.take(best, smaller) {
                continue;
            }
            let mut spared = best.0.clone();
            if let Some(client) = spared.plan.clients.get_mut(place) {
                client.killed_after = None;
                client.killed_after_durable = None;
            }
            self.take(best, spared);
            place += 1;
        }
    }

    /// Fewer steps: halves first, single ones last.
    fn steps(&mut self, best: &mut Best) {
        for client in 0..best.0.plan.clients.len() {
            let len = |best: &Best| {
                best.0
                    .plan
                    .clients
                    .get(client)
                    .map_or(0, |client| client.steps.len())
            };
            let mut size = len(best).div_ceil(2);
            while size > 0 {
                let mut start = 0;
                while start < len(best) {
                    let end = (start + size).min(len(best));
                    let mut smaller = best.0.clone();
                    if let Some(client) = smaller.plan.clients.get_mut(client) {
                        client.steps.drain(start..end);
                    }
                    if !self.take(best, smaller) {
                        start += size;
                    }
                }
                size /= 2;
            }
        }
    }

    /// Simpler steps.
    fn arguments(&mut self, best: &mut Best) {
        for client in 0..best.0.plan.clients.len() {
            let steps = best
                .0
                .plan
                .clients
                .get(client)
                .map_or(0, |client| client.steps.len());
            for place in 0..steps {
                for part in 0..PARTS {
                    let mut spec = best.0.clone();
                    let clients = spec.plan.clients.get_mut(client);
                    if let Some(step) = clients.and_then(|client| client.steps.get_mut(place)) {
                        simplify(step, part);
                    }
                    self.take(best, spec);
                }
            }
        }
    }

    /// The plainest order, and choices of zeros, label by label.
    fn choices(&mut self, best: &mut Best) {
        let mut plain = best.0.clone();
        plain.schedule = Schedule::default();
        self.take(best, plain);
        let mut plain = best.0.clone();
        plain.surface = ComputeApi::default();
        self.take(best, plain);
        let recording = match &best.0.choices {
            Choices::Seed(seed) => Recording {
                seed: Some(*seed),
                ..Recording::default()
            },
            Choices::Recorded(recording) => recording.clone(),
            _ => return,
        };
        if recording == Recording::default() {
            return;
        }
        let mut zeros = best.0.clone();
        zeros.choices = Choices::Recorded(Recording::default());
        if self.take(best, zeros) {
            return;
        }
        let mut recording = recording;
        for label in Label::ALL {
            if recording.lists.contains_key(&label) {
                continue;
            }
            let mut fewer = recording.clone();
            fewer.lists.insert(label, Vec::new());
            let mut smaller = best.0.clone();
            smaller.choices = Choices::Recorded(fewer.clone());
            if self.take(best, smaller) {
                recording = fewer;
            }
        }
    }
}

/// How many parts a step has at most that can be simpler.
const PARTS: u32 = 5;

/// Makes one part of a step simpler, if it has so many.
fn simplify(step: &mut Step, part: u32) {
    match step {
        Step::CreateContainer {
            network, wishes, ..
        } => match part {
            0 => *network = None,
            1 => *wishes = Wishes::default(),
            2 => wishes.publish.clear(),
            3 => (wishes.processors, wishes.memory_mib) = (None, None),
            _ => wishes.isolation = Isolation::Process,
        },
        _ if part > 0 => {}
        Step::CreateNetwork { subnet, .. } => *subnet = None,
        Step::Wait(seconds) => *seconds /= 2,
        Step::Exec { command, .. } => *command = "cmd /c exit 0".to_owned(),
        Step::Supervise { most, .. } => *most = 0,
        Step::Restart(name) => *step = Step::Start(name.clone()),
        Step::RemoveStopped(name) => *step = Step::RemoveContainer(name.clone()),
        _ => {}
    }
}
