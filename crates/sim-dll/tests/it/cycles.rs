//! Nothing is left after many lives of containers.

use crate::program::{alone, assert_nothing_is_left, counters, drain};

/// Cycles of create, start, exec, terminate. `WCOW_CYCLES` asks for another number.
fn cycles() -> u32 {
    let asked = std::env::var("WCOW_CYCLES").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(50)
}

#[test]
fn nothing_is_left_of_the_first_generation() {
    let _alone = alone();
    let before = counters();
    let parameters = r#"{"CommandLine":"cmd /c echo hello","CreateStdOutPipe":true}"#;
    for round in 0..cycles() {
        let running = crate::v1::start(&format!("cycle-{round}"));
        let (process, info) = crate::v1::exec(running.system, parameters);
        assert_eq!(drain(info.StdOutput), "hello\r\n");
        // SAFETY: the handle is open.
        assert_eq!(unsafe { wcow_sim_dll::v1::HcsCloseProcess(process) }, 0);
        running.end();
    }
    assert_nothing_is_left(before);
}

#[test]
fn nothing_is_left_of_the_second_generation() {
    let _alone = alone();
    let before = counters();
    let parameters = crate::program::Wide::new(r#"{"CommandLine":"cmd /c exit 3"}"#);
    for round in 0..cycles() {
        let running = crate::v2::start(&format!("cycle-two-{round}"));
        let mut process = std::ptr::null_mut();
        // SAFETY: handles are open, the text ends with a NUL, the place can be written.
        let made = crate::v2::call(|operation| unsafe {
            wcow_sim_dll::v2::HcsCreateProcess(
                running.0,
                parameters.get(),
                operation,
                std::ptr::null(),
                &raw mut process,
            )
        });
        assert_eq!(made, Ok(None));
        // SAFETY: the handle is open.
        unsafe { wcow_sim_dll::v2::HcsCloseProcess(process) };
        crate::v2::end(running);
    }
    assert_nothing_is_left(before);
}
