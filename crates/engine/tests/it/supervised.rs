//! Restart policies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wcow_engine::{
    ContainerStatus, CreateContainer, Engine, EngineError, Flow, RestartPolicy, Settings,
    Supervised, Watched,
};
use wcow_host::{Clock, Host};
use wcow_ntmeta::FileTime;
use wcow_sim::{GuestCall, GuestNext, GuestProgram, GuestReply, Profile};

use crate::support::{Stage, wanted};

/// Ticks of 100 ns in a second and in a millisecond.
const SECOND: u64 = 10_000_000;
const MILLISECOND: u64 = 10_000;

/// Ends with 1 so many times, then with 0; each time after so long.
struct Flaky {
    fails: AtomicU32,
    runs_for: u64,
}

impl GuestProgram for Flaky {
    fn run(&self, call: GuestCall) -> GuestReply {
        let next = if call.step == 0 {
            GuestNext::Sleep(self.runs_for)
        } else {
            let fails = self
                .fails
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok();
            GuestNext::Exit(u32::from(fails))
        };
        GuestReply {
            out: Vec::new(),
            err: Vec::new(),
            next,
        }
    }
}

/// A container `one` with this policy, whose program fails so often.
fn stage(policy: &str, fails: u32, runs_for: u64) -> Stage {
    let stage = Stage::new(Profile::server_2022());
    let fails = AtomicU32::new(fails);
    stage
        .sim
        .register_program("flaky", Arc::new(Flaky { fails, runs_for }));
    stage.ok(stage.engine.create_container(CreateContainer {
        settings: Settings {
            command: Some("flaky".to_owned()),
            restart: policy.parse().unwrap(),
            ..Settings::default()
        },
        ..wanted("base", "one")
    }));
    stage
}

/// Supervises it: how it ended, and how long it waited each time, in milliseconds.
#[track_caller]
fn supervise(stage: &Stage, most: Option<u32>) -> (Option<Option<u32>>, Vec<u64>) {
    let mut waits = Vec::new();
    let supervised = stage.ok(stage.engine.supervise("one", most, |watched| {
        if let Watched::Waits(ticks) = watched {
            waits.push(ticks / MILLISECOND);
        }
        Flow::Go
    }));
    let Supervised::AtRest(exit) = supervised else {
        panic!("{supervised:?}")
    };
    (exit.map(|exit| exit.code), waits)
}

fn restarts(stage: &Stage) -> u32 {
    stage.ok(stage.engine.container("one")).restarts
}

#[test]
fn policies_are_written_as_docker_has_them() {
    for text in [
        "no",
        "on-failure",
        "on-failure:3",
        "always",
        "unless-stopped",
    ] {
        let policy: RestartPolicy = text.parse().unwrap();
        assert_eq!(policy.to_string(), text);
    }
    for text in [
        "",
        "yes",
        "on-failure:",
        "on-failure:x",
        "on-failure:-1",
        "always:3",
        "No",
    ] {
        let error = text.parse::<RestartPolicy>().unwrap_err();
        assert!(error.contains("unless-stopped"), "{error}");
    }
}

#[test]
fn what_fails_is_started_again_after_longer_and_longer_waits() {
    let stage = stage("on-failure", 11, SECOND);
    stage.ok(stage.engine.start("one"));
    let waits = [
        100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000,
    ];
    assert_eq!(supervise(&stage, None), (Some(Some(0)), waits.to_vec()));
    assert_eq!(restarts(&stage), 11);
    let one = stage.ok(stage.engine.container("one"));
    assert_eq!(one.status, ContainerStatus::Off);
    // It ended well: there is nothing to supervise.
    assert_eq!(supervise(&stage, None), (Some(Some(0)), vec![]));
    stage.ok(stage.engine.start("one"));
    assert_eq!(restarts(&stage), 0);
}

#[test]
fn the_policy_bounds_how_often() {
    let stage = stage("on-failure:2", 5, SECOND);
    stage.ok(stage.engine.start("one"));
    assert_eq!(supervise(&stage, None), (Some(Some(1)), vec![100, 200]));
    assert_eq!(restarts(&stage), 2);
    // Whoever starts it begins the count anew: the third and last of three that fail, then one that does not.
    stage.ok(stage.engine.start("one"));
    assert_eq!(supervise(&stage, None), (Some(Some(0)), vec![100, 200]));
}

#[test]
fn a_long_run_begins_with_the_first_wait_again() {
    let stage = stage("always", 0, 11 * SECOND);
    assert_eq!(
        supervise(&stage, Some(3)),
        (Some(Some(0)), vec![100, 100, 100])
    );
}

#[test]
fn who_begins_to_supervise_starts_what_its_policy_wants() {
    for (policy, never_started, stopped, failed) in [
        ("no", false, false, false),
        ("on-failure", false, false, true),
        ("always", true, true, true),
        ("unless-stopped", true, false, true),
    ] {
        for (history, is_started) in [
            ("never started", never_started),
            ("stopped", stopped),
            ("failed", failed),
        ] {
            let stage = stage(policy, 1, 5 * SECOND);
            match history {
                "stopped" => {
                    stage.ok(stage.engine.start("one"));
                    stage.ok(stage.engine.stop("one", SECOND));
                }
                "failed" => {
                    stage.ok(stage.engine.start("one"));
                    stage.ok(stage.engine.wait("one"));
                }
                _ => {}
            }
            let mut started = false;
            stage.ok(stage.engine.supervise("one", Some(0), |watched| {
                started |= watched == Watched::Started;
                Flow::Go
            }));
            assert_eq!(started, is_started, "{policy}, {history}");
        }
    }
}

#[test]
fn what_somebody_stops_or_removes_is_not_started_again() {
    for policy in ["always", "unless-stopped", "on-failure"] {
        for command in ["stop", "kill", "remove"] {
            let stage = stage(policy, 0, 100 * SECOND);
            stage.ok(stage.engine.start("one"));
            let supervisor = Arc::new(Engine::new(stage.engine.host().clone()));
            let supervision = stage
                .sim
                .spawn(async move { supervisor.supervise("one", None, |_| Flow::Go).await });
            let other = Engine::new(stage.sim.client());
            let stop = stage.sim.spawn(async move {
                let clock = other.host().clock();
                let later = clock.now().ticks() + 20 * SECOND;
                clock.sleep_until(FileTime::from_ticks(later)).await;
                match command {
                    "stop" => other.stop("one", 10 * SECOND).await.map(drop),
                    "kill" => other.kill("one").await.map(drop),
                    _ => other.remove_container("one", wcow_engine::Force::Yes).await,
                }
            });
            let (supervised, stopped) = stage
                .sim
                .run(async { (supervision.await, stop.await) })
                .unwrap();
            stopped.unwrap();
            match supervised {
                Ok(Supervised::AtRest(Some(_))) => {}
                other => panic!("{policy}, {command}: {other:?}"),
            }
            for one in stage.ok(stage.engine.containers()) {
                assert_eq!(one.status, ContainerStatus::Off, "{policy}, {command}");
            }
        }
    }
}

#[test]
fn who_watches_may_leave() {
    let stage = stage("always", 0, SECOND);
    let left = stage.ok(stage.engine.supervise("one", None, |_| Flow::Leave));
    assert_eq!(left, Supervised::Left);
    let error = stage.err(stage.engine.supervise("nosuch", None, |_| Flow::Go));
    assert!(matches!(error, EngineError::NotFound { .. }));
}
