//! Nothing is left after many lives of containers.
//!
//! A short run is part of every test run. The long one asks for more, built with optimisation; it tells what it saw on the way:
//!
//! ```sh
//! WCOW_CYCLES=100000 cargo test --release -p wcow-sim-dll --test it cycles -- --nocapture
//! ```

use wcow_sim_dll::control::WcowSimCounters;

use crate::program::{Wide, alone, assert_nothing_is_left, counters, drain};

/// From so many lives on the memory of the process is looked at too: fewer say nothing.
const MANY: u32 = 10_000;
/// How much more memory the last nine tenths of many lives may leave behind than the first tenth did, in KiB.
const MORE: u64 = 2048;

/// Cycles of create, start, exec, terminate. `WCOW_CYCLES` asks for another number.
fn cycles() -> u32 {
    let asked = std::env::var("WCOW_CYCLES").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(50)
}

/// The memory of this process that is resident, in KiB, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Lives so many lives, and looks after a tenth and after all of them what is left.
#[track_caller]
fn live(generation: &str, mut life: impl FnMut(u32)) {
    let _alone = alone();
    let before = counters();
    let cycles = cycles();
    let mut early = None;
    for round in 0..cycles {
        life(round);
        if round + 1 == cycles / 10 {
            early = resident();
            tell(generation, round + 1, before);
        }
    }
    assert_nothing_is_left(before);
    tell(generation, cycles, before);
    if cycles >= MANY
        && let (Some(early), Some(late)) = (early, resident())
    {
        assert!(late <= early + MORE, "{early} KiB became {late} KiB");
    }
}

/// Says what is open and how much memory is taken; seen with `--nocapture`.
fn tell(generation: &str, lives: u32, before: WcowSimCounters) {
    let now = counters();
    eprintln!(
        "{generation}: {lives} lives; open: {} systems, {} processes, {} operations, {} callbacks, {} streams, {} texts; \
         {} texts and {} calls so far; {} KiB",
        now.systems - before.systems,
        now.processes - before.processes,
        now.operations - before.operations,
        now.callbacks - before.callbacks,
        now.streams,
        now.live_strings.saturating_sub(before.live_strings),
        now.strings - before.strings,
        now.calls - before.calls,
        resident().unwrap_or_default(),
    );
}

#[test]
fn nothing_is_left_of_the_first_generation() {
    let parameters = r#"{"CommandLine":"cmd /c echo hello","CreateStdOutPipe":true}"#;
    live("v1", |round| {
        let running = crate::v1::start(&format!("cycle-{round}"));
        let (process, info) = crate::v1::exec(running.system, parameters);
        assert_eq!(drain(info.StdOutput), "hello\r\n");
        // SAFETY: the handle is open.
        assert_eq!(unsafe { wcow_sim_dll::v1::HcsCloseProcess(process) }, 0);
        running.end();
    });
}

#[test]
fn nothing_is_left_of_the_second_generation() {
    let parameters = Wide::new(r#"{"CommandLine":"cmd /c exit 3"}"#);
    live("v2", |round| {
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
    });
}
