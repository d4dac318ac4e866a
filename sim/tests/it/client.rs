//! The typed client of `wcow-host`, on hosts that do to it what real ones do.

use wcow_hcs_schema::schema1::ResourceModificationRequest;
use wcow_host::client::{Client, ClientError, SystemExit, Times};
use wcow_host::{
    ComputeApi, ComputeService, ExitType, Host, HostControl, HostError, LayerStorage, Modification,
    Operation, Output, Signal, SystemState, SystemStatus,
};
use wcow_ntmeta::Hresult;
use wcow_sim::{FaultPlan, FaultRule, Profile, Sim, SimHost, What, When};

use crate::containers::{fitting, id, install_image, mount, parameters, parents, running, scratch};

const SECOND: u64 = 10_000_000;

/// A host with a running container.
fn host() -> (Sim, SimHost) {
    let sim = Sim::new(Profile::server_2022(), 3);
    let client = sim.client();
    sim.run(running(&client, &Profile::server_2022())).unwrap();
    (sim, client)
}

/// From now on the next call of that operation is hit.
fn hit(sim: &Sim, operation: Operation, what: What) {
    sim.set_faults(FaultPlan {
        rules: vec![FaultRule {
            when: When::Chance {
                operation: Some(operation),
                numerator: 1,
                denominator: 1,
            },
            what,
        }],
        budget: 1,
    });
}

fn exited(exit: ExitType) -> SystemExit {
    SystemExit {
        status: Some(Hresult::default()),
        exit: Some(exit),
    }
}

const UNTOLD: SystemExit = SystemExit {
    status: None,
    exit: None,
};

#[test]
fn a_system_is_stopped_and_its_end_is_told() {
    for api in [ComputeApi::V1, ComputeApi::V2] {
        let (sim, _) = host();
        let host = sim.client_of(api);
        sim.run(async {
            let client = Client::new(&host);
            let mut system = client.open(&id()).await.unwrap();
            assert_eq!(system.status().await.unwrap().state, SystemState::Running);
            let other = client.open(&id()).await.unwrap();
            other.stop(30 * SECOND).await.unwrap();
            assert_eq!(system.wait().await.unwrap(), exited(ExitType::GracefulExit));
            // All of it again is no error.
            system.stop(0).await.unwrap();
            system.terminate().await.unwrap();
            assert_eq!(system.wait().await.unwrap(), UNTOLD);
            system.close().await.unwrap();
            other.close().await.unwrap();
            assert!(client.find(&id()).await.unwrap().is_none());
        })
        .unwrap();
    }
}

#[test]
fn a_system_that_does_not_shut_down_in_time_is_ended() {
    let (sim, host) = host();
    sim.run(async {
        let client = Client::new(&host);
        let mut system = client.open(&id()).await.unwrap();
        let other = client.open(&id()).await.unwrap();
        // A shutdown takes 400 ms at least.
        other.stop(SECOND / 100).await.unwrap();
        assert_eq!(system.wait().await.unwrap(), exited(ExitType::ForcedExit));
    })
    .unwrap();
}

#[test]
fn an_end_whose_notification_is_lost_is_noticed() {
    let (sim, host) = host();
    hit(&sim, Operation::WaitSystem, What::NotificationLost);
    sim.run(async {
        let client = Client::new(&host);
        let mut system = client.open(&id()).await.unwrap();
        let other = client.open(&id()).await.unwrap();
        other.terminate().await.unwrap();
        assert_eq!(system.wait().await.unwrap(), UNTOLD);
    })
    .unwrap();
}

#[test]
fn a_notification_that_comes_twice_does_no_harm() {
    let (sim, host) = host();
    hit(&sim, Operation::WaitSystem, What::NotifiedTwice);
    sim.run(async {
        let client = Client::new(&host);
        let mut system = client.open(&id()).await.unwrap();
        system.terminate().await.unwrap();
        let end = exited(ExitType::ForcedExit);
        assert_eq!(system.wait().await.unwrap(), end);
        assert_eq!(system.wait().await.unwrap(), end);
        assert_eq!(system.wait().await.unwrap(), UNTOLD);
    })
    .unwrap();
}

#[test]
fn an_end_is_told_after_the_service_was_restarted() {
    let (sim, host) = host();
    sim.run(async {
        let client = Client::new(&host);
        let mut system = client.open(&id()).await.unwrap();
        host.control().restart_service("vmcompute").await.unwrap();
        let ender = async {
            let other = client.open(&id()).await.unwrap();
            other.terminate().await.unwrap();
        };
        // The handle has gone with the service; waiting opens the system again.
        let waited = wcow_host::client::race(system.wait(), async {
            ender.await;
            std::future::pending::<()>().await;
        });
        let wcow_host::client::Winner::First(exit) = waited.await else {
            unreachable!("the other side never ends");
        };
        assert_eq!(exit.unwrap(), exited(ExitType::ForcedExit));
    })
    .unwrap();
}

#[test]
fn a_wait_that_was_given_up_loses_no_event() {
    let (sim, host) = host();
    sim.run(async {
        let compute = host.compute();
        let client = Client::new(&host);
        let system = compute.open(&id()).await.unwrap();
        let given_up = wcow_host::client::race(
            compute.next_event(system),
            wcow_host::client::race(
                async {
                    client.list().await.unwrap();
                },
                std::future::pending::<()>(),
            ),
        );
        assert!(matches!(
            given_up.await,
            wcow_host::client::Winner::Second(_)
        ));
        compute.terminate(system).await.unwrap();
        compute.next_event(system).await.unwrap();
    })
    .unwrap();
}

#[test]
fn a_service_that_does_not_answer_is_not_waited_for_for_ever() {
    let (sim, host) = host();
    let late = What::Late(3_600 * SECOND);
    hit(&sim, Operation::QuerySystem, late);
    sim.run(async {
        let client = Client::new(&host);
        let system = client.open(&id()).await.unwrap();
        let error = system.status().await.unwrap_err();
        assert!(
            matches!(error, ClientError::TimedOut { seconds: 240, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains("did not answer in 240 s"));
    })
    .unwrap();
}

#[test]
fn a_process_is_killed_through_a_handle_of_its_own() {
    let (sim, host) = host();
    sim.run(async {
        let client = Client::new(&host);
        let system = client.open(&id()).await.unwrap();
        let mut ping = system.exec(&parameters("ping -t localhost")).await.unwrap();
        assert!(!ping.read(Output::Out, 10).await.unwrap().is_empty());
        assert!(ping.kill().await.unwrap());
        assert_eq!(ping.wait().await.unwrap().code, Some(1067));
        // Now it has exited, which is no error.
        assert!(!ping.kill().await.unwrap());
        assert!(!ping.signal(Signal::CtrlC).await.unwrap());
        assert!(!ping.resize([30, 90]).await.unwrap());
        assert_eq!(ping.wait().await.unwrap().code, Some(1067));
        ping.close().await.unwrap();
    })
    .unwrap();
}

#[test]
fn an_exit_whose_notification_is_lost_gets_a_second() {
    let (sim, host) = host();
    sim.run(async {
        let client = Client::new(&host);
        let system = client.open(&id()).await.unwrap();
        let mut ping = system.exec(&parameters("ping -t localhost")).await.unwrap();
        assert!(ping.signal(Signal::CtrlC).await.unwrap());
        assert!(!ping.kill().await.unwrap());
        hit(&sim, Operation::QueryProcess, What::NotificationLost);
        assert_eq!(ping.wait().await.unwrap().code, Some(0xC000_013A));
        let hits = sim.fault_hits();
        assert!(hits.iter().any(|hit| hit.what == What::NotificationLost));
    })
    .unwrap();
}

#[test]
fn an_exit_that_nobody_tells_is_noticed_by_looking() {
    let (sim, host) = host();
    sim.run(async {
        let client = Client::new(&host);
        let system = client.open(&id()).await.unwrap();
        let program = system.exec(&parameters("ping -n 3 localhost")).await;
        let ping = program.unwrap();
        hit(&sim, Operation::QueryProcess, What::NotificationLost);
        let exit = ping.wait().await.unwrap();
        assert_eq!((exit.code, exit.reliable), (Some(0), true));
        assert_eq!(sim.fault_hits().len(), 1);
    })
    .unwrap();
}

#[test]
fn a_system_is_changed_and_tells_of_itself() {
    let (sim, host) = host();
    sim.run(async {
        let client = Client::new(&host);
        let system = client.open(&id()).await.unwrap();
        let again = client.system(id(), system.handle());
        let properties = again.properties(&[]).await.unwrap();
        assert_eq!(SystemStatus::of(&properties).state, SystemState::Running);
        let nothing = Modification::Schema1(ResourceModificationRequest::default());
        let error = again.modify(&nothing).await.unwrap_err();
        assert!(error.hresult().is_some(), "{error}");
        // A process behind a handle is the same one.
        let ping = system.exec(&parameters("ping -t localhost")).await.unwrap();
        let mut same = again.process(ping.id(), ping.handle());
        assert!(!same.status().await.unwrap().exited);
        assert!(same.kill().await.unwrap());
        assert_eq!(ping.wait().await.unwrap().code, Some(1067));
        assert!(ping.is_ready(Output::Out).await.unwrap());
    })
    .unwrap();
}

#[test]
fn only_hosts_that_stumble_are_asked_again() {
    for (build, times) in [(14393, 501), (20348, 1)] {
        let mut profile = Profile::server_2022();
        profile.build = build;
        profile.revision = 0;
        let sim = Sim::new(profile, 1);
        let host = sim.client();
        sim.set_faults(FaultPlan {
            rules: vec![FaultRule {
                when: When::Chance {
                    operation: Some(Operation::EnumerateSystems),
                    numerator: 1,
                    denominator: 1,
                },
                what: What::RefusedWith(Hresult::from_win32(5)),
            }],
            budget: 1000,
        });
        let listed = sim.run(Client::new(&host).list()).unwrap();
        assert_eq!(listed.unwrap_err().hresult(), Some(Hresult::from_win32(5)));
        assert_eq!(sim.fault_hits().len(), times, "on build {build}");
    }
}

#[test]
fn an_answer_that_never_came_is_one_that_may_have_had_an_effect() {
    for (operation, code) in [
        (Operation::StartSystem, "0x80370118"),
        (Operation::ProcessPipe, "0x80370118"),
        (Operation::PrepareLayer, "0x800705B4"),
    ] {
        let error = ClientError::TimedOut {
            operation,
            object: "one".to_owned(),
            seconds: 240,
        };
        assert!(error.is_ambiguous());
        let error = HostError::from(error);
        assert!(error.is_ambiguous());
        assert_eq!(error.hresult().unwrap().to_string(), code);
        assert_eq!((error.operation, error.object.as_str()), (operation, "one"));
    }
}

#[test]
fn a_layer_is_mounted_and_a_failed_mount_leaves_it_detached() {
    let profile = Profile::server_2022();
    let sim = Sim::new(profile.clone(), 1);
    let host = sim.client();
    sim.run(async {
        install_image(&host, &fitting(&profile)).await;
        let client = Client::new(&host);
        let scratch = scratch(&profile);
        let layers = host.layers();
        layers.create_scratch(&scratch, &parents()).await.unwrap();
        hit(
            &sim,
            Operation::PrepareLayer,
            What::RefusedWith(Hresult::from_win32(5)),
        );
        let error = client.mount(&scratch, &parents()).await.unwrap_err();
        assert_eq!(error.hresult(), Some(Hresult::from_win32(5)));
        assert!(sim.attached_layers().is_empty());
        sim.set_faults(FaultPlan::none());
        let volume = client.mount(&scratch, &parents()).await.unwrap();
        assert!(volume.starts_with(r"\\?\Volume{"), "{volume}");
        client.unmount(&scratch).await.unwrap();
        assert!(sim.attached_layers().is_empty());
        // A second time is no error.
        client.unmount(&scratch).await.unwrap();
    })
    .unwrap();
}

#[test]
fn a_client_with_little_patience_says_how_little() {
    let (sim, host) = host();
    hit(&sim, Operation::StartSystem, What::Late(60 * SECOND));
    sim.run(async {
        let times = Times {
            answer: 2 * SECOND,
            ..Times::default()
        };
        let client = Client::with_times(&host, times);
        let system = client.open(&id()).await.unwrap();
        let error = system.start().await.unwrap_err().to_string();
        assert!(error.contains("did not answer in 2 s"), "{error}");
    })
    .unwrap();
}

#[test]
fn a_host_of_2016_that_stumbles_over_a_teardown_is_asked_again() {
    let mut profile = Profile::server_2022();
    profile.build = 14393;
    profile.revision = 0;
    for seed in 0..8 {
        let sim = Sim::new(profile.clone(), seed);
        let host = sim.client();
        sim.run(async {
            install_image(&host, &fitting(&profile)).await;
            mount(&host, &profile).await;
            let system = crate::containers::create(&host, &profile).await.unwrap();
            host.compute().start(system).await.unwrap();
            let client = Client::new(&host);
            let watched = wcow_host::client::race(host.compute().shutdown(system), async {
                loop {
                    client.list().await.unwrap();
                }
            });
            assert!(matches!(
                watched.await,
                wcow_host::client::Winner::First(Ok(()))
            ));
        })
        .unwrap();
    }
}
