//! Processes of the stand-ins, through both surfaces.

use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;

use wcow_hcs_schema::schema1::{ContainerConfig, ProcessParameters};
use wcow_host::codes::{self, v1, v2, win32};
use wcow_host::{
    ComputeApi, ComputeService, CreateDocument, HostError, Output, ProcessHandle, Signal,
    SystemHandle, SystemId,
};
use wcow_ntmeta::Hresult;
use wcow_winhost::compute::WinCompute;
use wcow_winhost::{CallLimits, block_on};

use crate::stand_in::{APIS, StandIns, compute};

fn running(compute: &WinCompute) -> SystemHandle {
    let id = SystemId("one".to_owned());
    let document = CreateDocument::Schema1(ContainerConfig::default());
    block_on(compute.create(&id, &document)).expect("it is created")
}

fn spawn(compute: &WinCompute, system: SystemHandle, line: &str) -> ProcessHandle {
    let parameters = ProcessParameters {
        command_line: line.to_owned(),
        create_std_in_pipe: true,
        create_std_out_pipe: true,
        ..ProcessParameters::default()
    };
    block_on(compute.create_process(system, &parameters)).expect("it is started")
}

#[track_caller]
fn check<T: std::fmt::Debug>(answer: Result<T, HostError>, codes: &[Hresult]) {
    let error = answer.expect_err("it is refused");
    let code = error.hresult().expect("a code");
    assert!(codes.contains(&code), "{error}");
}

#[test]
fn a_process_writes_and_ends() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for api in APIS {
        let compute = compute(api);
        let system = running(&compute);
        let process = spawn(&compute, system, "hello");
        block_on(async {
            let mut text = Vec::new();
            loop {
                let bytes = compute.read_output(process, Output::Out, 3).await;
                match bytes.expect("a pipe") {
                    bytes if bytes.is_empty() => break,
                    bytes => text.extend(bytes),
                }
            }
            assert_eq!(text, b"hello");
            let ready = compute.output_ready(process, Output::Out).await;
            assert_eq!(ready, Ok(true));
            // The stand-in gives no standard error.
            let error = compute.read_output(process, Output::Err, 3).await;
            check(error, &[win32::INVALID_HANDLE]);
            let status = compute.process_status(process).await.expect("it is known");
            assert!(!status.exited && status.process_id >= 1000, "{status:?}");
            let told = compute.signal_process(process, Signal::CtrlC).await;
            assert_eq!(told, Ok(()));
            let sized = compute.resize_console(process, [25, 80]).await;
            assert_eq!(sized, Ok(()));
            // A second handle has no streams, and hears of the end as well.
            let other = compute.open_process(system, status.process_id).await;
            let other = other.expect("it is there");
            let read = compute.read_output(other, Output::Out, 1).await;
            check(read, &[win32::INVALID_HANDLE]);
            check(
                compute.write_input(other, b"x").await,
                &[win32::INVALID_HANDLE],
            );
            compute.close_process(other).await.expect("it is closed");
            compute.terminate_process(process).await.expect("it ends");
            let status = compute.wait_process(process).await.expect("its end");
            assert_eq!((status.exited, status.exit_code), (true, 1067));
            let again = compute.wait_process(process).await;
            assert_eq!(again.map(|status| status.exit_code), Ok(1067));
            let status = compute.process_status(process).await;
            assert_eq!(status.map(|status| status.exit_code), Ok(1067));
            check(
                compute.terminate_process(process).await,
                &[v1::SYSTEM_NOT_FOUND, v2::PROCESS_ALREADY_STOPPED],
            );
            compute.close_process(process).await.expect("it is closed");
            check(
                compute.close_process(process).await,
                &[win32::INVALID_HANDLE],
            );
            check(
                compute.process_status(process).await,
                &[win32::INVALID_HANDLE],
            );
            check(compute.open_process(system, 404).await, &[win32::NOT_FOUND]);
            compute.close(system).await.expect("it is closed");
        });
    }
    stand_ins.assert_nothing_is_left();
}

#[test]
fn a_process_that_is_refused_leaves_nothing() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for api in APIS {
        let compute = compute(api);
        let system = running(&compute);
        for line in ["refuse", "refuse half", "fail"] {
            if (api, line) == (ComputeApi::V1, "fail") {
                continue;
            }
            let parameters = ProcessParameters {
                command_line: line.to_owned(),
                ..ProcessParameters::default()
            };
            let error = block_on(compute.create_process(system, &parameters));
            let error = error.expect_err("refused");
            assert_eq!(error.object, line);
        }
        block_on(compute.close(system)).expect("it is closed");
    }
    stand_ins.assert_nothing_is_left();
}

#[test]
fn input_is_written_and_ends() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for api in APIS {
        let compute = compute(api);
        let system = running(&compute);
        let process = spawn(&compute, system, "hello");
        block_on(async {
            assert_eq!(compute.write_input(process, b"one").await, Ok(()));
            assert_eq!(compute.close_input(process).await, Ok(()));
            check(compute.write_input(process, b"x").await, &[win32::NO_DATA]);
            assert_eq!(compute.close_input(process).await, Ok(()));
            compute.close_process(process).await.expect("it is closed");
            compute.close(system).await.expect("it is closed");
        });
    }
    stand_ins.assert_nothing_is_left();
}

/// A process that says nothing and reads nothing: whoever waits for it is cut off when its handle is closed.
#[test]
fn closing_cuts_off_who_reads_and_writes() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    for api in APIS {
        let compute = compute(api);
        let system = running(&compute);
        let process = spawn(&compute, system, "silent");
        let ready = block_on(compute.output_ready(process, Output::Out));
        assert_eq!(ready, Ok(false));
        thread::scope(|scope| {
            let mut context = Context::from_waker(Waker::noop());
            let mut write = pin!(compute.write_input(process, &[7; 1 << 20]));
            assert!(write.as_mut().poll(&mut context).is_pending());
            let mut read = pin!(compute.read_output(process, Output::Out, 1));
            assert!(read.as_mut().poll(&mut context).is_pending());
            let closing = scope.spawn(|| block_on(compute.close_process(process)));
            check(block_on(read), &[win32::INVALID_HANDLE]);
            let written = block_on(write).expect_err("nobody read it");
            assert!(written.hresult().is_some_and(|code| code.is_failure()));
            assert_eq!(closing.join().expect("nobody panics"), Ok(()));
        });
        block_on(compute.close(system)).expect("it is closed");
    }
    stand_ins.assert_nothing_is_left();
}

/// The stand-in serves no end through a handle while a signal through it waits, which it does until some process was ended.
#[test]
fn a_process_is_ended_while_a_signal_waits() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    let compute = compute(ComputeApi::V1);
    let system = running(&compute);
    let process = spawn(&compute, system, "hello");
    thread::scope(|scope| {
        let mut context = Context::from_waker(Waker::noop());
        let mut signal = pin!(compute.signal_process(process, Signal::CtrlLogOff));
        assert!(signal.as_mut().poll(&mut context).is_pending());
        let ending = scope.spawn(|| block_on(compute.terminate_process(process)));
        assert_eq!(block_on(signal), Ok(()));
        assert_eq!(ending.join().expect("nobody panics"), Ok(()));
    });
    block_on(compute.close_process(process)).expect("it is closed");
    block_on(compute.close(system)).expect("it is closed");
    stand_ins.assert_nothing_is_left();
}

#[test]
fn signals_came_with_build_17763() {
    let Some(stand_ins) = StandIns::find() else {
        return;
    };
    let old = WinCompute::through(ComputeApi::V1, 17_134, CallLimits::default());
    let system = running(&old);
    let process = spawn(&old, system, "hello");
    check(
        block_on(old.signal_process(process, Signal::CtrlBreak)),
        &[win32::NOT_SUPPORTED],
    );
    let gone = SystemId("one".to_owned());
    check(block_on(old.remove(&gone)), &[win32::NOT_SUPPORTED]);
    let preview = WinCompute::through(ComputeApi::V1, 10_514, CallLimits::default());
    check(block_on(preview.remove(&gone)), &[codes::NOT_IMPLEMENTED]);
    block_on(old.close_process(process)).expect("it is closed");
    block_on(old.close(system)).expect("it is closed");
    stand_ins.assert_nothing_is_left();
}
