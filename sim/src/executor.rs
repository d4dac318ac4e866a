//! The simulator itself: a world, the futures that wait for it, and the loop that lets time jump when all of them wait.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use wcow_host::HostError;
use wcow_ntmeta::FileTime;

use crate::blobs::{BlobId, BlobStore, MemoryBlobs};
use crate::call::{Call, ClientId, FromReply, OpId, TreeId};
use crate::client::SimHost;
use crate::fs::{SharedBuilder, TreeCache};
use crate::profile::Profile;
use crate::trace::TraceRecord;
use crate::world::guest::{GuestProgram, Programs};
use crate::world::{Answer, Outside, World};

/// A simulated host with everything that is not data: waiting futures, blobs, programs that a test supplies. Clones share it.
///
/// Whoever runs futures on it does so from one thread at a time; otherwise the order of events is a matter of chance.
#[derive(Clone)]
pub struct Sim {
    inner: Arc<Mutex<Inner>>,
}

/// Nothing is left to happen, and a future still waits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing is left to happen in the simulated host, but {} waited for", Waiting(.waiting))]
pub struct Stuck {
    /// The calls that wait for an answer: function and object.
    pub waiting: Vec<String>,
}

impl Sim {
    /// A host of this profile, switched on for the first time, with its blobs in memory. The seed decides everything that
    /// could go either way.
    #[must_use]
    pub fn new(profile: Profile, seed: u64) -> Self {
        Self::with_blobs(profile, seed, Arc::new(MemoryBlobs::default()))
    }

    /// The same with a store of one's own for the contents of files.
    #[must_use]
    pub fn with_blobs(profile: Profile, seed: u64, blobs: Arc<dyn BlobStore>) -> Self {
        Self::from_world(World::new(profile, seed), blobs)
    }

    pub(crate) fn from_world(world: World, blobs: Arc<dyn BlobStore>) -> Self {
        let inner = Inner {
            world,
            blobs,
            trees: TreeCache::default(),
            programs: Programs::default(),
            answers: ByOp::new(),
            wakers: ByOp::new(),
            abandoned: BTreeSet::new(),
            budgets: BTreeMap::new(),
            builders: BTreeMap::new(),
            trace: None,
            tasks: BTreeMap::new(),
            next_task: 0,
            ready: Arc::default(),
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// A new client: a process that talks to the host.
    #[must_use]
    pub fn client(&self) -> SimHost {
        let id = self.lock().world.add_client();
        SimHost::new(self.clone(), id)
    }

    /// Runs a future, and everything that was spawned, until the future is ready.
    ///
    /// # Errors
    /// The future waits for something that cannot come.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> Result<T, Stuck> {
        let mut future = pin!(future);
        self.drive(|context| future.as_mut().poll(context))
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
        let mut inner = self.lock();
        inner.next_task += 1;
        let id = inner.next_task;
        inner.tasks.insert(id, task);
        inner.ready.insert(id);
        Task { slot }
    }

    /// Runs a future until its client has issued `calls` calls, then kills the client: the future is dropped, what the host
    /// was asked for goes on. `None` if it came to that.
    ///
    /// # Errors
    /// The future waits for something that cannot come.
    pub fn run_killed_after<T>(
        &self,
        client: &SimHost,
        calls: u64,
        future: impl Future<Output = T>,
    ) -> Result<Option<T>, Stuck> {
        let id = client.id();
        self.lock().budgets.insert(id, calls);
        let outcome = {
            let mut future = pin!(future);
            self.drive(|context| match future.as_mut().poll(context) {
                Poll::Ready(value) => Poll::Ready(Some(value)),
                Poll::Pending if self.lock().budgets.get(&id) == Some(&0) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            })
        };
        self.lock().budgets.remove(&id);
        if matches!(outcome, Ok(None)) {
            self.kill(client);
        }
        outcome
    }

    /// Ends a client as a killed process ends: its handles and locks are gone, its calls are answered to nobody, what the host
    /// was asked for goes on. Its futures never become ready again.
    pub fn kill(&self, client: &SimHost) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.tear_trees(client.id());
        for op in inner.world.kill(client.id()) {
            inner.wakers.remove(op);
            inner.answers.remove(op);
            inner.abandoned.remove(&op);
        }
    }

    /// Lets virtual time pass: everything that is due happens, and the clock moves on by `ticks` of 100 ns. Futures are not
    /// polled.
    pub fn advance(&self, ticks: u64) {
        let target = FileTime::from_ticks(self.now().ticks().saturating_add(ticks));
        while self.step(Some(target)) {}
        self.lock().world.set_time(target);
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> FileTime {
        self.lock().world.now()
    }

    /// The fingerprint of everything that has happened: equal for equal seeds and equal calls.
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
        let mut inner = self.lock();
        let (world, mut outside) = inner.parts();
        world.blobs(&mut outside)
    }

    /// Locks what is behind the clones.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls what is ready; when nothing is, lets the next event happen.
    fn drive<T>(&self, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Result<T, Stuck> {
        let spawned = Arc::clone(&self.lock().ready);
        let root = Arc::<Ready>::default();
        root.insert(0);
        let waker = Waker::from(Arc::new(TaskWaker {
            task: 0,
            ready: Arc::clone(&root),
        }));
        loop {
            if root.take().is_some() {
                if let Poll::Ready(value) = poll(&mut Context::from_waker(&waker)) {
                    return Ok(value);
                }
            } else if let Some(task) = spawned.take() {
                self.poll_task(task, &spawned);
            } else if !self.step(None) {
                return Err(Stuck {
                    waiting: self.lock().world.waiting(),
                });
            }
        }
    }

    fn poll_task(&self, task: u64, ready: &Arc<Ready>) {
        let Some(mut future) = self.lock().tasks.remove(&task) else {
            return;
        };
        let waker = Waker::from(Arc::new(TaskWaker {
            task,
            ready: Arc::clone(ready),
        }));
        if future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            self.lock().tasks.insert(task, future);
        }
    }

    /// Lets the next event happen, if there is one, at `until` at the latest.
    fn step(&self, until: Option<FileTime>) -> bool {
        // Most events answer one call; only more of them take memory.
        let mut first = None;
        let mut more = Vec::new();
        {
            let mut inner = self.lock();
            let (world, mut outside) = inner.parts();
            if !world.step(until, &mut outside) {
                return false;
            }
            inner.collect_answers(|waker| match first {
                None => first = Some(waker),
                Some(_) => more.push(waker),
            });
        }
        first.into_iter().chain(more).for_each(Waker::wake);
        true
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

type BoxedTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What clones of [`Sim`] share.
pub(crate) struct Inner {
    pub(crate) world: World,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) trees: TreeCache,
    pub(crate) programs: Programs,
    answers: ByOp<Answer>,
    wakers: ByOp<Waker>,
    abandoned: BTreeSet<OpId>,
    /// How many calls a client may still issue.
    budgets: BTreeMap<ClientId, u64>,
    /// Trees that are being written, by whom.
    builders: BTreeMap<TreeId, (ClientId, SharedBuilder)>,
    trace: Option<Vec<TraceRecord>>,
    tasks: BTreeMap<u64, BoxedTask>,
    next_task: u64,
    ready: Arc<Ready>,
}

impl Inner {
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
    fn tear_trees(&mut self, client: ClientId) {
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

    fn collect_answers(&mut self, mut woken: impl FnMut(Waker)) {
        for (op, answer) in self.world.take_answers() {
            if self.abandoned.remove(&op) {
                continue;
            }
            self.answers.insert(op, answer);
            if let Some(waker) = self.wakers.remove(op) {
                woken(waker);
            }
        }
    }

    /// Issues a call, unless the client has gone or may not.
    fn begin(&mut self, client: ClientId, call: Box<Call>) -> Option<OpId> {
        if let Some(budget) = self.budgets.get_mut(&client) {
            *budget = budget.checked_sub(1)?;
        }
        self.world.begin(client, call)
    }
}

/// A call on its way: issued when it is first polled, answered by the world. Dropping it stops the waiting only.
pub(crate) struct OpFuture<T> {
    sim: Sim,
    client: ClientId,
    state: OpState,
    answer: PhantomData<fn() -> T>,
}

enum OpState {
    New(Option<Box<Call>>),
    Waiting(OpId),
    /// Answered, or never to be.
    Over,
}

impl<T> OpFuture<T> {
    pub(crate) fn new(sim: Sim, client: ClientId, call: Box<Call>) -> Self {
        Self {
            sim,
            client,
            state: OpState::New(Some(call)),
            answer: PhantomData,
        }
    }
}

impl<T: FromReply> Future for OpFuture<T> {
    type Output = Result<T, HostError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut inner = this.sim.lock();
        match &mut this.state {
            OpState::New(call) => {
                let op = call.take().and_then(|call| inner.begin(this.client, call));
                this.state = op.map_or(OpState::Over, OpState::Waiting);
                if let Some(op) = op {
                    inner.wakers.insert(op, context.waker().clone());
                }
                Poll::Pending
            }
            OpState::Waiting(op) => match inner.answers.remove(*op) {
                Some(answer) => {
                    this.state = OpState::Over;
                    Poll::Ready((*answer).map(|reply| {
                        T::from_reply(reply)
                            .expect("every call is answered by a reply of its own type")
                    }))
                }
                None => {
                    inner.wakers.insert(*op, context.waker().clone());
                    Poll::Pending
                }
            },
            OpState::Over => Poll::Pending,
        }
    }
}

impl<T> Drop for OpFuture<T> {
    fn drop(&mut self) {
        if let OpState::Waiting(op) = self.state {
            let mut inner = self.sim.lock();
            inner.wakers.remove(op);
            if inner.answers.remove(op).is_none() && inner.world.is_alive(self.client) {
                inner.abandoned.insert(op);
            }
        }
    }
}

/// Values by call, in the order of the calls' numbers. There are few at a time, and most belong to the newest call.
struct ByOp<T>(Vec<(OpId, T)>);

impl<T> ByOp<T> {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn insert(&mut self, op: OpId, value: T) {
        match self.place(op) {
            Ok(place) => {
                if let Some(there) = self.0.get_mut(place) {
                    there.1 = value;
                }
            }
            Err(place) => self.0.insert(place, (op, value)),
        }
    }

    fn remove(&mut self, op: OpId) -> Option<T> {
        let place = self.place(op).ok()?;
        Some(self.0.remove(place).1)
    }

    fn place(&self, op: OpId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&op, |(op, _)| *op)
    }
}

/// Tasks that want to be polled, lowest number first: the numbers in descending order.
#[derive(Default)]
struct Ready(Mutex<Vec<u64>>);

impl Ready {
    fn insert(&self, task: u64) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(place) = tasks.binary_search_by(|there| task.cmp(there)) {
            tasks.insert(place, task);
        }
    }

    fn take(&self) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

struct TaskWaker {
    task: u64,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.insert(self.task);
    }
}

struct Waiting<'a>(&'a [String]);

impl fmt::Display for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("something outside it is"),
            [one] => write!(f, "{one} is"),
            more => write!(f, "{} are", more.join(", ")),
        }
    }
}
