//! What happens to clients as it happens, and what their steps come to.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wcow_engine::{Engine, EngineError};
use wcow_host::{HostError, HostInfo, failures};
use wcow_ntmeta::FileTime;
use wcow_scenario::WimShelf;
use wcow_sim::{FaultHit, SimHost};

use crate::history::{Done, Ending};
use crate::perform::StepError;
use crate::step::Step;

/// What all clients did, in the order in which it began, and which errors the catalogue of failures has no entry for.
#[derive(Clone, Default)]
pub(crate) struct Log {
    /// What the host is, if it told.
    info: Option<HostInfo>,
    entries: Arc<Mutex<(Vec<Done>, BTreeSet<String>)>>,
}

impl Log {
    pub(crate) fn new(info: Option<HostInfo>) -> Self {
        Self {
            info,
            ..Self::default()
        }
    }

    fn entries(&self) -> MutexGuard<'_, (Vec<Done>, BTreeSet<String>)> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks whether the catalogue knows an error.
    fn look_up(&self, error: &HostError) {
        let known = |info: &HostInfo| !failures::candidates(error, info).is_empty();
        if self.info.as_ref().is_some_and(|info| !known(info)) {
            self.entries().1.insert(error.to_string());
        }
    }

    pub(crate) fn begin(&self, client: usize, step: &Step, now: FileTime) -> usize {
        let log = &mut self.entries().0;
        log.push(Done {
            client,
            step: step.clone(),
            began: now,
            ended: None,
            cut_off: None,
            ending: Ending::Unknown,
            one_fault: false,
            left_behind: Vec::new(),
            removed: Vec::new(),
        });
        log.len() - 1
    }

    pub(crate) fn end(&self, place: usize, now: FileTime, told: Told) {
        if let Some(done) = self.entries().0.get_mut(place) {
            done.ended = Some(now);
            done.ending = told.ending;
            done.left_behind = told.left_behind;
            done.removed = told.removed;
        }
    }

    /// The client was killed.
    pub(crate) fn killed(&self, client: usize, now: FileTime) {
        let log = &mut self.entries().0;
        let of_client = log.iter_mut().rfind(|done| done.client == client);
        if let Some(done) = of_client.filter(|done| done.ended.is_none()) {
            done.cut_off = Some(now);
        }
    }

    /// The power went, and nothing that was under way can have an effect now that the host is `up_again`.
    pub(crate) fn power_lost(&self, when: FileTime, up_again: FileTime) {
        for done in &mut self.entries().0 {
            if done.ended.is_none() {
                done.ended = Some(up_again);
                done.cut_off.get_or_insert(when);
            }
        }
    }

    pub(crate) fn take(&self) -> (Vec<Done>, BTreeSet<String>) {
        std::mem::take(&mut *self.entries())
    }
}

/// What a step came to, and what it said of it.
pub(crate) struct Told {
    ending: Ending,
    left_behind: Vec<String>,
    removed: Vec<String>,
}

impl From<Ending> for Told {
    fn from(ending: Ending) -> Self {
        Self {
            ending,
            left_behind: Vec::new(),
            removed: Vec::new(),
        }
    }
}

/// Does one step.
pub(crate) async fn perform(
    engine: &Engine<SimHost>,
    step: &Step,
    shelf: &dyn WimShelf,
    log: &Log,
) -> Told {
    match step.carry_out(engine, shelf).await {
        Ok(answer) => {
            let pruned = answer.pruned.unwrap_or_default();
            let ending = match pruned.failed.first() {
                Some(failed) => Ending::Failed(failed.clone()),
                None => Ending::Done,
            };
            Told {
                removed: pruned.containers,
                ..ending.into()
            }
        }
        Err(StepError::Engine(error)) => {
            if let Some(error) = error.host_error() {
                log.look_up(error);
            }
            Told {
                left_behind: error.left_behind(),
                ..failed(&error).into()
            }
        }
        Err(StepError::Wait(error)) => {
            log.look_up(&error);
            Ending::Failed(error.to_string()).into()
        }
        Err(error) => Ending::Refused(error.to_string()).into(),
    }
}

/// A refusal that says that nothing was tried is one; whatever the host had a part in may have had an effect.
fn failed(error: &EngineError) -> Ending {
    match error.host_error() {
        Some(error) => Ending::Failed(error.to_string()),
        None if matches!(error.exit_code(), 2..=4) => Ending::Refused(error.to_string()),
        None => Ending::Failed(error.to_string()),
    }
}

/// Notes which steps went through one fault at most. What was done before the host was `up_again` went through a power loss too.
pub(crate) fn note_troubles(history: &mut [Done], hits: &[FaultHit], up_again: Option<FileTime>) {
    let restarts: Vec<(FileTime, Option<FileTime>)> = history
        .iter()
        .filter(|done| done.step == Step::Reboot)
        .map(|done| (done.began, done.ended))
        .collect();
    for done in history {
        let Some(ended) = done.ended else {
            continue;
        };
        if up_again.is_some_and(|up| done.began < up) {
            continue;
        }
        let mut during = hits
            .iter()
            .filter(|hit| (done.began..=ended).contains(&hit.time));
        // What the host refuses by itself can be followed by a fault that hits the rollback: then two things went wrong.
        let one_fault = match (during.next(), &done.ending, during.next()) {
            (None, ..) => true,
            (Some(hit), Ending::Failed(told), None) => {
                told.starts_with(&format!("{} of {} failed", hit.operation, hit.object))
            }
            _ => false,
        };
        let restarted = restarts
            .iter()
            .any(|(began, over)| *began <= ended && over.is_none_or(|over| done.began <= over));
        done.one_fault = one_fault && !restarted;
    }
}
