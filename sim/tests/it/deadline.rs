//! Deadlines of clients.

use std::future::{Future, pending};

use wcow_host::client::{Winner, race};
use wcow_host::{Clock, ComputeService, Host, HostControl, NetworkService};
use wcow_ntmeta::FileTime;
use wcow_sim::{Profile, Sim, SimHost};

const SECOND: u64 = 10_000_000;

fn in_ticks(host: &SimHost, ticks: u64) -> FileTime {
    FileTime::from_ticks(host.clock().now().ticks() + ticks)
}

fn deadline(host: &SimHost, ticks: u64) -> impl Future<Output = ()> {
    host.clock().deadline(in_ticks(host, ticks))
}

fn host() -> (Sim, SimHost) {
    let sim = Sim::new(Profile::server_2022(), 1);
    let host = sim.client();
    (sim, host)
}

#[test]
fn a_deadline_that_does_not_come_leaves_no_trace() {
    let run = |patient: bool| {
        let (sim, host) = host();
        sim.run(async {
            for _ in 0..20 {
                let call = host.network().networks();
                if patient {
                    assert!(matches!(
                        race(call, deadline(&host, 240 * SECOND)).await,
                        Winner::First(Ok(_))
                    ));
                } else {
                    call.await.unwrap();
                }
            }
        })
        .unwrap();
        // Nothing is left that would come later.
        let now = sim.now();
        sim.advance(0);
        assert_eq!(sim.now(), now);
        (sim.fingerprint(), now, sim.calls())
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn a_deadline_comes_at_its_time_unless_something_comes_first() {
    let (sim, host) = host();
    sim.run(async {
        let began = host.clock().now().ticks();
        deadline(&host, SECOND).await;
        assert_eq!(host.clock().now().ticks(), began + SECOND);
        // One whose time is over comes at once.
        deadline(&host, 0).await;
        assert_eq!(host.clock().now().ticks(), began + SECOND);
        // The earlier of two, whichever is asked first.
        let both = race(deadline(&host, 2 * SECOND), deadline(&host, SECOND));
        assert_eq!(both.await, Winner::Second(()));
        assert_eq!(host.clock().now().ticks(), began + 2 * SECOND);
        // What comes at the same time is in time.
        let time = in_ticks(&host, SECOND);
        let clock = host.clock();
        let same = race(clock.sleep_until(time), clock.deadline(time));
        assert_eq!(same.await, Winner::First(()));
    })
    .unwrap();
}

#[test]
fn what_waits_for_ever_is_stuck_and_with_a_deadline_it_is_not() {
    let (sim, host) = host();
    assert!(sim.run(pending::<()>()).is_err());
    let waited = sim.run(race(pending::<()>(), deadline(&host, SECOND)));
    assert_eq!(waited, Ok(Winner::Second(())));
}

#[test]
fn a_client_that_has_gone_waits_for_no_deadline() {
    let (sim, host) = host();
    let other = sim.client();
    sim.run(async {
        let waits = deadline(&host, SECOND);
        let ends = async {
            other.control().info().await.unwrap();
            sim.kill(&host);
            deadline(&other, 10 * SECOND).await;
        };
        assert_eq!(race(waits, ends).await, Winner::Second(()));
        let later = race(deadline(&host, 0), deadline(&other, SECOND));
        assert_eq!(later.await, Winner::Second(()));
    })
    .unwrap();
    let after = sim.client();
    sim.power_loss();
    let stuck = sim.run(deadline(&after, SECOND));
    assert!(stuck.is_err(), "its power went with the host's");
}

#[test]
fn deadlines_of_two_hosts_share_one_clock() {
    let (sim, host) = host();
    let other = sim.add_host(Profile::core_tp3(), 2);
    let second = other.client();
    sim.run(async {
        let both = race(deadline(&second, 2 * SECOND), deadline(&host, SECOND));
        assert_eq!(both.await, Winner::Second(()));
        assert_eq!(sim.now(), other.now());
        // The power of one host takes the deadlines of its clients alone.
        let both = race(deadline(&second, 200_000 * SECOND), async {
            other.power_loss();
            deadline(&host, SECOND).await;
        });
        assert_eq!(both.await, Winner::Second(()));
    })
    .unwrap();
    assert!(sim.run(host.compute().enumerate()).unwrap().is_ok());
}
