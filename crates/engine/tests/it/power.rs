//! The power goes before and after every durable step of a command: what the next commands see is whole, and can be used or removed.

use wcow_engine::{ContainerStatus, CreateContainer, Engine, EngineError, Force};
use wcow_host::{FileSystem, Host};
use wcow_network::{Driver, NetworkSpec};
use wcow_ntmeta::HostPath;
use wcow_sim::{Ended, PowerCut, Profile, SimHost};

use crate::support::*;

const SEEDS: u64 = 2;

/// Cuts the power at every durable step of a command. `check` sees the host afterwards, and whether the command came to its end; then the
/// power went when nobody did anything.
fn cut(
    profile: &Profile,
    prepare: impl Fn(&Stage),
    command: impl AsyncFn(&Engine<SimHost>) -> Result<(), EngineError>,
    check: impl Fn(&Stage, bool, &str),
) {
    let stage = |seed| {
        let stage = Stage::seeded(profile.clone(), seed).with_base();
        prepare(&stage);
        stage
    };
    // The command runs in a process of its own.
    let process = |stage: &Stage| Engine::new(stage.sim.client());
    let (first, last) = {
        let stage = stage(0);
        let first = stage.sim.durable_steps();
        stage.ok(command(&process(&stage)));
        (first, stage.sim.durable_steps())
    };
    assert!(last > first, "it has durable steps");
    let cuts = (first + 1..=last + 1).flat_map(|step| {
        // Behind the last step the command comes to its end.
        let after = (step <= last).then_some(PowerCut::After(step));
        [PowerCut::Before(step)].into_iter().chain(after)
    });
    for cut in cuts {
        for seed in 0..SEEDS {
            let mut stage = stage(seed);
            stage.sim.power_loss_at(cut);
            let engine = process(&stage);
            let ended = stage.sim.run_to_end(command(&engine)).unwrap();
            let done = match ended {
                Ended::Value(answer) => {
                    answer.unwrap();
                    stage.sim.power_loss();
                    true
                }
                Ended::PowerLost | Ended::Killed => false,
            };
            assert_eq!(done, cut == PowerCut::Before(last + 1));
            stage.engine = process(&stage);
            check(
                &stage,
                done,
                &format!("{} {cut:?} seed {seed}", profile.name),
            );
        }
    }
}

fn profiles() -> [Profile; 2] {
    [Profile::core_tp3(), Profile::server_2022()]
}

/// The one container, if there is one, can be started and removed, and nothing is left of it.
#[track_caller]
fn use_up(stage: &Stage, about: &str) -> Option<ContainerStatus> {
    let found = stage.ok(stage.engine.containers());
    let status = found.first().map(|one| one.status);
    if let Some(status) = status {
        assert_eq!(found.len(), 1, "{about}");
        assert!(
            matches!(status, ContainerStatus::Off | ContainerStatus::Exited),
            "{about}: {status:?}"
        );
        stage.ok(stage.engine.start("one"));
        stage.ok(stage.engine.remove_container("one", Force::Yes));
    }
    assert_eq!(stage.traces(), Vec::<String>::new(), "{about}");
    status
}

#[test]
fn a_create_that_a_power_loss_cuts_off_leaves_nothing_or_a_container() {
    for profile in profiles() {
        cut(
            &profile,
            |_| {},
            async |engine| {
                engine
                    .create_container(wanted("base", "one"))
                    .await
                    .map(drop)
            },
            |stage, done, about| {
                let left = use_up(stage, about);
                assert!(left.is_some() || !done, "{about}: it is lost");
                stage.create("base", "one");
                assert_eq!(use_up(stage, about), Some(ContainerStatus::Off));
            },
        );
    }
}

#[test]
fn a_start_that_a_power_loss_cuts_off_leaves_a_container_that_can_be_started() {
    for profile in profiles() {
        cut(
            &profile,
            |stage| stage.create("base", "one"),
            async |engine| engine.start("one").await.map(drop),
            |stage, _, about| assert!(use_up(stage, about).is_some(), "{about}"),
        );
    }
}

#[test]
fn a_stop_that_a_power_loss_cuts_off_leaves_a_container_that_can_be_started() {
    for profile in profiles() {
        cut(
            &profile,
            |stage| {
                stage.create("base", "one");
                stage.ok(stage.engine.start("one"));
            },
            async |engine| engine.stop("one", 10_000_000).await.map(drop),
            |stage, done, about| {
                let left = use_up(stage, about);
                assert!(left.is_some(), "{about}");
                assert!(left == Some(ContainerStatus::Off) || !done, "{about}");
            },
        );
    }
}

#[test]
fn a_removal_that_a_power_loss_cuts_off_can_be_done_again() {
    for profile in profiles() {
        cut(
            &profile,
            |stage| stage.create("base", "one"),
            async |engine| engine.remove_container("one", Force::No).await,
            |stage, done, about| {
                let found = stage.ok(stage.engine.containers());
                assert!(found.is_empty() || !done, "{about}: it is back");
                if !found.is_empty() {
                    stage.ok(stage.engine.remove_container("one", Force::No));
                }
                assert_eq!(stage.traces(), Vec::<String>::new(), "{about}");
            },
        );
    }
}

#[test]
fn the_log_of_a_removed_container_does_not_come_back() {
    for profile in profiles() {
        cut(
            &profile,
            |stage| {
                let mut one = wanted("base", "one");
                one.settings.command = Some("cmd /c echo hello".to_owned());
                stage.ok(stage.engine.create_container(one));
                stage.ok(stage.engine.start("one"));
                stage.ok(stage.engine.wait("one"));
            },
            async |engine| engine.remove_container("one", Force::No).await,
            |stage, done, about| {
                if !done && !stage.ok(stage.engine.containers()).is_empty() {
                    stage.ok(stage.engine.remove_container("one", Force::No));
                    stage.sim.power_loss();
                }
                let files = stage.sim.client();
                let logs = HostPath::parse(r"C:\ProgramData\wcow\logs").unwrap();
                let left = stage.sim.run(files.files().list(&logs)).unwrap();
                assert_eq!(left.unwrap_or_default(), [], "{about}");
            },
        );
    }
}

fn nat() -> NetworkSpec {
    NetworkSpec {
        name: "nat".to_owned(),
        driver: Driver::Nat,
        subnet: Some("172.16.0.0/12".parse().unwrap()),
        gateway: None,
        adapter: None,
    }
}

#[test]
fn a_network_that_a_power_loss_cuts_off_can_be_removed_and_made_again() {
    for profile in profiles() {
        cut(
            &profile,
            |_| {},
            async |engine| engine.create_network(&nat()).await.map(drop),
            |stage, done, about| {
                let found = stage.ok(stage.engine.networks());
                assert!(found.len() == 1 || !done, "{about}: it is lost");
                for network in found {
                    assert!(network.ours || !done, "{about}");
                    stage.ok(stage.engine.remove_network(&network.name));
                }
                stage.ok(stage.engine.create_network(&nat()));
                stage.ok(stage.engine.remove_network("nat"));
                assert_eq!(stage.traces(), Vec::<String>::new(), "{about}");
            },
        );
    }
}

#[test]
fn a_removed_network_does_not_come_back() {
    for profile in profiles() {
        cut(
            &profile,
            |stage| drop(stage.ok(stage.engine.create_network(&nat()))),
            async |engine| engine.remove_network("nat").await,
            |stage, done, about| {
                let found = stage.ok(stage.engine.networks());
                assert!(found.is_empty() || !done, "{about}");
                for network in found {
                    stage.ok(stage.engine.remove_network(&network.name));
                }
                assert_eq!(stage.traces(), Vec::<String>::new(), "{about}");
            },
        );
    }
}

#[test]
fn a_record_in_a_folder_that_a_killed_command_made_survives_a_power_loss() {
    for calls in 0..40 {
        for seed in 0..SEEDS {
            let mut stage = Stage::seeded(Profile::server_2022(), seed).with_base();
            let client = stage.sim.client();
            let killed = Engine::new(client.clone());
            let create = killed.create_container(wanted("base", "other"));
            let ended = stage.sim.run_killed_after(&client, calls, create).unwrap();
            stage.sim.kill(&client);
            stage.create("base", "one");
            stage.sim.power_loss();
            stage.engine = Engine::new(stage.sim.client());
            let found = stage.ok(stage.engine.containers());
            assert!(
                found.iter().any(|found| found.name == "one"),
                "killed after {calls} calls"
            );
            if ended.value().is_some() {
                return;
            }
        }
    }
}

#[test]
fn a_network_that_a_killed_command_made_keeps_its_containers_over_a_power_loss() {
    let mut connected = 0;
    for profile in profiles() {
        for calls in 0..40 {
            for seed in 0..SEEDS {
                let mut stage = Stage::seeded(profile.clone(), seed).with_base();
                let client = stage.sim.client();
                let killed = Engine::new(client.clone());
                let spec = nat();
                let create = killed.create_network(&spec);
                stage.sim.run_killed_after(&client, calls, create).unwrap();
                let create = CreateContainer {
                    network: Some("nat".to_owned()),
                    ..wanted("base", "one")
                };
                if stage
                    .sim
                    .run(stage.engine.create_container(create))
                    .unwrap()
                    .is_err()
                {
                    // It was not finished, and is taken for one that is on its way.
                    continue;
                }
                connected += 1;
                stage.sim.power_loss();
                stage.engine = Engine::new(stage.sim.client());
                stage.ok(stage.engine.start("one"));
                let networks = stage.ok(stage.engine.networks());
                let network = networks.iter().find(|network| network.name == "nat");
                assert!(
                    network.is_some_and(|network| network.present),
                    "killed after {calls} calls"
                );
            }
        }
    }
    assert!(connected > 0);
}
