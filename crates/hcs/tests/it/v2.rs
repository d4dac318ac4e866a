//! Systems, processes, operations and events of computecore.dll, against the stand-in.

use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use wcow_hcs::v2::{self, ComputeSystem};
use wcow_hcs::values::{EventOptions, EventType, OperationType};
use wcow_hcs::{Dll, Stage};
use wcow_ntmeta::Hresult;

use crate::stand_in::{LONG, StandIn};

fn system() -> ComputeSystem {
    let (system, operation) = ComputeSystem::create("one", "{}").expect("begun");
    assert_eq!(operation.wait(LONG), Ok(None));
    system
}

#[test]
fn an_operation_ends_with_a_document() {
    let Some(stand_in) = StandIn::find(Dll::ComputeCore) else {
        return;
    };
    let system = system();
    for _ in 0..1000 {
        let operation = system.properties(Some("{}")).expect("begun");
        let document = operation.wait(LONG).expect("ended");
        assert_eq!(document.as_deref(), Some("{\"State\":\"Running\"}"));
    }
    assert_eq!(stand_in.strings(), 1000);
    drop(system);
    stand_in.assert_nothing_is_left();
}

#[test]
fn a_failed_operation_brings_the_name_of_its_call_and_its_document() {
    let Some(stand_in) = StandIn::find(Dll::ComputeCore) else {
        return;
    };
    let system = system();
    let operation = system.start(Some("fail")).expect("begun");
    let error = operation.wait(LONG).expect_err("it failed");
    assert_eq!(
        (error.call, error.stage, error.code),
        ("HcsStartComputeSystem", Stage::Call, Hresult(0x8037_0101))
    );
    assert_eq!(
        error.document.as_deref(),
        Some("{\"Error\":-2143878911,\"ErrorMessage\":\"mismatch\"}")
    );
    let error = system.start(Some("refuse")).expect_err("not begun");
    assert_eq!((error.code, error.document), (Hresult(0x8037_0105), None));
    let error = ComputeSystem::create("one", "refuse half").expect_err("not begun, with a handle");
    assert_eq!(error.code, Hresult(0x8037_0105));
    assert_eq!(
        ComputeSystem::open("missing").expect_err("not there").code,
        Hresult(0x8037_010E)
    );
    assert_eq!(
        v2::service_properties(None).as_deref(),
        Ok("{\"Properties\":[]}")
    );
    let error = v2::service_properties(Some("x")).expect_err("refused");
    assert_eq!(error.document.as_deref(), Some("{\"Error\":1}"));
    drop((operation, system));
    stand_in.assert_nothing_is_left();
}

#[test]
fn an_operation_that_does_not_end_in_time_can_be_waited_for_again() {
    let Some(stand_in) = StandIn::find(Dll::ComputeCore) else {
        return;
    };
    let system = system();
    let operation = system.start(Some("never")).expect("begun");
    let code = |result: Result<Option<String>, wcow_hcs::Error>| result.map_err(|error| error.code);
    assert_eq!(code(operation.result()), Err(Hresult(0x8037_0117)));
    assert_eq!(
        code(operation.wait(Duration::from_millis(1))),
        Err(Hresult(0x8037_0118))
    );
    assert_eq!(operation.kind(), Ok(OperationType::START));
    assert_ne!(operation.id(), Ok(0));
    assert_eq!(
        operation.cancel().map_err(|error| (error.call, error.code)),
        Err(("HcsCancelOperation", Hresult(0x8000_4001)))
    );
    assert_eq!(
        code(system.wait_for_exit(Duration::ZERO)),
        Err(Hresult(0x8037_0118))
    );
    stand_in.run(c"StandInFinish");
    assert_eq!(code(operation.result()), Ok(None));
    drop((operation, system));
    stand_in.assert_nothing_is_left();
}

/// An operation is closed while it runs; its completion comes later, for a number that nobody has any more.
#[test]
fn a_completion_after_close_reaches_nobody() {
    let Some(stand_in) = StandIn::find(Dll::ComputeCore) else {
        return;
    };
    let system = system();
    for _ in 0..50 {
        drop(system.start(Some("never")).expect("begun"));
    }
    drop(system);
    let before = stand_in.counters().calls;
    stand_in.run(c"StandInFinish");
    assert_eq!(stand_in.counters().calls - before, 50);
    stand_in.assert_nothing_is_left();
}

struct Knock(Sender<()>);

impl Wake for Knock {
    fn wake(self: Arc<Self>) {
        self.0.send(()).expect("the test waits");
    }
}

#[test]
fn the_end_of_an_operation_wakes_a_task() {
    let Some(stand_in) = StandIn::find(Dll::ComputeCore) else {
        return;
    };
    let system = system();
    let operation = system.start(Some("never")).expect("begun");
    let (sender, receiver) = channel();
    let waker = Waker::from(Arc::new(Knock(sender)));
    let mut context = Context::from_waker(&waker);
    assert!(operation.poll_finished(&mut context).is_pending());
    stand_in.run(c"StandInFinish");
    receiver.recv_timeout(LONG).expect("woken");
    assert!(operation.poll_finished(&mut context).is_ready());
    assert_eq!(operation.result(), Ok(None));
    drop((operation, system));
    stand_in.assert_nothing_is_left();
}

#[test]
fn streams_are_handed_out_once() {
    let Some(stand_in) = StandIn::find(Dll::ComputeCore) else {
        return;
    };
    let system = system();
    let (process, operation) = system.create_process("{}").expect("begun");
    let (streams, _) = operation.wait_for_process(LONG).expect("created");
    let mut text = String::new();
    let mut stdout = std::fs::File::from(streams.stdout.expect("stdout"));
    stdout.read_to_string(&mut text).expect("a pipe that ends");
    assert_eq!(text, "hello");
    let again = operation.wait_for_process(LONG).expect_err("once");
    assert_eq!(again.code, Hresult(0x8037_011D));
    let signal = process.signal(None).expect("begun");
    signal.wait(LONG).expect("sent");
    let other = signal.wait_for_process(LONG).expect_err("another type");
    assert_eq!(other.code, Hresult(0x8007_0057));
    drop((signal, operation, process, system));
    stand_in.assert_nothing_is_left();
}

#[test]
fn events_come_until_the_subscription_is_dropped() {
    let Some(stand_in) = StandIn::find(Dll::ComputeCore) else {
        return;
    };
    let system = system();
    let mut told = system.subscribe(EventOptions::NONE).expect("a callback");
    let again = system.subscribe(EventOptions::NONE).expect_err("has one");
    assert_eq!(again.code, Hresult(0x8037_0119));
    let operation = system.terminate(None).expect("begun");
    let exited = told.next_within(LONG).expect("the exit");
    assert_eq!(exited.kind, EventType::SYSTEM_EXITED);
    assert_eq!(exited.data.as_deref(), Some("{\"Status\":0}"));
    assert_eq!(operation.wait(LONG), Ok(None));
    assert_eq!(
        system.wait_for_exit(LONG).as_ref().map(Option::as_deref),
        Ok(Some("{\"Status\":0}"))
    );
    drop((operation, system));
    stand_in.run(c"StandInLate");
    assert_eq!(
        told.next_within(LONG)
            .and_then(|event| event.data)
            .as_deref(),
        Some("{\"Late\":true}"),
        "the subscription keeps the handle open"
    );
    drop(told);
    stand_in.run(c"StandInLate");
    stand_in.assert_nothing_is_left();
}
