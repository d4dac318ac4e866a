//! Sleeping.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wcow_host::Clock;
use wcow_ntmeta::FileTime;
use wcow_winhost::clock::WinClock;

use crate::support::block_on;

fn later(clock: &WinClock, milliseconds: u64) -> FileTime {
    FileTime::from_ticks(clock.now().ticks() + milliseconds * 10_000)
}

#[test]
fn a_time_that_has_passed_is_not_waited_for() {
    let clock = WinClock::new();
    let mut sleep = pin!(clock.sleep_until(clock.now()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(sleep.as_mut().poll(&mut context).is_ready());
}

#[test]
fn sleepers_wake_no_earlier_and_in_their_order() {
    let clock = WinClock::new();
    let times = [30, 10, 20].map(|milliseconds| later(&clock, milliseconds));
    let mut sleepers: Vec<_> = times
        .iter()
        .map(|time| (*time, Box::pin(clock.sleep_until(*time))))
        .collect();
    let mut woken = Vec::new();
    block_on(poll_fn(|context| {
        sleepers.retain_mut(|(time, sleep)| match sleep.as_mut().poll(context) {
            Poll::Ready(()) => {
                assert!(clock.now() >= *time);
                woken.push(*time);
                false
            }
            Poll::Pending => true,
        });
        match sleepers.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }));
    assert_eq!(woken.len(), 3);
    // A sleeper that is dropped is forgotten; those after it are woken all the same.
    let mut dropped = Box::pin(clock.sleep_until(FileTime::from_ticks(u64::MAX)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(dropped.as_mut().poll(&mut context).is_pending());
    drop(dropped);
    block_on(clock.sleep_until(later(&clock, 5)));
}
