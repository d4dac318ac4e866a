//! Two futures, the first to finish wins; when both can, the first one given.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

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
