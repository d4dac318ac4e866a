//! From nothing to nothing.

use std::sync::Arc;

use wcow_host::{Clock, Host, HostControl, LayerStorage, SwitchService};
use wcow_runtime::{ContainerState, ExecSpec};
use wcow_sim::{GuestCall, GuestNext, GuestReply, Profile};

use crate::support::*;

#[test]
fn a_removed_container_leaves_nothing() {
    for profile in profiles() {
        let stage = Stage::new(profile.clone());
        let attachment = if profile.build == 10514 {
            stage.switch("Virtual Switch");
            on_switch("Virtual Switch")
        } else {
            published(stage.hns_network())
        };
        let created = stage.create(attachment);
        let runtime = stage.runtime();
        let state = || stage.run(runtime.state(&created.spec.id)).unwrap();
        assert_eq!(state(), ContainerState::Off);
        for kill in [false, true] {
            let running = stage.start(&created);
            assert_eq!(state(), ContainerState::Running);
            assert_eq!(running.endpoint.is_some(), profile.build != 10514);
            if let Some(endpoint) = &running.endpoint {
                assert_eq!(endpoint.address, "172.20.0.2");
            }
            if kill {
                stage.run(runtime.kill(&created, &running)).unwrap();
            } else {
                stage
                    .run(runtime.stop(&created, &running, 10 * SECOND))
                    .unwrap();
            }
            assert_eq!(state(), ContainerState::Off);
        }
        stage.run(runtime.remove(&created)).unwrap();
        assert_eq!(stage.traces(), nothing(), "{}", profile.name);
        if profile.build == 10514 {
            // Nothing holds the switch any more.
            let switches = stage.host.switches();
            stage.run(switches.remove_switch("Virtual Switch")).unwrap();
        }
    }
}

#[test]
fn a_layer_that_a_call_attached_late_is_removed_all_the_same() {
    for profile in profiles() {
        let stage = Stage::new(profile.clone());
        let created = stage.create(None);
        // As when calls of starts that were cut off take effect after everything was taken back.
        let layers = stage.host.layers();
        for _ in 0..2 {
            stage.run(layers.activate(&created.scratch)).unwrap();
        }
        let parents = &created.spec.layers;
        stage
            .run(layers.prepare(&created.scratch, parents))
            .unwrap();
        stage.run(stage.runtime().remove(&created)).unwrap();
        assert_eq!(stage.traces(), nothing(), "{}", profile.name);
        assert!(stage.sim.attached_layers().is_empty());
    }
}

#[test]
fn stopping_what_does_not_run_is_fine() {
    for profile in profiles() {
        let stage = Stage::new(profile);
        let created = stage.create(None);
        let off = stage.traces();
        let running = stage.start(&created);
        let runtime = stage.runtime();
        for _ in 0..2 {
            stage.run(runtime.stop(&created, &running, SECOND)).unwrap();
            stage.run(runtime.kill(&created, &running)).unwrap();
            assert_eq!(stage.traces(), off);
        }
        stage.run(runtime.remove(&created)).unwrap();
        stage.run(runtime.remove(&created)).unwrap();
        assert_eq!(stage.traces(), nothing());
    }
}

#[test]
fn the_grace_bounds_a_stop() {
    for profile in profiles() {
        let stage = Stage::new(profile);
        stage.sim.register_program(
            "deaf.exe",
            Arc::new(|_: GuestCall| GuestReply {
                out: Vec::new(),
                err: Vec::new(),
                next: GuestNext::Sleep(3600 * SECOND),
            }),
        );
        let created = stage.create(None);
        let runtime = stage.runtime();
        // A shutdown takes 0.4 to 2.5 seconds.
        for (grace, least, most) in [
            (0, 0, SECOND),
            (SECOND / 10, SECOND / 10, SECOND),
            (3600 * SECOND, SECOND / 4, 10 * SECOND),
        ] {
            let running = stage.start(&created);
            let process = stage
                .run(runtime.exec(&created.spec.id, &ExecSpec::new("deaf")))
                .unwrap();
            let before = stage.host.clock().now().ticks();
            stage.run(runtime.stop(&created, &running, grace)).unwrap();
            let took = stage.host.clock().now().ticks() - before;
            assert!(
                (least..most).contains(&took),
                "grace {grace}: took {took} ticks"
            );
            let exit = stage.run(process.wait()).unwrap();
            assert!(exit.code.is_some(), "the program ended with its container");
            assert_eq!(
                stage.run(runtime.state(&created.spec.id)).unwrap(),
                ContainerState::Off
            );
        }
    }
}

#[test]
fn a_restart_of_the_host_is_no_obstacle() {
    type Taken = fn(&Stage, &wcow_runtime::Created, &wcow_runtime::Running);
    let stop: Taken = |stage, created, running| {
        stage
            .run(stage.runtime().stop(created, running, SECOND))
            .unwrap();
    };
    let kill: Taken = |stage, created, running| {
        stage.run(stage.runtime().kill(created, running)).unwrap();
    };
    for profile in profiles() {
        for taken in [stop, kill] {
            let stage = Stage::new(profile.clone());
            let attachment =
                (profile.build != 10514).then(|| published(stage.hns_network()).unwrap());
            let created = stage.create(attachment);
            let running = stage.start(&created);
            stage.run(stage.host.control().reboot()).unwrap();
            assert_eq!(
                stage.run(stage.runtime().state(&created.spec.id)).unwrap(),
                ContainerState::Off
            );
            taken(&stage, &created, &running);
            stage.run(stage.runtime().remove(&created)).unwrap();
            assert_eq!(stage.traces(), nothing(), "{}", profile.name);
        }
    }
}

#[test]
fn a_restart_of_the_service_does_not_keep_a_container_from_being_stopped() {
    let stage = Stage::new(Profile::server_2022());
    let created = stage.create(None);
    let running = stage.start(&created);
    stage
        .run(stage.host.control().restart_service("vmcompute"))
        .unwrap();
    let runtime = stage.runtime();
    assert_eq!(
        stage.run(runtime.state(&created.spec.id)).unwrap(),
        ContainerState::Running
    );
    stage.run(runtime.stop(&created, &running, SECOND)).unwrap();
    stage.run(runtime.remove(&created)).unwrap();
    assert_eq!(stage.traces(), nothing());
}

#[test]
fn the_state_of_a_container_that_is_ending_can_always_be_read() {
    let stage = Stage::new(Profile::server_2022());
    let created = stage.create(None);
    let runtime = stage.runtime();
    for _ in 0..8 {
        let running = stage.start(&created);
        let other = stage.sim.client();
        let (ending, gone) = (created.clone(), running.clone());
        let stopped = stage.sim.spawn(async move {
            let runtime = wcow_runtime::Runtime::new(&other);
            runtime.stop(&ending, &gone, 60 * SECOND).await
        });
        loop {
            match stage.run(runtime.state(&created.spec.id)).unwrap() {
                ContainerState::Off => break,
                ContainerState::Running | ContainerState::Paused => {}
            }
        }
        stage.run(stopped).unwrap();
    }
}

#[test]
fn what_the_caller_keeps_survives_being_written_down() {
    let stage = Stage::new(Profile::server_2022());
    let created = stage.create(published(stage.hns_network()));
    let running = stage.start(&created);
    let kept = serde_json::to_string(&(&created, &running)).unwrap();
    let (created, running) = serde_json::from_str(&kept).unwrap();
    let host = stage.sim.client();
    stage.run(async {
        let runtime = wcow_runtime::Runtime::new(&host);
        runtime.stop(&created, &running, SECOND).await.unwrap();
        runtime.remove(&created).await.unwrap();
    });
    assert_eq!(stage.traces(), nothing());
}
