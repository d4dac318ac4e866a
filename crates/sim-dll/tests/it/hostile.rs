//! Callers that make mistakes: nulls, handles of another kind or closed, documents that are none, two threads on one handle.

use std::ptr::{dangling_mut, null, null_mut};
use std::time::Instant;

use wcow_sim_dll::abi::{DriverInfo, HANDLE};
use wcow_sim_dll::v1::{self, layers};
use wcow_sim_dll::v2::{self, operation};

use crate::program::{
    BAD_ARGUMENT, BAD_HANDLE, Ear, Wide, alone, assert_nothing_is_left, counters, driver, hear,
};
use crate::v1::start;
use wcow_sim_dll::control::WcowSimCounters;

/// What a call about a system that has ended may answer.
const ALREADY_STOPPED: i32 = 0xC037_0110_u32 as i32;

#[test]
fn handles_that_are_none_are_refused() {
    let _alone = alone();
    let running = start("hostile-handles");
    let callback_ear = Ear::new();
    // SAFETY: nothing is written but what can be.
    let closed: HANDLE = unsafe {
        let operation = operation::HcsCreateOperation(null(), None);
        operation::HcsCloseOperation(operation);
        operation
    };
    let before = counters().bad_handles;
    let bad = [null_mut(), dangling_mut::<u64>().cast(), closed];
    let mut place = null_mut();
    let mut calls = 0;
    for handle in bad.into_iter().chain([running.system]) {
        // SAFETY: handles are numbers here; places can be written.
        let codes = unsafe {
            [
                // The last one is a system of the other generation.
                v2::HcsStartComputeSystem(handle, handle, null()),
                v2::HcsSetComputeSystemCallback(handle, 0, null(), None),
                v2::HcsGetProcessInfo(handle, handle),
                v2::HcsWaitForComputeSystemExit(handle, 0, null_mut()),
                operation::HcsGetOperationResult(handle, null_mut()),
                operation::HcsCancelOperation(handle),
                v1::HcsCloseProcess(handle),
                v1::HcsTerminateProcess(handle, null_mut()),
                v1::HcsUnregisterComputeSystemCallback(handle),
                v1::HcsUnregisterProcessCallback(handle),
                v1::HcsRegisterProcessCallback(
                    handle,
                    Some(hear),
                    callback_ear.context(),
                    &raw mut place,
                ),
                wcow_sim_dll::network::HcnCloseNetwork(handle),
            ]
        };
        assert_eq!(codes, [BAD_HANDLE; 12]);
        calls += codes.len() as u64;
    }
    for handle in bad {
        // SAFETY: as above.
        let codes = unsafe {
            [
                v1::HcsStartComputeSystem(handle, null(), null_mut()),
                v1::HcsCloseComputeSystem(handle),
                v1::HcsRegisterComputeSystemCallback(
                    handle,
                    Some(hear),
                    callback_ear.context(),
                    &raw mut place,
                ),
            ]
        };
        assert_eq!(codes, [BAD_HANDLE; 3]);
        calls += codes.len() as u64;
    }
    assert_eq!(counters().bad_handles - before, calls);
    running.end();
}

#[test]
fn pointers_that_are_null_are_refused() {
    let _alone = alone();
    let before = counters();
    let running = start("hostile-nulls");
    let (text, info) = (Wide::new("x"), driver());
    let folder = Wide::new(r"C:\layer");
    let mut response: wcow_sim_dll::abi::PWSTR = null_mut();
    let old = DriverInfo { flavour: 0, ..info };
    let mut place = null_mut();
    // SAFETY: pointers are null, or good.
    let codes = unsafe {
        [
            v1::HcsCreateComputeSystem(null(), text.get(), null_mut(), &raw mut place, null_mut()),
            v1::HcsCreateComputeSystem(text.get(), null(), null_mut(), &raw mut place, null_mut()),
            v1::HcsCreateComputeSystem(text.get(), text.get(), null_mut(), null_mut(), null_mut()),
            v1::HcsOpenComputeSystem(null(), &raw mut place, null_mut()),
            v1::HcsRegisterComputeSystemCallback(running.system, None, null(), &raw mut place),
            v1::HcsRegisterComputeSystemCallback(running.system, Some(hear), null(), null_mut()),
            v1::HcsModifyComputeSystem(running.system, null(), null_mut()),
            v1::hns::HNSCall(null(), text.get(), text.get(), &raw mut response),
            v1::hns::HNSCall(text.get(), text.get(), text.get(), null_mut()),
            layers::NameToGuid(text.get(), null_mut()),
            layers::LayerExists(null(), text.get(), null_mut()),
            layers::ActivateLayer(null(), text.get()),
            layers::ActivateLayer(&raw const old, text.get()),
            layers::ActivateLayer(&raw const info, null()),
            layers::PrepareLayer(&raw const info, folder.get(), null(), 1),
            layers::PrepareLayer(&raw const info, folder.get(), null(), usize::MAX),
            wcow_sim_dll::control::WcowSimCount(null_mut()),
        ]
    };
    assert_eq!(codes, [BAD_ARGUMENT; 17], "{codes:x?}");
    running.end();
    assert_nothing_is_left(before);
}

#[test]
fn two_threads_use_one_handle_while_it_is_closed() {
    const ROUNDS: u64 = 20;
    let _alone = alone();
    let before = counters();
    for round in 0..ROUNDS {
        let running = start(&format!("hostile-race-{round}"));
        let system = running.system.expose_provenance();
        let begun = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            let ask = || {
                let system = std::ptr::with_exposed_provenance_mut(system);
                let query = Wide::new("{}");
                let until = Instant::now() + crate::program::LONG;
                let mut answers = 0;
                loop {
                    let mut text = null_mut();
                    // SAFETY: the text ends with a NUL, places can be written; handles may be closed any time.
                    let code = unsafe {
                        v1::HcsGetComputeSystemProperties(
                            system,
                            query.get(),
                            &raw mut text,
                            null_mut(),
                        )
                    };
                    match code {
                        0 => assert!(crate::program::take(text).is_some()),
                        // It is closed.
                        BAD_HANDLE => break,
                        // It has ended, and is open still.
                        code => assert_eq!(code, ALREADY_STOPPED, "{code:x}"),
                    }
                    if answers == 0 {
                        begun.wait();
                    }
                    answers += 1;
                    assert!(Instant::now() < until, "nobody closes it");
                }
                assert!(answers > 0);
            };
            scope.spawn(ask);
            scope.spawn(ask);
            begun.wait();
            running.end();
        });
    }
    // Each of the two was refused once in each round.
    let refused = counters().bad_handles - before.bad_handles;
    assert_eq!(refused, 2 * ROUNDS);
    assert_nothing_is_left(WcowSimCounters {
        bad_handles: before.bad_handles + refused,
        ..before
    });
}

/// A function that ends its own registration while it is called.
#[test]
fn a_registration_can_be_ended_by_its_own_call() {
    use std::sync::Mutex;
    use std::sync::mpsc::{Sender, channel};

    struct Context {
        callback: Mutex<usize>,
        done: Sender<i32>,
    }

    unsafe extern "system" fn end_it(
        _: u32,
        context: *const std::ffi::c_void,
        _: i32,
        _: *const u16,
    ) {
        // SAFETY: the context lives until the test has heard from this.
        let context = unsafe { &*context.cast::<Context>() };
        let callback = *context.callback.lock().expect("nobody panics with it");
        // SAFETY: a handle is a number here.
        let code = unsafe {
            v1::HcsUnregisterComputeSystemCallback(std::ptr::without_provenance_mut(callback))
        };
        context.done.send(code).expect("the test listens");
    }

    let _alone = alone();
    let before = counters();
    let running = start("hostile-self");
    let (done, heard) = channel();
    let context = Context {
        callback: Mutex::new(0),
        done,
    };
    let mut callback: HANDLE = null_mut();
    // SAFETY: the handle is open, the place can be written; the context lives until the registration has ended.
    unsafe {
        let context: *const std::ffi::c_void = (&raw const context).cast();
        let code = v1::HcsRegisterComputeSystemCallback(
            running.system,
            Some(end_it),
            context,
            &raw mut callback,
        );
        assert_eq!(code, 0);
    }
    *context.callback.lock().expect("nobody panics with it") = callback.addr();
    // SAFETY: the handle is open.
    let code = unsafe { v1::HcsTerminateComputeSystem(running.system, null(), null_mut()) };
    assert_eq!(code, crate::program::PENDING);
    // Before the handle is closed: that ends every registration that has not been called yet.
    assert_eq!(heard.recv_timeout(crate::program::LONG), Ok(0));
    running.ended();
    assert_nothing_is_left(before);
}
