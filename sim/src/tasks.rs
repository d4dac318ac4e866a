//! The futures that are waited for, and which of them want to be polled.
//!
//! A future that waits for the world is woken under the lock that is held anyway, by its [`TaskId`]. Its waker is only for what
//! stands between it and the world, such as a runtime or a combinator with wakers of its own, and for other threads.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

pub(crate) type BoxedTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Names a future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskId {
    /// Counted from 1.
    number: u64,
    /// Where it is kept; used again when it has ended.
    place: usize,
}

/// Whom an answer wakes.
pub(crate) enum Waiter {
    /// One of the [`Tasks`].
    Task(TaskId),
    /// Somebody else.
    Other(Waker),
}

/// Futures that were spawned, and places for those that callers wait for and poll themselves.
#[derive(Default)]
pub(crate) struct Tasks {
    places: Vec<Option<Kept>>,
    free: Vec<usize>,
    last: u64,
    /// Spawned futures that want to be polled, the one that was spawned first at the end.
    ready: Vec<TaskId>,
    /// Those that were woken by their wakers.
    woken: Arc<Woken>,
    /// Where the one is kept that was last taken to be polled.
    polled: usize,
}

struct Kept {
    id: TaskId,
    waker: Waker,
    /// Whether it wants to be polled.
    ready: bool,
    task: Kind,
}

enum Kind {
    /// A caller waits for it.
    Own,
    /// It was spawned. None while it is polled.
    Spawned(Option<(BoxedTask, Waker)>),
}

/// What is to be polled next.
pub(crate) enum Next {
    /// The future that the caller waits for.
    Own,
    /// One that was spawned. What came of it is told by [`Tasks::polled`].
    Spawned(TaskId, BoxedTask, Waker),
}

/// A spawned future that was polled, to be kept if it has not ended.
pub(crate) struct Polled {
    pub(crate) id: TaskId,
    pub(crate) waits: Option<(BoxedTask, Waker)>,
}

impl Tasks {
    /// Adds a future that wants to be polled.
    pub(crate) fn spawn(&mut self, future: BoxedTask) {
        let (id, waker) = self.add(Kind::Spawned(None));
        let waits = Some((future, waker));
        self.polled(Polled { id, waits });
    }

    /// A place for a future that a caller polls, and wants to be polled first of all; with its waker.
    pub(crate) fn add_own(&mut self) -> (TaskId, Waker) {
        self.add(Kind::Own)
    }

    fn add(&mut self, task: Kind) -> (TaskId, Waker) {
        self.last += 1;
        let place = self.free.pop().unwrap_or(self.places.len());
        let id = TaskId {
            number: self.last,
            place,
        };
        let waker = Waker::from(Arc::new(TaskWaker {
            task: id,
            woken: Arc::clone(&self.woken),
        }));
        // Both are clones, so that they are known to be the same.
        let (kept, given) = (waker.clone(), waker.clone());
        let kept = Some(Kept {
            id,
            waker: kept,
            ready: false,
            task,
        });
        match self.places.get_mut(place) {
            Some(free) => *free = kept,
            None => self.places.push(kept),
        }
        self.wake(id);
        (id, given)
    }

    fn kept(&mut self, id: TaskId) -> Option<&mut Kept> {
        let kept = self.places.get_mut(id.place)?.as_mut();
        kept.filter(|kept| kept.id == id)
    }

    /// Keeps a future that was polled, or nothing of it if it has ended.
    pub(crate) fn polled(&mut self, polled: Polled) {
        match (self.kept(polled.id), polled.waits) {
            (Some(kept), Some(waits)) => kept.task = Kind::Spawned(Some(waits)),
            _ => self.remove(polled.id),
        }
    }

    /// A future has ended, or its caller has.
    pub(crate) fn remove(&mut self, id: TaskId) {
        if let Some(place) = self.places.get_mut(id.place)
            && place.take_if(|kept| kept.id == id).is_some()
        {
            self.free.push(id.place);
        }
    }

    /// A future wants to be polled, if it has not ended.
    pub(crate) fn wake(&mut self, id: TaskId) {
        let Some(kept) = self.kept(id) else {
            return;
        };
        let was_ready = std::mem::replace(&mut kept.ready, true);
        if !was_ready && matches!(kept.task, Kind::Spawned(_)) {
            let place = self.ready.partition_point(|there| there.number > id.number);
            self.ready.insert(place, id);
        }
    }

    /// Wakes who waits, or adds the waker of somebody else to `others`.
    pub(crate) fn wake_or(&mut self, waiter: Waiter, others: &mut Vec<Waker>) {
        match waiter {
            Waiter::Task(id) => self.wake(id),
            Waiter::Other(waker) => others.push(waker),
        }
    }

    /// Takes what is to be polled next: the caller's `own` future, then those that were spawned, in the order in which they were.
    pub(crate) fn next(&mut self, own: TaskId) -> Option<Next> {
        for id in self.woken.take() {
            self.wake(id);
        }
        if let Some(kept) = self.kept(own)
            && std::mem::take(&mut kept.ready)
        {
            self.polled = own.place;
            return Some(Next::Own);
        }
        while let Some(id) = self.ready.pop() {
            let Some(kept) = self.kept(id) else {
                continue;
            };
            kept.ready = false;
            // Another caller may be polling it just now.
            if let Kind::Spawned(future) = &mut kept.task
                && let Some((future, waker)) = future.take()
            {
                self.polled = id.place;
                return Some(Next::Spawned(id, future, waker));
            }
        }
        None
    }

    /// Who is behind a waker.
    pub(crate) fn waiter(&self, waker: &Waker) -> Waiter {
        match self.places.get(self.polled) {
            Some(Some(kept)) if kept.waker.will_wake(waker) => Waiter::Task(kept.id),
            _ => Waiter::Other(waker.clone()),
        }
    }
}

/// Futures that were woken by their wakers, from wherever that was.
#[derive(Default)]
struct Woken {
    tasks: Mutex<Vec<TaskId>>,
    /// Whether there are any: changed with `tasks` locked, and asked without, once for every event.
    any: AtomicBool,
}

impl Woken {
    fn insert(&self, task: TaskId) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if !tasks.contains(&task) {
            tasks.push(task);
        }
        self.any.store(true, Ordering::SeqCst);
    }

    fn take(&self) -> Vec<TaskId> {
        if !self.any.load(Ordering::SeqCst) {
            return Vec::new();
        }
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        self.any.store(false, Ordering::SeqCst);
        std::mem::take(&mut tasks)
    }
}

struct TaskWaker {
    task: TaskId,
    woken: Arc<Woken>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.woken.insert(self.task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tasks of one caller, with the ids of `spawned` futures that never end.
    fn tasks(spawned: usize) -> (Tasks, TaskId, Vec<TaskId>) {
        let mut tasks = Tasks::default();
        let (own, _) = tasks.add_own();
        for _ in 0..spawned {
            tasks.spawn(Box::pin(std::future::pending()));
        }
        assert!(matches!(tasks.next(own), Some(Next::Own)));
        let ids = poll_all(&mut tasks, own, |_, _| true);
        assert_eq!(ids.len(), spawned);
        (tasks, own, ids)
    }

    /// Takes everything that is ready, and says of each whether it waits for more. Gives the ids in their order.
    fn poll_all(
        tasks: &mut Tasks,
        own: TaskId,
        mut poll: impl FnMut(&mut Tasks, &Waker) -> bool,
    ) -> Vec<TaskId> {
        let mut order = Vec::new();
        while let Some(Next::Spawned(id, future, waker)) = tasks.next(own) {
            let waits = poll(tasks, &waker).then_some((future, waker));
            tasks.polled(Polled { id, waits });
            order.push(id);
        }
        order
    }

    #[test]
    fn what_is_ready_is_polled_once_and_in_the_order_in_which_it_was_spawned() {
        let (mut tasks, own, ids) = tasks(4);
        for place in [2, 0, 3, 2, 0] {
            tasks.wake(ids[place]);
        }
        assert_eq!(
            poll_all(&mut tasks, own, |_, _| true),
            [ids[0], ids[2], ids[3]]
        );
        // Those that are woken meanwhile come at their places.
        tasks.wake(ids[1]);
        let mut more = vec![ids[3], ids[0]];
        let order = poll_all(&mut tasks, own, |tasks, _| {
            more.pop().into_iter().for_each(|id| tasks.wake(id));
            true
        });
        assert_eq!(order, [ids[1], ids[0], ids[3]]);
        // A caller's own future comes first.
        tasks.wake(ids[1]);
        tasks.wake(own);
        assert!(matches!(tasks.next(own), Some(Next::Own)));
        assert_eq!(poll_all(&mut tasks, own, |_, _| true), [ids[1]]);
    }

    #[test]
    fn a_waker_wakes_as_an_answer_does() {
        let (mut tasks, own, ids) = tasks(3);
        tasks.wake(ids[1]);
        let mut wakers = Vec::new();
        poll_all(&mut tasks, own, |_, waker| {
            wakers.push(waker.clone());
            true
        });
        wakers.iter().for_each(Waker::wake_by_ref);
        tasks.wake(ids[0]);
        wakers.iter().for_each(Waker::wake_by_ref);
        assert_eq!(poll_all(&mut tasks, own, |_, _| true), [ids[0], ids[1]]);
    }

    #[test]
    fn who_is_polled_is_known_by_the_waker_and_nobody_else_is() {
        let (mut tasks, own, ids) = tasks(2);
        tasks.wake(ids[1]);
        poll_all(&mut tasks, own, |tasks, waker| {
            assert!(matches!(tasks.waiter(waker), Waiter::Task(id) if id == ids[1]));
            let other = Waker::noop();
            assert!(matches!(tasks.waiter(other), Waiter::Other(_)));
            // Also somebody who has ended meanwhile is woken, or nobody, but no other.
            tasks.remove(ids[0]);
            true
        });
        let (second, waker) = tasks.add_own();
        assert_eq!(second.place, ids[0].place, "places are used again");
        assert!(matches!(tasks.waiter(&waker), Waiter::Other(_)));
        assert!(matches!(tasks.next(second), Some(Next::Own)));
        assert!(matches!(tasks.waiter(&waker), Waiter::Task(id) if id == second));
        tasks.wake(ids[0]);
        assert!(tasks.next(second).is_none(), "it has ended");
    }

    #[test]
    fn futures_of_other_callers_are_left_to_them() {
        let (mut tasks, own, ids) = tasks(1);
        let (other, _) = tasks.add_own();
        tasks.wake(ids[0]);
        assert_eq!(poll_all(&mut tasks, own, |_, _| true), ids);
        assert!(tasks.next(own).is_none());
        assert!(matches!(tasks.next(other), Some(Next::Own)));
    }
}
