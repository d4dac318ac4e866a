//! Two engines on one host at the same time: they change an object one after the other.

use wcow_engine::{ContainerStatus, CreateContainer, Engine, EngineError, Force, Kind};
use wcow_host::codes::v1;
use wcow_host::{Clock, FileSystem, Host};
use wcow_network::{Driver, NetworkSpec};
use wcow_ntmeta::FileTime;
use wcow_runtime::ExecSpec;
use wcow_sim::{Profile, SimHost};

use crate::support::{Stage, records, wanted};

/// The tests' seeds; each begins the second command at another time.
const SEEDS: u64 = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Create,
    CreateOnNetwork,
    Start,
    Stop,
    Kill,
    Exec,
    Prune,
    Restart,
    Remove,
    CreateNetwork,
    RemoveNetwork,
    RemoveImage,
}

/// Carries a command out, after a while.
async fn carry_out(
    engine: Engine<SimHost>,
    command: Command,
    after: u64,
) -> Result<(), EngineError> {
    let clock = engine.host().clock();
    let begin = clock.now().ticks() + after;
    clock.sleep_until(FileTime::from_ticks(begin)).await;
    match command {
        Command::Create => engine
            .create_container(wanted("base", "one"))
            .await
            .map(drop),
        Command::CreateOnNetwork => engine.create_container(on_network()).await.map(drop),
        Command::Start => engine.start("one").await.map(drop),
        Command::Stop => engine.stop("one", 10_000_000).await.map(drop),
        Command::Kill => engine.kill("one").await.map(drop),
        Command::Restart => engine.restart("one", 10_000_000).await.map(drop),
        Command::Prune => engine.prune().await.map(drop),
        Command::Exec => {
            let spec = ExecSpec::new("ping -n 3 127.0.0.1");
            let process = engine.exec("one", &spec).await?;
            // Who ends the container ends what runs in it; it is never waited for in vain.
            process
                .wait()
                .await
                .map(drop)
                .or_else(|error| {
                    let gone = error.is_win32(0x6);
                    if gone { Ok(()) } else { Err(error) }
                })
                .map_err(|error| EngineError::Host {
                    doing: "wait".to_owned(),
                    error: Box::new(error),
                    left_behind: Vec::new(),
                })
        }
        Command::Remove => engine.remove_container("one", Force::Yes).await,
        Command::CreateNetwork => engine.create_network(&network()).await.map(drop),
        Command::RemoveNetwork => engine.remove_network("net").await,
        Command::RemoveImage => engine.remove_image("base").await.map(drop),
    }
}

fn on_network() -> CreateContainer {
    CreateContainer {
        network: Some("net".to_owned()),
        ..wanted("base", "one")
    }
}

fn network() -> NetworkSpec {
    NetworkSpec {
        name: "net".to_owned(),
        driver: Driver::Nat,
        subnet: Some("172.16.0.0/12".parse().unwrap()),
        gateway: None,
        adapter: None,
    }
}

/// What is there before two commands begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Image,
    Network,
    Container,
    Running,
}

/// Runs two commands at the same time. Each works, or is refused because of the other; what they leave is whole, can be used,
/// and can be removed without a trace. Gives how many worked, of every run.
#[track_caller]
fn check<const N: usize>(given: Given, commands: [Command; N]) -> Vec<usize> {
    let mut worked = Vec::new();
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        for seed in 0..SEEDS {
            let stage = Stage::seeded(profile.clone(), seed).with_base();
            match given {
                Given::Image => {}
                Given::Network => drop(stage.ok(stage.engine.create_network(&network()))),
                Given::Container => stage.create("base", "one"),
                Given::Running => {
                    stage.create("base", "one");
                    stage.ok(stage.engine.start("one"));
                }
            }
            let mut after = 0;
            let tasks = commands.map(|command| {
                let engine = Engine::new(stage.sim.client());
                let task = stage.sim.spawn(carry_out(engine, command, after));
                after += 20_000 * seed;
                task
            });
            let answers = stage
                .sim
                .run(async {
                    let mut answers = Vec::with_capacity(N);
                    for task in tasks {
                        answers.push(task.await);
                    }
                    answers
                })
                .unwrap();
            for answer in &answers {
                if let Err(error) = answer {
                    // A container that ends while a program is started in it: the host says so.
                    let ended = commands.contains(&Command::Exec) && is_not_running(error);
                    let expected = ended || matches!(error.exit_code(), 3 | 4);
                    assert!(expected, "{commands:?}, seed {seed}: {error:?}");
                }
            }
            worked.push(answers.iter().filter(|answer| answer.is_ok()).count());
            let containers = stage.ok(stage.engine.containers());
            for container in &containers {
                let whole = matches!(
                    container.status,
                    ContainerStatus::Off | ContainerStatus::Running
                );
                assert!(whole, "{commands:?}, seed {seed}: {container:?}");
                if container.status == ContainerStatus::Off {
                    stage.ok(stage.engine.start("one"));
                }
                stage.ok(stage.engine.remove_container("one", Force::Yes));
            }
            for network in stage.ok(stage.engine.networks()) {
                if network.ours {
                    stage.ok(stage.engine.remove_network(&network.name));
                }
            }
            assert_eq!(
                stage.traces(),
                Vec::<String>::new(),
                "{commands:?}, seed {seed}"
            );
            assert_eq!(stage.record_files(), Vec::<String>::new());
        }
    }
    worked
}

/// The codes of a container that does not run, or whose handle has gone with it.
fn is_not_running(error: &EngineError) -> bool {
    let code = error.host_error().and_then(|error| error.hresult());
    let known = [
        v1::INVALID_STATE,
        v1::SYSTEM_NOT_FOUND,
        v1::SYSTEM_ALREADY_STOPPED,
    ];
    code.is_some_and(|code| known.contains(&code))
}

#[test]
fn a_container_is_used_stopped_and_removed_at_once() {
    use Command::{Exec, Kill, Prune, Remove, Restart, Start, Stop};
    check(Given::Running, [Exec, Stop, Remove]);
    check(Given::Running, [Stop, Exec, Remove]);
    check(Given::Running, [Remove, Stop, Exec]);
    check(Given::Running, [Exec, Kill, Start, Remove]);
    check(Given::Running, [Restart, Exec, Stop, Exec]);
    check(Given::Running, [Restart, Prune, Start]);
    check(Given::Container, [Start, Exec, Prune]);
}

#[test]
fn of_two_that_create_the_same_name_one_does() {
    let worked = check(Given::Image, [Command::Create, Command::Create]);
    assert!(worked.iter().all(|worked| *worked == 1), "{worked:?}");
    let worked = check(
        Given::Image,
        [Command::CreateNetwork, Command::CreateNetwork],
    );
    assert!(worked.iter().all(|worked| *worked == 1), "{worked:?}");
}

#[test]
fn of_two_that_create_the_same_id_one_does() {
    for seed in 0..SEEDS {
        let stage = Stage::seeded(Profile::server_2022(), seed).with_base();
        let [first, second] = ["one", "two"].map(|name| {
            let engine = Engine::new(stage.sim.client());
            let wanted = CreateContainer {
                id: Some("aaaaaaaa-0000-4000-8000-000000000001".parse().unwrap()),
                ..wanted("base", name)
            };
            stage
                .sim
                .spawn(async move { engine.create_container(wanted).await })
        });
        let answers = stage
            .sim
            .run(async { [first.await, second.await] })
            .unwrap();
        let made: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
        let listed = stage.ok(stage.engine.containers());
        assert_eq!(made, listed, "seed {seed}");
        assert_eq!(listed.len(), 1);
    }
}

#[test]
fn two_that_change_the_same_container_do_so_one_after_the_other() {
    use Command::{Kill, Remove, Start, Stop};
    let worked = check(Given::Container, [Start, Start]);
    assert!(worked.iter().all(|worked| *worked == 1), "{worked:?}");
    let worked = check(Given::Running, [Remove, Remove]);
    assert!(worked.iter().all(|worked| *worked == 1), "{worked:?}");
    check(Given::Container, [Start, Remove]);
    check(Given::Container, [Start, Kill]);
    check(Given::Running, [Stop, Remove]);
    check(Given::Running, [Stop, Start]);
}

#[test]
fn what_a_new_container_needs_is_not_removed_while_it_is_made() {
    let worked = check(Given::Image, [Command::Create, Command::RemoveImage]);
    assert!(worked.iter().all(|worked| *worked == 1), "{worked:?}");
    let worked = check(
        Given::Network,
        [Command::CreateOnNetwork, Command::RemoveNetwork],
    );
    assert!(worked.iter().all(|worked| *worked == 1), "{worked:?}");
}

#[test]
fn a_command_waits_for_a_while_and_a_killed_holder_holds_nothing() {
    for profile in [Profile::core_tp3(), Profile::server_2022()] {
        let stage = Stage::new(profile);
        stage.create("base", "one");
        let holder = stage.sim.client();
        let locks = records().join("locks");
        let held = stage.sim.run(async {
            holder.files().create_dir_all(&locks).await?;
            holder.files().lock(&locks.join("container-one.lock")).await
        });
        held.unwrap().unwrap();
        for error in [
            stage.err(stage.engine.start("one")),
            stage.err(stage.engine.kill("one")),
            stage.err(stage.engine.stop("one", 1)),
            stage.err(stage.engine.remove_container("one", Force::Yes)),
            stage.err(stage.engine.create_container(wanted("base", "one"))),
        ] {
            assert!(
                matches!(&error, EngineError::Busy { kind: Kind::Container, name } if name == "one"),
                "{error:?}"
            );
            assert_eq!(error.exit_code(), 4);
            assert_eq!(
                error.to_string(),
                r#"container "one" is being changed by another command"#
            );
        }
        // Looking needs no lock, and other objects have their own.
        assert_eq!(stage.ok(stage.engine.containers()).len(), 1);
        stage.create("base", "two");
        stage.ok(stage.engine.remove_container("two", Force::No));
        stage.sim.kill(&holder);
        stage.ok(stage.engine.start("one"));
        stage.ok(stage.engine.remove_container("one", Force::Yes));
        assert_eq!(stage.record_files(), Vec::<String>::new());
    }
}
