//! Time, order, and clients that go away.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use wcow_host::{Clock, FileSystem, Host, HostControl, WriteMode};
use wcow_ntmeta::FileTime;
use wcow_sim::{Ended, Profile, Sim, SimHost};

use crate::support::{code, host, path, run, win32};

/// A plan of a few calls by several clients at once.
fn plan(seed: u64) -> (String, Vec<u32>) {
    let sim = Sim::new(Profile::server_2022(), seed);
    let order = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..4)
        .map(|number: u32| {
            let (client, order) = (sim.client(), Arc::clone(&order));
            sim.spawn(async move {
                for round in 0..3 {
                    let file = path(&format!(r"C:\{number}-{round}"));
                    client
                        .files()
                        .write(&file, b"x", WriteMode::CreateNew)
                        .await
                        .unwrap();
                    order.lock().unwrap().push(number);
                }
            })
        })
        .collect();
    run(&sim, async {
        for task in tasks {
            task.await;
        }
    });
    let order = order.lock().unwrap().clone();
    (sim.fingerprint(), order)
}

#[test]
fn the_same_seed_gives_the_same_run_and_others_differ() {
    assert_eq!(plan(1), plan(1));
    let mut fingerprints: Vec<String> = (0..20).map(|seed| plan(seed).0).collect();
    fingerprints.sort();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 20);
    let orders: std::collections::BTreeSet<Vec<u32>> = (0..20).map(|seed| plan(seed).1).collect();
    assert!(orders.len() > 1, "seeds differ in the order of events");
}

#[test]
fn idle_time_jumps() {
    let (sim, client) = host(Profile::server_2022());
    let year = 365 * 24 * 3600 * 10_000_000;
    let target = FileTime::from_ticks(sim.now().ticks() + year);
    run(&sim, client.clock().sleep_until(target));
    assert_eq!(client.clock().now(), target);
    run(&sim, client.clock().sleep_until(FileTime::ZERO));
    assert_eq!(client.clock().now(), target, "the clock never goes back");
    sim.advance(year);
    assert_eq!(sim.now().ticks(), target.ticks() + year);
}

#[test]
fn a_future_that_waits_for_nothing_is_reported() {
    let (sim, _client) = host(Profile::server_2022());
    let stuck = sim.run(std::future::pending::<()>()).unwrap_err();
    assert!(stuck.waiting.is_empty());
    assert_eq!(
        stuck.to_string(),
        "nothing is left to happen in the simulated host, but something outside it is waited for"
    );
}

#[test]
fn dropping_a_future_does_not_stop_the_host() {
    let (sim, client) = host(Profile::server_2022());
    let file = path(r"C:\a");
    let mut write = Box::pin(client.files().write(&file, b"x", WriteMode::CreateNew));
    // Poll once, so that the call is issued.
    run(
        &sim,
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(write.as_mut().poll(context).is_pending())
        }),
    );
    drop(write);
    sim.advance(10_000_000);
    assert_eq!(
        run(&sim, client.files().read(&path(r"C:\a"), 9)).unwrap(),
        b"x"
    );
}

async fn three_files(client: &SimHost) {
    for name in ["a", "b", "c"] {
        client
            .files()
            .write(&path(&format!(r"C:\{name}")), b"x", WriteMode::CreateNew)
            .await
            .unwrap();
    }
}

#[test]
fn a_client_killed_after_any_number_of_calls_leaves_what_it_asked_for() {
    for calls in 0..5 {
        let (sim, client) = host(Profile::server_2022());
        let ended = sim
            .run_killed_after(&client, calls, three_files(&client))
            .unwrap();
        assert_eq!(ended == Ended::Value(()), calls > 3, "after {calls} calls");
        let other = sim.client();
        let left = run(&sim, other.files().list(&path(r"C:\"))).unwrap().len() as u64;
        assert!(left <= calls.min(3));
        sim.advance(10_000_000);
        let left = run(&sim, other.files().list(&path(r"C:\"))).unwrap().len() as u64;
        assert_eq!(left, calls.min(3), "what was asked for goes on");
    }
}

#[test]
fn a_killed_client_gets_no_answer() {
    let (sim, client) = host(Profile::server_2022());
    let other = sim.client();
    sim.kill(&client);
    assert!(sim.run(client.control().info()).is_err());
    assert_eq!(run(&sim, other.control().info()).unwrap().build, 20348);
}

#[test]
fn a_lock_asked_for_by_a_killed_client_is_not_taken() {
    let (sim, client) = host(Profile::server_2022());
    let lock = path(r"C:\lock");
    assert_eq!(
        sim.run_killed_after(&client, 1, client.files().lock(&lock))
            .unwrap(),
        Ended::Killed
    );
    let other = sim.client();
    run(&sim, async {
        let soon = FileTime::from_ticks(sim.now().ticks() + 10_000_000);
        other.clock().sleep_until(soon).await;
        assert_eq!(code(other.files().lock(&lock).await), "ok");
        assert_eq!(code(other.files().lock(&lock).await), win32(0x20));
    });
}

#[test]
fn a_trace_is_kept_for_whoever_wants_one() {
    let (sim, client) = host(Profile::server_2022());
    assert!(sim.take_trace().is_empty());
    sim.start_trace();
    assert!(run(&sim, client.files().read(&path(r"C:\none"), 1)).is_err());
    let lines: Vec<String> = sim
        .take_trace()
        .into_iter()
        .map(|record| record.event.to_string())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], r"client 1 call 1: ReadFile C:\none");
    assert!(lines[1].starts_with("call 1: ReadFile"), "{lines:?}");
    assert!(sim.take_trace().is_empty());
}

/// A waker between a future and who polls it.
struct Between {
    woken: AtomicBool,
    outer: Mutex<Waker>,
}

impl Wake for Between {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.outer.lock().unwrap().wake_by_ref();
    }
}

/// Runs a future as a combinator does that polls only what its own waker has woken.
async fn with_own_waker<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let between = Arc::new(Between {
        woken: AtomicBool::new(true),
        outer: Mutex::new(Waker::noop().clone()),
    });
    let waker = Waker::from(Arc::clone(&between));
    poll_fn(|context| {
        between.outer.lock().unwrap().clone_from(context.waker());
        if between.woken.swap(false, Ordering::SeqCst) {
            future.as_mut().poll(&mut Context::from_waker(&waker))
        } else {
            Poll::Pending
        }
    })
    .await
}

#[test]
fn whoever_has_a_waker_of_his_own_is_woken_by_it() {
    let (sim, client) = host(Profile::server_2022());
    let other = sim.client();
    let spawned = sim.spawn(async move { with_own_waker(three_files(&other)).await });
    run(&sim, async {
        for _ in 0..3 {
            let info = with_own_waker(client.control().info()).await;
            assert_eq!(info.unwrap().build, 20348);
            let soon = FileTime::from_ticks(client.clock().now().ticks() + 10_000_000);
            with_own_waker(client.clock().deadline(soon)).await;
        }
        spawned.await;
    });
    let left = run(&sim, client.files().list(&path(r"C:\"))).unwrap();
    assert_eq!(left.len(), 3);
}

#[test]
fn a_future_goes_on_wherever_it_is_polled() {
    let (sim, client) = host(Profile::server_2022());
    let mut info = Box::pin(async move { client.control().info().await.unwrap().build });
    // Issued by the future of one caller, then waited for by a future that was spawned.
    run(
        &sim,
        poll_fn(|context| Poll::Ready(info.as_mut().poll(context).is_pending())),
    );
    let spawned = sim.spawn(info);
    assert_eq!(run(&sim, spawned), 20348);
}

#[test]
fn a_caller_may_wait_inside_of_a_future_that_is_waited_for() {
    let (sim, client) = host(Profile::server_2022());
    let other = sim.client();
    let spawned = sim.spawn(async move { other.control().info().await.unwrap().build });
    let builds = run(&sim, async {
        let before = client.control().info().await.unwrap().build;
        let inside = run(&sim, client.control().info()).unwrap().build;
        let spawned = run(&sim, spawned);
        let after = client.control().info().await.unwrap().build;
        [before, inside, spawned, after]
    });
    assert_eq!(builds, [20348; 4]);
}
