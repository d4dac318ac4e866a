//! computecore.dll.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::mpsc::{Sender, channel};

use serde_json::Value;
use wcow_sim_dll::abi::{HCS_EVENT, HCS_OPERATION, HCS_PROCESS_INFORMATION, HCS_SYSTEM, PWSTR};
use wcow_sim_dll::control::WcowSimCounters;
use wcow_sim_dll::v2::operation::{
    HcsCancelOperation, HcsCloseOperation, HcsCreateOperation, HcsGetComputeSystemFromOperation,
    HcsGetOperationContext, HcsGetOperationId, HcsGetOperationResult, HcsGetOperationType,
    HcsGetProcessFromOperation, HcsSetOperationCallback, HcsSetOperationContext,
    HcsWaitForOperationResult, HcsWaitForOperationResultAndProcessInfo,
};
use wcow_sim_dll::v2::{
    HcsCloseComputeSystem, HcsCloseProcess, HcsCreateComputeSystem, HcsCreateProcess,
    HcsEnumerateComputeSystems, HcsGetComputeSystemProperties, HcsGetProcessInfo,
    HcsOpenComputeSystem, HcsSetComputeSystemCallback, HcsSetProcessCallback, HcsSignalProcess,
    HcsStartComputeSystem, HcsTerminateComputeSystem, HcsWaitForComputeSystemExit,
    HcsWaitForProcessExit,
};

use crate::program::{
    BAD_ARGUMENT, BAD_HANDLE, LONG, Scratch, Wide, alone, assert_nothing_is_left, counters, drain,
    look, take,
};

const PATIENCE: u32 = 120_000;
const GENERIC_ALL: u32 = 0x1000_0000;

/// How an operation ends.
#[track_caller]
pub(crate) fn wait(operation: HCS_OPERATION) -> Result<Option<String>, (u32, Option<String>)> {
    let mut document: PWSTR = null_mut();
    // SAFETY: the place can be written.
    let code = unsafe { HcsWaitForOperationResult(operation, PATIENCE, &raw mut document) };
    let document = take(document);
    if code < 0 {
        Err((code as u32, document))
    } else {
        Ok(document)
    }
}

/// Begins a call with an operation of its own and waits for its end.
#[track_caller]
pub(crate) fn call(
    begin: impl FnOnce(HCS_OPERATION) -> i32,
) -> Result<Option<String>, (u32, Option<String>)> {
    // SAFETY: no pointer is passed.
    let operation = unsafe { HcsCreateOperation(null(), None) };
    assert!(!operation.is_null());
    let code = begin(operation);
    let ended = if code < 0 {
        Err((code as u32, None))
    } else {
        wait(operation)
    };
    // SAFETY: the handle is open.
    unsafe { HcsCloseOperation(operation) };
    ended
}

pub(crate) fn start(id: &str) -> (HCS_SYSTEM, Scratch) {
    let scratch = Scratch::new(id);
    let (id, document) = (Wide::new(id), Wide::new(&scratch.document_v2()));
    let mut system = null_mut();
    // SAFETY: texts end with a NUL, places can be written.
    let created = call(|operation| unsafe {
        HcsCreateComputeSystem(id.get(), document.get(), operation, null(), &raw mut system)
    });
    assert_eq!(created, Ok(None));
    // SAFETY: the handle is open.
    let started = call(|operation| unsafe { HcsStartComputeSystem(system, operation, null()) });
    assert_eq!(started, Ok(None));
    (system, scratch)
}

pub(crate) fn end((system, scratch): (HCS_SYSTEM, Scratch)) {
    // SAFETY: the handle is open.
    let ended = call(|operation| unsafe { HcsTerminateComputeSystem(system, operation, null()) });
    assert_eq!(ended, Ok(None));
    // SAFETY: the handle is open.
    unsafe { HcsCloseComputeSystem(system) };
    scratch.remove();
}

#[test]
fn operations_end_with_documents() {
    let _alone = alone();
    let before = counters();
    let running = start("v2-life");
    // SAFETY: handles are open.
    let told =
        call(|operation| unsafe { HcsGetComputeSystemProperties(running.0, operation, null()) });
    let told: Value =
        serde_json::from_str(&told.expect("told").expect("a document")).expect("JSON");
    assert_eq!(
        (told["Id"].as_str(), told["State"].as_str()),
        (Some("v2-life"), Some("Running"))
    );
    // SAFETY: there is no query.
    let list = call(|operation| unsafe { HcsEnumerateComputeSystems(null(), operation) });
    assert!(
        list.expect("a list")
            .expect("a document")
            .contains("v2-life")
    );
    // SAFETY: the handle is open.
    let again = call(|operation| unsafe { HcsStartComputeSystem(running.0, operation, null()) });
    let (code, document) = again.expect_err("it runs");
    assert_eq!(code, 0x8037_0105);
    assert!(document.expect("a document").contains("-2143878907"));
    end(running);
    assert_nothing_is_left(before);
}

#[test]
fn an_operation_knows_what_it_is_for() {
    let _alone = alone();
    let before = counters();
    let running = start("v2-operation");
    let (mut one, mut two) = (1_u8, 2_u8);
    let (one, two): (*const c_void, *const c_void) = ((&raw mut one).cast(), (&raw mut two).cast());
    // SAFETY: handles are open, places can be written.
    unsafe {
        let operation = HcsCreateOperation(one, None);
        assert_eq!(HcsGetOperationType(operation), -1);
        assert_eq!(
            HcsGetOperationResult(operation, null_mut()),
            0x8037_0115_u32 as i32
        );
        assert_eq!(HcsGetOperationContext(operation).cast_const(), one);
        assert_eq!(HcsSetOperationContext(operation, two), 0);
        assert_eq!(HcsGetOperationContext(operation).cast_const(), two);
        assert_eq!(HcsCancelOperation(operation), 0x8000_4001_u32 as i32);
        assert_eq!(
            HcsGetComputeSystemProperties(running.0, operation, null()),
            0
        );
        wait(operation).expect("told");
        assert_eq!(HcsGetOperationType(operation), 9);
        assert_eq!(HcsGetComputeSystemFromOperation(operation), running.0);
        assert!(HcsGetProcessFromOperation(operation).is_null());
        // It can be used again, and has another result then.
        assert_eq!(HcsStartComputeSystem(running.0, operation, null()), 0);
        assert_eq!(wait(operation).expect_err("it runs").0, 0x8037_0105);
        let mut info = HCS_PROCESS_INFORMATION::default();
        let code = HcsWaitForOperationResultAndProcessInfo(operation, 0, &raw mut info, null_mut());
        assert_eq!(code, BAD_ARGUMENT);
        let other = HcsCreateOperation(null(), None);
        assert!(HcsGetOperationId(other) > HcsGetOperationId(operation));
        HcsCloseOperation(other);
        HcsCloseOperation(operation);
        assert_eq!(HcsGetOperationResult(operation, null_mut()), BAD_HANDLE);
    }
    end(running);
    let before = WcowSimCounters {
        bad_handles: before.bad_handles + 1,
        ..before
    };
    assert_nothing_is_left(before);
}

unsafe extern "system" fn completed(operation: HCS_OPERATION, context: *const c_void) {
    // SAFETY: the context is a sender that the test keeps until its operation is closed.
    let sender = unsafe { &*context.cast::<Sender<usize>>() };
    sender.send(operation.addr()).expect("the test listens");
}

unsafe extern "system" fn happened(event: *const HCS_EVENT, context: *const c_void) {
    // SAFETY: the event lives until this returns; the context is a sender that the test keeps until the handle is closed.
    let (event, sender) = unsafe {
        (
            event.read(),
            &*context.cast::<Sender<(i32, Option<String>, usize)>>(),
        )
    };
    let told = (event.Type, look(event.EventData), event.Operation.addr());
    sender.send(told).expect("the test listens");
}

#[test]
fn functions_are_called_when_operations_end() {
    let _alone = alone();
    let before = counters();
    let running = start("v2-completed");
    let (sender, ended) = channel::<usize>();
    let context: *const c_void = (&raw const sender).cast();
    // SAFETY: handles are open; the sender lives until its operation is closed.
    unsafe {
        let operation = HcsCreateOperation(context, Some(completed));
        assert_eq!(
            HcsGetComputeSystemProperties(running.0, operation, null()),
            0
        );
        assert_eq!(ended.recv_timeout(LONG), Ok(operation.addr()));
        wait(operation).expect("told");
        HcsCloseOperation(operation);
        // Set for one that has ended, it is called at once.
        let operation = HcsCreateOperation(null(), None);
        assert_eq!(
            HcsGetComputeSystemProperties(running.0, operation, null()),
            0
        );
        wait(operation).expect("told");
        assert_eq!(
            HcsSetOperationCallback(operation, context, Some(completed)),
            0
        );
        assert_eq!(ended.recv_timeout(LONG), Ok(operation.addr()));
        HcsCloseOperation(operation);
    }
    end(running);
    assert!(ended.try_recv().is_err());
    assert_nothing_is_left(before);
}

#[test]
fn events_come_through_the_handle_that_asked() {
    let _alone = alone();
    let before = counters();
    let running = start("v2-events");
    let (sender, told) = channel::<(i32, Option<String>, usize)>();
    let context: *const c_void = (&raw const sender).cast();
    let code = |number: u32| number as i32;
    let (id, mut other) = (Wide::new("v2-events"), null_mut());
    // SAFETY: handles are open; the sender lives until the handle is closed.
    unsafe {
        assert_eq!(
            HcsSetComputeSystemCallback(running.0, 1, context, Some(happened)),
            0
        );
        let again = HcsSetComputeSystemCallback(running.0, 0, context, Some(happened));
        assert_eq!(again, code(0x8037_0119));
        // It hears of operations, so that none may have a function of its own.
        let operation = HcsCreateOperation(context, Some(completed));
        let refused = HcsGetComputeSystemProperties(running.0, operation, null());
        assert_eq!(refused, code(0x8037_0119));
        HcsCloseOperation(operation);
        let operation = HcsCreateOperation(null(), None);
        assert_eq!(
            HcsGetComputeSystemProperties(running.0, operation, null()),
            0
        );
        assert_eq!(
            told.recv_timeout(LONG),
            Ok((0x0100_0000, None, operation.addr()))
        );
        HcsCloseOperation(operation);
        assert_eq!(
            HcsOpenComputeSystem(id.get(), 1, &raw mut other),
            code(0x8007_0005)
        );
        assert_eq!(
            HcsOpenComputeSystem(id.get(), GENERIC_ALL, &raw mut other),
            0
        );
        let ended = call(|operation| HcsTerminateComputeSystem(other, operation, null()));
        assert_eq!(ended, Ok(None));
        let (kind, data, _) = told.recv_timeout(LONG).expect("the exit");
        assert_eq!(kind, 1);
        let mut document: PWSTR = null_mut();
        assert_eq!(
            HcsWaitForComputeSystemExit(running.0, PATIENCE, &raw mut document),
            0
        );
        assert_eq!(take(document), data);
        HcsCloseComputeSystem(other);
        HcsCloseComputeSystem(running.0);
    }
    running.1.remove();
    assert!(told.try_recv().is_err());
    assert_nothing_is_left(before);
}

#[test]
fn streams_are_handed_out_once() {
    let _alone = alone();
    let before = counters();
    let running = start("v2-streams");
    let parameters = Wide::new(r#"{"CommandLine":"cmd /c echo hello","CreateStdOutPipe":true}"#);
    let (mut process, mut info) = (null_mut(), HCS_PROCESS_INFORMATION::default());
    let (sender, told) = channel::<(i32, Option<String>, usize)>();
    // SAFETY: handles are open, texts end with a NUL, places can be written; the sender lives until the handle is closed.
    unsafe {
        let operation = HcsCreateOperation(null(), None);
        let begun = HcsCreateProcess(
            running.0,
            parameters.get(),
            operation,
            null(),
            &raw mut process,
        );
        assert_eq!((begun, process.is_null()), (0, false));
        let code =
            HcsWaitForOperationResultAndProcessInfo(operation, PATIENCE, &raw mut info, null_mut());
        assert_eq!(code, 0);
        assert_eq!(HcsGetProcessFromOperation(operation), process);
        assert_eq!(drain(info.StdOutput), "hello\r\n");
        let again =
            HcsWaitForOperationResultAndProcessInfo(operation, 0, &raw mut info, null_mut());
        assert_eq!(again, 0x8037_011D_u32 as i32);
        let context: *const c_void = (&raw const sender).cast();
        assert_eq!(
            HcsSetProcessCallback(process, 0, context, Some(happened)),
            0
        );
        assert_eq!(told.recv_timeout(LONG).expect("the exit").0, 0x1_0000);
        let mut document: PWSTR = null_mut();
        assert_eq!(
            HcsWaitForProcessExit(process, PATIENCE, &raw mut document),
            0
        );
        assert!(take(document).expect("a text").contains(r#""ExitCode":0"#));
        let late = call(|operation| HcsSignalProcess(process, operation, null()));
        assert_eq!(late.expect_err("it has ended").0, 0x8037_011F);
        let told = call(|operation| HcsGetProcessInfo(process, operation));
        assert_eq!(told, Ok(None));
        HcsCloseProcess(process);
        HcsCloseOperation(operation);
    }
    end(running);
    assert_nothing_is_left(before);
}

/// What runs for ever is waited for as long as is said, and its operation ends with its system.
#[test]
fn a_wait_ends_in_time() {
    let _alone = alone();
    let before = counters();
    let running = start("v2-patience");
    let parameters = Wide::new(r#"{"CommandLine":"ping -t 127.0.0.1"}"#);
    let mut process = null_mut();
    // SAFETY: handles are open, texts end with a NUL, places can be written.
    unsafe {
        let begun = call(|operation| {
            HcsCreateProcess(
                running.0,
                parameters.get(),
                operation,
                null(),
                &raw mut process,
            )
        });
        assert_eq!(begun, Ok(None));
        assert_eq!(
            HcsWaitForProcessExit(process, 1, null_mut()),
            0x8037_0118_u32 as i32
        );
        assert_eq!(
            HcsWaitForComputeSystemExit(running.0, 0, null_mut()),
            0x8037_0118_u32 as i32
        );
        HcsCloseProcess(process);
    }
    end(running);
    assert_nothing_is_left(before);
}

/// `ShouldTerminateOnLastHandleClosed`.
#[test]
fn the_last_handle_takes_its_system_along() {
    let _alone = alone();
    let (system, scratch) = start("v2-last");
    // SAFETY: the handle is open.
    unsafe { HcsCloseComputeSystem(system) };
    let query = Wide::new(r#"{"Ids":["v2-last"]}"#);
    let until = std::time::Instant::now() + LONG;
    loop {
        // SAFETY: the text ends with a NUL.
        let list = call(|operation| unsafe { HcsEnumerateComputeSystems(query.get(), operation) });
        if list == Ok(Some("[]".to_owned())) {
            break;
        }
        assert!(std::time::Instant::now() < until, "{list:?}");
    }
    scratch.remove();
}
