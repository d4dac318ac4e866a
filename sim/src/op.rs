//! Calls on their way: what a client's future waits for.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use wcow_host::HostError;

use crate::call::{Call, FromReply, OpId};
use crate::client::Face;
use crate::tasks::Waiter;
use crate::world::Answer;

/// A call on its way: issued when it is first polled, answered by the world. Dropping it stops the waiting only.
pub(crate) struct OpFuture<'a, T> {
    face: &'a Face,
    state: OpState,
    answer: PhantomData<fn() -> T>,
}

enum OpState {
    New(Option<Box<Call>>),
    Waiting(OpId),
    /// Answered, or never to be.
    Over,
}

impl<'a, T> OpFuture<'a, T> {
    pub(crate) fn new(face: &'a Face, call: Box<Call>) -> Self {
        Self {
            face,
            state: OpState::New(Some(call)),
            answer: PhantomData,
        }
    }
}

impl<T: FromReply> Future for OpFuture<'_, T> {
    type Output = Result<T, HostError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut locked = this.face.sim.lock();
        match &mut this.state {
            OpState::New(call) => {
                locked.inner.follow_pace();
                let op = call
                    .take()
                    .and_then(|call| locked.begin(this.face.id, call));
                this.state = op.map_or(OpState::Over, OpState::Waiting);
                if let Some(op) = op {
                    let waiter = locked.inner.tasks.waiter(context.waker());
                    locked.asked.insert(op, Asked::Waits(waiter));
                    if let Some(pace) = &locked.inner.pace {
                        pace.issued();
                    }
                }
                Poll::Pending
            }
            OpState::Waiting(op) => {
                let op = *op;
                if let Some(answer) = locked.asked.take_answer(op) {
                    this.state = OpState::Over;
                    return Poll::Ready((*answer).map(|reply| {
                        T::from_reply(reply)
                            .expect("every call is answered by a reply of its own type")
                    }));
                }
                // Whoever waits for several things is polled for each of them. What is not there will not be answered.
                let waiter = locked.inner.tasks.waiter(context.waker());
                if let Some(asked) = locked.asked.get_mut(op) {
                    *asked = Asked::Waits(waiter);
                }
                Poll::Pending
            }
            OpState::Over => Poll::Pending,
        }
    }
}

impl<T> Drop for OpFuture<'_, T> {
    fn drop(&mut self) {
        if let OpState::Waiting(op) = self.state {
            let mut locked = self.face.sim.lock();
            if !matches!(locked.asked.remove(op), Some(Asked::Answered(_)))
                && locked.world.is_alive(self.face.id)
                && !locked.world.stop_waiting(op)
            {
                locked.abandoned.insert(op);
            }
        }
    }
}

/// A call that somebody waits for.
pub(crate) enum Asked {
    /// It is not answered yet.
    Waits(Waiter),
    /// The answer waits to be taken.
    Answered(Answer),
}

/// Values by call, in the order of the calls' numbers. There are few at a time, and most belong to the newest call.
pub(crate) struct ByOp<T>(Vec<(OpId, T)>);

impl<T> ByOp<T> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn insert(&mut self, op: OpId, value: T) {
        match self.place(op) {
            Ok(place) => {
                if let Some(there) = self.0.get_mut(place) {
                    there.1 = value;
                }
            }
            Err(place) => self.0.insert(place, (op, value)),
        }
    }

    pub(crate) fn get_mut(&mut self, op: OpId) -> Option<&mut T> {
        let place = self.place(op).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, op: OpId) -> Option<T> {
        let place = self.place(op).ok()?;
        Some(self.0.remove(place).1)
    }

    fn place(&self, op: OpId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&op, |(op, _)| *op)
    }
}

impl ByOp<Asked> {
    /// The answer to a call, if there is one yet.
    pub(crate) fn take_answer(&mut self, op: OpId) -> Option<Answer> {
        let place = self.place(op).ok()?;
        if !matches!(self.0.get(place), Some((_, Asked::Answered(_)))) {
            return None;
        }
        match self.0.remove(place) {
            (_, Asked::Answered(answer)) => Some(answer),
            (_, Asked::Waits(_)) => None,
        }
    }
}
