//! Deadlines: how long clients wait for their answers.
//!
//! They are no events of the world. Nearly every one is dropped before its time, and then nothing shows that it was there: no number
//! was given out, nothing was drawn, and the fingerprint is as without it. One that comes lets time jump to it, like an event.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use wcow_ntmeta::FileTime;

use crate::call::ClientId;
use crate::client::Face;
use crate::tasks::Waiter;

/// The deadlines that somebody waits for, the next one first; of equal times the one that was waited for first.
#[derive(Default)]
pub(crate) struct Deadlines {
    waiting: Vec<Waiting>,
    last: u64,
}

struct Waiting {
    time: FileTime,
    number: u64,
    /// The host of the client.
    place: usize,
    client: ClientId,
    waiter: Waiter,
}

impl Deadlines {
    /// When the next one comes.
    pub(crate) fn next_time(&self) -> Option<FileTime> {
        self.waiting.first().map(|first| first.time)
    }

    /// Takes the next one.
    pub(crate) fn pop(&mut self) -> Option<Waiter> {
        (!self.waiting.is_empty()).then(|| self.waiting.remove(0).waiter)
    }

    /// Nobody of these clients waits any more.
    pub(crate) fn remove(&mut self, place: usize, clients: impl Fn(ClientId) -> bool) {
        self.waiting
            .retain(|waiting| waiting.place != place || !clients(waiting.client));
    }

    fn add(&mut self, time: FileTime, place: usize, client: ClientId, waiter: Waiter) -> u64 {
        self.last += 1;
        let at = self.waiting.partition_point(|there| there.time <= time);
        let waiting = Waiting {
            time,
            number: self.last,
            place,
            client,
            waiter,
        };
        self.waiting.insert(at, waiting);
        self.last
    }

    fn find(&self, number: u64) -> Option<usize> {
        self.waiting.iter().position(|there| there.number == number)
    }
}

/// A client's patience. It ends when the time has come, unless the client has gone.
pub(crate) struct Deadline<'a> {
    face: &'a Face,
    time: FileTime,
    number: Option<u64>,
}

impl<'a> Deadline<'a> {
    pub(crate) fn new(face: &'a Face, time: FileTime) -> Self {
        Self {
            face,
            time,
            number: None,
        }
    }
}

impl Future for Deadline<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let client = this.face.id;
        let mut locked = this.face.sim.lock();
        // Who may not issue another call learns nothing more either.
        if !locked.world.is_alive(client) || locked.is_spent(client) {
            return Poll::Pending;
        }
        if locked.world.now() >= this.time {
            return Poll::Ready(());
        }
        let inner = &mut locked.inner;
        let waiter = inner.tasks.waiter(context.waker());
        let there = this.number.and_then(|number| inner.deadlines.find(number));
        if let Some(waiting) = there.and_then(|there| inner.deadlines.waiting.get_mut(there)) {
            waiting.waiter = waiter;
            return Poll::Pending;
        }
        this.number = Some(
            inner
                .deadlines
                .add(this.time, this.face.sim.place, client, waiter),
        );
        if let Some(pace) = &inner.pace {
            pace.issued();
        }
        Poll::Pending
    }
}

impl Drop for Deadline<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let deadlines = &mut self.face.sim.lock().inner.deadlines;
            if let Some(there) = deadlines.find(number) {
                deadlines.waiting.remove(there);
            }
        }
    }
}
