//! A world in this process.

use wcow_host::{ComputeApi, ComputeService, Identity, SystemEvent};

use crate::support::{exec, start, wait, world};

#[test]
fn a_container_runs() {
    let (world, image) = world();
    let host = world
        .client(Identity::Administrator, ComputeApi::V1)
        .remote();
    let told = wait(world.runner(), async move {
        let system = start(&host, &image, "one").await?;
        let said = exec(&host, system, "cmd /c echo hello").await?;
        host.terminate(system).await?;
        Ok::<_, wcow_host::HostError>((said, host.next_event(system).await?))
    });
    let (said, event) = told.expect("every step works");
    assert_eq!(said, ("hello\r\n".to_owned(), 0));
    assert!(matches!(event, SystemEvent::Exited { .. }), "{event:?}");
    world.runner().stop();
}

/// What waits for an event does not hold up the calls of others, and hears of what they do.
#[test]
fn calls_of_several_threads_meet_in_one_world() {
    let (world, image) = world();
    let host = world
        .client(Identity::Administrator, ComputeApi::V1)
        .remote();
    let runner = world.runner().clone();
    let system = {
        let (host, image) = (host.clone(), image.clone());
        wait(&runner, async move { start(&host, &image, "many").await }).expect("it starts")
    };
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let host = host.clone();
            wait(&runner, async move { host.next_event(system).await })
        });
        let workers: Vec<_> = (0..4)
            .map(|number| {
                let (host, runner) = (host.clone(), &runner);
                scope.spawn(move || {
                    let line = format!("cmd /c echo {number}");
                    wait(runner, async move { exec(&host, system, &line).await })
                })
            })
            .collect();
        for (number, worker) in workers.into_iter().enumerate() {
            let said = worker.join().expect("no panic").expect("it runs");
            assert_eq!(said, (format!("{number}\r\n"), 0));
        }
        let host = host.clone();
        wait(&runner, async move { host.terminate(system).await }).expect("it ends");
        let event = waiter.join().expect("no panic").expect("an event");
        assert!(matches!(event, SystemEvent::Exited { .. }), "{event:?}");
    });
    runner.stop();
}

#[test]
fn a_runner_that_was_stopped_says_so() {
    let (world, _) = world();
    world.runner().stop();
    let host = world
        .client(Identity::Administrator, ComputeApi::V1)
        .remote();
    let late = world
        .runner()
        .wait(async move { host.enumerate().await }, None);
    assert_eq!(late.unwrap_err(), wcow_sim_link::Late::Gone);
}
