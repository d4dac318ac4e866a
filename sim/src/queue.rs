//! What will happen, in order: by time, then by the schedule.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Deserializer, Serialize};
use wcow_ntmeta::FileTime;

use crate::call::{Call, ClientId, OpId};
use crate::choice::{Choice, Label};
use crate::serial;
use crate::world::compute::ComputeEvent;
use crate::world::services::ServiceUp;

/// Something that will happen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Event {
    /// A call takes effect.
    Perform(Arrival),
    /// The machine is up again after a restart that `op` asked for.
    Booted {
        /// The restart.
        op: OpId,
    },
    /// Something in the compute service.
    Compute(ComputeEvent),
    /// A service that crashed is started again.
    Service(ServiceUp),
}

/// A call that is about to take effect.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Arrival {
    /// The call's number.
    pub(crate) op: OpId,
    /// Who called.
    pub(crate) client: ClientId,
    /// What was called. Boxed, so that what waits in the queue is small.
    pub(crate) call: Box<Call>,
    /// When it was called.
    pub(crate) issued: FileTime,
    /// Whether a fault has made it late; it is spared others.
    pub(crate) late: bool,
}

impl Event {
    /// Who it comes from.
    fn source(&self) -> Source {
        match self {
            Self::Perform(arrival) => Some(arrival.client),
            Self::Booted { .. } | Self::Compute(_) | Self::Service(_) => None,
        }
    }
}

/// Who an event comes from: a client, or the host itself. What comes from one of them stays in its order.
type Source = Option<ClientId>;

/// An event with its place in the order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Planned {
    /// How often the machine had started when it was planned.
    pub(crate) boot: u32,
    /// What will happen.
    pub(crate) event: Event,
}

/// In which order things happen that are due at the same time, and what counts as the same time.
///
/// Events of one client, or of the host itself, stay in their order, whatever the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Schedule {
    /// The order.
    pub order: Order,
    /// Times of events are rounded up to a multiple of so many ticks of 100 ns. The larger it is, the more is due at the same
    /// time.
    pub quantum: u64,
}

impl Default for Schedule {
    /// The order in which things were planned, to the tick.
    fn default() -> Self {
        Self {
            order: Order::FirstIn,
            quantum: 1,
        }
    }
}

/// Which of several events comes first that are due at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Order {
    /// The one that was planned first.
    FirstIn,
    /// Any: each time a draw.
    Random,
    /// The one whose source has the highest priority. Priorities are drawn once, and changed at `depth - 1` points that are
    /// drawn too: a bug that needs so many orderings is found with a known probability (Burckhardt et al., "A Randomized
    /// Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010).
    Priority {
        /// How many orderings the bugs that are sought need; 1 changes no priority.
        depth: u32,
    },
}

/// The decisions, counted over a run, among which the points are drawn where priorities change.
const DECISIONS: u64 = 256;
/// First priorities are this or higher, later ones lower.
const FIRST_PRIORITY: u64 = 1 << 32;

/// What [`Order::Priority`] remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Priorities {
    #[serde(with = "serial::pairs")]
    of: BTreeMap<Source, u64>,
    /// The decisions at which the chosen one falls behind all others, drawn at the first decision.
    changes: Option<Vec<u64>>,
    decisions: u64,
}

/// When an event is due, and its number.
type Key = (FileTime, u64);

/// Events in their order, the next one first. In serde a sequence of pairs.
///
/// They are few, some for each client, and most that are planned come last or nearly so: a map would cost more.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
struct Events(VecDeque<(Key, Planned)>);

impl Events {
    fn insert(&mut self, key: Key, planned: Planned) {
        if self.0.back().is_none_or(|(last, _)| *last < key) {
            self.0.push_back((key, planned));
        } else {
            let place = self.0.partition_point(|(there, _)| *there < key);
            self.0.insert(place, (key, planned));
        }
    }

    fn first_key(&self) -> Option<Key> {
        self.0.front().map(|(key, _)| *key)
    }

    fn pop_first(&mut self) -> Option<(Key, Planned)> {
        self.0.pop_front()
    }

    fn remove(&mut self, key: Key) -> Option<(Key, Planned)> {
        let place = self.0.binary_search_by_key(&key, |(there, _)| *there);
        self.0.remove(place.ok()?)
    }

    fn iter(&self) -> impl Iterator<Item = &(Key, Planned)> {
        self.0.iter()
    }

    /// The events that are due at this time.
    fn at(&self, time: FileTime) -> impl Iterator<Item = (u64, &Planned)> {
        let first = self.0.partition_point(|((due, _), _)| *due < time);
        self.0
            .range(first..)
            .take_while(move |((due, _), _)| *due == time)
            .map(|((_, sequence), planned)| (*sequence, planned))
    }
}

impl<'de> Deserialize<'de> for Events {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sorted: BTreeMap<Key, Planned> = serial::pairs::deserialize(deserializer)?;
        Ok(Self(sorted.into_iter().collect()))
    }
}

/// The ordered queue. Time jumps from one event to the next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Queue {
    events: Events,
    planned: u64,
    schedule: Schedule,
    priorities: Priorities,
}

impl Queue {
    /// How equal times are dealt with from now on.
    pub(crate) fn set_schedule(&mut self, schedule: Schedule) {
        self.schedule = schedule;
    }

    /// Plans an event.
    pub(crate) fn push(&mut self, time: FileTime, boot: u32, event: Event) {
        let time = match self.schedule.quantum {
            0 | 1 => time,
            quantum => {
                let ticks = time.ticks();
                let rounded = ticks.div_ceil(quantum).saturating_mul(quantum);
                FileTime::from_ticks(rounded.max(ticks))
            }
        };
        self.planned += 1;
        self.events
            .insert((time, self.planned), Planned { boot, event });
    }

    /// When the next event is due.
    pub(crate) fn next_time(&self) -> Option<FileTime> {
        self.events.first_key().map(|(time, _)| time)
    }

    /// Takes the next event: its time, its sequence number, itself.
    pub(crate) fn pop(&mut self, choice: &mut Choice) -> Option<(FileTime, u64, Planned)> {
        let first = match self.schedule.order {
            Order::FirstIn => None,
            order => self.choose(order, choice),
        };
        let ((time, sequence), planned) = match first {
            None => self.events.pop_first()?,
            Some(key) => self.events.remove(key)?,
        };
        Some((time, sequence, planned))
    }

    /// Takes everything that was planned, in order.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Planned> + use<> {
        let Events(events) = std::mem::take(&mut self.events);
        events.into_iter().map(|(_, planned)| planned)
    }

    /// Has some of the events happen at `now` that were planned for later, in the order in which they were to come.
    pub(crate) fn bring_forward(&mut self, now: FileTime, chosen: impl Fn(&Event) -> bool) {
        let later: Vec<Key> = self
            .events
            .iter()
            .filter(|((time, _), planned)| *time > now && chosen(&planned.event))
            .map(|(key, _)| *key)
            .collect();
        for key in later {
            if let Some((_, planned)) = self.events.remove(key) {
                self.planned += 1;
                self.events.insert((now, self.planned), planned);
            }
        }
    }

    /// All planned events, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Planned> {
        self.events.iter().map(|(_, planned)| planned)
    }

    /// The event that comes first; `None` if there is nothing to choose from.
    fn choose(&mut self, order: Order, choice: &mut Choice) -> Option<(FileTime, u64)> {
        let time = self.next_time()?;
        // The first event of each source.
        let mut candidates: Vec<(Source, u64)> = Vec::new();
        for (sequence, planned) in self.events.at(time) {
            let source = planned.event.source();
            if candidates.iter().all(|(known, _)| *known != source) {
                candidates.push((source, sequence));
            }
        }
        if candidates.len() < 2 {
            return None;
        }
        let place = match order {
            Order::FirstIn => 0,
            Order::Random => {
                let count = u64::try_from(candidates.len()).unwrap_or(u64::MAX);
                usize::try_from(choice.draw(Label::Order, count)).unwrap_or(0)
            }
            Order::Priority { depth } => self.priorities.choose(&candidates, depth, choice),
        };
        let (_, sequence) = candidates.get(place)?;
        Some((time, *sequence))
    }
}

impl Priorities {
    /// The place of the candidate with the highest priority.
    fn choose(&mut self, candidates: &[(Source, u64)], depth: u32, choice: &mut Choice) -> usize {
        let changes = self.changes.get_or_insert_with(|| {
            (1..depth)
                .map(|_| choice.draw(Label::Order, DECISIONS))
                .collect()
        });
        let mut best = (0, 0);
        for (place, (source, _)) in candidates.iter().enumerate() {
            let priority = *self
                .of
                .entry(*source)
                .or_insert_with(|| FIRST_PRIORITY + choice.draw(Label::Order, 1 << 16));
            if priority > best.1 {
                best = (place, priority);
            }
        }
        // The later the change, the lower the priority that it gives.
        if changes.contains(&self.decisions)
            && let Some((source, _)) = candidates.get(best.0)
        {
            self.of
                .insert(*source, DECISIONS.saturating_sub(self.decisions));
        }
        self.decisions = self.decisions.saturating_add(1);
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::Choices;

    /// Plans `count` events of each of three clients at the same time, and gives the order in which they come.
    fn order(schedule: Schedule, seed: u64, count: u64) -> Vec<(u32, u64)> {
        let mut queue = Queue::default();
        queue.set_schedule(schedule);
        for number in 0..count {
            for client in 1..=3 {
                queue.push(
                    FileTime::from_ticks(10 + number % 3),
                    0,
                    Event::Perform(Arrival {
                        op: OpId(number),
                        client: ClientId(client),
                        call: Box::new(Call::SleepUntil(FileTime::ZERO)),
                        issued: FileTime::ZERO,
                        late: false,
                    }),
                );
            }
        }
        let mut choice = Choice::new(Choices::Seed(seed));
        let mut order = Vec::new();
        while let Some((_, _, planned)) = queue.pop(&mut choice) {
            if let Event::Perform(arrival) = planned.event {
                order.push((arrival.client.0, arrival.op.0));
            }
        }
        order
    }

    #[test]
    fn events_come_in_their_order_however_they_were_planned() {
        let planned = |boot| Planned {
            boot,
            event: Event::Booted { op: OpId(0) },
        };
        let mut choice = Choice::new(Choices::Seed(7));
        let mut events = Events::default();
        let mut model = BTreeMap::new();
        for number in 0..2000_u32 {
            let draw = choice.draw(Label::Order, 16);
            let time = FileTime::from_ticks(choice.draw(Label::Order, 8));
            match draw {
                0..8 => {
                    let key = (time, u64::from(number));
                    events.insert(key, planned(number));
                    model.insert(key, number);
                }
                8..13 => {
                    let popped = events.pop_first().map(|(key, event)| (key, event.boot));
                    assert_eq!(popped, model.pop_first());
                }
                _ => {
                    let any = model.range((time, 0)..).next().map(|(key, _)| *key);
                    if let Some(key) = any {
                        let removed = events.remove(key).map(|(key, event)| (key, event.boot));
                        assert_eq!(removed, model.remove_entry(&key));
                    }
                    assert!(events.remove((time, u64::MAX)).is_none());
                }
            }
            let boots = |events: &Events| Vec::from_iter(events.iter().map(|(_, it)| it.boot));
            assert!(boots(&events).iter().eq(model.values()));
            assert_eq!(events.first_key(), model.keys().next().copied());
            let due = model.range((time, 0)..=(time, u64::MAX));
            assert!(
                events
                    .at(time)
                    .map(|(_, event)| event.boot)
                    .eq(due.map(|(_, boot)| *boot))
            );
            if number.is_multiple_of(50) {
                let json = serde_json::to_string(&events).unwrap();
                events = serde_json::from_str(&json).unwrap();
                assert!(boots(&events).iter().eq(model.values()));
            }
        }
    }

    fn schedule(order: Order) -> Schedule {
        Schedule { order, quantum: 8 }
    }

    #[test]
    fn the_first_in_is_the_first_out() {
        let exact: Vec<u64> = order(Schedule::default(), 1, 4)
            .iter()
            .map(|(_, op)| *op)
            .collect();
        assert_eq!(exact, [0, 0, 0, 3, 3, 3, 1, 1, 1, 2, 2, 2]);
        let rounded: Vec<u64> = order(schedule(Order::FirstIn), 1, 4)
            .iter()
            .map(|(_, op)| *op)
            .collect();
        assert_eq!(rounded, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
    }

    #[test]
    fn every_schedule_keeps_what_one_client_does_in_order() {
        for order_of in [
            Order::FirstIn,
            Order::Random,
            Order::Priority { depth: 1 },
            Order::Priority { depth: 3 },
        ] {
            for seed in 0..50 {
                let order = order(schedule(order_of), seed, 5);
                assert_eq!(order.len(), 15);
                for client in 1..=3 {
                    let own: Vec<u64> = order
                        .iter()
                        .filter(|(of, _)| *of == client)
                        .map(|(_, op)| *op)
                        .collect();
                    assert_eq!(own, [0, 1, 2, 3, 4], "{order_of:?}, seed {seed}");
                }
            }
        }
    }

    #[test]
    fn random_and_priority_find_every_order_of_clients() {
        for order_of in [Order::Random, Order::Priority { depth: 1 }] {
            let mut seen: Vec<Vec<(u32, u64)>> = (0..200)
                .map(|seed| order(schedule(order_of), seed, 1))
                .collect();
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 6, "{order_of:?}");
        }
    }

    #[test]
    fn without_changes_the_first_client_is_done_before_the_next() {
        for seed in 0..20 {
            let order = order(schedule(Order::Priority { depth: 1 }), seed, 5);
            let clients: Vec<u32> = order.iter().map(|(client, _)| *client).collect();
            let mut runs = clients.clone();
            runs.dedup();
            assert_eq!(runs.len(), 3, "{clients:?}");
        }
        let switching = (0..2000).any(|seed| {
            let order = order(schedule(Order::Priority { depth: 4 }), seed, 5);
            let mut runs: Vec<u32> = order.iter().map(|(client, _)| *client).collect();
            runs.dedup();
            runs.len() > 3
        });
        assert!(switching, "a change of priorities shows in some seed");
    }
}
