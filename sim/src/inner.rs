//! What clones of [`Sim`] share: the hosts of one world, and the futures of their clients.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use wcow_ntmeta::FileTime;

use crate::blobs::BlobStore;
use crate::call::{Call, ClientId, OpId, TreeId};
use crate::deadline::Deadlines;
use crate::fs::{SharedBuilder, TreeCache};
use crate::op::{Asked, ByOp};
use crate::paced::Pace;
use crate::tasks::{Tasks, Waiter};
use crate::trace::TraceRecord;
use crate::world::guest::Programs;
use crate::world::power::is_durable_step;
use crate::world::{Outside, World};

/// What one step of a world came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stepped {
    /// There was none.
    Nothing,
    /// Something happened.
    Event,
    /// The power of the host at this place went.
    PowerLost {
        /// Its place.
        place: usize,
    },
}

/// Everything behind the clones of one [`Sim`](crate::Sim), and of the hosts that were added to it.
pub(crate) struct Inner {
    pub(crate) hosts: Hosts,
    /// What is polled.
    pub(crate) tasks: Tasks,
    /// How long clients wait.
    pub(crate) deadlines: Deadlines,
    /// How virtual time follows the wall clock, if it does.
    pub(crate) pace: Option<Arc<Pace>>,
}

/// The hosts of one world, which has at least one.
pub(crate) struct Hosts {
    first: HostState,
    others: Vec<HostState>,
}

/// One host: its world, and what is no data.
pub(crate) struct HostState {
    pub(crate) world: World,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) trees: TreeCache,
    pub(crate) programs: Programs,
    /// The calls that somebody waits for.
    pub(crate) asked: ByOp<Asked>,
    pub(crate) abandoned: BTreeSet<OpId>,
    /// Answers that nobody waited for, of calls that were answered before.
    pub(crate) unclaimed: u64,
    /// How many calls a client may still issue.
    pub(crate) budgets: BTreeMap<ClientId, Budget>,
    /// Trees that are being written, by whom.
    builders: BTreeMap<TreeId, (ClientId, SharedBuilder)>,
    pub(crate) trace: Option<Vec<TraceRecord>>,
}

impl Inner {
    pub(crate) fn new(first: HostState) -> Self {
        Self {
            hosts: Hosts {
                first,
                others: Vec::new(),
            },
            tasks: Tasks::default(),
            deadlines: Deadlines::default(),
            pace: None,
        }
    }

    /// Adds a host, whose clock shows the time of the others. Gives its place.
    pub(crate) fn add(&mut self, mut host: HostState) -> usize {
        let now = self.hosts.first.world.now();
        host.world.set_time(now);
        let later = host.world.now();
        self.set_time(later);
        self.hosts.others.push(host);
        self.hosts.others.len()
    }

    /// Moves the clocks of all hosts on, never back.
    pub(crate) fn set_time(&mut self, time: FileTime) {
        self.hosts.first.world.set_time(time);
        for host in &mut self.hosts.others {
            host.world.set_time(time);
        }
    }

    /// Moves the clocks to the time of the pace, if there is one.
    pub(crate) fn follow_pace(&mut self) {
        if let Some(now) = self.pace.as_ref().map(|pace| pace.now()) {
            self.set_time(now);
        }
    }

    /// The calls of all hosts that wait for an answer.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let hosts = self.hosts.iter();
        hosts.flat_map(|host| host.world.waiting()).collect()
    }

    /// When the next event of any host is due, or the next deadline of any client.
    pub(crate) fn next_time(&self) -> Option<FileTime> {
        self.hosts
            .next_event()
            .into_iter()
            .chain(self.deadlines.next_time())
            .min()
    }

    /// Lets the next deadline come if it is due before anything happens on any host, and at `until` at the latest: what comes at the
    /// same time is in time.
    fn next_deadline(&mut self, until: Option<FileTime>) -> Option<Waiter> {
        let due = self.deadlines.next_time()?;
        if until.is_some_and(|until| due > until)
            || self.hosts.next_event().is_some_and(|event| event <= due)
        {
            return None;
        }
        self.set_time(due);
        self.deadlines.pop()
    }

    /// Lets the next event of any host happen if it is due at `until` at the latest; of equal times that of the host that was
    /// added first. Wakers of those who are none of the tasks are added to `others`, to be woken when nothing is locked.
    pub(crate) fn step(&mut self, until: Option<FileTime>, others: &mut Vec<Waker>) -> Stepped {
        if let Some(waiter) = self.next_deadline(until) {
            self.tasks.wake_or(waiter, others);
            return Stepped::Event;
        }
        if self.hosts.others.is_empty() {
            return self.step_at(0, until, others);
        }
        let next = self
            .hosts
            .iter()
            .enumerate()
            .filter_map(|(place, host)| Some((host.world.queue.next_time()?, place)))
            .min();
        let Some((time, place)) = next.filter(|(time, _)| until.is_none_or(|until| *time <= until))
        else {
            return Stepped::Nothing;
        };
        self.set_time(time);
        self.step_at(place, until, others)
    }

    fn step_at(
        &mut self,
        place: usize,
        until: Option<FileTime>,
        others: &mut Vec<Waker>,
    ) -> Stepped {
        let (world, mut outside) = self.hosts.get_mut(place).parts();
        if !world.step(until, &mut outside) {
            return Stepped::Nothing;
        }
        // A power that goes answers nobody.
        if world.power.is_due() {
            self.power_loss(place);
            return Stepped::PowerLost { place };
        }
        self.collect_answers(place, others);
        Stepped::Event
    }

    /// Hands over the answers that a host has given. Wakers go the way of those of [`step`](Self::step).
    pub(crate) fn collect_answers(&mut self, place: usize, others: &mut Vec<Waker>) {
        let host = self.hosts.get_mut(place);
        host.collect_answers(|waiter| self.tasks.wake_or(waiter, others));
    }

    /// The power of a host goes. The clocks of the others show the time at which it is up again; what was due there meanwhile
    /// happens then.
    pub(crate) fn power_loss(&mut self, place: usize) {
        self.deadlines.remove(place, |_| true);
        let host = self.hosts.get_mut(place);
        host.power_loss();
        let now = host.world.now();
        self.set_time(now);
    }
}

impl Hosts {
    /// The host at a place.
    pub(crate) fn get(&self, place: usize) -> &HostState {
        place
            .checked_sub(1)
            .and_then(|place| self.others.get(place))
            .unwrap_or(&self.first)
    }

    /// The host at a place, to be changed.
    pub(crate) fn get_mut(&mut self, place: usize) -> &mut HostState {
        match place.checked_sub(1) {
            None => &mut self.first,
            Some(place) => self.others.get_mut(place).unwrap_or(&mut self.first),
        }
    }

    /// All hosts, in the order in which they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &HostState> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn next_event(&self) -> Option<FileTime> {
        let first = self.first.world.queue.next_time();
        let others = self.others.iter();
        others
            .filter_map(|host| host.world.queue.next_time())
            .chain(first)
            .min()
    }
}

impl HostState {
    pub(crate) fn new(world: World, blobs: Arc<dyn BlobStore>) -> Self {
        Self {
            world,
            blobs,
            trees: TreeCache::default(),
            programs: Programs::default(),
            asked: ByOp::new(),
            abandoned: BTreeSet::new(),
            unclaimed: 0,
            budgets: BTreeMap::new(),
            builders: BTreeMap::new(),
            trace: None,
        }
    }

    /// The same host at the same moment, without its clients: as if they had been killed, with nothing of the trees that they
    /// were writing.
    pub(crate) fn fork(&self) -> Self {
        let mut world = self.world.clone();
        world.everybody_left();
        Self {
            programs: self.programs.clone(),
            trace: self.trace.as_ref().map(|_| Vec::new()),
            ..Self::new(world, Arc::clone(&self.blobs))
        }
    }

    /// The world, and what it needs from outside.
    pub(crate) fn parts(&mut self) -> (&mut World, Outside<'_>) {
        let outside = Outside {
            blobs: &*self.blobs,
            trees: &mut self.trees,
            programs: &mut self.programs,
            trace: self.trace.as_mut(),
        };
        (&mut self.world, outside)
    }

    /// A client begins to write a tree.
    pub(crate) fn add_builder(&mut self, tree: TreeId, client: ClientId, builder: SharedBuilder) {
        self.builders.insert(tree, (client, builder));
    }

    /// A client has written a tree.
    pub(crate) fn remove_builder(&mut self, tree: TreeId) {
        self.builders.remove(&tree);
    }

    /// Whatever part of a killed client's trees was on the disk stays there.
    pub(crate) fn tear_trees(&mut self, client: ClientId) {
        let (torn, kept) = std::mem::take(&mut self.builders)
            .into_iter()
            .partition(|(_, (owner, _))| *owner == client);
        self.builders = kept;
        let torn: BTreeMap<TreeId, (ClientId, SharedBuilder)> = torn;
        for (tree, (_, builder)) in torn {
            if let Some(builder) = builder
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
            {
                let (world, mut outside) = self.parts();
                world.leave_torn(tree, builder, &mut outside);
            }
        }
    }

    /// The power goes: no call is answered any more.
    fn power_loss(&mut self) {
        let mut writing = Vec::new();
        for (tree, (_, builder)) in std::mem::take(&mut self.builders) {
            let builder = builder
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            writing.extend(builder.map(|builder| (tree, builder)));
        }
        let (world, mut outside) = self.parts();
        world.power_loss(writing, &mut outside);
        self.asked = ByOp::new();
        self.abandoned.clear();
        self.budgets.clear();
    }

    /// Hands over the answers that were given, and those who wait for them to `woken`.
    fn collect_answers(&mut self, mut woken: impl FnMut(Waiter)) {
        for (op, answer) in self.world.take_answers() {
            if self.abandoned.remove(&op) {
                continue;
            }
            match self.asked.get_mut(op) {
                Some(asked @ Asked::Waits(_)) => {
                    if let Asked::Waits(waiter) = std::mem::replace(asked, Asked::Answered(answer))
                    {
                        woken(waiter);
                    }
                }
                _ => self.unclaimed += 1,
            }
        }
    }

    /// Whether a client may issue no call any more.
    pub(crate) fn is_spent(&self, client: ClientId) -> bool {
        self.budgets.get(&client).is_some_and(Budget::is_spent)
    }

    /// Issues a call, unless the client has gone or may not.
    pub(crate) fn begin(&mut self, client: ClientId, call: Box<Call>) -> Option<OpId> {
        if let Some(budget) = self.budgets.get_mut(&client) {
            budget.spend(&call)?;
        }
        self.world.begin(client, call)
    }
}

/// What a client may still issue.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Budget {
    /// Calls of any kind.
    pub(crate) calls: Option<u64>,
    /// Durable steps.
    pub(crate) durable_steps: Option<u64>,
    /// It wanted to issue one more.
    denied: bool,
}

impl Budget {
    fn spend(&mut self, call: &Call) -> Option<()> {
        let mut left = *self;
        let counted = [
            Some(&mut left.calls),
            is_durable_step(call).then_some(&mut left.durable_steps),
        ];
        for count in counted.into_iter().flatten().flatten() {
            let Some(rest) = count.checked_sub(1) else {
                self.denied = true;
                return None;
            };
            *count = rest;
        }
        *self = left;
        Some(())
    }

    /// Whether its client is to be killed: it has issued all its calls, or wanted to issue a durable step too many.
    pub(crate) fn is_spent(&self) -> bool {
        self.denied || self.calls == Some(0)
    }
}

/// One host of a world that is locked for its owner.
pub(crate) struct Locked<'a> {
    pub(crate) inner: MutexGuard<'a, Inner>,
    place: usize,
}

impl<'a> Locked<'a> {
    pub(crate) fn new(inner: &'a Mutex<Inner>, place: usize) -> Self {
        Self {
            inner: inner.lock().unwrap_or_else(PoisonError::into_inner),
            place,
        }
    }
}

impl Deref for Locked<'_> {
    type Target = HostState;

    fn deref(&self) -> &HostState {
        self.inner.hosts.get(self.place)
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut HostState {
        self.inner.hosts.get_mut(self.place)
    }
}
