//! Two futures at once: the first to finish wins, and when both can, the first one given; or one is done beside the other.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Polls `side` along with `main`, until that is done. What is left of the side is dropped, which stops waiting for it.
pub async fn beside<A>(main: impl Future<Output = A>, side: impl Future<Output = ()>) -> A {
    let mut main = pin!(main);
    let mut side = pin!(side);
    let mut goes_on = true;
    poll_fn(|context| {
        let done = main.as_mut().poll(context);
        if done.is_pending() && goes_on {
            goes_on = side.as_mut().poll(context).is_pending();
        }
        done
    })
    .await
}

/// Which of two futures finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner<A, B> {
    /// The first one given.
    First(A),
    /// The second one given.
    Second(B),
}

/// Polls `first`, then `second`, always in this order, until one is done. The other is dropped, which stops waiting for it.
pub async fn race<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> Winner<A, B> {
    let mut first = pin!(first);
    let mut second = pin!(second);
    poll_fn(|context| {
        if let Poll::Ready(value) = first.as_mut().poll(context) {
            return Poll::Ready(Winner::First(value));
        }
        second.as_mut().poll(context).map(Winner::Second)
    })
    .await
}
