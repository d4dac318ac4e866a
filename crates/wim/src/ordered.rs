//! Work that several threads do, and that is delivered in order.
//!
//! There is no thread for delivering: whichever worker finds the next result ready, and nobody at it, delivers it. So two
//! workers keep two cores busy, and what is delivered, in which order, does not depend on how many there are.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What the workers share.
struct State<T> {
    /// The next piece of work that nobody does yet.
    claim: u64,
    /// The next result to deliver.
    deliver: u64,
    /// True while somebody delivers.
    delivering: bool,
    /// Results that wait for their turn.
    ready: BTreeMap<u64, T>,
    /// Results that were delivered, to be used again.
    free: Vec<T>,
    /// How many results are worked at, wait, or are being delivered.
    taken: usize,
    stopped: bool,
}

/// Does `work` for 0 to `count - 1` on as many threads as `workers` says, this one among them, and hands each result to
/// `deliver`, in order, one at a time, until it asks to stop.
///
/// `start` makes what a worker keeps for itself. `work` gets a result that was delivered before, to use its memory again. At
/// most `window` results exist at a time.
pub(crate) fn run<W, T: Send>(
    workers: NonZeroUsize,
    window: usize,
    count: u64,
    start: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, u64, Option<T>) -> T + Sync,
    mut deliver: impl FnMut(u64, &mut T) -> ControlFlow<()> + Send,
) {
    if workers.get() == 1 || count <= 1 {
        let mut own = start();
        let mut used = None;
        for index in 0..count {
            let mut result = work(&mut own, index, used.take());
            if deliver(index, &mut result).is_break() {
                break;
            }
            used = Some(result);
        }
        return;
    }
    let state = Mutex::new(State {
        claim: 0,
        deliver: 0,
        delivering: false,
        ready: BTreeMap::new(),
        free: Vec::new(),
        taken: 0,
        stopped: false,
    });
    let shared = Shared {
        state,
        changed: Condvar::new(),
        deliver: Mutex::new(&mut deliver),
        window: window.max(1),
        count,
    };
    let threads = usize::try_from(count).map_or(workers.get(), |count| count.min(workers.get()));
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| shared.worker(&start, &work));
        }
        shared.worker(&start, &work);
    });
}

struct Shared<D, T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    deliver: Mutex<D>,
    window: usize,
    count: u64,
}

/// What a worker does next.
enum Step<T> {
    Work(u64, Option<T>),
    Deliver(u64, T),
    End,
}

impl<D: FnMut(u64, &mut T) -> ControlFlow<()>, T> Shared<D, T> {
    fn worker<W>(
        &self,
        start: &(impl Fn() -> W + Sync),
        work: &(impl Fn(&mut W, u64, Option<T>) -> T + Sync),
    ) {
        let _guard = StopOnPanic(self);
        let mut own = start();
        loop {
            match self.next() {
                Step::Work(index, used) => {
                    let result = work(&mut own, index, used);
                    self.lock().ready.insert(index, result);
                    // The next one to be delivered may be this one, and everybody else may be asleep; this worker looks itself.
                }
                Step::Deliver(index, mut result) => {
                    let flow = {
                        let mut deliver =
                            self.deliver.lock().unwrap_or_else(PoisonError::into_inner);
                        (*deliver)(index, &mut result)
                    };
                    let mut state = self.lock();
                    state.delivering = false;
                    state.deliver = index + 1;
                    state.taken -= 1;
                    state.free.push(result);
                    state.stopped |= flow.is_break();
                    self.changed.notify_all();
                }
                Step::End => return,
            }
        }
    }

    fn next(&self) -> Step<T> {
        let mut state = self.lock();
        loop {
            if state.stopped || state.deliver == self.count {
                self.changed.notify_all();
                return Step::End;
            }
            let turn = state.deliver;
            if !state.delivering
                && let Some(result) = state.ready.remove(&turn)
            {
                state.delivering = true;
                return Step::Deliver(turn, result);
            }
            if state.claim < self.count && state.taken < self.window {
                let index = state.claim;
                state.claim += 1;
                state.taken += 1;
                let used = state.free.pop();
                return Step::Work(index, used);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the others end when a worker panics (a sink of the caller's may), so that the panic is seen and not a standstill.
struct StopOnPanic<'a, D, T>(&'a Shared<D, T>);

impl<D, T> Drop for StopOnPanic<'_, D, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.stopped = true;
            self.0.changed.notify_all();
        }
    }
}
