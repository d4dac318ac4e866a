//! The client is killed after every single call: the host stays consistent, and what it was told to make can be taken back.

use wcow_runtime::{Created, Isolation, Running, Runtime};
use wcow_sim::{Ended, Profile, SimHost};

use crate::support::*;

/// Longer than any call that was on its way takes.
const A_WHILE: u64 = 600 * SECOND;
/// Far more calls than any operation takes.
const MOST_CALLS: u64 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Create,
    Start,
    Stop,
    Remove,
}

/// A host on which the operation comes next, and what the caller knows by then.
struct Ready {
    stage: Stage,
    created: Option<Created>,
    running: Option<Running>,
}

fn ready(profile: Profile, isolation: Isolation, operation: Operation) -> Ready {
    let stage = Stage::isolated(profile, isolation);
    let attachment = attachment(&stage);
    let created = Some(match operation {
        Operation::Create => stage
            .run(stage.runtime().plan_create(stage.spec(attachment)))
            .unwrap(),
        Operation::Start | Operation::Stop | Operation::Remove => stage.create(attachment),
    });
    let running = created.as_ref().and_then(|created| match operation {
        Operation::Stop => Some(stage.start(created)),
        Operation::Start => Some(stage.run(stage.runtime().plan_start(created)).unwrap()),
        Operation::Create | Operation::Remove => None,
    });
    Ready {
        stage,
        created,
        running,
    }
}

fn attachment(stage: &Stage) -> Option<wcow_runtime::Attachment> {
    if stage.sim.profile().build == 10514 {
        stage.switch("Virtual Switch");
        on_switch("Virtual Switch")
    } else {
        published(stage.hns_network())
    }
}

async fn carry_out(ready: &Ready, client: &SimHost, operation: Operation) {
    let runtime = Runtime::new(client);
    match (operation, &ready.created, &ready.running) {
        (Operation::Create, Some(planned), _) => {
            runtime.create(planned.clone()).await.unwrap();
        }
        (Operation::Start, Some(created), Some(planned)) => {
            runtime.start(created, planned).await.unwrap();
        }
        (Operation::Stop, Some(created), Some(running)) => {
            runtime.stop(created, running, 10 * SECOND).await.unwrap();
        }
        (Operation::Remove, Some(created), _) => runtime.remove(created).await.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Kills the operation after every number of calls; `after` sees the host, and whether the operation came to its end.
fn check(operation: Operation, after: impl Fn(&Ready, u64)) {
    for (profile, isolation) in kinds() {
        for calls in 0.. {
            assert!(calls < MOST_CALLS, "{operation:?} never ends");
            let ready = ready(profile.clone(), isolation, operation);
            let client = ready.stage.client();
            let outcome = ready.stage.sim.run_killed_after(
                &client,
                calls,
                carry_out(&ready, &client, operation),
            );
            let done = outcome.unwrap() == Ended::Value(());
            ready.stage.sim.kill(&client);
            ready.stage.sim.advance(A_WHILE);
            after(&ready, calls);
            assert_eq!(
                ready.stage.traces(),
                nothing(),
                "{} {operation:?} killed after {calls} calls",
                profile.name
            );
            if done {
                assert!(calls > 1, "{operation:?} takes several calls");
                break;
            }
        }
    }
}

#[test]
fn a_killed_create_can_be_taken_back() {
    check(Operation::Create, |ready, _| {
        let planned = ready.created.as_ref().unwrap();
        ready
            .stage
            .run(ready.stage.runtime().remove(planned))
            .unwrap();
    });
}

#[test]
fn a_plan_takes_nothing_back_that_was_there_before() {
    for profile in profiles() {
        let stage = Stage::new(profile);
        let there = stage.create(None);
        let before = stage.traces();
        let again = stage
            .run(stage.runtime().plan_create(stage.spec(None)))
            .unwrap();
        let error = stage.run(stage.runtime().create(again.clone()));
        assert_eq!(code(&error.unwrap_err()), "0x800700B7");
        stage.run(stage.runtime().remove(&again)).unwrap();
        assert_eq!(stage.traces(), before);
        stage.run(stage.runtime().remove(&there)).unwrap();
        assert_eq!(stage.traces(), nothing());
    }
}

#[test]
fn a_killed_start_can_be_taken_back_and_done_again() {
    check(Operation::Start, |ready, _| {
        let (created, planned) = (
            ready.created.as_ref().unwrap(),
            ready.running.as_ref().unwrap(),
        );
        let stage = &ready.stage;
        stage.run(stage.runtime().kill(created, planned)).unwrap();
        let running = stage.start(created);
        stage
            .run(stage.runtime().stop(created, &running, SECOND))
            .unwrap();
        stage.run(stage.runtime().remove(created)).unwrap();
    });
}

#[test]
fn a_killed_stop_can_be_done_again() {
    check(Operation::Stop, |ready, calls| {
        let (created, running) = (
            ready.created.as_ref().unwrap(),
            ready.running.as_ref().unwrap(),
        );
        let stage = &ready.stage;
        // By stopping or by killing.
        if calls % 2 == 0 {
            stage
                .run(stage.runtime().stop(created, running, SECOND))
                .unwrap();
        } else {
            stage.run(stage.runtime().kill(created, running)).unwrap();
        }
        let running = stage.start(created);
        stage.run(stage.runtime().kill(created, &running)).unwrap();
        stage.run(stage.runtime().remove(created)).unwrap();
    });
}

#[test]
fn a_killed_removal_can_be_done_again() {
    check(Operation::Remove, |ready, _| {
        let created = ready.created.as_ref().unwrap();
        ready
            .stage
            .run(ready.stage.runtime().remove(created))
            .unwrap();
    });
}
