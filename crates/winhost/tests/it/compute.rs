//! Compute systems of the stand-ins, through both surfaces.

use std::pin::pin;
use std::sync::Barrier;
use std::task::{Context, Waker};
use std::thread;

use wcow_hcs_schema::schema1::{ContainerConfig, PropertyType, ResourceModificationRequest};
use wcow_host::codes::{self, v1, v2, win32};
use wcow_host::{
    ComputeApi, ComputeService, CreateDocument, ExitType, HostError, Modification, Retry, SaveType,
    SystemEvent, SystemHandle, SystemId, SystemState,
};
use wcow_ntmeta::Hresult;
use wcow_winhost::block_on;
use wcow_winhost::compute::WinCompute;

use crate::stand_in::{APIS, StandIns, compute, impatient};

/// A document whose name says what the stand-in does.
fn document(manner: &str) -> CreateDocument {
    CreateDocument::Schema1(ContainerConfig {
        system_type: "Container".to_owned(),
        name: manner.to_owned(),
        ..ContainerConfig::default()
    })
}

fn id() -> SystemId {
    SystemId("one".to_owned())
}

fn create(compute: &WinCompute, manner: &str) -> SystemHandle {
    block_on(compute.create(&id(), &document(manner))).expect("it is created")
}

fn close(compute: &WinCompute, system: SystemHandle) {
    block_on(compute.close(system)).expect("it is closed");
}

/// The code of an error, in the spelling of version 2, so that one line serves both surfaces.
#[track_caller]
fn check<T: std::fmt::Debug>(api: ComputeApi, answer: Result<T, HostError>, code: Hresult) {
    let error = answer.expect_err("it is refused");
    let found = error.hresult().expect("a code");
    assert_eq!(found, codes::spelled(code, api), "{error}");
}

#[test]
fn a_system_lives_and_ends() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for api in APIS {
        let compute = compute(api);
        assert_eq!(compute.api(), api);
        // Of version 1 the creation is pending, and is told to who subscribes after it.
        let system = create(&compute, "pending");
        block_on(async {
            compute.start(system).await.expect("it is started");
            compute.pause(system).await.expect("it is paused");
            compute
                .save(system, SaveType::ToFile)
                .await
                .expect("it is saved");
            compute.resume(system).await.expect("it goes on");
            let change = Modification::Schema1(ResourceModificationRequest::add_endpoint("x"));
            compute
                .modify(system, &change)
                .await
                .expect("it is changed");
            let wanted = [PropertyType::Statistics];
            let properties = compute.properties(system, &wanted).await;
            properties.expect("it tells of itself");
            compute.shutdown(system).await.expect("it ends");
            let event = compute.next_event(system).await;
            let exit = SystemEvent::Exited {
                status: Hresult::S_OK,
                exit: ExitType::GracefulExit,
            };
            assert_eq!(event, Ok(exit));
            let over = compute.next_event(system).await;
            check(api, over, v1::SYSTEM_ALREADY_STOPPED);
        });
        close(&compute, system);
    }
    stand_ins.assert_nothing_is_left();
}

#[test]
fn systems_are_listed() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    let none = block_on(compute(ComputeApi::V1).enumerate());
    assert_eq!(none, Ok(Vec::new()));
    let some = block_on(compute(ComputeApi::V2).enumerate()).expect("they are listed");
    let found: Vec<_> = some
        .iter()
        .map(|system| (&*system.id.0, system.state))
        .collect();
    assert_eq!(found, [("a", None), ("b", Some(SystemState::Running))]);
    stand_ins.assert_nothing_is_left();
}

#[test]
fn a_handle_that_is_closed_leads_nowhere() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for api in APIS {
        let compute = compute(api);
        let system = create(&compute, "");
        close(&compute, system);
        block_on(async {
            let no = win32::INVALID_HANDLE;
            check(api, compute.close(system).await, no);
            check(api, compute.start(system).await, no);
            check(api, compute.shutdown(system).await, no);
            check(api, compute.terminate(system).await, no);
            check(api, compute.save(system, SaveType::AsTemplate).await, no);
            check(api, compute.properties(system, &[]).await, no);
            check(api, compute.next_event(system).await, no);
            check(api, compute.open_process(system, 1000).await, no);
            check(api, compute.status(SystemHandle(u64::MAX)).await, no);
        });
    }
    stand_ins.assert_nothing_is_left();
}

#[test]
fn what_the_host_refuses_is_its_own_answer() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for api in APIS {
        let compute = compute(api);
        let error = block_on(compute.create(&id(), &document("refuse"))).expect_err("refused");
        assert_eq!((&*error.object, error.retry), ("one", Retry::No));
        match api {
            ComputeApi::V1 => {
                assert_eq!(error.hresult(), Some(v1::INVALID_JSON));
                assert_eq!(
                    error.document.as_deref(),
                    Some("{\"Error\":-1070137075,\"ErrorMessage\":\"\u{e4} refused\"}")
                );
            }
            ComputeApi::V2 => assert_eq!(error.hresult(), Some(v2::INVALID_STATE)),
        }
        // A failure beside a handle, and an id that is not there.
        assert!(block_on(compute.create(&id(), &document("half refuse"))).is_err());
        let missing = SystemId("missing".to_owned());
        check(api, block_on(compute.open(&missing)), v1::SYSTEM_NOT_FOUND);
    }
    stand_ins.assert_nothing_is_left();
}

/// The creation is accepted, and fails later.
#[test]
fn a_creation_that_fails_later_leaves_nothing() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for (api, manner) in [(ComputeApi::V1, "broken"), (ComputeApi::V2, "fail")] {
        let error = block_on(compute(api).create(&id(), &document(manner))).expect_err("it fails");
        assert_eq!(
            error.hresult(),
            Some(codes::spelled(v1::IMAGE_MISMATCH, api))
        );
        assert!(error.document.is_some_and(|text| text.contains("Error")));
    }
    stand_ins.assert_nothing_is_left();
}

#[test]
fn a_start_that_fails_later_tells_why() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for api in APIS {
        let compute = compute(api);
        let system = create(&compute, "mismatches");
        let error = block_on(compute.start(system)).expect_err("it fails");
        assert_eq!(
            error.hresult(),
            Some(codes::spelled(v1::IMAGE_MISMATCH, api))
        );
        let document = error.document.expect("it is explained");
        assert!(document.contains("mismatch"), "{document}");
        close(&compute, system);
    }
    stand_ins.assert_nothing_is_left();
}

#[test]
fn a_system_that_crashes_ends_its_start() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    let compute = compute(ComputeApi::V1);
    let system = create(&compute, "crashes");
    let error = block_on(compute.start(system)).expect_err("it crashes");
    assert_eq!(error.hresult(), Some(v1::UNEXPECTED_EXIT));
    assert!(
        error
            .document
            .is_some_and(|text| text.contains("UnexpectedExit"))
    );
    let exit = SystemEvent::Exited {
        status: v1::UNEXPECTED_EXIT,
        exit: ExitType::UnexpectedExit,
    };
    assert_eq!(block_on(compute.next_event(system)), Ok(exit));
    close(&compute, system);
    stand_ins.assert_nothing_is_left();
}

/// The service is stopped or restarted in the middle of a call.
#[test]
fn a_service_that_goes_away_ends_every_wait() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for (api, code) in [
        (ComputeApi::V1, win32::RPC_S_CALL_FAILED),
        (ComputeApi::V2, v2::SERVICE_DISCONNECT),
    ] {
        let compute = compute(api);
        let system = create(&compute, "disconnects");
        let error = block_on(compute.start(system)).expect_err("the service is gone");
        assert_eq!((error.hresult(), error.retry), (Some(code), Retry::Soon));
        assert!(error.is_ambiguous(), "{error}");
        assert!(codes::name(code).is_some());
        let event = block_on(compute.next_event(system));
        assert_eq!(event, Ok(SystemEvent::ServiceDisconnected));
        check(
            api,
            block_on(compute.next_event(system)),
            win32::INVALID_HANDLE,
        );
        close(&compute, system);
    }
    stand_ins.assert_nothing_is_left();
}

#[test]
fn what_is_never_told_is_given_up() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for (api, code) in [
        (ComputeApi::V1, win32::TIMEOUT),
        (ComputeApi::V2, v2::OPERATION_TIMEOUT),
    ] {
        let patient = compute(api);
        let system = create(&patient, "stuck");
        close(&patient, system);
        let compute = impatient(api);
        // The first calls of a debug build under Wine may take their time; they are not what this is about.
        let Ok(system) = block_on(compute.create(&id(), &document("stuck"))) else {
            println!("skipped: this machine is too slow for a limit of 50 ms");
            continue;
        };
        let error = block_on(compute.start(system)).expect_err("nobody tells its end");
        assert!(error.is_ambiguous(), "{error}");
        let found = error.hresult();
        assert!(
            found == Some(code) || found == Some(win32::TIMEOUT),
            "{error}"
        );
        // It may take longer than this client is willing to wait.
        let closed = block_on(compute.close(system));
        assert!(closed.is_ok() || closed.is_err_and(|error| error.is_ambiguous()));
    }
    stand_ins.assert_nothing_is_left_soon();
}

/// A function of the DLL that does not come back holds a thread of the pool, and nobody else.
#[test]
fn a_call_that_hangs_holds_nobody_else() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    let patient = compute(ComputeApi::V1);
    let hanging = create(&patient, "hangs");
    let other = create(&patient, "");
    let mut start = pin!(patient.start(hanging));
    let mut context = Context::from_waker(Waker::noop());
    assert!(start.as_mut().poll(&mut context).is_pending());
    block_on(patient.start(other)).expect("it is not held up");
    assert_eq!(block_on(start), Ok(()));
    close(&patient, other);
    close(&patient, hanging);
    stand_ins.assert_nothing_is_left();
}

/// Whoever waits for a handle learns that another thread has closed it.
#[test]
fn closing_ends_the_waits_of_other_threads() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for api in APIS {
        let compute = compute(api);
        let system = create(&compute, "stuck");
        let begun = Barrier::new(3);
        thread::scope(|scope| {
            let start = scope.spawn(|| {
                begun.wait();
                block_on(compute.start(system))
            });
            let event = scope.spawn(|| {
                begun.wait();
                block_on(compute.next_event(system))
            });
            begun.wait();
            close(&compute, system);
            for answer in [
                start.join().map(|ended| ended.err()),
                event.join().map(|ended| ended.err()),
            ] {
                let error = answer.expect("nobody panics").expect("it was closed");
                assert_eq!(error.hresult(), Some(win32::INVALID_HANDLE), "{error}");
            }
        });
    }
    stand_ins.assert_nothing_is_left();
}

#[test]
fn many_threads_use_one_handle() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for api in APIS {
        let compute = compute(api);
        let system = create(&compute, "");
        let start = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..20 {
                        block_on(compute.start(system)).expect("the stand-in starts it again");
                        block_on(compute.properties(system, &[])).expect("it tells");
                    }
                });
            }
        });
        block_on(compute.terminate(system)).expect("it ends");
        close(&compute, system);
    }
    stand_ins.assert_nothing_is_left();
}

/// Each opens, waits for its end and closes; nothing is left after many.
#[test]
fn nothing_is_left_after_many_lives() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for api in APIS {
        let compute = compute(api);
        for _ in 0..100 {
            let system = create(&compute, "pending");
            block_on(async {
                compute.start(system).await.expect("it is started");
                compute.terminate(system).await.expect("it ends");
                compute.next_event(system).await.expect("the exit");
            });
            close(&compute, system);
        }
    }
    stand_ins.assert_nothing_is_left();
}
