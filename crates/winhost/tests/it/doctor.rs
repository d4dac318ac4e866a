//! The engine's diagnosis over the evidence of this machine.
//!
//! Compute, layers, networks and files are simulated: a host without them could not be looked at. The machine itself, what tells why
//! containers fail, switches and the clock are real, with stand-ins for programs.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use serde_json::{Value, json};
use wcow_engine::Engine;
use wcow_engine::doctor::{CheckReport, Outcome, checks};
use wcow_host::Host;
use wcow_sim::{Face, Profile, Sim, SimHost};
use wcow_winhost::clock::WinClock;
use wcow_winhost::control::WinControl;
use wcow_winhost::diagnostics::WinDiagnostics;
use wcow_winhost::machine;
use wcow_winhost::switches::WinSwitches;

use crate::support::{StandIns, rows};

struct HalfReal {
    simulated: SimHost,
    switches: WinSwitches,
    control: WinControl,
    clock: WinClock,
    diagnostics: WinDiagnostics,
}

impl Host for HalfReal {
    type Compute = Face;
    type Layers = Face;
    type Network = Face;
    type Switches = WinSwitches;
    type Control = WinControl;
    type Files = Face;
    type Clock = WinClock;
    type Diagnostics = WinDiagnostics;

    fn compute(&self) -> &Face {
        self.simulated.compute()
    }

    fn layers(&self) -> &Face {
        self.simulated.layers()
    }

    fn network(&self) -> &Face {
        self.simulated.network()
    }

    fn switches(&self) -> &WinSwitches {
        &self.switches
    }

    fn control(&self) -> &WinControl {
        &self.control
    }

    fn files(&self) -> &Face {
        self.simulated.files()
    }

    fn clock(&self) -> &WinClock {
        &self.clock
    }

    fn diagnostics(&self) -> &WinDiagnostics {
        &self.diagnostics
    }
}

/// Wakes the simulator's executor, and this thread if the simulator has nothing to do.
struct Both {
    thread: Thread,
    simulator: Mutex<Waker>,
}

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.simulator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wake_by_ref();
        self.thread.unpark();
    }
}

/// Runs a future that waits for the simulator and for real threads.
fn run<T>(sim: &Sim, future: impl Future<Output = T>) -> T {
    let both = Arc::new(Both {
        thread: thread::current(),
        simulator: Mutex::new(Waker::noop().clone()),
    });
    let waker = Waker::from(Arc::clone(&both));
    let mut future = pin!(future);
    loop {
        let step = poll_fn(|context: &mut Context<'_>| -> Poll<T> {
            context.waker().clone_into(
                &mut both
                    .simulator
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner),
            );
            future.as_mut().poll(&mut Context::from_waker(&waker))
        });
        match sim.run(step) {
            Ok(value) => return value,
            // The simulator has nothing left to do: the answer comes from a thread.
            Err(_) => thread::park(),
        }
    }
}

const RULE: &str = "a  b\r\n---  ---\r\n";

fn to(to: &str, mut answer: Value) -> Value {
    answer["to"] = json!(to);
    answer
}

/// The programs of a Windows with the feature Containers in this state and without Hyper-V.
fn stand_ins(containers: &str, filters: &str) -> StandIns {
    StandIns::new(&[
        (
            "powershell",
            json!([
                to("# Get-VMSwitch", rows(json!([]))),
                to("# Get-NetNat", rows(json!([]))),
                to("# Get-NetAdapter", rows(json!([]))),
                to("# MSFT_Disk", rows(json!([]))),
                to("# Get-Module", rows(json!([{ "name": "NetNat" }]))),
                to(
                    "# Get-WindowsOptionalFeature",
                    rows(json!([
                        { "name": "Containers", "state": containers }, { "name": "Microsoft-Hyper-V", "state": "Disabled" },
                    ]))
                ),
            ]),
        ),
        (
            "fltmc",
            json!([{ "to": "filters", "stdout": format!("{RULE}{filters}") }]),
        ),
        (
            "netsh",
            json!([{ "to": "excludedportrange", "stdout": RULE }]),
        ),
        ("wevtutil", json!([{ "to": "qe", "exit": 15007 }])),
    ])
}

fn diagnose(stand_ins: &StandIns) -> Vec<CheckReport> {
    let sim = Sim::new(Profile::server_2022(), 1);
    let engine = Engine::new(HalfReal {
        simulated: sim.client(),
        switches: WinSwitches::with(stand_ins.tools()),
        control: WinControl::with(stand_ins.tools(), Vec::new(), Duration::ZERO),
        clock: WinClock::new(),
        diagnostics: WinDiagnostics::with(stand_ins.tools()),
    });
    run(&sim, engine.diagnose(&checks())).expect("the host says what it is")
}

fn report<'a>(reports: &'a [CheckReport], id: &str) -> &'a CheckReport {
    let found = reports.iter().find(|report| report.id == id);
    found.expect("there is such a check")
}

#[test]
fn every_check_has_its_evidence() {
    let reports = diagnose(&stand_ins("Enabled", "wcifs 0 189900 0\r\n"));
    assert_eq!(reports.len(), checks().len());
    let silent: Vec<_> = reports
        .iter()
        .filter(|report| report.outcome == Outcome::CannotTell)
        .map(|report| (report.id, &report.reason))
        .collect();
    assert_eq!(silent, []);
    let feature = report(&reports, "containers-feature");
    assert_eq!(feature.outcome, Outcome::Ok, "{feature:?}");
    // The disk of this machine, not the simulated one.
    let space = report(&reports, "disk-space");
    assert!(space.evidence[0].starts_with("C: has "), "{space:?}");
    check_filters(&reports, Outcome::Ok);
}

/// What is about Windows Server 2016 and later, Wine may be too old for.
#[track_caller]
fn check_filters(reports: &[CheckReport], expected: Outcome) {
    let filters = report(reports, "filter-drivers");
    let build = machine::info().expect("the registry can be read").build;
    let expected = if build < 14393 {
        Outcome::NotApplicable
    } else {
        expected
    };
    assert_eq!(filters.outcome, expected, "{filters:?}");
}

#[test]
fn troubles_are_found() {
    let reports = diagnose(&stand_ins(
        "EnablePending",
        "EvilAv 1 320000 0\r\nwcifs 0 189900 0\r\n",
    ));
    check_filters(&reports, Outcome::Warning);
    let restart = report(&reports, "restart-pending");
    assert!(
        matches!(restart.outcome, Outcome::Warning | Outcome::Failure),
        "{restart:?}"
    );
    let seen = restart.evidence.join("\n");
    assert!(seen.contains("Containers"), "{seen}");
}

/// A program that is not there silences the checks that need it, and no other.
#[test]
fn without_its_programs_a_host_says_less() {
    let reports = diagnose(&StandIns::new(&[]));
    check_filters(&reports, Outcome::CannotTell);
    let feature = report(&reports, "containers-feature");
    assert_eq!(feature.outcome, Outcome::CannotTell, "{feature:?}");
    let space = report(&reports, "disk-space");
    assert_ne!(space.outcome, Outcome::CannotTell, "{space:?}");
}
