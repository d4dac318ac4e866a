//! vmcompute.dll.

use std::io::Write;
use std::ptr::{null, null_mut};

use serde_json::Value;
use wcow_sim_dll::abi::{HCS_PROCESS_INFORMATION, HCS_SYSTEM, PWSTR};
use wcow_sim_dll::v1::{
    HcsCloseComputeSystem, HcsCloseProcess, HcsCreateComputeSystem, HcsCreateProcess,
    HcsEnumerateComputeSystems, HcsGetComputeSystemProperties, HcsGetProcessInfo,
    HcsGetProcessProperties, HcsGetServiceProperties, HcsModifyProcess, HcsOpenComputeSystem,
    HcsOpenProcess, HcsPauseComputeSystem, HcsRegisterComputeSystemCallback,
    HcsRegisterProcessCallback, HcsShutdownComputeSystem, HcsStartComputeSystem,
    HcsTerminateComputeSystem, HcsTerminateProcess, HcsUnregisterComputeSystemCallback,
    HcsUnregisterProcessCallback,
};

use crate::program::{
    BAD_HANDLE, Ear, PENDING, Scratch, Wide, alone, assert_nothing_is_left, counters, drain, hear,
    stream, take,
};

/// A system that a test works with.
pub(crate) struct Running {
    pub(crate) system: HCS_SYSTEM,
    pub(crate) ear: Box<Ear>,
    callback: *mut std::ffi::c_void,
    scratch: Scratch,
}

/// Creates and starts a system.
pub(crate) fn start(id: &str) -> Running {
    let scratch = Scratch::new(id);
    let (id, document) = (Wide::new(id), Wide::new(&scratch.document()));
    let mut running = Running {
        system: null_mut(),
        ear: Ear::new(),
        callback: null_mut(),
        scratch,
    };
    let mut result: PWSTR = null_mut();
    // SAFETY: texts end with a NUL, places can be written; the ear lives until the registration has ended.
    unsafe {
        let code = HcsCreateComputeSystem(
            id.get(),
            document.get(),
            null_mut(),
            &raw mut running.system,
            &raw mut result,
        );
        assert_eq!(code, PENDING, "{:?}", take(result));
        // Registered after the creation was begun: its end is told all the same.
        let code = HcsRegisterComputeSystemCallback(
            running.system,
            Some(hear),
            running.ear.context(),
            &raw mut running.callback,
        );
        assert_eq!(code, 0);
        let told = running.ear.next();
        assert_eq!((told.kind, told.status), (0x2, 0), "{told:?}");
        assert_eq!(
            HcsStartComputeSystem(running.system, null(), null_mut()),
            PENDING
        );
    }
    let told = running.ear.next();
    assert_eq!((told.kind, told.status), (0x3, 0), "{told:?}");
    running
}

impl Running {
    /// Ends it by that function, and closes what is open.
    pub(crate) fn end(self) {
        // SAFETY: the handles are open.
        unsafe {
            let code = HcsTerminateComputeSystem(self.system, null(), null_mut());
            assert_eq!(code, PENDING);
        }
        self.ended();
    }

    /// Hears that it has ended, and closes what is open.
    pub(crate) fn ended(self) {
        // SAFETY: the handles are open.
        unsafe {
            let told = self.ear.next();
            assert_eq!((told.kind, told.status), (0x1, 0));
            let data: Value = serde_json::from_str(&told.data.expect("a document")).expect("JSON");
            assert_eq!(data["ExitType"], "ForcedExit");
            assert_eq!(HcsUnregisterComputeSystemCallback(self.callback), 0);
            assert_eq!(HcsCloseComputeSystem(self.system), 0);
        }
        self.scratch.remove();
    }
}

/// Begins a process with these parameters.
pub(crate) fn exec(
    system: HCS_SYSTEM,
    parameters: &str,
) -> (wcow_sim_dll::abi::HCS_PROCESS, HCS_PROCESS_INFORMATION) {
    let parameters = Wide::new(parameters);
    let (mut process, mut info) = (null_mut(), HCS_PROCESS_INFORMATION::default());
    let mut result: PWSTR = null_mut();
    // SAFETY: the text ends with a NUL, places can be written.
    let code = unsafe {
        HcsCreateProcess(
            system,
            parameters.get(),
            &raw mut info,
            &raw mut process,
            &raw mut result,
        )
    };
    assert_eq!(code, 0, "{:?}", take(result));
    (process, info)
}

#[test]
fn a_container_goes_through_its_life() {
    let _alone = alone();
    let before = counters();
    let running = start("v1-life");
    let mut told: PWSTR = null_mut();
    let query = Wide::new(r#"{"Ids":["v1-life"]}"#);
    // SAFETY: texts end with a NUL, places can be written.
    unsafe {
        assert_eq!(
            HcsEnumerateComputeSystems(query.get(), &raw mut told, null_mut()),
            0
        );
        let list: Value = serde_json::from_str(&take(told).expect("a list")).expect("JSON");
        assert_eq!(
            (list[0]["Id"].as_str(), list[1].is_null()),
            (Some("v1-life"), true)
        );
        let nothing = Wide::new("{}");
        let code =
            HcsGetComputeSystemProperties(running.system, nothing.get(), &raw mut told, null_mut());
        assert_eq!(code, 0);
        let properties: Value = serde_json::from_str(&take(told).expect("a text")).expect("JSON");
        assert_eq!(properties["Id"], "v1-life");
        assert_eq!(
            HcsGetServiceProperties(null(), &raw mut told, null_mut()),
            0
        );
        assert!(
            take(told)
                .expect("a text")
                .contains("SupportedSchemaVersions")
        );
    }
    running.end();
    assert_nothing_is_left(before);
}

#[test]
fn a_program_runs_with_real_streams() {
    let _alone = alone();
    let before = counters();
    let running = start("v1-streams");
    let (process, info) = exec(
        running.system,
        r#"{"CommandLine":"cmd /c echo hello","CreateStdOutPipe":true,"CreateStdErrPipe":true}"#,
    );
    let ear = Ear::new();
    let mut callback = null_mut();
    // SAFETY: the handle is open; the ear lives until the registration has ended.
    unsafe {
        let code =
            HcsRegisterProcessCallback(process, Some(hear), ear.context(), &raw mut callback);
        assert_eq!(code, 0);
    }
    assert!(info.StdInput.is_null() && info.ProcessId != 0);
    assert_eq!(
        (drain(info.StdOutput), drain(info.StdError)),
        ("hello\r\n".to_owned(), String::new())
    );
    let told = ear.next();
    assert_eq!((told.kind, told.status), (0x1_0000, 0));
    assert!(told.data.expect("a document").contains(r#""ExitCode":0"#));
    let (mut again, mut text) = (HCS_PROCESS_INFORMATION::default(), null_mut());
    // SAFETY: handles are open, places can be written.
    unsafe {
        assert_eq!(HcsGetProcessInfo(process, &raw mut again, null_mut()), 0);
        assert_eq!(
            (again.ProcessId, again.StdOutput.is_null()),
            (info.ProcessId, true)
        );
        assert_eq!(
            HcsGetProcessProperties(process, &raw mut text, null_mut()),
            0
        );
        assert!(take(text).expect("a text").contains(r#""Exited":true"#));
        assert_eq!(HcsUnregisterProcessCallback(callback), 0);
        assert_eq!(HcsCloseProcess(process), 0);
    }
    running.end();
    assert_nothing_is_left(before);
}

#[test]
fn input_reaches_a_program_and_ends() {
    let _alone = alone();
    let before = counters();
    let running = start("v1-input");
    let (process, info) = exec(
        running.system,
        r#"{"CommandLine":"cmd","CreateStdInPipe":true,"CreateStdOutPipe":true}"#,
    );
    let mut input = stream(info.StdInput);
    input
        .write_all(b"echo from outside\r\n")
        .expect("it is read");
    drop(input);
    assert!(drain(info.StdOutput).contains("from outside"));
    // SAFETY: the handle is open.
    assert_eq!(unsafe { HcsCloseProcess(process) }, 0);
    // A program whose input is closed by a call.
    let (process, info) = exec(
        running.system,
        r#"{"CommandLine":"cmd","CreateStdInPipe":true,"CreateStdOutPipe":true}"#,
    );
    let close = Wide::new(r#"{"Operation":"CloseHandle","CloseHandle":{"Handle":"StdIn"}}"#);
    // SAFETY: the handle is open, the text ends with a NUL.
    let closed = unsafe { HcsModifyProcess(process, close.get(), null_mut()) };
    assert_eq!(closed, 0);
    drain(info.StdOutput);
    drop(stream(info.StdInput));
    // SAFETY: the handle is open.
    assert_eq!(unsafe { HcsCloseProcess(process) }, 0);
    running.end();
    assert_nothing_is_left(before);
}

/// A program that nobody waits for any more is left, and its streams are closed by whoever has them.
#[test]
fn a_program_can_be_opened_and_ended_by_another_handle() {
    let _alone = alone();
    let before = counters();
    let running = start("v1-open");
    let (process, info) = exec(
        running.system,
        r#"{"CommandLine":"ping -t 127.0.0.1","CreateStdOutPipe":true}"#,
    );
    let mut opened = null_mut();
    let ear = Ear::new();
    let mut callback = null_mut();
    // SAFETY: handles are open, places can be written; the ear lives until the registration has ended.
    unsafe {
        assert_eq!(
            HcsOpenProcess(running.system, info.ProcessId, &raw mut opened, null_mut()),
            0
        );
        assert_eq!(
            HcsRegisterProcessCallback(process, Some(hear), ear.context(), &raw mut callback),
            0
        );
        assert_eq!(HcsTerminateProcess(opened, null_mut()), 0);
        let told = ear.next();
        assert!(told.data.expect("a document").contains(r#""Exited":true"#));
        let mut nobody = null_mut();
        let code = HcsOpenProcess(running.system, 0xFFFF, &raw mut nobody, null_mut());
        assert_eq!((code, nobody.is_null()), (0x8007_0490_u32 as i32, true));
        assert_eq!(HcsUnregisterProcessCallback(callback), 0);
        assert_eq!((HcsCloseProcess(opened), HcsCloseProcess(process)), (0, 0));
    }
    drain(info.StdOutput);
    running.end();
    assert_nothing_is_left(before);
}

#[test]
fn a_refusal_is_a_code_with_a_document() {
    let _alone = alone();
    let before = counters();
    let running = start("v1-refused");
    let mut result: PWSTR = null_mut();
    let check = |code: i32, result: PWSTR, wanted: u32| {
        let text = take(result).expect("a document");
        assert_eq!(code, wanted as i32, "{text}");
        let told: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(told["Error"], wanted as i32, "{text}");
    };
    // SAFETY: handles are open, texts end with a NUL, places can be written.
    unsafe {
        let code = HcsStartComputeSystem(running.system, null(), &raw mut result);
        check(code, result, 0xC037_0105);
        // Process isolation knows no pause.
        let code = HcsPauseComputeSystem(running.system, null(), &raw mut result);
        check(code, result, 0x8007_0032);
        let (id, document) = (Wide::new("v1-none"), Wide::new("{\"Layers\":"));
        let mut system = null_mut();
        let code = HcsOpenComputeSystem(id.get(), &raw mut system, &raw mut result);
        check(code, result, 0xC037_010E);
        let code = HcsCreateComputeSystem(
            id.get(),
            document.get(),
            null_mut(),
            &raw mut system,
            &raw mut result,
        );
        check(code, result, 0xC037_010D);
        assert!(system.is_null());
        let id = Wide::new("v1-refused");
        let document = Wide::new(&running.scratch.document());
        let code = HcsCreateComputeSystem(
            id.get(),
            document.get(),
            null_mut(),
            &raw mut system,
            &raw mut result,
        );
        check(code, result, 0xC037_010F);
    }
    running.end();
    assert_nothing_is_left(before);
}

#[test]
fn a_shutdown_is_told_as_an_exit_to_every_handle() {
    let _alone = alone();
    let before = counters();
    let running = start("v1-shutdown");
    let (mut second, mut callback, ear) = (null_mut(), null_mut(), Ear::new());
    let id = Wide::new("v1-shutdown");
    // SAFETY: handles are open, texts end with a NUL, places can be written; the ear lives until the registration has ended.
    unsafe {
        assert_eq!(
            HcsOpenComputeSystem(id.get(), &raw mut second, null_mut()),
            0
        );
        let code =
            HcsRegisterComputeSystemCallback(second, Some(hear), ear.context(), &raw mut callback);
        assert_eq!(code, 0);
        assert_eq!(
            HcsShutdownComputeSystem(second, null(), null_mut()),
            PENDING
        );
        for ear in [&ear, &running.ear] {
            let told = ear.next();
            assert_eq!((told.kind, told.status), (0x1, 0));
            assert!(told.data.expect("a document").contains("GracefulExit"));
        }
        let stopped = HcsTerminateComputeSystem(second, null(), null_mut());
        assert_eq!(stopped, 0xC037_0110_u32 as i32);
        // Closed first, then unregistered: the handle of the registration is its own.
        assert_eq!(HcsCloseComputeSystem(second), 0);
        assert_eq!(HcsUnregisterComputeSystemCallback(callback), 0);
        assert_eq!(HcsCloseComputeSystem(second), BAD_HANDLE);
        assert!(ear.is_silent());
        assert_eq!(HcsUnregisterComputeSystemCallback(running.callback), 0);
        assert_eq!(HcsCloseComputeSystem(running.system), 0);
    }
    running.scratch.remove();
    let before = wcow_sim_dll::control::WcowSimCounters {
        bad_handles: before.bad_handles + 1,
        ..before
    };
    assert_nothing_is_left(before);
}
