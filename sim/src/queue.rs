//! What will happen, in order: by time, then by the order in which it was planned.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wcow_ntmeta::FileTime;

use crate::call::{Call, ClientId, OpId};
use crate::serial;
use crate::world::compute::ComputeEvent;

/// Something that will happen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Event {
    /// A call takes effect.
    Perform {
        /// The call's number.
        op: OpId,
        /// Who called.
        client: ClientId,
        /// What was called. Boxed, so that what waits in the queue is small.
        call: Box<Call>,
    },
    /// The machine is up again after a restart that `op` asked for.
    Booted {
        /// The restart.
        op: OpId,
    },
    /// Something in the compute service.
    Compute(ComputeEvent),
}

/// An event with its place in the order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Planned {
    /// How often the machine had started when it was planned.
    pub(crate) boot: u32,
    /// What will happen.
    pub(crate) event: Event,
}

/// The ordered queue. Time jumps from one event to the next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Queue {
    #[serde(with = "serial::pairs")]
    events: BTreeMap<(FileTime, u64), Planned>,
    planned: u64,
}

impl Queue {
    /// Plans an event.
    pub(crate) fn push(&mut self, time: FileTime, boot: u32, event: Event) {
        self.planned += 1;
        self.events
            .insert((time, self.planned), Planned { boot, event });
    }

    /// When the next event is due.
    pub(crate) fn next_time(&self) -> Option<FileTime> {
        self.events.first_key_value().map(|(&(time, _), _)| time)
    }

    /// Takes the next event: its time, its sequence number, itself.
    pub(crate) fn pop(&mut self) -> Option<(FileTime, u64, Planned)> {
        self.events
            .pop_first()
            .map(|((time, sequence), planned)| (time, sequence, planned))
    }

    /// All planned events, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Planned> {
        self.events.values()
    }
}
