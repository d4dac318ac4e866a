//! Hosts that do not answer at once, or never.

use wcow_host::failures;
use wcow_host::{HostControl, Operation, SystemId};
use wcow_ntmeta::Hresult;
use wcow_runtime::{ContainerState, Created, Running, RuntimeError};
use wcow_sim::{FaultPlan, FaultRule, Profile, What, When};

use crate::support::*;

/// Calls of that operation are hit from now on.
fn hit(stage: &Stage, operation: Operation, what: What, budget: u32) {
    let when = When::Chance {
        operation: Some(operation),
        numerator: 1,
        denominator: 1,
    };
    stage.sim.set_faults(FaultPlan {
        rules: vec![FaultRule { when, what }],
        budget,
    });
}

fn profile(name: &str) -> Profile {
    Profile::named(name).unwrap()
}

async fn start(stage: &Stage, created: &Created) -> Result<Running, RuntimeError> {
    let runtime = stage.runtime();
    let planned = runtime.plan_start(created).await?;
    runtime.start(created, &planned).await
}

#[test]
fn containers_start_at_once_on_a_host_that_mounts_one_layer_at_a_time() {
    let mut refused = 0;
    for seed in 0..16 {
        let stage = Stage::seeded(profile("server-2019"), seed);
        let first = stage.create(None);
        let mut spec = stage.spec(None);
        spec.id = SystemId("another".to_owned());
        let second = stage.try_create(spec).unwrap();
        stage.sim.start_trace();
        let (one, other) = stage.run(both(start(&stage, &first), start(&stage, &second)));
        one.unwrap();
        other.unwrap();
        let prepared = stage.sim.take_trace();
        let prepared = prepared.iter().filter(|record| {
            matches!(&record.event, wcow_sim::TraceEvent::Call { operation, .. }
                if *operation == Operation::PrepareLayer)
        });
        refused += prepared.count() - 2;
    }
    assert!(refused > 0, "the starts meet in some seed");
}

#[test]
fn a_layer_that_is_never_ready_is_asked_for_six_times_and_the_refusal_is_in_the_catalogue() {
    for (name, times) in [("server-2019", 6), ("server-2022", 1)] {
        for code_of in [0x15, 0x48F] {
            let stage = Stage::new(profile(name));
            let created = stage.create(None);
            let before = stage.traces();
            let refusal = Hresult::from_win32(code_of);
            hit(
                &stage,
                Operation::PrepareLayer,
                What::RefusedWith(refusal),
                100,
            );
            let began = stage.sim.now().ticks();
            let error = stage.try_start(&created).unwrap_err();
            assert_eq!(error.host_error().unwrap().hresult(), Some(refusal));
            assert_eq!(stage.sim.fault_hits().len(), times, "on {name}");
            let waited = stage.sim.now().ticks() - began;
            assert_eq!(waited > SECOND / 2, times > 1, "{waited} ticks on {name}");
            stage.sim.set_faults(FaultPlan::none());
            assert_eq!(stage.traces(), before);
            if name == "server-2019" {
                let host = stage.sim.client();
                let control = wcow_host::Host::control(&host);
                let info = stage.run(control.info()).unwrap();
                let explained = failures::candidates(error.host_error().unwrap(), &info);
                let best = explained.first().expect("the catalogue knows it");
                assert!(best.operations.contains(&Operation::PrepareLayer));
                assert!(best.way_out.contains("again"), "{}", best.way_out);
            }
            stage.start(&created);
        }
    }
}

#[test]
fn a_start_that_is_never_answered_fails_in_time_and_leaves_nothing() {
    for profile in profiles() {
        let stage = Stage::new(profile);
        let created = stage.create(None);
        let before = stage.traces();
        hit(
            &stage,
            Operation::StartSystem,
            What::Late(3_600 * SECOND),
            1,
        );
        let began = stage.sim.now().ticks();
        let error = stage.try_start(&created).unwrap_err();
        let waited = (stage.sim.now().ticks() - began) / SECOND;
        assert!((300..330).contains(&waited), "{waited} s");
        assert_eq!(code(&error), "0x80370118");
        assert_eq!(error.left_behind(), []);
        stage.sim.advance(3_600 * SECOND);
        assert_eq!(stage.traces(), before);
        stage.start(&created);
    }
}

#[test]
fn a_shutdown_that_is_never_answered_ends_with_its_grace() {
    let stage = Stage::new(Profile::server_2022());
    let created = stage.create(None);
    let running = stage.start(&created);
    let runtime = stage.runtime();
    hit(
        &stage,
        Operation::ShutdownSystem,
        What::Late(3_600 * SECOND),
        1,
    );
    stage
        .run(runtime.stop(&created, &running, 5 * SECOND))
        .unwrap();
    let state = stage.run(runtime.state(&created.spec.id)).unwrap();
    assert_eq!(state, ContainerState::Off);
}
