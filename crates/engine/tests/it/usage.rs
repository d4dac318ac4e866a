//! What a running container takes.

use wcow_engine::ContainerStats;
use wcow_host::{Clock, Host, SystemId};
use wcow_ntmeta::FileTime;
use wcow_runtime::ExecSpec;
use wcow_sim::Profile;

use crate::support::Stage;

/// A second in ticks of 100 ns.
const SECOND: u64 = 10_000_000;

/// A host with a running container `one`.
fn running(profile: Profile) -> Stage {
    let stage = Stage::new(profile);
    stage.create("base", "one");
    stage.ok(stage.engine.start("one"));
    stage
}

#[test]
fn processes_and_what_they_take_together_agree() {
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        let stage = running(profile);
        let processes = stage.ok(stage.engine.top("one"));
        let stats = stage.ok(stage.engine.stats("one"));
        assert!(
            processes
                .iter()
                .any(|process| process.name.as_deref() == Some("CExecSvc.exe")),
            "{processes:?}"
        );
        assert!(processes.is_sorted_by_key(|process| process.process));
        assert_eq!(stats.processes, processes.len());
        let sum: Option<u64> = processes.iter().map(|process| process.private_bytes).sum();
        assert!(sum > Some(0));
        assert_eq!(stats.private_bytes, sum);
        assert!(stats.commit_peak_bytes >= stats.commit_bytes);
        assert_eq!(stats.name, "one");
        for process in &processes {
            assert!(process.created <= Some(stats.at), "{process:?}");
        }
    }
}

#[test]
fn a_program_adds_itself_its_memory_and_its_time() {
    let stage = running(Profile::server_2022());
    let before = stage.ok(stage.engine.stats("one"));
    let mut process = stage.ok(stage
        .engine
        .exec("one", &ExecSpec::new("ping -n 100 127.0.0.1")));
    let clock = stage.engine.host().clock();
    let later = clock.now().ticks() + 20 * SECOND;
    stage
        .sim
        .run(clock.sleep_until(FileTime::from_ticks(later)))
        .unwrap();
    let during = stage.ok(stage.engine.stats("one"));
    assert_eq!(during.processes, before.processes + 1);
    assert!(during.private_bytes > before.private_bytes);
    assert!(during.processor > before.processor);
    let passed = during.at.ticks() - before.at.ticks();
    assert!(passed >= 20 * SECOND);
    assert_eq!(
        during.uptime.unwrap() - before.uptime.unwrap(),
        passed,
        "the clock and the counters agree"
    );
    let used = during.processor.unwrap() - before.processor.unwrap();
    assert_eq!(during.share(Some(&before)), Some(used * 10_000 / passed));

    let listed = stage.ok(stage.engine.top("one"));
    let ping = listed
        .iter()
        .find(|listed| listed.process == Some(process.id()))
        .expect("it is in the list");
    assert!(ping.processor() > Some(0), "{ping:?}");
    assert!(stage.sim.run(process.kill()).unwrap().unwrap());
    let after = stage.ok(stage.engine.stats("one"));
    assert_eq!(after.processes, before.processes);
    assert!(
        after.processor >= during.processor,
        "the time of what has ended is not lost"
    );
}

#[test]
fn a_share_is_of_the_time_between_or_of_the_whole_life() {
    let stats = |uptime: Option<u64>, processor: Option<u64>| ContainerStats {
        name: "one".to_owned(),
        id: SystemId("1".to_owned()),
        at: FileTime::ZERO,
        uptime,
        processor,
        private_bytes: None,
        commit_bytes: None,
        commit_peak_bytes: None,
        processes: 0,
    };
    let at = |uptime, processor| stats(Some(uptime), Some(processor));
    let max = u64::MAX;
    for (now, since, expected) in [
        (at(400, 100), None, Some(2_500)),
        (at(400, 100), Some(at(300, 80)), Some(2_000)),
        (at(400, 500), Some(at(300, 200)), Some(30_000)),
        (at(3, 1), None, Some(3_333)),
        // Started anew since: its whole life.
        (at(100, 50), Some(at(300, 80)), Some(5_000)),
        (at(400, 40), Some(at(300, 80)), Some(1_000)),
        // No time has passed.
        (at(0, 0), None, None),
        (at(300, 80), Some(at(300, 80)), None),
        // Too large for the answer, and not.
        (at(1, max), None, None),
        (at(max, max), None, Some(10_000)),
        // The host does not tell.
        (stats(None, Some(1)), None, None),
        (stats(Some(1), None), Some(at(0, 0)), None),
        (at(400, 100), Some(stats(None, None)), Some(2_500)),
    ] {
        assert_eq!(
            now.share(since.as_ref()),
            expected,
            "{now:?} since {since:?}"
        );
    }
}

#[test]
fn what_does_not_run_is_not_measured() {
    let stage = Stage::new(Profile::server_2022());
    stage.create("base", "one");
    for (name, code, word) in [("one", 4, "is Off, not Running"), ("two", 3, "\"two\"")] {
        for error in [
            stage.err(stage.engine.top(name)),
            stage.err(stage.engine.stats(name)),
        ] {
            assert_eq!(error.exit_code(), code, "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
