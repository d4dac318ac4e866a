//! Power: durable steps are counted, and the power can be cut at any of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Outside, TICKS_PER_SECOND, World, after};
use crate::call::{Call, ComputeCall, FilesCall, LayersCall, TreeId};
use crate::choice::Label;
use crate::fs::{SealedTree, TreeBuilder};
use crate::queue::{Arrival, Event};
use crate::trace::{Kind, TraceEvent};

/// At which durable step the power goes. Steps are counted from 1 over the whole life of the host, see
/// [`Sim::durable_steps`](crate::Sim::durable_steps).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PowerCut {
    /// Before the step takes effect: it promised nothing.
    Before(u64),
    /// When it took effect, before anybody heard of it.
    After(u64),
}

/// What the world knows of its power.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Power {
    /// Durable steps so far.
    steps: u64,
    cut: Option<PowerCut>,
    /// The power goes now: whoever let the event happen makes it so.
    #[serde(skip)]
    due: bool,
}

impl Power {
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    pub(crate) fn cut_at(&mut self, cut: PowerCut) {
        self.cut = Some(cut);
    }

    pub(crate) fn keep(&mut self) {
        self.cut = None;
    }

    pub(crate) fn is_due(&self) -> bool {
        self.due
    }
}

impl World {
    /// A call takes effect, unless the power goes before.
    pub(super) fn perform_under_power(
        &mut self,
        sequence: u64,
        arrival: Arrival,
        out: &mut Outside<'_>,
    ) {
        self.fs.close_until(self.now);
        if !is_durable_step(&arrival.call) || self.machine.down {
            return self.perform(sequence, arrival, out);
        }
        self.power.steps += 1;
        let steps = self.power.steps;
        match self.power.cut {
            Some(PowerCut::Before(step)) if step == steps => {
                self.power.due = true;
                let event = Event::Perform(arrival);
                self.queue.push(self.now, self.machine.boots, event);
            }
            cut => {
                self.perform(sequence, arrival, out);
                self.power.due = cut == Some(PowerCut::After(steps));
            }
        }
    }

    /// The power goes, and comes back: everything that was not durable is gone or torn, everybody is dead, the machine is up
    /// again as after a restart that nothing prepared. `writing` are the trees that clients were sending.
    pub(crate) fn power_loss(
        &mut self,
        writing: Vec<(TreeId, TreeBuilder)>,
        out: &mut Outside<'_>,
    ) {
        self.power.due = false;
        self.power.cut = None;
        for client in std::mem::take(&mut self.clients) {
            self.kill(client);
        }
        let mut trees: Vec<(TreeId, Arc<SealedTree>)> = Vec::new();
        for (tree, builder) in writing {
            // A store of contents that fails keeps nothing of it.
            trees.extend(builder.finish().ok().map(|built| (tree, built.tree)));
        }
        for planned in self.queue.take_all() {
            if let Event::Perform(arrival) = planned.event
                && let Call::Files(FilesCall::FinishTree { tree, content, .. }) = *arrival.call
            {
                trees.extend(out.trees.load(content, out.blobs).map(|sent| (tree, sent)));
            }
        }
        self.compute_on_reboot(out);
        self.layers_on_reboot();
        self.network_on_reboot();
        self.pending.clear();
        self.answers.clear();
        let survived = self.fs.power_loss(trees, &mut self.choice, out);
        self.layers_after_power_loss(out);
        self.fingerprint.record(
            self.now,
            0,
            Kind::PowerLost as u16,
            u64::from(self.machine.boots),
            0,
            &format!(
                "{} {} {}",
                survived.unsynced_names, survived.names, survived.contents
            ),
        );
        out.trace(self.now, || {
            TraceEvent::Host(format!(
                "the power goes: {} of {} unsynced operations on names survive, and the names of {} files whose contents were not synced",
                survived.names, survived.unsynced_names, survived.contents
            ))
        });
        self.machine.boots += 1;
        let seconds = 30 + self.choice.draw(Label::Restart, 60);
        self.now = after(self.now, seconds * TICKS_PER_SECOND);
        self.booted();
    }
}

/// Whether what a call does is durable when it is answered.
fn is_durable_step(call: &Call) -> bool {
    matches!(
        call,
        Call::Files(FilesCall::SyncFile(_) | FilesCall::SyncDir(_) | FilesCall::FinishTree { .. })
            | Call::Layers(
                LayersCall::ProcessBase { .. }
                    | LayersCall::CreateScratch { .. }
                    | LayersCall::Destroy { .. }
            )
            | Call::Compute(ComputeCall::Create { .. } | ComputeCall::Remove { .. })
    )
}
