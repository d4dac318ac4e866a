//! What clones of [`Sim`] share: the hosts of one world, and the futures of their clients.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use wcow_ntmeta::FileTime;

use crate::blobs::BlobStore;
use crate::call::{Call, ClientId, OpId, TreeId};
use crate::deadline::Deadlines;
use crate::fs::{SharedBuilder, TreeCache};
use crate::op::ByOp;
use crate::paced::Pace;
use crate::trace::TraceRecord;
use crate::world::guest::Programs;
use crate::world::power::is_durable_step;
use crate::world::{Answer, Outside, World};

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

type BoxedTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A future that was spawned.
pub(crate) struct Spawned {
    /// Taken out while it is polled.
    pub(crate) future: Option<BoxedTask>,
    /// Makes it ready.
    pub(crate) waker: Waker,
}

/// Everything behind the clones of one [`Sim`](crate::Sim), and of the hosts that were added to it.
pub(crate) struct Inner {
    first: HostState,
    others: Vec<HostState>,
    pub(crate) tasks: BTreeMap<u64, Spawned>,
    pub(crate) next_task: u64,
    pub(crate) ready: Arc<Ready>,
    /// How long clients wait.
    pub(crate) deadlines: Deadlines,
    /// How virtual time follows the wall clock, if it does.
    pub(crate) pace: Option<Arc<Pace>>,
}

/// One host: its world, and what is no data.
pub(crate) struct HostState {
    pub(crate) world: World,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) trees: TreeCache,
    pub(crate) programs: Programs,
    pub(crate) answers: ByOp<Answer>,
    pub(crate) wakers: ByOp<Waker>,
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
            first,
            others: Vec::new(),
            tasks: BTreeMap::new(),
            next_task: 0,
            ready: Arc::default(),
            deadlines: Deadlines::default(),
            pace: None,
        }
    }

    /// Adds a host, whose clock shows the time of the others. Gives its place.
    pub(crate) fn add(&mut self, mut host: HostState) -> usize {
        let now = self.first.world.now();
        host.world.set_time(now);
        let later = host.world.now();
        self.set_time(later);
        self.others.push(host);
        self.others.len()
    }

    /// The host at a place.
    pub(crate) fn host(&self, place: usize) -> &HostState {
        place
            .checked_sub(1)
            .and_then(|place| self.others.get(place))
            .unwrap_or(&self.first)
    }

    /// The host at a place, to be changed.
    pub(crate) fn host_mut(&mut self, place: usize) -> &mut HostState {
        match place.checked_sub(1) {
            None => &mut self.first,
            Some(place) => self.others.get_mut(place).unwrap_or(&mut self.first),
        }
    }

    /// All hosts, in the order in which they were added.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &HostState> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Moves the clocks of all hosts on, never back.
    pub(crate) fn set_time(&mut self, time: FileTime) {
        self.first.world.set_time(time);
        for host in &mut self.others {
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
        self.hosts().flat_map(|host| host.world.waiting()).collect()
    }

    /// When the next event of any host is due, or the next deadline of any client.
    pub(crate) fn next_time(&self) -> Option<FileTime> {
        self.next_event()
            .into_iter()
            .chain(self.deadlines.next_time())
            .min()
    }

    fn next_event(&self) -> Option<FileTime> {
        let first = self.first.world.queue.next_time();
        let others = self.others.iter();
        others
            .filter_map(|host| host.world.queue.next_time())
            .chain(first)
            .min()
    }

    /// Lets the next deadline come if it is due before anything happens on any host, and at `until` at the latest: what comes at the
    /// same time is in time.
    fn next_deadline(&mut self, until: Option<FileTime>) -> Option<Waker> {
        let due = self.deadlines.next_time()?;
        if until.is_some_and(|until| due > until)
            || self.next_event().is_some_and(|event| event <= due)
        {
            return None;
        }
        self.set_time(due);
        self.deadlines.pop()
    }

    /// Lets the next event of any host happen if it is due at `until` at the latest; of equal times that of the host that was
    /// added first. Wakers are handed to `woken`.
    pub(crate) fn step(
        &mut self,
        until: Option<FileTime>,
        mut woken: impl FnMut(Waker),
    ) -> Stepped {
        if let Some(waker) = self.next_deadline(until) {
            woken(waker);
            return Stepped::Event;
        }
        if self.others.is_empty() {
            return self.step_at(0, until, woken);
        }
        let next = self
            .hosts()
            .enumerate()
            .filter_map(|(place, host)| Some((host.world.queue.next_time()?, place)))
            .min();
        let Some((time, place)) = next.filter(|(time, _)| until.is_none_or(|until| *time <= until))
        else {
            return Stepped::Nothing;
        };
        self.set_time(time);
        self.step_at(place, until, woken)
    }

    fn step_at(
        &mut self,
        place: usize,
        until: Option<FileTime>,
        woken: impl FnMut(Waker),
    ) -> Stepped {
        let host = self.host_mut(place);
        if !host.step(until, woken) {
            return Stepped::Nothing;
        }
        if host.world.power.is_due() {
            self.power_loss(place);
            return Stepped::PowerLost { place };
        }
        Stepped::Event
    }

    /// The power of a host goes. The clocks of the others show the time at which it is up again; what was due there meanwhile
    /// happens then.
    pub(crate) fn power_loss(&mut self, place: usize) {
        self.deadlines.remove(place, |_| true);
        let host = self.host_mut(place);
        host.power_loss();
        let now = host.world.now();
        self.set_time(now);
    }
}

impl HostState {
    pub(crate) fn new(world: World, blobs: Arc<dyn BlobStore>) -> Self {
        Self {
            world,
            blobs,
            trees: TreeCache::default(),
            programs: Programs::default(),
            answers: ByOp::new(),
            wakers: ByOp::new(),
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

    /// Lets the next event of this host happen if it is due at `until` at the latest. False if there is none. A power that goes
    /// with it answers nobody.
    fn step(&mut self, until: Option<FileTime>, woken: impl FnMut(Waker)) -> bool {
        let (world, mut outside) = self.parts();
        if !world.step(until, &mut outside) {
            return false;
        }
        if !world.power.is_due() {
            self.collect_answers(woken);
        }
        true
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
        self.answers = ByOp::new();
        self.wakers = ByOp::new();
        self.abandoned.clear();
        self.budgets.clear();
    }

    /// Hands over the answers that were given, and the wakers of those who wait for them to `woken`.
    pub(crate) fn collect_answers(&mut self, mut woken: impl FnMut(Waker)) {
        for (op, answer) in self.world.take_answers() {
            if self.abandoned.remove(&op) {
                continue;
            }
            if let Some(waker) = self.wakers.remove(op) {
                self.answers.insert(op, answer);
                woken(waker);
            } else {
                self.unclaimed += 1;
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
        self.inner.host(self.place)
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut HostState {
        self.inner.host_mut(self.place)
    }
}

/// Tasks that want to be polled, lowest number first.
#[derive(Default)]
pub(crate) struct Ready {
    /// The numbers in descending order.
    tasks: Mutex<Vec<u64>>,
    /// Whether there are any: changed with `tasks` locked, and asked without, once for every event.
    any: AtomicBool,
}

impl Ready {
    pub(crate) fn insert(&self, task: u64) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(place) = tasks.binary_search_by(|there| task.cmp(there)) {
            tasks.insert(place, task);
        }
        self.any.store(true, Ordering::SeqCst);
    }

    pub(crate) fn take(&self) -> Option<u64> {
        if !self.any.load(Ordering::SeqCst) {
            return None;
        }
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let task = tasks.pop();
        self.any.store(!tasks.is_empty(), Ordering::SeqCst);
        task
    }
}

/// Wakes the one future that a caller waits for.
pub(crate) struct Root(AtomicBool);

impl Root {
    /// One that wants to be polled.
    pub(crate) fn new() -> Self {
        Self(AtomicBool::new(true))
    }

    /// Whether it wants to be polled; not any more then.
    pub(crate) fn take(&self) -> bool {
        self.0.load(Ordering::SeqCst) && self.0.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Root {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub(crate) struct TaskWaker {
    pub(crate) task: u64,
    pub(crate) ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.insert(self.task);
    }
}
