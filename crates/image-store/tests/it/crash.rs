//! A kill after every single call: nothing half-done is ever seen, and the next open clears up.

use wcow_image_store::{ImageStore, StoreError};
use wcow_sim::{Sim, SimHost};

use crate::support::*;

/// Longer than any call that was on its way takes.
const A_WHILE: u64 = 10_000_000 * 60;

/// Far more calls than an install takes.
const MOST_CALLS: u64 = 1000;

#[test]
fn a_killed_install_leaves_nothing_or_everything() {
    let mut seen = [0_usize; 2];
    for calls in 0.. {
        assert!(calls < MOST_CALLS, "the install never ends");
        let (sim, done) = killed_install(calls);
        sim.advance(A_WHILE);
        let host = sim.client();
        let before = sim.block_on(list(&host)).unwrap();
        assert!(
            before.damaged.is_empty(),
            "killed after {calls} calls: {:?}",
            before.damaged
        );
        let store = sim.block_on(ImageStore::open(&host)).unwrap();
        assert_eq!(
            store.recovery().quarantined,
            [],
            "killed after {calls} calls"
        );
        assert!(
            folder(&sim, &host, ".staging").is_empty(),
            "killed after {calls} calls"
        );
        let whole = check_whole_or_absent(&sim, &store, calls);
        assert!(whole || !done, "an install that ended is not listed");
        seen[usize::from(whole)] += 1;
        sim.block_on(store.close()).unwrap();
        retry(&sim, &host, whole, calls);
        if done {
            break;
        }
    }
    assert!(
        seen[0] > 20 && seen[1] > 1,
        "absent and whole after a kill: {seen:?}"
    );
}

#[test]
fn a_killed_install_may_still_be_at_work_when_the_store_is_opened() {
    for calls in 0..MOST_CALLS {
        let (sim, done) = killed_install(calls);
        let host = sim.client();
        let store = sim.block_on(ImageStore::open(&host)).unwrap();
        let whole = check_whole_or_absent(&sim, &store, calls);
        sim.block_on(store.close()).unwrap();
        retry(&sim, &host, whole, calls);
        if done {
            return;
        }
    }
    panic!("the install never ends");
}

#[test]
fn a_killed_removal_leaves_nothing_or_everything() {
    let mut seen = [0_usize; 2];
    for calls in 0.. {
        assert!(calls < MOST_CALLS, "the removal never ends");
        let (sim, host) = with_image();
        let outcome = sim.run_killed_after(&host, calls, async {
            let store = ImageStore::open(&host).await?;
            store.remove(FULL_NAME).await
        });
        let done = outcome
            .unwrap()
            .value()
            .is_some_and(|answer| answer.map(|()| true).unwrap());
        sim.kill(&host);
        sim.advance(A_WHILE);
        let host = sim.client();
        let store = sim.block_on(ImageStore::open(&host)).unwrap();
        assert_eq!(
            store.recovery().quarantined,
            [],
            "killed after {calls} calls"
        );
        assert!(
            folder(&sim, &host, ".removing").is_empty(),
            "killed after {calls} calls"
        );
        let whole = check_whole_or_absent(&sim, &store, calls);
        assert!(!(whole && done), "a removal that ended left the image");
        seen[usize::from(whole)] += 1;
        match sim.block_on(store.remove(FULL_NAME)) {
            Ok(()) => assert!(whole, "killed after {calls} calls"),
            Err(error) => assert!(
                !whole && matches!(error, StoreError::NotFound { .. }),
                "{error}"
            ),
        }
        if done {
            break;
        }
    }
    assert!(
        seen[0] > 2 && seen[1] > 5,
        "absent and whole after a kill: {seen:?}"
    );
}

#[test]
fn a_killed_recovery_is_finished_by_the_next_one() {
    let most = (0..MOST_CALLS)
        .find(|calls| killed_install(*calls).1)
        .expect("the install ends");
    let half = most / 2;
    for calls in 0..MOST_CALLS {
        let (sim, _) = killed_install(half);
        sim.advance(A_WHILE);
        let host = sim.client();
        let outcome = sim
            .run_killed_after(&host, calls, ImageStore::open(&host))
            .unwrap();
        sim.advance(A_WHILE);
        let done = outcome.value().is_some();
        let host = sim.client();
        if !done {
            sim.block_on(ImageStore::open(&host)).unwrap();
        }
        assert!(
            folder(&sim, &host, ".staging").is_empty(),
            "killed after {calls} calls"
        );
        if done {
            return;
        }
    }
    panic!("opening never ends");
}

/// An install that is killed after a number of calls, and whether it came to its end before.
fn killed_install(calls: u64) -> (Sim, bool) {
    let sim = core();
    let host = sim.client();
    let outcome = sim.run_killed_after(&host, calls, install(&host, &request(), &mut image()));
    let done = outcome
        .unwrap()
        .value()
        .is_some_and(|answer| answer.map(|_| true).unwrap());
    (sim, done)
}

#[track_caller]
fn check_whole_or_absent(sim: &Sim, store: &ImageStore<'_, SimHost>, calls: u64) -> bool {
    let list = sim.block_on(store.list()).unwrap();
    assert!(
        list.damaged.is_empty(),
        "killed after {calls} calls: {:?}",
        list.damaged
    );
    if list.images.is_empty() {
        return false;
    }
    assert_eq!(names(&list), [FULL_NAME], "killed after {calls} calls");
    assert_eq!(
        sim.block_on(store.test(FULL_NAME)).unwrap(),
        [],
        "killed after {calls} calls"
    );
    true
}

#[track_caller]
fn retry(sim: &Sim, host: &SimHost, whole: bool, calls: u64) {
    let again = sim.block_on(install(host, &request(), &mut image()));
    assert_eq!(
        again.is_ok(),
        !whole,
        "killed after {calls} calls: {again:?}"
    );
    let list = sim.block_on(list(host)).unwrap();
    assert_eq!(names(&list), [FULL_NAME], "killed after {calls} calls");
}
