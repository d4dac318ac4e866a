//! The simulator itself: a world, the futures that wait for it, and the loop that lets time jump when all of them wait.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use wcow_host::{ComputeApi, Identity};
use wcow_ntmeta::{FileTime, HostPath};

use crate::blobs::{BlobId, BlobStore, MemoryBlobs};
use crate::choice::{Choices, Draw};
use crate::client::SimHost;
use crate::evidence::Evidence;
use crate::faults::{FaultHit, FaultPlan};
use crate::inner::{HostState, Inner, Locked, Stepped};
use crate::profile::Profile;
use crate::queue::Schedule;
use crate::tasks::{Next, Polled, TaskId};
use crate::trace::TraceRecord;
use crate::world::World;
use crate::world::guest::GuestProgram;

/// A simulated host with everything that is not data: waiting futures, blobs, programs that a test supplies. Clones share it.
///
/// A world has one host, or several that share one clock: see [`add_host`](Self::add_host). What runs futures runs those of all.
///
/// Whoever runs futures on it does so from one thread at a time; otherwise the order of events is a matter of chance.
#[derive(Clone)]
pub struct Sim {
    inner: Arc<Mutex<Inner>>,
    /// The place of the host among those of its world.
    pub(crate) place: usize,
}

/// A future waits for what cannot come: nothing is left to happen, or the power of the host went meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Waiting(self))]
pub struct Stuck {
    /// The power of the host went, and with it every client. [`Sim::run_to_end`] tells that as an ending.
    pub power_lost: bool,
    /// The calls that wait for an answer: function and object.
    pub waiting: Vec<String>,
}

/// How a future ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended<T> {
    /// By itself.
    Value(T),
    /// Its client was killed.
    Killed,
    /// The power of the host went, and with it every client; the host is up again.
    PowerLost,
}

impl<T> Ended<T> {
    /// The value, if it ended by itself.
    #[must_use]
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Killed | Self::PowerLost => None,
        }
    }
}

impl Sim {
    /// A host of this profile, switched on for the first time, with its blobs in memory. A seed, or other [`Choices`], decide
    /// everything that could go either way.
    #[must_use]
    pub fn new(profile: Profile, choices: impl Into<Choices>) -> Self {
        Self::with_blobs(profile, choices, Arc::new(MemoryBlobs::default()))
    }

    /// The same with a store of one's own for the contents of files.
    #[must_use]
    pub fn with_blobs(
        profile: Profile,
        choices: impl Into<Choices>,
        blobs: Arc<dyn BlobStore>,
    ) -> Self {
        Self::from_world(World::new(profile, choices.into()), blobs)
    }

    pub(crate) fn from_world(world: World, blobs: Arc<dyn BlobStore>) -> Self {
        let inner = Inner::new(HostState::new(world, blobs));
        Self {
            inner: Arc::new(Mutex::new(inner)),
            place: 0,
        }
    }

    /// Adds another host to the world, with choices of its own and the blobs of this one. Both live at the same time, whose
    /// start is the later of the two profiles'.
    #[must_use]
    pub fn add_host(&self, profile: Profile, choices: impl Into<Choices>) -> Self {
        let world = World::new(profile, choices.into());
        let mut locked = self.lock();
        let blobs = Arc::clone(&locked.blobs);
        let place = locked.inner.add(HostState::new(world, blobs));
        Self {
            inner: Arc::clone(&self.inner),
            place,
        }
    }

    /// A world of its own that is as this one is now, and shares nothing with it but the store of the contents, to which both only
    /// add. Clients and futures stay behind: in the new world it is as if all clients had just been killed. Its calls, and what hits
    /// them, are counted on their own.
    #[must_use]
    pub fn fork(&self) -> Self {
        let locked = self.lock();
        let mut hosts = locked.inner.hosts.iter().map(HostState::fork);
        let mut inner = match hosts.next() {
            Some(first) => Inner::new(first),
            None => Inner::new(locked.fork()),
        };
        for host in hosts {
            inner.add(host);
        }
        Self {
            inner: Arc::new(Mutex::new(inner)),
            place: self.place,
        }
    }

    /// Says in which order things happen that are due at the same time, from now on.
    pub fn set_schedule(&self, schedule: Schedule) {
        self.lock().world.queue.set_schedule(schedule);
    }

    /// Says what goes wrong from now on.
    pub fn set_faults(&self, plan: FaultPlan) {
        self.lock().world.set_faults(plan);
    }

    /// Lets a random part of all that can go wrong do so from now on, at rates that are drawn too; `budget` calls are hit at most.
    pub fn draw_faults(&self, budget: u32) {
        self.lock().world.draw_faults(budget);
    }

    /// Nothing goes wrong from now on. Gives what is left of the plan, so that faults can be put off while a test prepares
    /// something: hand it to [`set_faults`](Self::set_faults) when that is done.
    pub fn take_faults(&self) -> FaultPlan {
        self.lock().world.faults.take()
    }

    /// Ignores a [precaution](wcow_host::Precaution) of this name from now on: a durable step is answered as always, and nothing is
    /// durable by it; a rollback or a recovery that asks is told to do nothing. Something must be seen to break then: otherwise a
    /// check is missing, or the precaution is needless.
    pub fn ignore(&self, precaution: &str) {
        self.lock().world.ignore(precaution);
    }

    /// Changes what a diagnosis of the host finds.
    pub fn change_evidence(&self, change: impl FnOnce(&mut Evidence)) {
        change(&mut self.lock().world.evidence);
    }

    /// The calls that were hit by faults so far.
    #[must_use]
    pub fn fault_hits(&self) -> Vec<FaultHit> {
        self.lock().world.faults.hits().to_vec()
    }

    /// How many calls the host has performed so far, sleeping not counted.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.lock().world.faults.calls()
    }

    /// Starts keeping what is drawn.
    pub fn record_draws(&self) {
        self.lock().world.choice.record();
    }

    /// What was drawn since the last time; empty unless [`record_draws`](Self::record_draws) was called.
    #[must_use]
    pub fn take_draws(&self) -> Vec<Draw> {
        self.lock().world.choice.take_drawn()
    }

    /// A new client: a process that talks to the host, as an elevated administrator.
    #[must_use]
    pub fn client(&self) -> SimHost {
        self.client_as(Identity::Administrator)
    }

    /// A new client that runs as somebody. What it may not do is refused as [`wcow_host::era::access`] says.
    ///
    /// ```
    /// use wcow_host::{ComputeService, Host, HostControl, Identity};
    /// use wcow_sim::{Profile, Sim};
    ///
    /// let sim = Sim::new(Profile::server_2022(), 1);
    /// let host = sim.client_as(Identity::PlainUser);
    /// assert_eq!(sim.block_on(host.control().identity()), Ok(Identity::PlainUser));
    /// let refused = sim.block_on(host.compute().enumerate()).unwrap_err();
    /// assert_eq!(refused.hresult().unwrap().to_string(), "0x8037011B");
    /// ```
    #[must_use]
    pub fn client_as(&self, identity: Identity) -> SimHost {
        let id = self.lock().world.add_client(identity);
        SimHost::new(self.clone(), id)
    }

    /// A new client that sees the compute service through that surface; [`client`](Self::client) gives one of version 1.
    #[must_use]
    pub fn client_of(&self, api: ComputeApi) -> SimHost {
        let client = self.client();
        self.lock().world.set_api(client.id(), api);
        client
    }

    /// A new client that runs as somebody and sees the compute service through that surface.
    #[must_use]
    pub fn client_with(&self, identity: Identity, api: ComputeApi) -> SimHost {
        let client = self.client_as(identity);
        self.lock().world.set_api(client.id(), api);
        client
    }

    /// The client of this name: a process that goes on while the host is saved, such as one that holds the pipes of programs. It is
    /// new if there is none, and after it was [killed](Self::kill).
    #[must_use]
    pub fn standing_client(&self, name: &str) -> SimHost {
        let id = self.lock().world.standing_client(name);
        SimHost::new(self.clone(), id)
    }

    /// Runs a future, and everything that was spawned, until the future is ready.
    ///
    /// # Errors
    /// The future waits for something that cannot come, such as an answer that a power loss cut off.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> Result<T, Stuck> {
        match self.run_to_end(pin!(future))? {
            Ended::Value(value) => Ok(value),
            Ended::Killed | Ended::PowerLost => Err(Stuck {
                power_lost: true,
                waiting: Vec::new(),
            }),
        }
    }

    /// Runs a future, and everything that was spawned, until the future is ready or cut off: by a power loss that
    /// [`power_loss_at`](Self::power_loss_at) asked for. A future that is cut off is dropped.
    ///
    /// # Errors
    /// The future waits for something that cannot come.
    pub fn run_to_end<T>(&self, future: impl Future<Output = T>) -> Result<Ended<T>, Stuck> {
        let mut future = pin!(future);
        self.drive(|context| future.as_mut().poll(context).map(Ended::Value))
    }

    /// Runs a future that is known to end. Use [`run`](Self::run) where that is in question.
    ///
    /// # Panics
    /// The future waits for something that cannot come.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.run(future)
            .expect("the caller knows that the future ends")
    }

    /// Adds a future that runs whenever [`run`](Self::run) does. Spawned futures are polled in the order in which they were
    /// spawned. The answer can be awaited; dropping it does not stop the future.
    pub fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Task<T> {
        let slot = Arc::new(Mutex::new((None, None::<Waker>)));
        let ours = Arc::clone(&slot);
        let task = Box::pin(async move {
            let value = future.await;
            let waker = {
                let mut slot = ours.lock().unwrap_or_else(PoisonError::into_inner);
                slot.0 = Some(value);
                slot.1.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        self.lock().inner.tasks.spawn(task);
        Task { slot }
    }

    /// Runs a future until its client has issued `calls` calls, then kills the client: the future is dropped, what the host
    /// was asked for goes on.
    ///
    /// # Errors
    /// The future waits for something that cannot come.
    pub fn run_killed_after<T>(
        &self,
        client: &SimHost,
        calls: u64,
        future: impl Future<Output = T>,
    ) -> Result<Ended<T>, Stuck> {
        let id = client.id();
        self.limit_calls(client, calls);
        let outcome = {
            let mut future = pin!(future);
            self.drive(|context| match future.as_mut().poll(context) {
                Poll::Ready(value) => Poll::Ready(Ended::Value(value)),
                Poll::Pending if self.is_spent(client) => Poll::Ready(Ended::Killed),
                Poll::Pending => Poll::Pending,
            })
        };
        self.lock().budgets.remove(&id);
        if matches!(outcome, Ok(Ended::Killed)) {
            self.kill(client);
        }
        outcome
    }

    /// Lets a client issue so many calls and no more: its next one is never issued, and never answered. Whoever polls its futures
    /// looks with [`is_spent`](Self::is_spent) and then [kills](Self::kill) it.
    pub fn limit_calls(&self, client: &SimHost, calls: u64) {
        let mut locked = self.lock();
        locked.budgets.entry(client.id()).or_default().calls = Some(calls);
    }

    /// Lets a client issue so many [durable steps](Self::durable_steps) and no more, as [`limit_calls`](Self::limit_calls) does
    /// with calls: it is spent when it wants to issue the next one.
    pub fn limit_durable_steps(&self, client: &SimHost, steps: u64) {
        let mut locked = self.lock();
        locked.budgets.entry(client.id()).or_default().durable_steps = Some(steps);
    }

    /// Whether a client has issued all the calls that it may, or wanted to issue a durable step that it may not.
    #[must_use]
    pub fn is_spent(&self, client: &SimHost) -> bool {
        self.lock().is_spent(client.id())
    }

    /// The calls that wait for an answer: function and object.
    #[must_use]
    pub fn waiting(&self) -> Vec<String> {
        self.lock().inner.waiting()
    }

    /// The folders of the scratch layers that are attached (`ActivateLayer`), for tests that look for what was left.
    #[must_use]
    pub fn attached_layers(&self) -> Vec<HostPath> {
        self.lock().world.attached_layers()
    }

    /// How many answers were given to calls that had been answered before: 0, or the simulated host is wrong. That a call is never
    /// answered shows in [`waiting`](Self::waiting).
    #[must_use]
    pub fn unclaimed_answers(&self) -> u64 {
        self.lock().unclaimed
    }

    /// Ends a client as a killed process ends: its handles and locks are gone, its calls are answered to nobody, what the host
    /// was asked for goes on. Its futures never become ready again.
    pub fn kill(&self, client: &SimHost) {
        let mut locked = self.lock();
        let gone = |waiting| waiting == client.id();
        locked.inner.deadlines.remove(self.place, gone);
        let host = &mut *locked;
        host.tear_trees(client.id());
        for op in host.world.kill(client.id()) {
            host.asked.remove(op);
            host.abandoned.remove(&op);
        }
    }

    /// Lets virtual time pass: everything that is due happens, and the clock moves on by `ticks` of 100 ns. Futures are not
    /// polled.
    pub fn advance(&self, ticks: u64) {
        let target = FileTime::from_ticks(self.now().ticks().saturating_add(ticks));
        while self.step(Some(target)) != Stepped::Nothing {}
        self.lock().inner.set_time(target);
    }

    /// When the next event of the world is due, if anything is planned: for whoever lets time pass with [`advance`](Self::advance).
    #[must_use]
    pub fn next_event(&self) -> Option<FileTime> {
        self.lock().inner.next_time()
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> FileTime {
        let mut locked = self.lock();
        locked.inner.follow_pace();
        locked.world.now()
    }

    /// The fingerprint of everything that has happened on this host: equal for equal seeds and equal calls.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.lock().world.fingerprint()
    }

    /// The profile that the host was made from.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.lock().world.profile().clone()
    }

    /// Makes a program known to all containers of the host, under a file name such as `server.exe`. A host that knows one
    /// cannot be saved.
    pub fn register_program(&self, name: &str, program: Arc<dyn GuestProgram>) {
        self.lock().programs.register(name, program);
    }

    /// Starts keeping a trace.
    pub fn start_trace(&self) {
        self.lock().trace.get_or_insert_with(Vec::new);
    }

    /// What was kept since the last time; empty unless [`start_trace`](Self::start_trace) was called.
    #[must_use]
    pub fn take_trace(&self) -> Vec<TraceRecord> {
        self.lock()
            .trace
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// The store of the contents.
    #[must_use]
    pub fn blobs(&self) -> Arc<dyn BlobStore> {
        Arc::clone(&self.lock().blobs)
    }

    /// The blobs that the host still needs, for whoever cleans the store. Trees that cannot be read are left out.
    #[must_use]
    pub fn blobs_in_use(&self) -> BTreeSet<BlobId> {
        let mut locked = self.lock();
        let (world, mut outside) = locked.parts();
        world.blobs(&mut outside)
    }

    /// Locks what is behind the clones.
    pub(crate) fn lock(&self) -> Locked<'_> {
        Locked::new(&self.inner, self.place)
    }

    /// Polls what is ready; when nothing is, lets the next event happen.
    fn drive<T>(
        &self,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<Ended<T>>,
    ) -> Result<Ended<T>, Stuck> {
        let own = Own::new(self);
        let mut polled = None;
        loop {
            match self.turn(own.id, polled.take()) {
                Turn::Poll(Next::Own) => {
                    if let Poll::Ready(ended) = poll(&mut Context::from_waker(&own.waker)) {
                        return Ok(ended);
                    }
                }
                Turn::Poll(Next::Spawned(id, mut future, waker)) => {
                    let answer = future.as_mut().poll(&mut Context::from_waker(&waker));
                    let waits = answer.is_pending().then_some((future, waker));
                    polled = Some(Polled { id, waits });
                }
                Turn::Stepped(Stepped::Event) => {}
                Turn::Stepped(Stepped::PowerLost { place }) => {
                    // Another host's power is no end: this one and its clients go on.
                    if place == self.place {
                        return Ok(Ended::PowerLost);
                    }
                }
                Turn::Stepped(Stepped::Nothing) => {
                    return Err(Stuck {
                        power_lost: false,
                        waiting: self.waiting(),
                    });
                }
            }
        }
    }

    /// What is done between two polls, all under one lock: what was polled is kept, and what is ready is found, after the next event
    /// if nothing is before.
    fn turn(&self, own: TaskId, polled: Option<Polled>) -> Turn {
        let mut others = Vec::new();
        let turn = {
            let mut locked = self.lock();
            let inner = &mut *locked.inner;
            if let Some(polled) = polled {
                inner.tasks.polled(polled);
            }
            if let Some(next) = inner.tasks.next(own) {
                return Turn::Poll(next);
            }
            let stepped = inner.step(None, &mut others);
            let next = match stepped {
                Stepped::Event if others.is_empty() => inner.tasks.next(own),
                _ => None,
            };
            next.map_or(Turn::Stepped(stepped), Turn::Poll)
        };
        others.into_iter().for_each(Waker::wake);
        turn
    }

    /// Lets the next event happen, if there is one, at `until` at the latest.
    pub(crate) fn step(&self, until: Option<FileTime>) -> Stepped {
        let mut others = Vec::new();
        let stepped = self.lock().inner.step(until, &mut others);
        others.into_iter().for_each(Waker::wake);
        stepped
    }
}

/// What [`Sim::turn`] came to.
enum Turn {
    /// Something is to be polled.
    Poll(Next),
    /// Nothing is yet.
    Stepped(Stepped),
}

/// The place among the tasks of a future that a caller waits for.
struct Own<'a> {
    sim: &'a Sim,
    id: TaskId,
    waker: Waker,
}

impl<'a> Own<'a> {
    fn new(sim: &'a Sim) -> Self {
        let (id, waker) = sim.lock().inner.tasks.add_own();
        Self { sim, id, waker }
    }
}

impl Drop for Own<'_> {
    fn drop(&mut self) {
        self.sim.lock().inner.tasks.remove(self.id);
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").finish_non_exhaustive()
    }
}

/// The answer of a spawned future.
pub struct Task<T> {
    slot: Arc<Mutex<(Option<T>, Option<Waker>)>>,
}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.0.take() {
            Some(value) => Poll::Ready(value),
            None => {
                slot.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

struct Waiting<'a>(&'a Stuck);

impl fmt::Display for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.power_lost {
            return f.write_str(
                "the power of the simulated host went while this waited; what is to be cut off goes through Sim::run_to_end",
            );
        }
        f.write_str("nothing is left to happen in the simulated host, but ")?;
        match self.0.waiting.as_slice() {
            [] => f.write_str("something outside it is waited for"),
            [one] => write!(f, "{one} is waited for"),
            more => write!(f, "{} are waited for", more.join(", ")),
        }
    }
}
