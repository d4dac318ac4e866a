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
                    locked.asked.add(op, Asked::Waits(waiter));
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
                    return Poll::Ready(answer.map(|reply| {
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
pub(crate) struct ByOp<T> {
    values: Vec<(OpId, T)>,
    /// Where the one is that was looked for last, and often is next.
    last: usize,
}

impl<T> ByOp<T> {
    pub(crate) fn new() -> Self {
        Self {
            values: Vec::new(),
            last: 0,
        }
    }

    /// Adds the value of a call whose number is higher than all before.
    pub(crate) fn add(&mut self, op: OpId, value: T) {
        self.values.push((op, value));
    }

    pub(crate) fn get_mut(&mut self, op: OpId) -> Option<&mut T> {
        let place = self.place(op)?;
        self.values.get_mut(place).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, op: OpId) -> Option<T> {
        let place = self.place(op)?;
        Some(self.values.remove(place).1)
    }

    fn place(&mut self, op: OpId) -> Option<usize> {
        if self
            .values
            .get(self.last)
            .is_none_or(|(there, _)| *there != op)
        {
            self.last = self.values.binary_search_by_key(&op, |(op, _)| *op).ok()?;
        }
        Some(self.last)
    }
}

impl ByOp<Asked> {
    /// The answer to a call, if there is one yet.
    pub(crate) fn take_answer(&mut self, op: OpId) -> Option<Answer> {
        if !matches!(self.get_mut(op), Some(Asked::Answered(_))) {
            return None;
        }
        match self.remove(op) {
            Some(Asked::Answered(answer)) => Some(answer),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::choice::{Choice, Choices, Label};

    #[test]
    fn values_are_found_by_their_calls_in_whatever_order() {
        let mut choice = Choice::new(Choices::Seed(7));
        let mut values = ByOp::new();
        let mut model = std::collections::BTreeMap::new();
        for number in 0..500_u64 {
            if choice.draw(Label::Order, 2) == 0 {
                values.add(OpId(number), number);
                model.insert(OpId(number), number);
            }
            for _ in 0..2 {
                let op = OpId(number.saturating_sub(choice.draw(Label::Order, 12)));
                assert_eq!(values.get_mut(op), model.get_mut(&op));
                let op = OpId(op.0 + choice.draw(Label::Order, 2));
                if choice.draw(Label::Order, 3) == 0 {
                    assert_eq!(values.remove(op), model.remove(&op));
                }
            }
        }
        assert!(model.len() > 20 && model.len() < 200, "{}", model.len());
    }

    #[test]
    fn an_answer_is_taken_when_it_is_there_and_once() {
        let mut asked = ByOp::new();
        asked.add(OpId(1), Asked::Waits(Waiter::Other(Waker::noop().clone())));
        assert!(asked.take_answer(OpId(1)).is_none());
        if let Some(there) = asked.get_mut(OpId(1)) {
            *there = Asked::Answered(Ok(().into()));
        }
        assert!(asked.take_answer(OpId(2)).is_none());
        assert!(asked.take_answer(OpId(1)).is_some());
        assert!(asked.take_answer(OpId(1)).is_none());
    }
}
