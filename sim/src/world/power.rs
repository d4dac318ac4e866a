//! Power: durable steps are counted, and the power can be cut at any of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Outside, TICKS_PER_SECOND, World, after};
use crate::blobs::BlobId;
use crate::call::{
    Call, ClientId, ComputeCall, FilesCall, LayersCall, OpId, Outcome, Step, TreeId,
};
use crate::choice::Label;
use crate::fs::{SealedTree, TreeBuilder};
use crate::queue::Event;
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
    /// The tree that was about to be finished.
    #[serde(skip)]
    unfinished: Option<(TreeId, BlobId)>,
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
    /// What a call comes to when it takes effect, unless the power goes before. One that is refused by a fault, or made late, is
    /// no step yet.
    pub(super) fn outcome_under_power(
        &mut self,
        op: OpId,
        client: ClientId,
        call: &Call,
        out: &mut Outside<'_>,
    ) -> Outcome {
        if !is_durable_step(call) || self.machine.down {
            return self.outcome(op, client, call, out);
        }
        self.power.steps += 1;
        let steps = self.power.steps;
        if self.power.cut == Some(PowerCut::Before(steps)) {
            self.power.due = true;
            if let Call::Files(FilesCall::FinishTree { tree, content, .. }) = call {
                self.power.unfinished = Some((*tree, *content));
            }
            return Ok(Step::Pending);
        }
        let outcome = self.outcome(op, client, call, out);
        // The answer is given, and goes with all others before anybody hears of it.
        self.power.due = self.power.cut == Some(PowerCut::After(steps));
        outcome
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
        self.limited.clear();
        let mut trees: Vec<(TreeId, Arc<SealedTree>)> = Vec::new();
        for (tree, builder) in writing {
            // A store of contents that fails keeps nothing of it.
            trees.extend(builder.finish().ok().map(|built| (tree, built.tree)));
        }
        let mut finishing = Vec::from_iter(self.power.unfinished.take());
        for planned in self.queue.take_all() {
            if let Event::Perform(arrival) = planned.event
                && let Call::Files(FilesCall::FinishTree { tree, content, .. }) = *arrival.call
            {
                finishing.push((tree, content));
            }
        }
        for (tree, content) in finishing {
            trees.extend(out.trees.load(content, out.blobs).map(|sent| (tree, sent)));
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
pub(crate) fn is_durable_step(call: &Call) -> bool {
    matches!(
        call,
        Call::Files(
            FilesCall::SyncFile { .. } | FilesCall::SyncDir { .. } | FilesCall::FinishTree { .. }
        ) | Call::Layers(
            LayersCall::ProcessBase { .. }
                | LayersCall::CreateScratch { .. }
                | LayersCall::Destroy { .. }
                | LayersCall::ProcessUtilityVm { .. }
                | LayersCall::Import { .. }
                | LayersCall::Export { .. }
        ) | Call::Compute(ComputeCall::Create { .. } | ComputeCall::Remove { .. })
    )
}
